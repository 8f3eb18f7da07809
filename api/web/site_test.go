package web

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/blob"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
	"taihu/catalog/table"
	"taihu/catalog/table/pool"
	"taihu/indexer"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	os.Exit(storetest.Main(m))
}

// fixedRows answers every query with the same few rows.
type fixedRows struct{ fails error }

func (f fixedRows) Rows(_ context.Context, t *catalog.Table, p table.Params, _ pool.RowsOptions) (*pool.RowsAnswer, error) {
	if f.fails != nil {
		return nil, f.fails
	}
	count := t.Rows
	a := &pool.RowsAnswer{Columns: t.Schema.Fields, JSON: []byte(`[{"区县":"滨湖区"}]`), Count: &count, Query: "q", Next: &table.Position{Row: 2}}
	value, empty := `<script>alert("cell")</script>`, ""
	for i := range 2 {
		row := make([]*string, len(t.Schema.Fields))
		row[0], row[1] = &value, &empty
		a.Rows, a.Row = append(a.Rows, row), append(a.Row, int64(i+1))
	}
	return a, nil
}

func (f fixedRows) Overlap(context.Context, *catalog.Table, string, *catalog.Table, string, string) (pool.Overlap, error) {
	return pool.Overlap{Overlap: catalog.Overlap{Shared: 7, Of: 0.5, In: 1}, Distinct: 14, OtherDistinct: 7}, f.fails
}

// listIndex finds what it is told to find.
type listIndex struct {
	hits     []indexer.Hit
	facets   map[string][]indexer.FacetCount // nil: two of one
	spelling string
	total    int
	fails    error
	last     *indexer.Query
	searches int
	synonyms []indexer.Synonyms
}

func (l *listIndex) Search(_ context.Context, q indexer.Query) (indexer.Result, error) {
	l.last = &q
	l.searches++
	if l.fails != nil {
		return indexer.Result{}, l.fails
	}
	if strings.HasPrefix(q.Text, "无") && !q.Any || slices.Contains(q.Filter["year"], "1900") {
		return indexer.Result{}, nil
	}
	facets := l.facets
	if facets == nil {
		facets = map[string][]indexer.FacetCount{"theme": {{Value: "transport", Count: 1}}, "organization": {{Value: "cgj", Count: 1}}}
	}
	return indexer.Result{Total: max(l.total, len(l.hits)), Hits: l.hits, Facets: facets, Spelling: l.spelling}, nil
}
func (l *listIndex) Suggest(context.Context, string, string, int) ([]indexer.Suggestion, error) {
	return nil, l.fails
}
func (*listIndex) Put(context.Context, ...indexer.Document) error           { return nil }
func (*listIndex) Delete(context.Context, ...string) error                  { return nil }
func (*listIndex) Stamps(context.Context) (map[string]indexer.Stamp, error) { return nil, nil }
func (*listIndex) Rollback(context.Context) error                           { return nil }
func (*listIndex) Canary(context.Context) (time.Duration, error)            { return 0, nil }
func (*listIndex) Ping(context.Context) error                               { return nil }
func (*listIndex) Close() error                                             { return nil }
func (l *listIndex) SetSynonyms(_ context.Context, s indexer.Synonyms) error {
	if l.fails == nil {
		l.synonyms = append(l.synonyms, s)
	}
	return l.fails
}
func (*listIndex) Rebuild(context.Context, iter.Seq2[indexer.Document, error], func(context.Context, indexer.Searcher) error) error {
	return nil
}

// portal is a site over a real store.
type portal struct {
	t      *testing.T
	db     *store.DB
	site   *Site
	index  *listIndex
	rows   *fixedRows
	engine *gin.Engine
	org    *catalog.Organization
	actor  catalog.Actor // of the next requests
}

