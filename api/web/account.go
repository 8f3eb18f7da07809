package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
	"taihu/catalog/store"
)

// accountPage is a person's keys and password.
type accountPage struct {
	frame
	Login  string
	Keys   []keyRow
	Secret string // of the key just made; on this answer alone
	Form   form   // of the new key or of the password
	Scopes []choice
	Days   []choice
	// Queries is the budget of a user, 0: any number; FewerQueries that of an
	// address.
	Queries, FewerQueries int
	// OpenID is the name of the provider by which one can sign in; "": none.
	OpenID     string
	Identities []identityRow
}

// identityRow is an identity by which the person signs in.
type identityRow struct{ Issuer, Subject, Since string }

// keyRow is one key of the list.
type keyRow struct {
	ID, Name string
	Scope    catalog.Text
	Made     string
	Expires  string // "": never
	Used     string // "": never
	State    catalog.Text
	Badge    string
	Valid    bool
}

// keyDays are the lives a key can be given here; 0 is no end.
var keyDays = []int{30, 90, 365, 0}

func (s *Site) account(c *gin.Context) error {
	return s.showAccount(c, http.StatusOK, newForm(url.Values{"days": {"90"}, "scope": {string(catalog.ReadScope)}}), "")
}

// showAccount renders the page; form is what was typed and what is wrong with it.
func (s *Site) showAccount(c *gin.Context, status int, f form, secret string) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	tokens, err := s.Store.Tokens(c.Request.Context(), actor, actor.User.Login)
	if err != nil {
		return err
	}
	lang := language(c)
	v := &accountPage{frame: s.frame(c, "account", phrase(lang, "账户", "Account")), Login: actor.User.Login, Secret: secret, Form: f,
		Queries: s.Limits.Queries.Key, FewerQueries: s.Limits.Queries.Anonymous}
	v.NoIndex, v.NoStore = true, secret != ""
	v.Path = "/account" // where a refused form is shown too
	if s.OpenID != nil {
		v.OpenID = s.OpenIDName
	}
	identities, err := s.Store.Identities(c.Request.Context(), actor, actor.User.Login)
	if err != nil {
		return err
	}
	for _, i := range identities {
		v.Identities = append(v.Identities, identityRow{i.Issuer, i.Subject, minute(i.CreatedAt)})
	}
	now := s.Clock()
	for _, k := range tokens {
		v.Keys = append(v.Keys, keyRowOf(k, now))
	}
	for _, scope := range catalog.Scopes {
		words := map[catalog.Scope]string{
			catalog.ReadScope: phrase(lang, "只读：能看你能看的，什么也改不了", "read: sees what you may see, changes nothing"),
			catalog.FullScope: phrase(lang, "全部权限：能做你能做的，但不能管理账户", "full: does what you may do, but for this account"),
		}[scope]
		v.Scopes = append(v.Scopes, choice{string(scope), words, f.Get("scope") == string(scope)})
	}
	for _, n := range keyDays {
		words := phrase(lang, "%d天", "%d days", n)
		if n == 0 {
			words = phrase(lang, "不过期", "no end")
		}
		v.Days = append(v.Days, choice{strconv.Itoa(n), words, f.Get("days") == strconv.Itoa(n)})
	}
	return s.render(c, status, "account", v)
}

func keyRowOf(k catalog.Token, now time.Time) keyRow {
	r := keyRow{ID: k.ID, Name: k.Name, Scope: k.Scope.Words(), Made: minute(k.CreatedAt), State: catalog.Text{Zh: "有效", En: "valid"}, Badge: "ok", Valid: true}
	if k.ExpiresAt != nil {
		r.Expires = minute(*k.ExpiresAt)
	}
	if k.LastUsedAt != nil {
		r.Used = minute(*k.LastUsedAt)
	}
	switch {
	case k.RevokedAt != nil:
		r.State, r.Badge, r.Valid = catalog.Text{Zh: "已吊销", En: "revoked"}, "bad", false
	case k.ExpiresAt != nil && !k.ExpiresAt.After(now):
		r.State, r.Badge, r.Valid = catalog.Text{Zh: "已过期", En: "expired"}, "", false
	}
	return r
}

// makeKey answers with the page that shows the secret: it stands in no address
// and is not to be had again.
func (s *Site) makeKey(c *gin.Context) error {
	actor, f, err := signedForm(c)
	if err != nil {
		return err
	}
	n := store.NewToken{Name: f.Get("name"), Scope: catalog.Scope(f.Get("scope"))}
	days, err := strconv.Atoi(f.Get("days"))
	if err != nil || !slices.Contains(keyDays, days) {
		return s.accountAgain(c, f, catalog.Errorf(catalog.Invalid, "invalid_field", "choose how long the key shall live").With("field", "days").InChinese("请选择有效期"))
	}
	if days > 0 {
		at := s.Clock().AddDate(0, 0, days)
		n.Expires = &at
	}
	secret, _, err := s.Store.CreateToken(c.Request.Context(), actor, actor.User.Login, n)
	if err != nil {
		return s.accountAgain(c, f, err)
	}
	return s.showAccount(c, http.StatusOK, newForm(url.Values{"days": {"90"}, "scope": {string(catalog.ReadScope)}}), secret)
}

func (s *Site) revokeKey(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	if err := s.Store.RevokeToken(c.Request.Context(), actor, c.Param("id")); err != nil {
		return err
	}
	return seeOther(c, "/account?done=key-revoked")
}

// changePassword ends every session of the user, and begins a new one in this
// browser.
func (s *Site) changePassword(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	if err := c.Request.ParseForm(); err != nil {
		return badForm(err)
	}
	typed := c.Request.PostForm
	f := newForm(url.Values{"days": {"90"}, "scope": {string(catalog.ReadScope)}}) // what was typed is not shown again
	if typed.Get("password") != typed.Get("again") {
		return s.accountAgain(c, f, catalog.Errorf(catalog.Invalid, "invalid_field", "the two new passwords differ").With("field", "again").InChinese("两次输入的新密码不一样"))
	}
	if err := s.Store.ChangePassword(c.Request.Context(), actor, typed.Get("current"), typed.Get("password")); err != nil {
		return s.accountAgain(c, f, err)
	}
	secret, _, err := s.Store.SignIn(c.Request.Context(), actor.User.Login, typed.Get("password"))
	if err != nil {
		return err
	}
	s.keepSession(c, secret)
	return seeOther(c, "/account?done=password-changed")
}

// accountAgain shows the page with what is wrong with the form.
func (s *Site) accountAgain(c *gin.Context, f form, err error) error {
	var e *catalog.Error
	if !errors.As(err, &e) || e.Kind != catalog.Invalid {
		return err
	}
	if field, _ := e.Fields["field"].(string); field != "" {
		f.refuse(field, sentence(language(c), err))
	} else {
		f.General = sentence(language(c), err)
	}
	return s.showAccount(c, http.StatusUnprocessableEntity, f, "")
}
