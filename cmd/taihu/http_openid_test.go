package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"

	"taihu/api/signin"
	"taihu/catalog"
)

const portalSecret = "the-secret-of-the-portal-there"

// people are the accounts of the provider, by their ids.
type people map[string]*storage.User

func (p people) GetUserByID(id string) *storage.User { return p[id] }
func (p people) ExampleClientID() string             { return "" }
func (p people) GetUserByUsername(name string) *storage.User {
	for _, u := range p {
		if u.Username == name {
			return u
		}
	}
	return nil
}

// openIDServer is a real OpenID provider in this process, which signs its tokens
// and asks for passwords, and a portal that trusts it.
type openIDServer struct {
	*lotPortal
	issuer *httptest.Server
	forge  atomic.Bool // the payload of id_tokens is changed on its way
}

// startOpenID starts both. The portal has the datasets of startLots.
func startOpenID(t *testing.T, args ...string) *openIDServer {
	t.Helper()
	o := &openIDServer{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	issuer := "http://" + listener.Addr().String()
	address := freeAddress(t)
	storage.RegisterClients(storage.WebClient("taihu", portalSecret, "http://"+address+"/sign-in/openid/callback"))
	store := storage.NewStorage(people{
		"id-wang": {ID: "id-wang", Username: "wang.li", Password: "wang's password", FirstName: "丽", LastName: "王", Email: "wang@example.org", EmailVerified: true},
		"id-own":  {ID: "id-own", Username: "own", Password: "own's password", FirstName: "Own", LastName: "There", Email: "own@example.org", EmailVerified: true},
		"id-liar": {ID: "id-liar", Username: "liar", Password: "liar's password", Email: "own", EmailVerified: false},
	})
	provider := exampleop.SetupServer(issuer, store, nil, false)
	o.issuer = &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !o.forge.Load() || !strings.HasSuffix(r.URL.Path, "/token") {
			provider.ServeHTTP(w, r)
			return
		}
		rec := httptest.NewRecorder()
		provider.ServeHTTP(rec, r)
		var answer map[string]any
		_ = json.Unmarshal(rec.Body.Bytes(), &answer)
		parts := strings.Split(answer["id_token"].(string), ".")
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		parts[1] = base64.RawURLEncoding.EncodeToString(bytes.Replace(payload, []byte("id-liar"), []byte("id-wang"), 1))
		answer["id_token"] = strings.Join(parts, ".")
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(answer)
	})}}
	o.issuer.Start()
	t.Cleanup(o.issuer.Close)
	o.lotPortal = startLots(t, append([]string{"--listen=" + address, "--log-level=debug", "--oidc-issuer=" + issuer, "--oidc-client-id=taihu", "--oidc-client-secret=" + portalSecret, "--oidc-name=无锡统一身份"}, args...)...)
	return o
}

// person is a browser without scripts.
type person struct {
	t *testing.T
	o *openIDServer
	*http.Client
}

func (o *openIDServer) person(t *testing.T) *person {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &person{t, o, &http.Client{Jar: jar}}
}

// open follows an address to its end and returns where that is, status and page.
func (p *person) open(address string) (at string, status int, page string) {
	p.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = p.o.URL + address
	}
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Accept", "text/html")
	return p.end(p.Do(req))
}

func (p *person) post(address string, form url.Values) (at string, status int, page string) {
	p.t.Helper()
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", p.o.URL)
	req.Header.Set("Accept", "text/html")
	return p.end(p.Do(req))
}

func (p *person) end(resp *http.Response, err error) (string, int, string) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	at := resp.Request.URL.String()
	return strings.TrimPrefix(at, p.o.URL), resp.StatusCode, string(body)
}

// signIn goes to the provider by begin, gives name and password there, and returns
// where the portal leads in the end.
func (p *person) signIn(begin, name string) (at string, status int, page string) {
	p.t.Helper()
	at, status, page = p.open(begin)
	id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(page)
	if !strings.HasPrefix(at, p.o.issuer.URL+"/login/") || status != 200 || id == nil {
		p.t.Fatalf("%s leads to %s: %d\n%.300s", begin, at, status, page)
	}
	return p.post(p.o.issuer.URL+"/login/username", url.Values{"id": {id[1]}, "username": {name}, "password": {strings.TrimSuffix(name, ".li") + "'s password"}})
}

// attempt is what the browser keeps while it is away, and a change to it.
func (p *person) attempt(change func(*signin.Attempt)) {
	p.t.Helper()
	u, _ := url.Parse(p.o.URL)
	for _, c := range p.Jar.Cookies(u) {
		if c.Name == "taihu-openid" {
			a := signin.Decode(c.Value)
			change(a)
			p.Jar.SetCookies(u, []*http.Cookie{{Name: c.Name, Value: a.Encode(), Path: "/"}})
			return
		}
	}
	p.t.Fatal("there is no attempt")
}