func newPortal(t *testing.T) *portal {
	t.Helper()
	p := &portal{t: t, db: storetest.SQLite(t), index: &listIndex{}, rows: &fixedRows{}}
	blobs, err := blob.OpenDirectory(t.TempDir())
	must(t, err)
	p.site, err = New(Config{Store: p.db, Index: p.index, Pool: p.rows, Blobs: blobs, BaseURL: "http://portal.example", MaxUpload: 1 << 20})
	must(t, err)
	p.engine = gin.New()
	p.engine.Use(func(c *gin.Context) { handle.SetActor(c, p.actor) })
	for _, r := range p.site.Routes() {
		p.engine.Handle(r.Method, r.Path, handle.Adapt(r.Handler, p.site.RenderError, p.site.Log))
	}
	p.engine.NoRoute(handle.Adapt(func(*gin.Context) error { return catalog.Errorf(catalog.NotFound, "not_found", "nothing here") }, p.site.RenderError, p.site.Log))
	p.org = &catalog.Organization{Slug: "cgj", Name: catalog.Text{Zh: "城市管理局", En: "City Management"}}
	must(t, p.db.CreateOrganization(t.Context(), catalog.SystemActor, p.org))
	return p
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// publish makes a dataset with one published release and returns it.
func (p *portal) publish(slug string, open catalog.OpenAttribute) *catalog.Dataset {
	p.t.Helper()
	ctx, system := p.t.Context(), catalog.SystemActor
	if _, err := p.db.Dataset(ctx, system, slug); err != nil {
		d := &catalog.Dataset{Slug: slug, OrganizationID: p.org.ID, Title: catalog.Text{Zh: "停车" + hostile}, Description: catalog.Text{Zh: "每行一个泊位。" + hostile}, Themes: []string{"transport"}, Keywords: []string{"停车"}, Licence: "taihu-open-1.0", OpenAttribute: open, Conditions: catalog.Text{Zh: "向科室申请"}, Frequency: "daily"}
		must(p.t, p.db.CreateDataset(ctx, system, d))
	}
	r, err := p.db.CreateDraft(ctx, system, slug, store.DraftEdit{Notes: catalog.Text{Zh: "首版"}, DataDate: "2026-11-22"})
	must(p.t, err)
	b, err := p.site.Blobs.Put(ctx, strings.NewReader("a,b\n1,2\n"))
	must(p.t, err)
	f, err := p.db.PutFile(ctx, system, r.ID, store.Upload{Name: "main.csv", MediaType: "text/csv", Blob: b})
	must(p.t, err)
	tbl := filledTable()
	tbl.ID, tbl.FileID = catalog.NewID(), f.ID
	for i := range tbl.Schema.Fields {
		tbl.Schema.Fields[i].ID = catalog.NewID()
	}
	tbl.Parts, tbl.TextBlob, tbl.SourceSHA256, tbl.TableSHA256 = []catalog.Part{{Blob: b, Rows: 100}}, b, b.SHA256, b.SHA256
	must(p.t, p.db.FinishIngest(ctx, f.ID, b.SHA256, f.Options, store.IngestOutcome{Report: catalog.Report{File: "main.csv", Format: "csv", Accepted: true}, Tables: []catalog.Table{*tbl}}))
	_, err = p.db.Submit(ctx, system, r.ID, 0)
	must(p.t, err)
	_, err = p.db.Approve(ctx, system, r.ID, 0)
	must(p.t, err)
	_, err = p.db.Publish(ctx, system, r.ID, 0)
	must(p.t, err)
	d, err := p.db.Dataset(ctx, system, slug)
	must(p.t, err)
	return d
}

// get asks for a page and holds it to the rules for pages.
func (p *portal) get(path string, status int) string {
	p.t.Helper()
	return p.do(httptest.NewRequest(http.MethodGet, path, nil), status)
}

func (p *portal) do(r *http.Request, status int) string {
	p.t.Helper()
	w := httptest.NewRecorder()
	p.engine.ServeHTTP(w, r)
	if w.Code != status {
		p.t.Fatalf("%s %s: status %d, want %d\n%.600s", r.Method, r.URL, w.Code, status, w.Body)
	}
	if status >= 300 && status < 400 {
		return w.Header().Get("Location")
	}
	if strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		checkPage(p.t, r.URL.Path, w.Body.String())
		if got := w.Header().Get("Content-Security-Policy"); got != policy {
			p.t.Errorf("%s: content policy %q", r.URL.Path, got)
		}
	}
	return w.Body.String()
}

func (p *portal) post(path string, form url.Values, status int) string {
	p.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.do(r, status)
}

