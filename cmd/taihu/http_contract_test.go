package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"taihu/api"
	"taihu/catalog"
	"taihu/catalog/ingest"
)

// describe states words, key and rules of a draft's table and waits until its
// file was read again.
func (p *lotPortal) describe(draft, table string, e api.TableEdit) *api.Draft {
	p.t.Helper()
	var d api.Draft
	if err := p.client.Do(p.t.Context(), http.MethodPut, "/api/v1/drafts/"+draft+"/tables/"+table, e, &d); err != nil {
		p.t.Fatal(err)
	}
	return p.checked(p.t, draft)
}

// put gives a draft a file with options and waits until it is read.
func (p *lotPortal) put(draft, name, content string, options url.Values) *api.Draft {
	p.t.Helper()
	if _, err := p.client.PutFile(p.t.Context(), draft, name, options, strings.NewReader(content), int64(len(content))); err != nil {
		p.t.Fatal(err)
	}
	return p.checked(p.t, draft)
}

func codesOf(list []catalog.UnsettledPlace) []string {
	var codes []string
	for _, u := range list {
		codes = append(codes, u.Code+" "+u.Column)
	}
	slices.Sort(codes)
	return codes
}

const (
	readings2024 = "站号,日期,pm25,等级\n007,2024-01-01,35,优\n008,2024-01-01,暂无,良\n"
	readings2025 = "站号,日期,pm25,等级\n007,2025-01-01,4.5,优\n007,2025-01-01,900,差\n009,,暂无,良\n"
)

