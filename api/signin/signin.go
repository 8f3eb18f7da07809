// Package signin asks an OpenID provider who somebody is: the authorization code
// flow with state, nonce and PKCE, and a check of the signed answer. It fences the
// libraries that know the protocol.
//
// It knows one provider and the browser's way there and back. It knows nothing of
// accounts and rights, which the store gives to the identity that comes out, nor
// of cookies and pages, which keep the attempt meanwhile.
package signin

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"taihu/catalog"
)

// Config names the provider and how the portal is known there.
type Config struct {
	Issuer       string
	ClientID     string
	ClientSecret string // empty: a public client, held by PKCE alone
	RedirectURL  string // of the portal, as registered at the provider
	Client       *http.Client
}

// timeout bounds each request to the provider.
const timeout = 10 * time.Second

// Provider is an OpenID provider. It is asked for its addresses when the first
// person signs in, so that the portal starts without it.
type Provider struct {
	Config
	mu    sync.Mutex
	found *oidc.Provider
}

// New makes a Provider and asks nobody.
func New(c Config) *Provider {
	if c.Client == nil {
		c.Client = &http.Client{Timeout: timeout}
	}
	return &Provider{Config: c}
}

// Attempt is one try to sign in, kept by the browser between leaving and coming
// back. Its values are good for this try alone.
type Attempt struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Back     string `json:"back,omitempty"` // where he wants to be afterwards
	// UserID is whose account the identity is to be added to; "": he signs in.
	UserID string `json:"user,omitempty"`
}

// Encode writes an attempt for a cookie.
func (a *Attempt) Encode() string {
	b, err := json.Marshal(a)
	if err != nil {
		panic(fmt.Sprintf("signin: an attempt cannot be written as JSON: %v", err))
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// Decode is the inverse of Encode; nil for what it never wrote.
func Decode(s string) *Attempt {
	b, err := base64.RawURLEncoding.DecodeString(s)
	a := &Attempt{}
	if err != nil || json.Unmarshal(b, a) != nil || a.State == "" || a.Nonce == "" || a.Verifier == "" {
		return nil
	}
	return a
}

// provider finds out the provider's addresses and keys, once.
func (p *Provider) provider(ctx context.Context) (*oidc.Provider, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	found, err := oidc.NewProvider(p.context(ctx), p.Issuer)
	if err != nil {
		return nil, unavailable(err)
	}
	p.found = found
	return found, nil
}

func (p *Provider) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.Client)
}

func (p *Provider) oauth(found *oidc.Provider) *oauth2.Config {
	return &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.ClientSecret, RedirectURL: p.RedirectURL, Endpoint: found.Endpoint(),
		Scopes: []string{oidc.ScopeOpenID, "profile", "email"}}
}

// Begin returns where to send the browser, and what it has to bring back. Back and
// UserID of the attempt are the caller's. Unavailable where the provider is away.
func (p *Provider) Begin(ctx context.Context, back, userID string) (address string, a *Attempt, err error) {
	found, err := p.provider(ctx)
	if err != nil {
		return "", nil, err
	}
	a = &Attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Back: back, UserID: userID}
	return p.oauth(found).AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), a, nil
}

