package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/indexer"
)

func TestPassageSaysThatTheDescriptionGoesOn(t *testing.T) {
	description := catalog.Text{Zh: "每行一个**泊位**。含收费标准，坐标略。", En: "Free spaces of 60 car parks. They join the parking table."}
	for _, test := range []struct {
		name string
		part []indexer.Segment
		want string
	}{
		{"whole", []indexer.Segment{{Text: "每行一个泊位。含收费标准，坐标略。"}}, "每行一个泊位。含收费标准，坐标略。"},
		{"beginning", []indexer.Segment{{Text: "每行一个"}, {Text: "泊位", Hit: true}}, "每行一个[泊位]…"},
		{"middle, without the comma", []indexer.Segment{{Text: "含"}, {Text: "收费", Hit: true}, {Text: "标准，"}}, "…含[收费]标准…"},
		{"the end", []indexer.Segment{{Text: "坐标略。"}}, "…坐标略。"},
		{"half a word", []indexer.Segment{{Text: "Free", Hit: true}, {Text: " spaces of 60 car parks. They jo"}}, "[Free] spaces of 60 car parks. They…"},
		{"a whole word", []indexer.Segment{{Text: "Free spaces of 60 car parks. They join "}}, "Free spaces of 60 car parks. They join…"},
		{"of an older description", []indexer.Segment{{Text: "从前的说明"}}, "从前的说明"},
		{"none", nil, ""},
	} {
		var got strings.Builder
		for _, s := range passage(test.part, description) {
			if s.Hit {
				got.WriteString("[" + s.Text + "]")
			} else {
				got.WriteString(s.Text)
			}
		}
		if got.String() != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got.String(), test.want)
		}
	}
}

// below makes organizations, each below the one before.
func (p *portal) below(slugs ...string) {
	p.t.Helper()
	parent := p.org.ID
	for _, slug := range slugs {
		o := &catalog.Organization{Slug: slug, ParentID: parent, Name: catalog.Text{Zh: slug + "科"}}
		must(p.t, p.db.CreateOrganization(p.t.Context(), catalog.SystemActor, o))
		parent = o.ID
	}
}

func TestOrganizationsAreATreeThatOpensWhereOneIsChosen(t *testing.T) {
	p := newPortal(t)
	p.below("parking", "meters")
	p.below("lights")
	other := &catalog.Organization{Slug: "water", Name: catalog.Text{Zh: "水务局"}}
	must(t, p.db.CreateOrganization(t.Context(), catalog.SystemActor, other))
	p.index.total = 9
	p.index.facets = map[string][]indexer.FacetCount{"organization": {{Value: "cgj", Count: 9}, {Value: "parking", Count: 6}, {Value: "water", Count: 5}, {Value: "meters", Count: 4}, {Value: "lights", Count: 2}, {Value: "gone", Count: 1}}}
	page := p.get("/datasets", 200)
	wants(t, page, `href="/datasets?organization=cgj"`, `href="/datasets?organization=water"`)
	lacks(t, page, "organization=parking", "organization=gone")
	page = p.get("/datasets?organization=cgj", 200)
	wants(t, page, `href="/datasets?organization=parking"`, `href="/datasets?organization=lights"`, `href="/datasets?organization=cgj%2Cwater"`)
	lacks(t, page, "organization=meters", "cgj%2Cparking")
	page = p.get("/en/datasets?organization=meters&q=x&page=1", 200)
	wants(t, page, `href="/en/datasets?organization=parking&amp;q=x"`, `href="/en/datasets?organization=cgj&amp;q=x"`, `href="/en/datasets?organization=meters%2Clights&amp;q=x"`)
	if got := p.index.last.Filter["organization"]; len(got) != 1 || got[0] != "meters" {
		t.Errorf("asked for %v", got)
	}
	// The only one at the top is opened, so that there is something to choose.
	p.index.facets["organization"] = []indexer.FacetCount{{Value: "cgj", Count: 9}, {Value: "parking", Count: 6}, {Value: "lights", Count: 2}}
	wants(t, p.get("/datasets", 200), `href="/datasets?organization=parking"`)
}

func TestDatesAreBarsOfYearsThenMonths(t *testing.T) {
	p := newPortal(t)
	p.index.total = 60
	p.index.facets = map[string][]indexer.FacetCount{"updated": {{Value: "2026-03", Count: 30}, {Value: "2024-11", Count: 20}, {Value: "2026-01", Count: 10}}}
	page := p.get("/datasets", 200)
	wants(t, page, `<a href="/datasets?updated=2026" aria-label="2026年：40个数据集"`, `<a href="/datasets?updated=2024"`, `height="56.00"`, `height="28.00"`)
	lacks(t, page, "updated=2025", "updated=2026-03")
	page = p.get("/datasets?updated=2026", 200)
	wants(t, page, `<a href="/datasets?updated=2026-03" aria-label="2026年3月：30个数据集"`, `updated=2026%2C2024`, "发布时间：2026年")
	if got := p.index.last.Filter["updated"]; len(got) != 12 || got[2] != "2026-03" {
		t.Errorf("asked for %v", got)
	}
	page = p.get("/en/datasets?updated=2026-03", 200)
	wants(t, page, `aria-label="Mar 2026: 30 datasets" rel="nofollow" aria-current="true"`, `href="/en/datasets?updated=2026"`, "Last published: Mar 2026")
	lacks(t, p.get("/datasets?updated=2026,2024", 200), "2026年3月")
	p.index.facets["updated"] = p.index.facets["updated"][:1]
	wants(t, p.get("/datasets", 200), "2026年3月：30个数据集")
}