// direct asks the portal's store.
func (o *openIDServer) direct(f func(*portal) error) {
	o.t.Helper()
	if err := withStore(o.t.Context(), &Config{Data: o.Data, LogLevel: "error"}, discardLog, f); err != nil {
		o.t.Fatal(err)
	}
}

// TestOpenIDSignIn goes the whole way through a real provider.
func TestOpenIDSignIn(t *testing.T) {
	o := startOpenID(t)
	wang := o.person(t)
	_, _, page := wang.open("/en/sign-in?back=/en/datasets")
	if !strings.Contains(page, "Sign in with 无锡统一身份") || !strings.Contains(page, `href="/en/sign-in/openid?back=%2Fen%2Fdatasets"`) {
		t.Fatalf("the sign-in page has no button: %.900s", page)
	}
	at, status, page := wang.signIn("/en/sign-in/openid?back=%2Fen%2Fdatasets", "wang.li")
	if at != "/en/datasets" || status != 200 || !strings.Contains(page, `title="丽 王"`) {
		t.Fatalf("led to %s: %d", at, status)
	}
	_, _, page = wang.open("/account")
	if !strings.Contains(page, "wang.li") || !strings.Contains(page, o.issuer.URL) || !strings.Contains(page, "id-wang") {
		t.Error("his account page does not show who he is")
	}
	if _, _, page = wang.open("/steward"); !strings.Contains(page, "还没有可管的机构") {
		t.Error("a first sign-in gave rights")
	}
	if _, status, _ := wang.post(o.URL+"/steward/datasets/new", url.Values{"slug": {"x-lots"}, "title_zh": {"x"}}); status < 400 {
		t.Errorf("and more than words: %d", status)
	}
	again := o.person(t)
	again.signIn("/sign-in/openid", "wang.li")
	out, _ := o.command("user", "list")
	if strings.Count(out, "wang.li") != 1 || !strings.Contains(out, "wang.li\t丽 王\tno role\n") {
		t.Errorf("the users are %s", out)
	}
	// Somebody of the same name here is somebody else.
	stranger := o.person(t)
	stranger.signIn("/sign-in/openid", "own")
	if _, _, page = stranger.open("/account"); !strings.Contains(page, "<code>own-2</code>") {
		t.Errorf("who is called own there is %.300s", page[strings.Index(page, "pagehead"):])
	}
	// Nobody is led elsewhere afterwards.
	if at, _, _ := o.person(t).signIn("/sign-in/openid?back=//evil.example/", "wang.li"); at != "/steward" {
		t.Errorf("led to %s", at)
	}

	secretNowhere(t, o)
}

// secretNowhere: neither the log nor the printed settings hold the portal's secret,
// codes or tokens.
func secretNowhere(t *testing.T, o *openIDServer) {
	t.Helper()
	if log := o.Log.String(); strings.Contains(log, portalSecret) || strings.Contains(log, "code=") || strings.Contains(log, "id_token=") || !strings.Contains(log, "/sign-in/openid/callback") {
		t.Error("the log holds the portal's secret or a code, or no request")
	}
	out, code := o.command("config", "--oidc-issuer=https://id.example", "--oidc-client-id=taihu", "--oidc-client-secret="+portalSecret)
	if code != 0 || strings.Contains(out, portalSecret) || !strings.Contains(out, "# oidc-client-secret = "+hidden) || !strings.Contains(out, "oidc-issuer = https://id.example\n") {
		t.Errorf("%d: the settings are %s", code, out)
	}
}

