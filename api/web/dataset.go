package web

import (
	"context"
	"encoding/json"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/export"
	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/pool"
)

// datasetPage is a dataset, or one release of it.
type datasetPage struct {
	frame
	Dataset       *catalog.Dataset
	Release       *catalog.Release // nil: none stands
	Pinned        bool             // the address names the release
	Latest        bool
	LatestHref    string
	Crumbs        []link
	Publisher     link
	publisher     catalog.Text
	Sum           template.HTML
	Lang2         string // language of Sum where it is not the page's
	Tags          []link
	Open          string
	Conditional   bool // data are not for everybody
	Readable      bool // this reader gets rows and bytes
	Conditions    template.HTML
	Capacity      equation
	Frequency     string
	NextDue       string // ISO day of the next promised release
	Late          string // by how much it is late, in words
	Licence       catalog.Licence
	LicenceHref   string
	Rights        string
	Source        template.HTML
	Coverage      string
	Completeness  string
	NullCells     int64
	Downloaded    int64 // how often, as last written down
	Tables        []tableTab
	Table         *catalog.Table
	Explorer      string
	Grid          grid
	GridFailed    string
	Sampled       bool // the grid is the steward's sample
	Dictionary    []dictionaryRow
	MoreFields    int
	Downloads     []download
	MoreFormats   []link
	Files         []download
	WithheldFiles int // originals that are not published
	Releases      []releaseRow
	Cite          citation
	Snippets      []snippet
	APIPage       string // of the table
	SchemaHref    string
	Withdrawn     *catalog.Release
	EditHref      string
	UploadHref    string
	CanWithdraw   bool
	Feedback      []feedbackView // the newest
	FeedbackTotal int
	FeedbackHref  string
	Form          form
}

// tableTab is one of several tables of a release.
type tableTab struct {
	Name    string
	Title   catalog.Text
	Rows    int64
	Href    string
	Current bool
}

// download is one thing to take.
type download struct {
	Name, Hint, Href, Size string
	SHA256                 string
}

// releaseRow is one entry of the timeline.
type releaseRow struct {
	Number             int
	Version            string
	Href               string
	Date               string // ISO
	Notes              string
	Capacity           string
	DataDate           string
	Latest, Gone, Here bool
	Why                string
	Hash               string
	Corrects           int // the release that it corrects
	CorrectedBy        int
	Diff               string // address of what changed from the standing one before it
}

// dataset shows a dataset with its newest standing release.
func (s *Site) dataset(c *gin.Context) error { return s.datasetAt(c, 0) }

// release shows a dataset as one release has it.
func (s *Site) release(c *gin.Context) error {
	n, err := strconv.Atoi(c.Param("number"))
	if c.Param("number") == "latest" {
		return seeOther(c, "/datasets/"+c.Param("slug"))
	}
	if err != nil || n < 1 {
		return catalog.Errorf(catalog.NotFound, "unknown_release", "releases are numbered 1, 2, …; there is no release %q", c.Param("number")).InChinese("版本按1、2……编号，没有“%s”这一版", c.Param("number"))
	}
	return s.datasetAt(c, n)
}