func TestFacetsFoldWhatIsRare(t *testing.T) {
	p := newPortal(t)
	for i := range catalog.Themes {
		p.index.facets = map[string][]indexer.FacetCount{"theme": append(p.index.facets["theme"], indexer.FacetCount{Value: catalog.Themes[i].Code, Count: 100 - i})}
	}
	last := catalog.Themes[len(catalog.Themes)-1].Code
	page := p.get("/datasets", 200)
	folded := page[strings.Index(page, "其余14个"):]
	wants(t, folded, "theme="+last)
	page = p.get("/datasets?theme="+last, 200)
	_, folded, _ = strings.Cut(page, "其余13个")
	folded, _, _ = strings.Cut(folded, "</details>")
	lacks(t, folded, catalog.ThemeName(last).Zh)
}

func TestSearchSaysHowItFound(t *testing.T) {
	p := newPortal(t)
	p.index.spelling, p.index.hits = "parking", []indexer.Hit{{ID: "gone"}}
	wants(t, p.get("/en/datasets?q=parkign", 200), "found as “parking”", `href="/en/docs/search"`)
	for _, sort := range []string{"relevance", "-updated", "-downloads", "-size", "title"} {
		p.get("/datasets?q=x&sort="+sort, 200)
		if p.index.last.Sort != sort {
			t.Errorf("asked for %s, sorted by %s", sort, p.index.last.Sort)
		}
		other := "title"
		if sort == other {
			other = "-size"
		}
		wants(t, p.get("/datasets?q=x&sort="+other, 200), "sort="+sort)
	}
}

func lacks(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, s := range parts {
		if strings.Contains(page, s) {
			t.Errorf("page has %q", s)
		}
	}
}

// browse asks as a browser does.
func (p *portal) browse(path, agent string) string {
	p.t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("User-Agent", agent)
	return p.do(r, 200)
}

const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"

func TestNothingFoundIsNoDeadEnd(t *testing.T) {
	p := newPortal(t)
	d := p.publish("parking-spaces", catalog.Unconditional)
	p.index.hits = []indexer.Hit{{ID: d.ID, Slug: d.Slug, Title: []indexer.Segment{{Text: "停车"}}}}
	page := p.get("/datasets?q=无车场", 200)
	wants(t, page, "没有找到“无车场”", "相近的：只有词的一部分的", `href="/datasets/parking-spaces"`, `href="/datasets?theme=transport"`, `href="/request-data?q=`+url.QueryEscape("无车场")+`"`)
	if !strings.Contains(page[strings.Index(page, "相近的"):], "parking-spaces") {
		t.Error("what comes near stands among what was found")
	}
	page = p.get("/en/datasets?q=停车&year=1900", 200)
	wants(t, page, "Nothing found", "Near it: Without the filters", `href="/en/datasets?q=`+url.QueryEscape("停车")+`"`)
	lacks(t, p.get("/datasets?q=停车", 200), "没有找到", "相近的：")
	p.index.hits = nil
	wants(t, p.get("/datasets?year=1900", 200), "没有符合条件的数据集", `href="/request-data"`)
}

func TestSearchesInVainAreNotedWithoutThePerson(t *testing.T) {
	p := newPortal(t)
	for range 2 {
		p.browse("/datasets?q=无人机＋Ａ", browser)
	}
	p.browse("/en/datasets?q=无人机", browser)
	for _, kept := range []struct{ path, agent string }{
		{"/datasets?q=无13800138000", browser}, {"/datasets?q=无+0510-8270+1234", browser}, {"/datasets?q=无+11010519491231002X", browser}, {"/datasets?q=无+someone@example.org", browser}, {"/datasets?q=无" + strings.Repeat("长", 100), browser},
		{"/datasets?q=无人车", "curl/8.5"}, {"/datasets?q=无人车", "Mozilla/5.0 (compatible; Googlebot/2.1)"}, {"/datasets?year=1900", browser}, {"/datasets?q=停车&year=1900", browser},
	} {
		p.index.hits = nil
		if strings.Contains(kept.path, "停车") {
			p.index.hits = []indexer.Hit{{ID: "x"}}
		}
		p.browse(kept.path, kept.agent)
	}
	list, total, err := p.db.EmptySearches(t.Context(), catalog.SystemActor, false, 10)
	must(t, err)
	if total != 2 || list[0].Text != indexer.Fold("无人机＋Ａ") || list[0].Times != 2 || list[1].Lang != "en" {
		t.Errorf("%d are kept: %+v", total, list)
	}
}