// TestOpenIDRefusals: an answer that is not the provider's, not for this browser or
// not for this attempt makes no session.
func TestOpenIDRefusals(t *testing.T) {
	o := startOpenID(t)
	refused := func(what, want, at, page string) {
		t.Helper()
		if !strings.HasPrefix(at, "/sign-in?") || !strings.Contains(at, "refused="+want) || !strings.Contains(page, `role="alert"`) {
			t.Errorf("%s: led to %s\n%.200s", what, at, page)
		}
	}
	// The way back without the way there: as another's browser would be sent.
	at, _, page := o.person(t).open("/sign-in/openid/callback?code=stolen&state=x")
	refused("no attempt", "sign_in_stale", at, page)
	for what, c := range map[string]struct {
		change func(*signin.Attempt)
		want   string
	}{
		"state":           {func(a *signin.Attempt) { a.State = "another" }, "sign_in_stale"},
		"nonce":           {func(a *signin.Attempt) { a.Nonce = "another" }, "sign_in_refused"},
		"verifier (PKCE)": {func(a *signin.Attempt) { a.Verifier = strings.Repeat("x", 43) }, "sign_in_refused"},
	} {
		p := o.person(t)
		_, _, page := p.open("/sign-in/openid")
		p.attempt(c.change)
		id := regexp.MustCompile(`name="id" value="([^"]+)"`).FindStringSubmatch(page)[1]
		at, _, page = p.post(o.issuer.URL+"/login/username", url.Values{"id": {id}, "username": {"wang.li"}, "password": {"wang's password"}})
		refused(what, c.want, at, page)
		if at, _, _ = p.open("/account"); !strings.HasPrefix(at, "/sign-in") {
			t.Errorf("%s: there is a session", what)
		}
	}
	// The provider says no, and English readers are told in English.
	p := o.person(t)
	p.open("/en/sign-in/openid?back=%2Fen%2Fsteward")
	var state string
	p.attempt(func(a *signin.Attempt) { state = a.State })
	at, _, page = p.open("/sign-in/openid/callback?error=access_denied&state=" + state)
	if at != "/en/sign-in?back=%2Fen%2Fsteward&refused=sign_in_refused" || !strings.Contains(page, "did not confirm who you are") {
		t.Errorf("led to %s", at)
	}
	// An answer is taken once.
	at, _, page = p.open("/sign-in/openid/callback?error=access_denied&state=" + state)
	refused("twice", "sign_in_stale", at, page)
	// A token whose words were changed on their way: its signature does not hold.
	o.forge.Store(true)
	at, _, page = o.person(t).signIn("/sign-in/openid", "liar")
	refused("a forged token", "sign_in_refused", at, page)
	o.forge.Store(false)
	if out, _ := o.command("user", "list"); strings.Contains(out, "wang.li") || strings.Contains(out, "liar") {
		t.Errorf("refusals left accounts: %s", out)
	}
	secretNowhere(t, o)
	// The provider is away: the portal works, and says so.
	o.issuer.Close()
	p = o.person(t)
	p.open("/sign-in")
	if _, status, _ := p.open("/datasets/open-lots"); status != 200 {
		t.Errorf("without the provider a page is answered %d", status)
	}
	away := startOpenIDAway(t)
	at, _, page = away.person(t).open("/sign-in/openid?back=%2Fdatasets")
	refused("away", "sign_in_unavailable", at, page)
	if at, status, _ := away.person(t).open("/sign-in"); at != "/sign-in" || status != 200 {
		t.Errorf("the sign-in page is answered %d", status)
	}
	// Not configured: no button and no address.
	plain := &openIDServer{lotPortal: startLots(t)}
	if _, _, page := plain.person(t).open("/sign-in"); strings.Contains(page, "openid") {
		t.Error("there is a button without a provider")
	}
	for _, path := range []string{"/sign-in/openid", "/sign-in/openid/callback?code=x&state=y"} {
		if _, status, _ := plain.person(t).open(path); status != 404 {
			t.Errorf("%s without a provider is answered %d", path, status)
		}
	}
}

// startOpenIDAway starts a portal whose provider does not answer.
func startOpenIDAway(t *testing.T) *openIDServer {
	t.Helper()
	return &openIDServer{lotPortal: startLots(t, "--oidc-issuer=http://"+freeAddress(t), "--oidc-client-id=taihu")}
}