func (p *portal) upload(path string, fields map[string]string, name, content string, status int) string {
	p.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for k, v := range fields {
		must(p.t, m.WriteField(k, v))
	}
	w, err := m.CreateFormFile("file", name)
	must(p.t, err)
	_, err = w.Write([]byte(content))
	must(p.t, err)
	must(p.t, m.Close())
	r := httptest.NewRequest(http.MethodPost, path, &b)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return p.do(r, status)
}

func wants(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, s := range parts {
		if !strings.Contains(page, s) {
			t.Errorf("page lacks %q", s)
		}
	}
}

func TestReadersPages(t *testing.T) {
	p := newPortal(t)
	d := p.publish("parking-spaces", catalog.Unconditional)
	p.publish("parking-spaces", catalog.Unconditional)
	p.index.hits = []indexer.Hit{{ID: d.ID, Slug: d.Slug, Title: []indexer.Segment{{Text: "停车", Hit: true}, {Text: hostile}}, Columns: []string{"区县"}}, {ID: "gone", Slug: "gone"}}

	wants(t, p.get("/", 200), `href="/datasets?theme=transport"`, "停车", `hreflang="en"`)
	wants(t, p.get("/en", 200), `href="/en/datasets"`, `href="/" lang="zh-CN"`)
	page := p.get("/datasets?q=停车&theme=transport", 200)
	wants(t, page, "<mark>停车</mark>", "城市管理局", "100", `name="q"`, "领域：交通运输")
	if strings.Contains(page, "gone") {
		t.Error("a hit that the store does not know is shown")
	}
	wants(t, p.get("/datasets?q=无", 200), "没有找到“无”", `href="/datasets"`)
	if at := p.get("/en/datasets?sort=title&page=9", 303); at != "/en/datasets?sort=title" {
		t.Errorf("a page past the last one leads to %s", at)
	}
	page = p.get("/datasets/parking-spaces", 200)
	wants(t, page, "数据日期", "目录日期", "2026年11月22日", `href="/data/parking-spaces/2/main.csv"`, "第1版", "@misc{parking_spaces_2", "http://portal.example/data/parking-spaces/2/main.parquet", "&lt;script&gt;alert(&#34;cell&#34;)")
	wants(t, p.get("/en/datasets/parking-spaces/releases/1", 200), "not the latest", "/data/parking-spaces/1/main.csv")
	page = p.get("/datasets/parking-spaces/tables/main?where="+url.QueryEscape("区县 = '滨湖区'"), 200)
	wants(t, page, "<strong>100</strong>", "cursor=", "/data/parking-spaces/2/main.xlsx?where=", `value="滨湖区"`)
	wants(t, p.get("/organizations", 200), `href="/organizations/cgj"`)
	wants(t, p.get("/organizations/cgj", 200), "parking-spaces")
	for _, doc := range []string{"/docs", "/docs/guide", "/docs/api", "/en/docs/grammar", "/docs/steward", "/docs/cli", "/docs/licence", "/docs/findings", "/docs/errors", "/en/docs/errors/unknown_column"} {
		p.get(doc, 200)
	}
}

func TestExplorerFormLeadsToTheCanonicalAddress(t *testing.T) {
	p := newPortal(t)
	p.publish("parking-spaces", catalog.Unconditional)
	at := p.get("/en/datasets/parking-spaces/tables/main?field=区县&op=in&value=滨湖区,梁溪区&field=&op=%3D&value=&sort=-日期", 303)
	want := "/en/datasets/parking-spaces/tables/main?" + url.Values{"where": {"区县 in ('滨湖区', '梁溪区')"}, "sort": {"-日期"}}.Encode()
	if at != want {
		t.Errorf("got  %s\nwant %s", at, want)
	}
	page := p.get("/datasets/parking-spaces/tables/main?field=日期&op=%3E&value=昨天", 400)
	wants(t, page, `id="wrong"`, `value="昨天"`)
	wants(t, p.get("/datasets/parking-spaces/tables/main?where="+url.QueryEscape("没有 = 1"), 400), `id="wrong"`, "没有 = 1")
	p.get("/datasets/parking-spaces/tables/none", 404)
	p.get("/datasets/parking-spaces/tables/main?release=9", 404)
}