// Finish takes what the browser brought back and returns who the provider says it
// is: Invalid sign_in_stale where the answer does not belong to this attempt,
// Unauthenticated sign_in_refused where the provider says no or its word does not
// hold, Unavailable where it is away.
func (p *Provider) Finish(ctx context.Context, a *Attempt, query url.Values) (*catalog.Identity, error) {
	if a == nil || subtle.ConstantTimeCompare([]byte(a.State), []byte(query.Get("state"))) != 1 {
		return nil, catalog.Errorf(catalog.Invalid, "sign_in_stale", "this answer belongs to no sign-in of this browser: begin again").
			InChinese("这个回答不属于本浏览器的登录：请重新登录")
	}
	if iss := query.Get("iss"); iss != "" && iss != p.Issuer { // RFC 9207
		return nil, refused(fmt.Errorf("the answer is of the issuer %q", iss))
	}
	if code := query.Get("error"); code != "" {
		return nil, refused(fmt.Errorf("the provider answers %q: %q", code, query.Get("error_description")))
	}
	found, err := p.provider(ctx)
	if err != nil {
		return nil, err
	}
	ctx = p.context(ctx)
	oauth := p.oauth(found)
	token, err := oauth.Exchange(ctx, query.Get("code"), oauth2.VerifierOption(a.Verifier))
	var said *oauth2.RetrieveError
	switch {
	case errors.As(err, &said) && said.Response != nil && said.Response.StatusCode < http.StatusInternalServerError:
		return nil, refused(fmt.Errorf("exchange code: %s %s", said.ErrorCode, said.ErrorDescription))
	case err != nil:
		return nil, unavailable(fmt.Errorf("exchange code: %w", err))
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return nil, refused(errors.New("the provider gave no id_token"))
	}
	id, err := found.Verifier(&oidc.Config{ClientID: p.ClientID}).Verify(ctx, raw)
	if err != nil {
		return nil, refused(fmt.Errorf("verify id_token: %w", err))
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.Nonce)) != 1 {
		return nil, refused(errors.New("the id_token is for another attempt (nonce)"))
	}
	var c claims
	if err := id.Claims(&c); err != nil {
		return nil, refused(fmt.Errorf("claims of id_token: %w", err))
	}
	if c.lacks() && found.UserInfoEndpoint() != "" {
		if err := p.more(ctx, found, oauth.TokenSource(ctx, token), id.Subject, &c); err != nil {
			return nil, err
		}
	}
	return c.identity(id.Issuer, id.Subject), nil
}

// claims are what an id_token, or the answer about the user, says of him.
type claims struct {
	Login        string `json:"preferred_username"`
	Name         string `json:"name"`
	Mail         string `json:"email"`
	MailVerified flag   `json:"email_verified"`
}

// flag reads a boolean that some providers write as text.
type flag bool

func (f *flag) UnmarshalJSON(b []byte) error {
	*f = string(b) == "true" || string(b) == `"true"`
	return nil
}

func (c *claims) lacks() bool { return c.Login == "" || c.Name == "" || c.Mail == "" }

func (c *claims) identity(issuer, subject string) *catalog.Identity {
	return &catalog.Identity{Issuer: issuer, Subject: subject, Login: c.Login, Name: c.Name, Mail: c.Mail, MailVerified: bool(c.MailVerified)}
}

// more asks the provider about the user, as many put only the subject into the
// id_token. An answer about somebody else is refused.
func (p *Provider) more(ctx context.Context, found *oidc.Provider, tokens oauth2.TokenSource, subject string, c *claims) error {
	info, err := found.UserInfo(ctx, tokens)
	if err != nil {
		return unavailable(fmt.Errorf("ask for the user: %w", err))
	}
	if info.Subject != subject {
		return refused(errors.New("the provider speaks of another user"))
	}
	said := claims{}
	if err := info.Claims(&said); err != nil {
		return refused(fmt.Errorf("claims of the user: %w", err))
	}
	if c.Login == "" {
		c.Login = said.Login
	}
	if c.Name == "" {
		c.Name = said.Name
	}
	if c.Mail == "" {
		c.Mail, c.MailVerified = said.Mail, said.MailVerified
	}
	return nil
}

func refused(why error) error {
	return catalog.Errorf(catalog.Unauthenticated, "sign_in_refused", "the sign-in service did not confirm who you are").
		InChinese("登录服务没有确认你的身份").Because(why)
}

func unavailable(why error) error {
	return catalog.Errorf(catalog.Unavailable, "sign_in_unavailable", "the sign-in service does not answer now: try again, or use a password").
		InChinese("登录服务暂时没有响应：稍后再试，或用密码登录").Because(why)
}