// TestOpenIDAndAccounts: an identity is added on the account page, by a verified
// mail address where that is configured, and accepts invitations; a disabled
// account stays closed.
func TestOpenIDAndAccounts(t *testing.T) {
	o := startOpenID(t, "--oidc-link-mail")
	out, code := o.command("user", "add", "own@example.org")
	if code != 0 {
		t.Fatal(out)
	}
	password := strings.TrimSpace(out)
	for _, args := range [][]string{{"user", "role", "own@example.org", "cgj", "steward"}, {"user", "add", "boss", "--admin"}} {
		if out, code := o.command(args...); code != 0 {
			t.Fatal(out)
		}
	}
	own := o.person(t)
	own.signIn("/sign-in/openid", "own")
	if _, _, page := own.open("/account"); !strings.Contains(page, "<code>own@example.org</code>") {
		t.Error("a verified mail address did not lead to its account")
	}
	liar := o.person(t)
	liar.signIn("/sign-in/openid", "liar") // says his mail is "own", unverified
	if _, _, page := liar.open("/account"); !strings.Contains(page, "<code>liar</code>") {
		t.Error("an unverified mail address leads to an account")
	}

	// Wang has an account here, and adds the provider's to it; nobody else can then.
	out, _ = o.command("user", "add", "wang")
	p := o.person(t)
	if at, _, _ := p.open("/sign-in/openid?link=1"); !strings.HasPrefix(at, "/sign-in?back=") {
		t.Errorf("nobody adds an identity: %s", at)
	}
	p.post(o.URL+"/sign-in", url.Values{"login": {"wang"}, "password": {strings.TrimSpace(out)}})
	if at, _, page := p.signIn("/sign-in/openid?link=1", "wang.li"); at != "/account?done=identity-linked" || !strings.Contains(page, "id-wang") {
		t.Errorf("led to %s", at)
	}
	fresh := o.person(t)
	fresh.signIn("/sign-in/openid", "wang.li")
	if _, _, page := fresh.open("/account"); !strings.Contains(page, "<code>wang</code>") {
		t.Error("the added identity leads elsewhere")
	}
	q := o.person(t)
	q.post(o.URL+"/sign-in", url.Values{"login": {"own@example.org"}, "password": {password}})
	if _, status, page := q.signIn("/sign-in/openid?link=1", "wang.li"); status != 409 || !strings.Contains(page, "已属于另一个账号") {
		t.Errorf("another's identity: %d", status)
	}

	// Invited, and signed in by the provider: the invitation is still there to accept.
	link, _ := o.command("user", "invite", "sthj", "reviewer", "--base-url="+o.URL)
	path := strings.TrimPrefix(strings.TrimSpace(link), o.URL)
	guest := o.person(t)
	_, _, page := guest.open(path)
	begin := regexp.MustCompile(`href="(/sign-in/openid\?back=[^"]+)"`).FindStringSubmatch(page)
	if begin == nil {
		t.Fatalf("the invitation has no button: %.500s", page)
	}
	at, _, page := guest.signIn(begin[1], "liar")
	if at != path || !strings.Contains(page, "接受") {
		t.Fatalf("led to %s", at)
	}
	at, _, _ = guest.post(o.URL+"/invitation", url.Values{"key": {path[strings.Index(path, "thi_"):]}})
	if out, _ := o.command("user", "list"); at != "/steward?done=joined" || !strings.Contains(out, "reviewer of sthj") {
		t.Errorf("led to %s; users are %s", at, out)
	}

	o.direct(func(q *portal) error {
		return q.store.SetUser(context.Background(), catalog.SystemActor, &catalog.User{Login: "wang", Name: "wang", Disabled: true})
	})
	if at, _, page := o.person(t).signIn("/sign-in/openid", "wang.li"); !strings.Contains(at, "refused=account_disabled") || !strings.Contains(page, "已停用") {
		t.Errorf("a disabled account: led to %s", at)
	}
	if _, _, page := fresh.open("/account"); strings.Contains(page, "<code>wang</code>") {
		t.Error("a disabled account's session stands")
	}
}

// TestOpenIDInTheBrowser: the content policy lets the browser go there and come back.
func TestOpenIDInTheBrowser(t *testing.T) {
	o := startOpenID(t)
	for name, width := range map[string]int64{"wide": 1280, "phone": 390} {
		b := openTab(t, width, 900, true)
		b.do(chromedp.Navigate(o.URL+"/sign-in?back=/account"), chromedp.WaitReady("#openid"))
		b.shoot("sign-in-openid-" + name)
		b.do(chromedp.Click("#openid"), chromedp.WaitReady("#username"), chromedp.SendKeys("#username", "wang.li"), chromedp.SendKeys("#password", "wang's password"), chromedp.Click("button"),
			chromedp.WaitReady("form[action$='/sign-out']"))
		if page := b.text("main"); !strings.Contains(page, "统一登录") || !strings.Contains(page, "id-wang") {
			t.Errorf("%s: after signing in: %.300s", name, page)
		}
		if wide := b.number("document.documentElement.scrollWidth"); wide > float64(width) {
			t.Errorf("the account page is %v wide in a window of %d", wide, width)
		}
		b.shoot("account-openid-" + name)
	}
}

func TestOpenIDSettings(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--oidc-issuer=https://id.example"}, "--oidc-client-id"},
		{[]string{"--oidc-client-id=x"}, "--oidc-issuer"},
		{[]string{"--oidc-issuer=http://id.example", "--oidc-client-id=x"}, "must begin with https://"},
		{[]string{"--oidc-issuer=id.example", "--oidc-client-id=x"}, "must be an address"},
	} {
		err := run(context.Background(), append([]string{"config"}, c.args...), environment{Getenv: noVariables, In: strings.NewReader(""), Out: io.Discard, Err: io.Discard})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v", c.args, err)
		}
	}
}