func TestConditionalDatasetShowsNoValues(t *testing.T) {
	p := newPortal(t)
	p.publish("secret-lots", catalog.Conditional)
	page := p.get("/datasets/secret-lots", 200)
	wants(t, page, "有条件开放", "申请后提供数据", "向科室申请", "编号")
	for _, leak := range []string{"滨湖区", "/data/secret-lots", `alert(&#34;cell&#34;)`, "完整性"} {
		if strings.Contains(page, leak) {
			t.Errorf("the page of a conditional dataset shows %q", leak)
		}
	}
	wants(t, p.get("/datasets/secret-lots/tables/main", 403), "有条件开放")
}

func TestWithdrawnReleaseKeepsItsPage(t *testing.T) {
	p := newPortal(t)
	p.publish("parking-spaces", catalog.Unconditional)
	p.publish("parking-spaces", catalog.Unconditional)
	p.actor = p.admin()
	wants(t, p.post("/datasets/parking-spaces/releases/2/withdraw", url.Values{}, 422), "写一两句缘由再撤回")
	if at := p.post("/datasets/parking-spaces/releases/2/withdraw", url.Values{"reason": {"经纬度有误"}}, 303); at != "/datasets/parking-spaces/releases/2?done=withdrawn" {
		t.Errorf("led to %s", at)
	}
	p.actor = catalog.Actor{}
	wants(t, p.get("/datasets/parking-spaces/releases/2", 410), "已撤回", "经纬度有误")
	wants(t, p.get("/datasets/parking-spaces", 200), "/data/parking-spaces/1/main.csv", "经纬度有误")
	p.actor = p.admin()
	p.post("/datasets/parking-spaces/releases/2/restore", url.Values{}, 303)
	wants(t, p.get("/datasets/parking-spaces", 200), "/data/parking-spaces/2/main.csv")
}

// admin returns the first user, who may do everything.
func (p *portal) admin() catalog.Actor {
	p.t.Helper()
	if u, err := p.db.UserByLogin(p.t.Context(), "root"); err == nil {
		a, err := p.db.ActorOf(p.t.Context(), u.ID)
		must(p.t, err)
		return a
	}
	_, err := p.db.CreateUser(p.t.Context(), catalog.SystemActor, store.NewUser{Login: "root", Name: "管理员", Password: "correct horse battery", SiteAdmin: true})
	must(p.t, err)
	return p.admin()
}