func (s *Site) datasetAt(c *gin.Context, number int) error {
	ctx, actor, lang := c.Request.Context(), handle.Actor(c), language(c)
	d, err := s.Store.Dataset(ctx, actor, c.Param("slug"))
	if err != nil {
		return err
	}
	if d.Slug != c.Param("slug") {
		return moved(c, d.Slug)
	}
	v := &datasetPage{frame: s.frame(c, "datasets", d.Title.In(lang)), Dataset: d, Pinned: number > 0}
	releases, err := s.Store.Releases(ctx, actor, d.Slug)
	if err != nil {
		return err
	}
	status := http.StatusOK
	v.Release, v.Withdrawn = chooseRelease(releases, number, d.LatestNumber)
	switch {
	case number > 0 && v.Release == nil && v.Withdrawn == nil:
		return catalog.Errorf(catalog.NotFound, "unknown_release", "dataset %s has no release %d; the newest is %d", d.Slug, number, d.LatestNumber).
			InChinese("数据集%s没有第%d版，最新是第%d版", d.Slug, number, d.LatestNumber)
	case v.Withdrawn != nil && (v.Pinned || v.Release == nil):
		status = http.StatusGone
		v.Release = nil
	}
	if v.Release != nil {
		if _, v.Release, err = s.Store.Release(ctx, actor, d.Slug, v.Release.Number); err != nil {
			return err
		}
	}
	if err := s.describe(ctx, v, actor, releases); err != nil {
		return err
	}
	if v.Release != nil {
		s.fillTables(c, v)
	}
	if err := s.latestFeedback(c, v); err != nil {
		return err
	}
	if v.Downloaded, err = s.Store.Downloads(ctx, d.ID); err != nil {
		return err
	}
	return s.render(c, status, "dataset", v)
}

// chooseRelease finds the release to show: of that number, or the newest one
// that stands. Where that one is withdrawn, or none stands, it comes second.
func chooseRelease(releases []catalog.Release, number, latest int) (standing, withdrawn *catalog.Release) {
	if number == 0 {
		number = latest
	}
	for i := range releases {
		r := &releases[i]
		switch {
		case number == 0 && r.State == catalog.Withdrawn && withdrawn == nil:
			withdrawn = r
		case r.Number == number && r.State == catalog.Withdrawn:
			return nil, r
		case r.Number == number:
			return r, nil
		}
	}
	return standing, withdrawn
}

// moved sends readers of an old slug to the new one, with the rest of the address.
func moved(c *gin.Context, slug string) error {
	path := "/datasets/" + slug
	if n := c.Param("number"); n != "" {
		path += "/releases/" + n
	}
	if t := c.Param("table"); t != "" {
		path += "/tables/" + url.PathEscape(t)
		for _, page := range []string{"/api", "/joins"} {
			if strings.HasSuffix(c.FullPath(), page) {
				path += page
			}
		}
	}
	c.Redirect(http.StatusMovedPermanently, href(language(c), withQuery(path, c.Request.URL.Query())))
	return nil
}

// describe fills everything but the tables.
func (s *Site) describe(ctx context.Context, v *datasetPage, actor catalog.Actor, releases []catalog.Release) error {
	d, lang := v.Dataset, v.Lang
	path, err := s.Store.OrganizationPath(ctx, d.OrganizationID)
	if err != nil {
		return err
	}
	for _, o := range path {
		v.Publisher = link{Words: o.Name.In(lang), Href: href(lang, "/organizations/"+o.Slug)}
		v.publisher = o.Name
	}
	if len(d.Themes) > 0 {
		v.Crumbs = append(v.Crumbs, link{Words: catalog.ThemeName(d.Themes[0]).In(lang), Href: href(lang, "/datasets?theme="+d.Themes[0])})
	} else {
		v.Crumbs = append(v.Crumbs, link{Words: phrase(lang, "数据集", "Datasets"), Href: href(lang, "/datasets")})
	}
	v.Crumbs = append(v.Crumbs, link{Words: d.Title.In(lang)})
	if v.Pinned {
		v.Crumbs[len(v.Crumbs)-1].Href = href(lang, "/datasets/"+d.Slug)
		v.Crumbs = append(v.Crumbs, link{Words: phrase(lang, "第%s版", "Release %s", lastSegment(v.Path))})
	}
	v.Sum = markdown(d.Description.In(lang))
	if shown := shownLang(lang, d.Description); shown != lang {
		v.Lang2 = htmlLang(shown)
	}
	v.Description = plainText(d.Description.In(lang), 160)
	for _, k := range d.Keywords {
		v.Tags = append(v.Tags, link{Words: k, Href: href(lang, "/datasets?q="+url.QueryEscape(k))})
	}
	v.Open = openWords(lang, d.OpenAttribute)
	v.Conditional = d.OpenAttribute != catalog.Unconditional
	v.Readable = catalog.Can(actor, catalog.ReadData, catalog.ObjectOf(d)) == nil
	v.Conditions = markdown(d.Conditions.In(lang))
	v.Frequency, v.NextDue = frequencyWords(lang, d.Frequency), d.NextDue()
	if n := d.DaysLate(s.Clock()); n > 0 {
		v.Late = lateWords(lang, n)
	}
	v.Licence, _ = catalog.LicenceOf(d.Licence)
	v.LicenceHref = v.Licence.URL
	if v.LicenceHref == "" {
		v.LicenceHref = href(lang, "/docs/licence")
	}
	v.Rights = rights(lang, v.Licence)
	v.Source = markdown(d.SourceNote.In(lang))
	v.Coverage = coverage(lang, d)
	v.LatestHref = href(lang, "/datasets/"+d.Slug)
	v.Releases = s.timeline(v, releases)
	v.Latest = v.Release != nil && v.Release.Number == d.LatestNumber
	v.Forms = []link{{Words: "JSON", Href: apiDatasetPath(d.Slug)}}
	s.alternates(v, path)
	if catalog.Can(actor, catalog.EditDataset, catalog.ObjectOf(d)) == nil {
		v.EditHref, v.UploadHref = href(lang, "/steward/datasets/"+d.Slug), href(lang, "/steward/datasets/"+d.Slug+"/upload")
	}
	v.CanWithdraw = catalog.Can(actor, catalog.WithdrawRelease, catalog.ObjectOf(d)) == nil
	return nil
}

