package web

import (
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/api/signin"
	"taihu/catalog"
)

// OpenIDCallback is where the provider sends people back to, without a language.
const OpenIDCallback = "/sign-in/openid/callback"

// attemptAge is how long somebody may take at the provider, in seconds.
const attemptAge = 600

// attemptCookie is the cookie that holds a try to sign in.
func attemptCookie(secure bool) string { return sessionCookie(secure) + "-openid" }

func (s *Site) keepAttempt(c *gin.Context, value string, age int) {
	secure := s.secure()
	http.SetCookie(c.Writer, &http.Cookie{Name: attemptCookie(secure), Value: value, Path: "/", MaxAge: age, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode})
}

// openID sends the browser to the provider: to sign in, or with link=1 to add an
// identity to the account of who is signed in.
func (s *Site) openID(c *gin.Context) error {
	if s.OpenID == nil {
		return noOpenID()
	}
	lang, userID := language(c), ""
	back := ownPath(c.Query("back"), href(lang, "/steward"))
	if c.Query("link") != "" {
		actor, err := signedIn(c)
		if err != nil {
			return err
		}
		back, userID = href(lang, "/account?done=identity-linked"), actor.User.ID
	}
	address, attempt, err := s.OpenID.Begin(c.Request.Context(), back, userID)
	if err != nil {
		return s.refuseOpenID(c, &signin.Attempt{Back: back}, err)
	}
	s.keepAttempt(c, attempt.Encode(), attemptAge)
	c.Header("Cache-Control", "no-store")
	c.Redirect(http.StatusSeeOther, address)
	return nil
}

// openIDBack takes the provider's answer.
func (s *Site) openIDBack(c *gin.Context) error {
	if s.OpenID == nil {
		return noOpenID()
	}
	ctx, lang := c.Request.Context(), language(c)
	kept, _ := c.Cookie(attemptCookie(s.secure()))
	s.keepAttempt(c, "", -1) // an answer is taken once
	c.Header("Cache-Control", "no-store")
	c.Header("Referrer-Policy", "no-referrer")
	attempt := signin.Decode(kept)
	identity, err := s.OpenID.Finish(ctx, attempt, c.Request.URL.Query())
	if err != nil {
		return s.refuseOpenID(c, attempt, err)
	}
	back := ownPath(attempt.Back, href(lang, "/steward"))
	if attempt.UserID != "" {
		actor, err := signedIn(c)
		if err != nil {
			return err
		}
		if actor.User.ID != attempt.UserID { // another signed in meanwhile
			return s.refuseOpenID(c, attempt, catalog.Errorf(catalog.Invalid, "sign_in_stale", "somebody else signed in meanwhile: begin again").InChinese("此间换了人登录：请重新开始"))
		}
		if err := s.Store.LinkIdentity(ctx, actor, identity); err != nil {
			return err
		}
		c.Redirect(http.StatusSeeOther, back)
		return nil
	}
	secret, _, err := s.Store.SignInWith(ctx, identity, s.OpenIDByMail)
	if err != nil {
		return s.refuseOpenID(c, attempt, err)
	}
	s.keepSession(c, secret)
	c.Redirect(http.StatusSeeOther, back)
	return nil
}

// refuseOpenID leads back to the sign-in page, which says why. What the provider
// said is for the log alone.
func (s *Site) refuseOpenID(c *gin.Context, attempt *signin.Attempt, err error) error {
	code := catalog.CodeOf(err)
	if _, known := s.refusal(code); !known || attempt != nil && attempt.UserID != "" {
		return err
	}
	s.Log.WarnContext(c.Request.Context(), "sign-in with OpenID failed", "request_id", handle.RequestID(c), "error", err)
	q := url.Values{"refused": {code}}
	lang := language(c)
	if attempt != nil {
		if back := ownPath(attempt.Back, ""); back != "" {
			q.Set("back", back)
			if back == "/en" || len(back) > 3 && back[:4] == "/en/" {
				lang = "en"
			}
		}
	}
	c.Redirect(http.StatusSeeOther, href(lang, withQuery("/sign-in", q)))
	return nil
}

// refusal is what the sign-in page says of a code that led back to it.
func (s *Site) refusal(code string) (catalog.Text, bool) {
	switch code {
	case "sign_in_stale", "sign_in_refused", "sign_in_unavailable", "account_disabled":
		for _, e := range s.docs.errors {
			if e.Code == code {
				return e.What, true
			}
		}
	}
	return catalog.Text{}, false
}

func noOpenID() error {
	return catalog.Errorf(catalog.NotFound, "not_found", "there is nothing at this address").InChinese("这个地址没有内容")
}

// unlinkIdentity takes an identity off the account of who is signed in.
func (s *Site) unlinkIdentity(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	if err := s.Store.UnlinkIdentity(c.Request.Context(), actor, actor.User.Login, c.PostForm("issuer"), c.PostForm("subject")); err != nil {
		return err
	}
	return seeOther(c, "/account?done=identity-unlinked")
}
