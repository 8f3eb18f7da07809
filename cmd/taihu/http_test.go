package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"taihu/api"
	"taihu/api/client"
	"taihu/catalog"
	"taihu/catalog/store"
)

// scenario is one request over the real server and what must come back.
type scenario struct {
	name    string
	method  string // GET unless said
	path    string // as a person writes it; encoded before it is sent
	raw     string // instead of path: sent as it is
	headers []string
	body    string
	status  int
	has     map[string]string // headers, whole; "" must be missing, "*" must be there
	parts   []string          // of the body
	lacks   []string
}

// play sends each scenario and reports all that is not as it should be.
func (s *server) play(t *testing.T, list []scenario) {
	t.Helper()
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) {
			status, header, body := s.send(t, c)
			if status != c.status {
				t.Errorf("status %d, want %d\n%s", status, c.status, body[:min(len(body), 600)])
			}
			for name, want := range c.has {
				got := strings.Join(header.Values(name), "; ")
				if want == "*" && got == "" || want != "*" && got != want {
					t.Errorf("header %s: %q, want %q", name, got, want)
				}
			}
			for _, part := range c.parts {
				if !strings.Contains(body, part) {
					t.Errorf("the body lacks %q:\n%s", part, body[:min(len(body), 600)])
				}
			}
			for _, part := range c.lacks {
				if strings.Contains(body, part) {
					t.Errorf("the body has %q:\n%s", part, body[:min(len(body), 600)])
				}
			}
			if status >= 400 && c.method != http.MethodHead && header.Get("Content-Type") == "application/problem+json" {
				checkProblem(t, status, header, body)
			}
		})
	}
}