func TestStewardsJourney(t *testing.T) {
	p := newPortal(t)
	if at := p.get("/en/steward", 303); at != "/en/sign-in?back=%2Fen%2Fsteward" {
		t.Errorf("a stranger is led to %s", at)
	}
	p.actor = p.admin()
	wants(t, p.post("/steward/datasets/new", url.Values{}, 400), "有2处要改", `href="#title_zh"`, "还没有写地址")
	form := url.Values{"title_zh": {"公共厕所"}, "slug": {"gong ce"}, "organization": {p.org.ID}, "licence": {"CC0-1.0"}, "open_attribute": {"unconditional"}, "frequency": {"daily"}, "theme": {"living"}}
	page := p.post("/steward/datasets/new", form, 400)
	wants(t, page, `value="公共厕所"`, `value="gong ce"`, `href="#slug"`, `value="living" checked`)
	form.Set("slug", "toilets")
	if at := p.post("/steward/datasets/new", form, 303); at != "/steward/datasets/toilets/upload?done=created" {
		t.Fatalf("led to %s", at)
	}
	wants(t, p.get("/steward/datasets/toilets/upload", 200), "将是第1版")
	wants(t, p.upload("/steward/datasets/toilets/upload", map[string]string{"notes_zh": "首版", "header_row": "x"}, "a.csv", "a,b\n1,2\n", 400), "首版", `href="#header_row"`)
	at := p.upload("/steward/datasets/toilets/upload", map[string]string{"notes_zh": "首版", "delimiter": ";"}, `C:\data\厕所.csv`, "a;b\n1;2\n", 303)
	id := regexp.MustCompile(`/steward/drafts/([0-9a-f-]+)`).FindStringSubmatch(at)
	if id == nil {
		t.Fatalf("upload led to %s", at)
	}
	draft := "/steward/drafts/" + id[1]
	wants(t, p.get(draft, 200), `http-equiv="refresh"`, "正在检查", "厕所.csv")
	r, err := p.db.Draft(t.Context(), p.actor, id[1])
	must(t, err)
	f := r.Files[len(r.Files)-1]
	if f.Name != "厕所.csv" || f.Options.Delimiter != ";" {
		t.Errorf("the file came as %q with %s", f.Name, f.Options)
	}
	tbl := filledTable()
	tbl.ID, tbl.FileID, tbl.Parts = catalog.NewID(), f.ID, []catalog.Part{{Blob: f.Blob, Rows: 100}}
	tbl.TextBlob, tbl.SourceSHA256, tbl.TableSHA256 = f.Blob, f.Blob.SHA256, f.Blob.SHA256
	for i := range tbl.Schema.Fields {
		tbl.Schema.Fields[i].ID = catalog.NewID()
	}
	read := func() {
		must(t, p.db.FinishIngest(t.Context(), f.ID, f.Blob.SHA256, f.Options, store.IngestOutcome{Report: catalog.Report{File: f.Name, Format: "csv", Accepted: true, Findings: []catalog.Finding{{Severity: catalog.Warning, Code: "x", Row: 3, Column: "区县", Value: hostile, Message: catalog.Text{Zh: "怪"}}}}, Tables: []catalog.Table{*tbl}}))
	}
	read()
	page = p.get(draft, 200)
	wants(t, page, "通过检查，可以提交", "怪", "提交、批准并发布")
	if strings.Contains(page, "refresh") {
		t.Error("the page reloads although nothing is being checked")
	}
	base := regexp.MustCompile(`name="base" value="(\w+)"`).FindStringSubmatch(p.get(draft+"/tables/main", 200))
	if at := p.post(draft+"/tables/main", url.Values{"base": {base[1]}, "column": {"区县", "编号"}, "label_zh": {"所在区县", ""}, "unit": {"", "号"}, "key": {"编号"}}, 303); at != draft+"/tables/main?from=1&done=saved" {
		t.Errorf("led to %s", at)
	}
	read() // the key is of all rows: they are held to it
	wants(t, p.get(draft+"/tables/main", 200), `value="所在区县"`, `value="编号" checked`)
	p.post(draft+"/submit", url.Values{}, 303)
	wants(t, p.post(draft+"/return", url.Values{"comment": {" "}}, 422), `href="#comment"`)
	p.post(draft+"/return", url.Values{"comment": {"缺单位"}}, 303)
	wants(t, p.get(draft, 200), "缺单位")
	wants(t, p.get("/steward", 200), "被退回", "缺单位")
	wants(t, p.post(draft+"/publish", url.Values{}, 409), `id="wrong"`)
	if got := p.post(draft+"/nonsense", url.Values{}, 404); !strings.Contains(got, "404") {
		t.Error("an unknown action is not 404")
	}
	page = p.get("/steward/datasets/toilets", 200)
	version := regexp.MustCompile(`name="row_version" value="(\d+)"`).FindStringSubmatch(page)[1]
	form.Set("row_version", version)
	form.Set("title_en", "Toilets")
	p.post("/steward/datasets/toilets", form, 303)
	wants(t, p.post("/steward/datasets/toilets", form, 412), "别人改过", "Toilets")
}