// rights says the four rights of a licence, and its duties.
func rights(lang string, l catalog.Licence) string {
	if !l.Use {
		return phrase(lang, "以来源的条款为准", "see the source's own terms")
	}
	s := phrase(lang, "免费获取、平等获取、自由利用、自由分享", "free of charge, open to all, free to use, free to share")
	switch {
	case l.ShareAlike:
		s += phrase(lang, "；注明来源，以相同方式共享", "; name the source, share alike")
	case l.Attribution:
		s += phrase(lang, "；注明来源", "; name the source")
	}
	return s
}

func coverage(lang string, d *catalog.Dataset) string {
	s := d.Spatial
	if d.TemporalStart != "" || d.TemporalEnd != "" {
		if s != "" {
			s += phrase(lang, "，", ", ")
		}
		s += proseDate(lang, d.TemporalStart)
		if d.TemporalEnd != d.TemporalStart {
			s += "–" + proseDate(lang, d.TemporalEnd)
		}
	}
	return s
}

func (s *Site) timeline(v *datasetPage, releases []catalog.Release) []releaseRow {
	out := make([]releaseRow, 0, len(releases))
	for i := range releases {
		r := &releases[i]
		row := releaseRow{
			Number: r.Number, Version: r.Version, Href: href(v.Lang, releasePath(v.Dataset.Slug, r.Number)), Notes: r.Notes.In(v.Lang), DataDate: r.DataDate,
			Latest: r.Number == v.Dataset.LatestNumber, Gone: r.State == catalog.Withdrawn, Here: v.Release != nil && v.Release.Number == r.Number, Why: r.WithdrawnWhy, Corrects: r.Corrects, CorrectedBy: r.CorrectedBy,
		}
		if r.PublishedAt != nil {
			row.Date = isoDay(*r.PublishedAt)
		}
		if len(r.Tables) > 0 {
			row.Capacity = capacity(r.Tables).Words(v.Lang)
			if len(r.Tables) == 1 {
				row.Hash = r.Tables[0].ContentSHA256
			}
		}
		if before := slices.IndexFunc(releases[i+1:], func(b catalog.Release) bool { return b.State == catalog.Published }); before >= 0 && !row.Gone && v.Readable {
			row.Diff = href(v.Lang, diffPath(v.Dataset.Slug, strconv.Itoa(releases[i+1+before].Number), strconv.Itoa(r.Number)))
		}
		out = append(out, row)
	}
	return out
}