func (s *server) send(t *testing.T, c scenario) (int, http.Header, string) {
	t.Helper()
	address := s.URL + c.raw
	if c.raw == "" {
		address = s.URL + encodeQuery(c.path)
	}
	req, err := http.NewRequest(c.method, address, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(c.headers); i += 2 {
		req.Header.Set(c.headers[i], c.headers[i+1])
	}
	resp, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", c.method, address, err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

// lotPortal is the portal of these tests: two releases of an open dataset, one
// conditional and one closed dataset of the same organization, and a steward of
// another one.
type lotPortal struct {
	*server
	admin, own, other string // tokens
	client            *client.Client
}

const lots = "编号,名称,区县,泊位数\n001,三阳广场,梁溪区,417\n002,崇安寺,梁溪区,6\n003,蠡湖公园,滨湖区,120\n004,\"甲;乙\",滨湖区,33\n005,太湖广场,梁溪区,6\n"

func startLots(t *testing.T, args ...string) *lotPortal {
	t.Helper()
	p := &lotPortal{server: start(t, "serve", args...)}
	p.admin = p.token()
	p.client = client.New(p.URL, p.admin)
	for slug, name := range map[string]string{"cgj": "城管局", "sthj": "生态环境局"} {
		if err := p.client.CreateOrganization(t.Context(), api.OrganizationEdit{Slug: slug, Name: catalog.Text{Zh: name}}); err != nil {
			t.Fatal(err)
		}
	}
	p.own, p.other = p.steward("own", "cgj"), p.steward("other", "sthj")
	for slug, open := range map[string]catalog.OpenAttribute{"open-lots": catalog.Unconditional, "conditional-lots": catalog.Conditional, "closed-lots": catalog.Closed} {
		e := api.DatasetEdit{Slug: slug, Organization: "cgj", Title: catalog.Text{Zh: "停车场 " + slug}, Licence: "CC0-1.0", OpenAttribute: open}
		if open != catalog.Unconditional {
			e.Conditions = catalog.Text{Zh: "向城管局申请"}
		}
		if _, err := p.client.CreateDataset(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		p.release(slug, "lots.csv", lots, hostileName, "an attachment")
	}
	p.release("open-lots", "lots.csv", lots+"006,新的,滨湖区,1\n", hostileName, "an attachment")
	p.idle()
	return p
}

// hostileName is a file's name that tries to break out of its header.
const hostileName = `说明 a";x=.html`

// steward makes a user with that role and returns a token.
func (p *lotPortal) steward(login, organization string) string {
	p.t.Helper()
	for _, args := range [][]string{{"user", "add", login}, {"user", "role", login, organization, "steward"}} {
		if out, code := p.command(args...); code != 0 {
			p.t.Fatalf("%v: %s", args, out)
		}
	}
	out, code := p.command("token", "create", "--user="+login, "--name=test")
	if code != 0 {
		p.t.Fatal(out)
	}
	return strings.TrimSpace(out)
}

// draft uploads files (name, content, …) and waits until they are checked.
func (p *lotPortal) draft(slug string, files ...string) *api.Draft {
	p.t.Helper()
	ctx := p.t.Context()
	draft, err := p.client.CreateDraft(ctx, slug, api.DraftEdit{Notes: catalog.Text{Zh: "又一版"}})
	if err != nil {
		p.t.Fatal(err)
	}
	for i := 0; i+1 < len(files); i += 2 {
		if draft, err = p.client.PutFile(ctx, draft.ID, files[i], url.Values{}, strings.NewReader(files[i+1]), int64(len(files[i+1]))); err != nil {
			p.t.Fatal(err)
		}
	}
	for deadline := time.Now().Add(60 * time.Second); draft.State == catalog.Checking && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if draft, err = p.client.Draft(ctx, draft.ID); err != nil {
			p.t.Fatal(err)
		}
	}
	return draft
}

// release publishes files as a release of slug; what is found is accepted.
func (p *lotPortal) release(slug string, files ...string) {
	p.t.Helper()
	draft := p.draft(slug, files...)
	for _, u := range draft.Unsettled {
		p.settle(draft.ID, u.File, api.FindingDecision{Code: u.Code, Table: u.Table, Column: u.Column, Measure: "accept", Reason: "a test"})
	}
	for _, verb := range []string{"submit", "approve", "publish"} {
		var err error
		if draft, err = p.client.Act(p.t.Context(), draft.ID, verb); err != nil {
			p.t.Fatalf("%s %s: %v", verb, slug, err)
		}
	}
}

// settle decides about findings of a draft's file and waits until it is read so.
func (p *lotPortal) settle(draft, file string, decisions ...api.FindingDecision) *api.Draft {
	p.t.Helper()
	var d api.Draft
	path := "/api/v1/drafts/" + draft + "/files/" + url.PathEscape(file) + "/settle"
	if err := p.client.Do(p.t.Context(), http.MethodPost, path, api.Settling{Decisions: decisions}, &d); err != nil {
		p.t.Fatal(err)
	}
	eventually(p.t, "the file is read", func() bool {
		now, err := p.client.Draft(p.t.Context(), draft)
		if err != nil {
			p.t.Fatal(err)
		}
		d = *now
		return d.State != catalog.Checking
	})
	return &d
}

// rename gives a dataset another slug, which no command does yet.
func (p *lotPortal) rename(slug, to string) {
	p.t.Helper()
	err := withStore(p.t.Context(), &Config{Data: p.Data, LogLevel: "error"}, discardLog, func(q *portal) error {
		_, err := q.store.RenameDataset(context.Background(), catalog.SystemActor, slug, to)
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// idle waits for what publishing set going: search index, exports of whole tables.
func (p *lotPortal) idle() {
	p.t.Helper()
	eventually(p.t, "no job waits", func() bool { return (&process{Data: p.Data}).pendingJobs() == 0 })
}

// forget throws away what was encoded before, so that an export is made anew.
func (p *lotPortal) forget() {
	p.t.Helper()
	p.idle()
	err := withStore(p.t.Context(), &Config{Data: p.Data, LogLevel: "error"}, discardLog, func(q *portal) error {
		for _, k := range p.exports() {
			if err := q.store.DeleteExport(context.Background(), k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// exports lists the keys of what is encoded and kept.
func (p *lotPortal) exports() []string {
	p.t.Helper()
	var keys []string
	err := withStore(p.t.Context(), &Config{Data: p.Data, LogLevel: "error"}, discardLog, func(q *portal) error {
		return q.store.Exports(context.Background(), func(e store.Export) error {
			keys = append(keys, e.Key)
			return nil
		})
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return keys
}

func bearerOf(token string) []string { return []string{"Authorization", "Bearer " + token} }

func with(headers []string, more ...string) []string { return append(slices.Clone(headers), more...) }

// editOf is the least a dataset needs.
func editOf(slug, organization string) api.DatasetEdit {
	return api.DatasetEdit{Slug: slug, Organization: organization, Title: catalog.Text{Zh: "停车场 " + slug}, Licence: "CC0-1.0", OpenAttribute: catalog.Unconditional}
}
