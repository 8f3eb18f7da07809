package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
)

// Names of the cookie that holds the session's secret. The browser itself
// refuses a __Host- cookie that is not for https, this host and every path.
const (
	SecureSessionCookie = "__Host-taihu"
	PlainSessionCookie  = "taihu"
)

// sessionAge is how long a browser keeps the cookie. The store ends the session
// by its own clock.
const sessionAge = 14 * 86400

func sessionCookie(secure bool) string {
	if secure {
		return SecureSessionCookie
	}
	return PlainSessionCookie
}

// signInPage is the form to sign in.
type signInPage struct {
	frame
	Form form
	Back string
	// OpenID is the name of the provider by which one can sign in too; "": none.
	OpenID, OpenIDHref string
}

func (s *Site) signInPage(c *gin.Context, f form, back string) *signInPage {
	lang := language(c)
	v := &signInPage{frame: s.frame(c, "", phrase(lang, "登录", "Sign in")), Form: f, Back: back}
	v.NoIndex = true
	if s.OpenID != nil {
		q := url.Values{}
		if back != "" {
			q.Set("back", back)
		}
		v.OpenID, v.OpenIDHref = s.OpenIDName, href(lang, withQuery("/sign-in/openid", q))
	}
	return v
}

func (s *Site) signInForm(c *gin.Context) error {
	lang := language(c)
	back := ownPath(c.Query("back"), "")
	if handle.Actor(c).User != nil {
		c.Redirect(http.StatusSeeOther, ownPath(back, href(lang, "/steward")))
		return nil
	}
	v := s.signInPage(c, newForm(nil), back)
	if why, known := s.refusal(c.Query("refused")); known {
		v.Form.General = why.In(lang)
	}
	return s.render(c, http.StatusOK, "sign-in", v)
}

func (s *Site) signIn(c *gin.Context) error {
	lang := language(c)
	login, back := strings.TrimSpace(c.PostForm("login")), ownPath(c.PostForm("back"), href(lang, "/steward"))
	secret, _, err := s.Store.SignIn(c.Request.Context(), login, c.PostForm("password"))
	if err != nil {
		kind := catalog.KindOf(err)
		if kind != catalog.Unauthenticated && kind != catalog.Invalid && kind != catalog.Forbidden && kind != catalog.RateLimited {
			return err
		}
		v := s.signInPage(c, newForm(url.Values{"login": {login}}), ownPath(c.PostForm("back"), ""))
		v.Form.General = sentence(lang, err)
		return s.render(c, handle.Status(kind), "sign-in", v)
	}
	s.keepSession(c, secret)
	c.Redirect(http.StatusSeeOther, back) // it holds its language
	return nil
}

// keepSession gives the browser a session's secret.
func (s *Site) keepSession(c *gin.Context, secret string) {
	secure := s.secure()
	http.SetCookie(c.Writer, &http.Cookie{Name: sessionCookie(secure), Value: secret, Path: "/", MaxAge: sessionAge, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode})
}

func (s *Site) signOut(c *gin.Context) error {
	for _, name := range []string{SecureSessionCookie, PlainSessionCookie} {
		if secret, err := c.Cookie(name); err == nil && secret != "" {
			if err := s.Store.SignOut(c.Request.Context(), secret); err != nil && catalog.KindOf(err) == "" {
				return err
			}
			http.SetCookie(c.Writer, &http.Cookie{Name: name, Path: "/", MaxAge: -1, HttpOnly: true, Secure: name == SecureSessionCookie, SameSite: http.SameSiteLaxMode})
		}
	}
	return seeOther(c, "/?done=signed-out")
}

// signedIn returns the actor, or the error that leads to the sign-in page.
func signedIn(c *gin.Context) (catalog.Actor, error) {
	a := handle.Actor(c)
	if a.User == nil {
		return a, catalog.Errorf(catalog.Unauthenticated, "sign_in_required", "sign in to see this page").InChinese("请先登录")
	}
	return a, nil
}