// fillTables fills what a standing release shows: preview, dictionary,
// downloads, citation and snippets.
func (s *Site) fillTables(c *gin.Context, v *datasetPage) {
	d, r, lang := v.Dataset, v.Release, v.Lang
	v.Capacity = capacity(r.Tables)
	base := "/datasets/" + d.Slug
	if v.Pinned {
		base = releasePath(d.Slug, r.Number)
	}
	at := max(0, slices.IndexFunc(r.Tables, func(t catalog.Table) bool { return t.Name == c.Query("table") }))
	for i := range r.Tables {
		t := &r.Tables[i]
		v.Tables = append(v.Tables, tableTab{Name: t.Name, Title: t.Title, Rows: t.Rows, Href: href(lang, withQuery(base, url.Values{"table": {t.Name}})) + "#data", Current: i == at})
	}
	if len(r.Tables) > 0 {
		v.Table = &r.Tables[at]
		v.Explorer = href(lang, explorerPath(d.Slug, v.Table.Name, r.Number, d.LatestNumber))
		v.SchemaHref = apiTablePath(d.Slug, r.Number, v.Table.Name, "schema")
		v.Forms = append(v.Forms, link{Words: phrase(lang, "第%d版的JSON", "Release %d as JSON", r.Number), Href: apiReleasePath(d.Slug, r.Number)})
		s.preview(c, v)
		v.dictionary()
		if v.Readable {
			v.completeness()
			s.downloads(c.Request.Context(), v)
			q := whole(lang, s.BaseURL, d, r.Number, v.Table)
			v.Snippets = snippets(q, q)[:datasetTools]
			v.APIPage = href(lang, tableAPIPath(d.Slug, v.Table.Name, r.Number, d.LatestNumber))
		}
	}
	if v.Readable {
		v.WithheldFiles = r.Withheld
		for _, f := range r.Files {
			hint := phrase(lang, "上传的原件", "the original as uploaded")
			if f.Role == catalog.Attachment {
				hint = phrase(lang, "附件", "attachment")
			}
			v.Files = append(v.Files, download{Name: f.Name, Hint: hint, Href: filePath(d.Slug, r.Number, f.Name), Size: size(f.Blob.Size), SHA256: f.Blob.SHA256})
		}
	}
	v.Cite = cite(s, v)
}

// datasetTools is how many tools the dataset's page names; all are on the page of
// the table's API.
const datasetTools = 5

// explorerPath is the explorer of a table; of an older release it says so.
func explorerPath(slug, table string, number, latest int) string {
	return ofRelease("/datasets/"+slug+"/tables/"+url.PathEscape(table), number, latest)
}

// tableAPIPath is the page of a table's API.
func tableAPIPath(slug, table string, number, latest int) string {
	return ofRelease("/datasets/"+slug+"/tables/"+url.PathEscape(table)+"/api", number, latest)
}

func ofRelease(path string, number, latest int) string {
	if number != latest {
		path += "?release=" + strconv.Itoa(number)
	}
	return path
}