func TestSignInAndOut(t *testing.T) {
	p := newPortal(t)
	p.admin()
	wants(t, p.post("/en/sign-in", url.Values{"login": {"root"}, "password": {"wrong"}}, 401), `value="root"`, "password is wrong")
	r := httptest.NewRequest(http.MethodPost, "/en/sign-in", strings.NewReader(url.Values{"login": {"root"}, "password": {"correct horse battery"}, "back": {"//evil.example/x"}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	p.engine.ServeHTTP(w, r)
	if w.Code != 303 || w.Header().Get("Location") != "/en/steward" {
		t.Fatalf("signed in: %d %s", w.Code, w.Header().Get("Location"))
	}
	cookie := w.Result().Cookies()[0]
	if cookie.Name != PlainSessionCookie || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode {
		t.Errorf("cookie %+v", cookie)
	}
	if _, err := p.db.ActorBySession(t.Context(), cookie.Value); err != nil {
		t.Fatal(err)
	}
	out := httptest.NewRequest(http.MethodPost, "/sign-out", nil)
	out.AddCookie(cookie)
	p.do(out, 303)
	if _, err := p.db.ActorBySession(t.Context(), cookie.Value); catalog.KindOf(err) != catalog.Unauthenticated {
		t.Errorf("after signing out: %v", err)
	}
}

func TestWhatFailsElsewhereDoesNotTakeThePageDown(t *testing.T) {
	p := newPortal(t)
	p.publish("parking-spaces", catalog.Unconditional)
	p.index.fails = catalog.Errorf(catalog.Unavailable, "search_unavailable", "down")
	wants(t, p.get("/datasets?q=停车", 200), "搜索暂时停用", "/datasets/parking-spaces")
	p.get("/", 200)
	p.rows.fails = catalog.Errorf(catalog.Unavailable, "busy", "busy").InChinese("查询过多")
	wants(t, p.get("/datasets/parking-spaces", 200), "查询过多", "/data/parking-spaces/1/main.csv")
	p.rows.fails = fmt.Errorf("a secret path /var/x")
	if page := p.get("/datasets/parking-spaces", 200); strings.Contains(page, "secret") {
		t.Error("an internal error is shown")
	}
}

func TestLostPagesOfferNearAddresses(t *testing.T) {
	p := newPortal(t)
	p.publish("parking-spaces", catalog.Unconditional)
	wants(t, p.get("/datasets/parking-space", 404), "/datasets/parking-spaces")
	// two letters changed places: the search finds nothing, the store's nearest does
	wants(t, p.get("/datasets/parkign-spaces", 404), `href="/datasets/parking-spaces"`, "是否指parking-spaces？")
	p.get("/nowhere", 404)
	_, err := p.db.RenameDataset(t.Context(), catalog.SystemActor, "parking-spaces", "parking")
	must(t, err)
	if at := p.get("/en/datasets/parking-spaces/tables/main?sort=-x", 301); at != "/en/datasets/parking/tables/main?sort=-x" {
		t.Errorf("an old address leads to %s", at)
	}
}

// TestWhatIsKeptOfPages: nothing of what a known person sees, nor that something is
// not there, as it may be there in a minute.
func TestWhatIsKeptOfPages(t *testing.T) {
	p := newPortal(t)
	p.publish("lots", catalog.Unconditional)
	header := func(path string, status int) http.Header {
		t.Helper()
		w := httptest.NewRecorder()
		p.engine.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != status {
			t.Fatalf("%s: %d", path, w.Code)
		}
		return w.Header()
	}
	for path, want := range map[string]string{"/datasets/lots": "private, no-cache", "/datasets/coming": "no-store", "/en/datasets/lots/releases/2": "no-store", "/nowhere": "no-store"} {
		status := http.StatusOK
		if want == "no-store" {
			status = http.StatusNotFound
		}
		if got := header(path, status).Get("Cache-Control"); got != want {
			t.Errorf("%s: Cache-Control %q, want %q", path, got, want)
		}
	}
	p.actor = p.admin()
	for _, path := range []string{"/datasets/lots", "/en/steward"} {
		if h := header(path, http.StatusOK); h.Get("Cache-Control") != "private, no-store" || !slices.Contains(h.Values("Vary"), "Cookie") {
			t.Errorf("%s for a known person: Cache-Control %q, Vary %q", path, h.Get("Cache-Control"), h.Values("Vary"))
		}
	}
}

func TestStaticFilesAreKeptForEver(t *testing.T) {
	p := newPortal(t)
	total := 0
	for name, address := range p.site.assets.address {
		w := httptest.NewRecorder()
		p.engine.ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
		if w.Code != 200 || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %s", name, w.Code, w.Header().Get("Cache-Control"))
		}
		if strings.HasSuffix(name, ".js") {
			total += w.Body.Len()
		}
	}
	if total > 60<<10 {
		t.Errorf("scripts have %d bytes, at most 60 KB are wanted", total)
	}
	p.get("/static/000000000000/taihu.css", 404)
}

func TestDisplayChoiceComesBackToThePage(t *testing.T) {
	p := newPortal(t)
	if at := p.post("/en/display", url.Values{"choice": {"dark"}, "back": {"/datasets?q=x"}}, 303); at != "/en/datasets?q=x" {
		t.Errorf("led to %s", at)
	}
	r := httptest.NewRequest(http.MethodGet, "/docs", nil)
	r.AddCookie(&http.Cookie{Name: displayCookie, Value: "dark.large"})
	wants(t, p.do(r, 200), `data-theme="dark"`, `data-size="large"`)
}