// TestContractOfADataset takes a dataset through two releases. How the first was
// read and what was asked of its columns holds for the second, whose file differs
// in its year; the same findings come of it on a laptop, byte for byte; nothing
// that was typed is lost when a file is refused.
func TestContractOfADataset(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	e := api.DatasetEdit{Slug: "air", Organization: "cgj", Title: catalog.Text{Zh: "空气"}, Licence: "CC0-1.0", OpenAttribute: catalog.Unconditional}
	if _, err := p.client.CreateDataset(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	first, err := p.client.CreateDraft(t.Context(), "air", api.DraftEdit{})
	if err != nil {
		t.Fatal(err)
	}
	options := url.Values{"null_words": {"暂无\npm25=-999"}, "types": {"pm25=number"}, "table": {"readings"}}
	d := p.put(first.ID, "air-2024.csv", readings2024, options)
	if d.State != catalog.Ready || d.Tables[0].Columns[2].Type != catalog.Number {
		t.Fatalf("%s, %+v", d.State, d.Files[0].Report)
	}
	key := []string{"站号", "日期"}
	d = p.describe(first.ID, "readings", api.TableEdit{Title: &catalog.Text{Zh: "逐日读数"}, Key: &key, Fields: map[string]api.FieldEdit{
		"日期":   {Label: catalog.Text{Zh: "监测日期"}, Rules: &catalog.Rules{Required: true, Minimum: "2024-01-01"}},
		"pm25": {Unit: "µg/m³", Rules: &catalog.Rules{Minimum: "0", Maximum: "500"}},
		"等级":   {Codes: []catalog.Code{{Value: "优"}, {Value: "中"}}, Rules: &catalog.Rules{Listed: true}},
	}})
	if got := codesOf(d.Unsettled); !slices.Equal(got, []string{"contract_codes 等级"}) {
		t.Fatalf("unsettled: %q", got)
	}
	// Rules that cannot be are refused, and change nothing.
	for _, c := range []struct{ rules, want string }{
		{`{"pattern":"["}`, "bad_rule"}, {`{"minimum":"x"}`, "bad_rule"}, {`{"minimum":"01"}`, "bad_rule"},
	} {
		p.play(t, []scenario{{name: c.rules, method: http.MethodPut, path: "/api/v1/drafts/" + first.ID + "/tables/readings", status: 400, parts: []string{c.want, `"pm25"`},
			headers: append(bearerOf(p.admin), "Content-Type", "application/json"), body: `{"fields":{"pm25":{"rules":` + c.rules + `}}}`}})
	}
	// The list is mended: the file is held to it, and passes.
	d = p.describe(first.ID, "readings", api.TableEdit{Fields: map[string]api.FieldEdit{"等级": {Codes: []catalog.Code{{Value: "优"}, {Value: "良"}}}}})
	if d.State != catalog.Ready || len(d.Unsettled) > 0 {
		t.Fatalf("%s with %+v", d.State, d.Unsettled)
	}
	// A broken file in its place is refused; with the good one all words are there again.
	if d = p.put(first.ID, "air-2024.csv", "站号,日期\n1,2,3\n", url.Values{}); d.State != catalog.Rejected || len(d.Tables) != 0 {
		t.Fatalf("%s", d.State)
	}
	d = p.put(first.ID, "air-2024.csv", readings2024, url.Values{})
	if d.State != catalog.Ready || d.Tables[0].Name != "readings" || d.Tables[0].Title.Zh != "逐日读数" || !slices.Equal(d.Tables[0].Key, key) ||
		d.Tables[0].Columns[1].Label.Zh != "监测日期" || d.Tables[0].Columns[2].Rules.Maximum != "500" {
		t.Fatalf("%s %+v", d.State, d.Tables)
	}
	for _, verb := range []string{"submit", "approve", "publish"} {
		if _, err := p.client.Act(t.Context(), first.ID, verb); err != nil {
			t.Fatal(err)
		}
	}
	// Readers see the rules where they read the columns.
	p.play(t, []scenario{{name: "release", method: http.MethodGet, path: "/api/v1/datasets/air/releases/1", status: 200, parts: []string{`"rules":{"minimum":"0","maximum":"500"}`, `"key":["站号","日期"]`}}})

	second, err := p.client.CreateDraft(t.Context(), "air", api.DraftEdit{})
	if err != nil {
		t.Fatal(err)
	}
	d = p.put(second.ID, "air-2025.csv", readings2025, url.Values{})
	f := d.Files[0]
	if d.State != catalog.Ready || d.Tables[0].Name != "readings" || d.Tables[0].Title.Zh != "逐日读数" || f.Options.From != 1 || f.Options.Types["pm25"] != catalog.Number {
		t.Fatalf("%s %+v %+v", d.State, d.Tables, f.Options)
	}
	want := []string{"contract_codes 等级", "contract_key 站号", "contract_key 站号", "contract_range pm25", "contract_required 日期"}
	if got := codesOf(d.Unsettled); !slices.Equal(got, want) {
		t.Fatalf("unsettled %q, want %q", got, want)
	}

	// The same on a laptop: with the server, and with the contract in a file.
	dir := t.TempDir()
	path := filepath.Join(dir, "air-2025.csv")
	if err := os.WriteFile(path, []byte(readings2025), 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, contract := p.send(t, scenario{method: http.MethodGet, path: "/api/v1/datasets/air/contract", headers: bearerOf(p.own)})
	if status != 200 || !strings.Contains(contract, `"null_words":{"*":["暂无"],"pm25":["-999"]}`) {
		t.Fatalf("%d %s", status, contract)
	}
	saved := filepath.Join(dir, "contract.json")
	if err := os.WriteFile(saved, []byte(contract), 0o600); err != nil {
		t.Fatal(err)
	}
	theirs, err := json.Marshal(f.Report)
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--contract=air", "--server=" + p.URL, "--token=" + p.own}, {"--contract=" + saved}} {
		out, code := p.command(append([]string{"check", path, "--json"}, args...)...)
		var report catalog.Report
		if err := json.Unmarshal([]byte(out), &report); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		ours, _ := json.Marshal(report)
		if code != exitUnsettled || string(ours) != string(theirs) {
			t.Errorf("%v ends with %d:\n%s\nthe server says\n%s", args, code, ours, theirs)
		}
	}
	p.play(t, []scenario{
		{name: "contract, a stranger", method: http.MethodGet, path: "/api/v1/datasets/air/contract", status: 401, parts: []string{"sign_in_required"}},
		{name: "contract, another organization", method: http.MethodGet, path: "/api/v1/datasets/air/contract", headers: bearerOf(p.other), status: 403, parts: []string{"not_allowed"}},
	})
	// Every code of the contract is told in the docs.
	_, _, docs := p.send(t, scenario{method: http.MethodGet, path: "/docs/findings"})
	for _, c := range ingest.FindingCodes {
		if strings.HasPrefix(c.Code, "contract_") && !strings.Contains(docs, `id="`+c.Code+`"`) {
			t.Errorf("the docs lack %s", c.Code)
		}
	}
}