// preview reads the first rows, or the steward's sample where the data are not
// for this reader.
func (s *Site) preview(c *gin.Context, v *datasetPage) {
	t, lang := v.Table, v.Lang
	fields := t.Schema.Fields
	if len(fields) > previewColumns {
		v.Grid.Hidden = len(fields) - previewColumns
		fields = fields[:previewColumns]
	}
	if !v.Readable {
		v.Sampled = len(t.Sample) > 0
		v.Grid.Columns = columnsOf(lang, t, fields, false, "")
		v.Grid.Rows = sampleRows(t.Sample, v.Grid.Columns)
		v.Grid.Label = phrase(lang, "样例：%s", "Sample: %s", v.Dataset.Title.In(lang))
		return
	}
	explorer := v.Explorer
	if v.Release.Number != v.Dataset.LatestNumber {
		explorer = ""
	}
	v.Grid.Columns = columnsOf(lang, t, fields, true, explorer)
	v.Grid.Profiled = t.Profile != nil && t.Rows > 0
	v.Grid.Label = phrase(lang, "数据预览：%s第%d版，前%d行", "Preview: %s, release %d, first %d rows", v.Dataset.Title.In(lang), v.Release.Number, min(previewRows, int(t.Rows)))
	answer, err := s.Pool.Rows(c.Request.Context(), t, table.Params{Limit: previewRows}, pool.RowsOptions{NoJSON: true, Wait: previewWait, Client: handle.Client(c)})
	if err != nil {
		// The page is useful without its rows; the reader is told.
		v.GridFailed = sentence(lang, err)
		s.Log.WarnContext(c.Request.Context(), "preview failed", "dataset", v.Dataset.Slug, "table", t.Name, "request_id", v.RequestID, "error", err)
		return
	}
	v.Grid.Rows = gridRows(answer, v.Grid.Columns, 0)
	v.Grid.reportable(lang, v.Dataset.Slug, v.Release.Number, t)
}

// gridRows turns an answer into rows of cells; columns beyond those shown are
// left out. Rows without a known position count on from first.
func gridRows(a *pool.RowsAnswer, columns []column, first int64) []gridRow {
	out := make([]gridRow, 0, len(a.Rows))
	for i, cells := range a.Rows {
		row := gridRow{No: first + int64(i) + 1}
		if i < len(a.Row) {
			row.No = a.Row[i]
		}
		for k := range columns {
			if k < len(cells) {
				row.Cells = append(row.Cells, cellOf(cells[k], columns[k]))
			}
		}
		out = append(out, row)
	}
	return out
}

// sampleRows reads a sample in the form of /rows.
func sampleRows(sample []byte, columns []column) []gridRow {
	var rows []map[string]json.RawMessage
	if len(sample) == 0 || json.Unmarshal(sample, &rows) != nil {
		return nil
	}
	out := make([]gridRow, 0, len(rows))
	for i, r := range rows {
		row := gridRow{No: int64(i) + 1}
		for _, c := range columns {
			var v *string
			if raw := string(r[c.Name]); raw != "" && raw != "null" {
				text := raw
				if json.Unmarshal(r[c.Name], &text) != nil {
					text = raw
				}
				v = &text
			}
			row.Cells = append(row.Cells, cellOf(v, c))
		}
		out = append(out, row)
	}
	return out
}

func (v *datasetPage) completeness() {
	p := v.Table.Profile
	cells := v.Table.Rows * int64(len(v.Table.Schema.Fields))
	if p == nil || cells == 0 {
		return
	}
	for _, col := range p.Columns {
		v.NullCells += col.Nulls
	}
	v.Completeness = percent(cells-v.NullCells, cells)
}

func (s *Site) downloads(ctx context.Context, v *datasetPage) {
	for _, f := range formats {
		d := download{Name: facetWords(v.Lang, "format", f, nil), Hint: formatWords[f].In(v.Lang), Href: dataPath(v.Dataset.Slug, v.Release.Number, v.Table.Name, f)}
		if s.Downloads != nil {
			if n, ok := s.Downloads.Size(ctx, v.Dataset, v.Release, v.Table, v.publisher, f); ok {
				d.Size = size(n)
			}
		}
		v.Downloads = append(v.Downloads, d)
	}
	v.MoreFormats = []link{{Words: phrase(v.Lang, "供电子表格的CSV", "CSV for spreadsheets"), Href: dataPath(v.Dataset.Slug, v.Release.Number, v.Table.Name, "csv") + "?spreadsheet=1"}}
	for _, f := range moreFormats {
		if export.Check(f.format, export.Options{}, v.Table.Schema.Fields) == nil {
			v.MoreFormats = append(v.MoreFormats, link{Words: f.name, Href: dataPath(v.Dataset.Slug, v.Release.Number, v.Table.Name, f.format)})
		}
	}
}