func TestReadersAskForDataAndStewardsSeeIt(t *testing.T) {
	p := newPortal(t)
	wants(t, p.get("/en/request-data?q=bike+lanes", 200), ">bike lanes</textarea>", `name="searched" value="bike lanes"`)
	wants(t, p.post("/request-data", url.Values{"wanted": {" "}, "purpose": {"论文"}}, 400), `href="#wanted"`, ">论文</textarea>")
	if at := p.post("/request-data", url.Values{"wanted": {"x"}, "website": {"http://spam"}}, 303); at != "/request-data?done=request-sent" {
		t.Errorf("led to %s", at)
	}
	p.post("/en/request-data", url.Values{"wanted": {"自行车道" + hostile}, "purpose": {"论文"}, "contact": {"me@example.org"}, "searched": {"bike lanes"}}, 303)
	wants(t, p.get("/request-data?done=request-sent", 200), "数据员会看到")
	if at := p.get("/steward/search", 303); !strings.HasPrefix(at, "/sign-in") {
		t.Errorf("a stranger is led to %s", at)
	}
	p.actor = catalog.Actor{User: &catalog.User{ID: "x"}}
	p.get("/steward/search", 403)
	p.actor = catalog.Actor{User: &catalog.User{ID: "s"}, Roles: map[string]catalog.Role{p.org.ID: catalog.Steward}}
	must(t, p.db.NoteEmptySearch(t.Context(), "地铁客流", "zh"))
	page := p.get("/steward/search", 200)
	wants(t, page, "自行车道", "me@example.org", "bike lanes", "1条待处理", `href="/datasets?q=`+url.QueryEscape("地铁客流")+`"`)
	lacks(t, page, "http://spam", "<script>alert")
	action := regexp.MustCompile(`action="(/steward/search/requests/[^"]+)"`).FindStringSubmatch(page)[1]
	p.post(action, url.Values{"row_version": {"9"}, "note": {"已转"}}, 412)
	if at := p.post(action, url.Values{"row_version": {"1"}, "note": {"已转"}}, 303); at != "/steward/search?done=request-closed" {
		t.Errorf("led to %s", at)
	}
	page = p.get("/en/steward/search?show=late", 200)
	wants(t, page, "已转", "0 open")
	lacks(t, page, "me@example.org")
	wants(t, p.get("/steward", 200), `href="/steward/search"`)
}

func TestSynonymsHoldAtOnce(t *testing.T) {
	p := newPortal(t)
	p.actor = catalog.Actor{User: &catalog.User{ID: "s"}, Roles: map[string]catalog.Role{p.org.ID: catalog.Admin}}
	form := url.Values{"synonyms": {"停车场，泊车\r\n#只有一个\n一个\n公厕、厕所, toilet"}, "row_version": {"1"}}
	p.post("/steward/search/synonyms", form, 403)
	lacks(t, p.get("/steward/search", 200), `<textarea`)
	p.actor = p.admin()
	if at := p.post("/steward/search/synonyms", form, 303); at != "/steward/search?done=synonyms-saved" {
		t.Errorf("led to %s", at)
	}
	want := indexer.Synonyms{{"停车场", "泊车"}, {"公厕", "厕所", "toilet"}}
	if len(p.index.synonyms) != 1 || !reflect.DeepEqual(p.index.synonyms[0], want) {
		t.Errorf("the index was given %v", p.index.synonyms)
	}
	form.Set("synonyms", "学校, 学府")
	wants(t, p.post("/steward/search/synonyms", form, 412), "别人改过", ">学校, 学府</textarea>", `name="row_version" value="2"`)
	must(t, p.site.ApplySynonyms(t.Context()))
	if len(p.index.synonyms) != 1 {
		t.Error("what the index has is given again")
	}
	_, err := p.db.SetSynonyms(t.Context(), catalog.SystemActor, 0, "甲, 乙") // by another process
	must(t, err)
	p.index.fails = catalog.Errorf(catalog.Unavailable, "search_unavailable", "down")
	if err := p.site.ApplySynonyms(t.Context()); catalog.KindOf(err) != catalog.Unavailable {
		t.Errorf("with the engine down: %v", err)
	}
	form.Set("row_version", "3")
	if at := p.post("/steward/search/synonyms", form, 303); at != "/steward/search?done=synonyms-kept" {
		t.Errorf("led to %s", at)
	}
	p.index.fails = nil
	must(t, p.site.ApplySynonyms(t.Context()))
	if got := p.index.synonyms; len(got) != 2 || got[1][0][0] != "学校" {
		t.Errorf("afterwards the index has %v", got)
	}
	wants(t, p.get("/en/steward/search", 200), "1 group")
}
