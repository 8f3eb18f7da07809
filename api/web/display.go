package web

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

// displayCookie keeps light or dark and the size of text. It never decides a
// language and names nobody.
const displayCookie = "taihu_display"

// display reads the reader's choice; both empty follow the system.
func display(c *gin.Context) (theme, size string) {
	v, _ := c.Cookie(displayCookie)
	for _, word := range strings.Split(v, ".") {
		switch word {
		case "light", "dark":
			theme = word
		case "large":
			size = word
		}
	}
	return theme, size
}

// setDisplay keeps a choice made in the footer and goes back to the page.
func (s *Site) setDisplay(c *gin.Context) error {
	theme, size := display(c)
	switch choice := c.PostForm("choice"); choice {
	case "light", "dark":
		theme = choice
	case "system":
		theme = ""
	case "large":
		size = choice
	case "normal":
		size = ""
	}
	value := strings.Trim(theme+"."+size, ".")
	cookie := &http.Cookie{Name: displayCookie, Value: value, Path: "/", MaxAge: 365 * 86400, HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure()}
	if value == "" {
		cookie.MaxAge = -1
	}
	http.SetCookie(c.Writer, cookie)
	return seeOther(c, ownPath(c.PostForm("back"), "/"))
}

// ownPath returns path where it is an address of this portal without scheme or
// host, else instead. A browser reads // and /\ as another host.
func ownPath(path, instead string) string {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return instead
	}
	return path
}

// secure reports whether readers come by https. The address of the portal says
// so: a proxy may end TLS in front of it.
func (s *Site) secure() bool {
	return strings.HasPrefix(s.BaseURL, "https://")
}
