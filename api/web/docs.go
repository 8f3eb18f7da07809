package web

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/ingest"
)

// The user docs are Markdown in docs/: <page>.zh.md and <page>.en.md, or one
// <page>.md that holds the Chinese text under its first top heading and the
// English one under its second. errors.tsv lists every error code.

const exampleHost = "https://data.example.cn"

//go:embed docs
var docFiles embed.FS

// Terms is the full text of the portal's own licence, as /docs/licence shows it.
func Terms() catalog.Text {
	zh, errZh := docFiles.ReadFile("docs/licence.zh.md")
	en, errEn := docFiles.ReadFile("docs/licence.en.md")
	if err := errors.Join(errZh, errEn); err != nil { // they are embedded: cannot be
		panic(err)
	}
	return catalog.Text{Zh: string(zh), En: string(en)}
}

// docOrder is the order of the index, with one line on each page.
var docOrder = []struct {
	page  string
	about catalog.Text
}{
	{"guide", catalog.Text{Zh: "找数据、看数据、下载、引用", En: "Find, look at, download and cite data"}},
	{"search", catalog.Text{Zh: "引号、减号、机构与字段等条件，筛选与排序", En: "Quotes, minus, conditions on publisher, column and date; filters and orders"}},
	{"api", catalog.Text{Zh: "地址、参数、格式、错误、限制", En: "Addresses, parameters, formats, errors, limits"}},
	{"grammar", catalog.Text{Zh: "where、select、sort怎样写", En: "How to write where, select and sort"}},
	{"steward", catalog.Text{Zh: "建数据集、上传、看报告、发布、撤回", En: "Datasets, uploads, reports, publishing, withdrawing"}},
	{"cli", catalog.Text{Zh: "taihu的命令与设置", En: "The commands and settings of taihu"}},
	{"licence", catalog.Text{Zh: "公共数据开放许可1.0的条款", En: "The open public data terms 1.0"}},
}

// docs are the pages rendered once at the start.
type docs struct {
	pages  map[string]map[string]docText // language → page
	errors []errorCode
}

type docText struct {
	Title string
	Body  template.HTML
	Parts []link
}

// errorCode is one line of errors.tsv.
type errorCode struct {
	Code, Kind string
	What       catalog.Text
}

// docPage is one page of the docs.
type docPage struct {
	frame
	Doc   docText
	Index []link
}

// docIndexPage lists the docs.
type docIndexPage struct {
	frame
	Index []link
}

// docErrorsPage explains error codes: one, or all of them.
type docErrorsPage struct {
	frame
	One *errorRow
	All []errorRow
}

type errorRow struct {
	Code, Kind, What, Href string
	Status                 int
}

// docFindingsPage lists what the check of uploads can find.
type docFindingsPage struct {
	frame
	Groups []findingGroup
}

type findingGroup struct {
	Words, About string
	Rows         []findingRow
}

type findingRow struct {
	Code       string
	What, Hint catalog.Text
}

// loadDocs renders the docs. Examples name exampleHost, which is replaced by
// base, so that they can be tried as they stand; {limits.name} is the number of
// that name in /api/v1/limits.
func loadDocs(base string, limits handle.Limits) (*docs, error) {
	d := &docs{pages: map[string]map[string]docText{"zh": {}, "en": {}}}
	for _, o := range docOrder {
		for i, lang := range []string{"zh", "en"} {
			b, err := docFiles.ReadFile("docs/" + o.page + "." + lang + ".md")
			if errors.Is(err, fs.ErrNotExist) {
				if b, err = docFiles.ReadFile("docs/" + o.page + ".md"); err == nil {
					b = topSection(b, i)
				}
			}
			if err != nil {
				return nil, fmt.Errorf("read docs: %w", err)
			}
			b, err = withLimits(bytes.ReplaceAll(b, []byte(exampleHost), []byte(cmp.Or(base, exampleHost))), limits, lang)
			if err != nil {
				return nil, fmt.Errorf("docs/%s: %w", o.page, err)
			}
			text, err := renderDoc(b, lang)
			if err != nil {
				return nil, fmt.Errorf("render docs/%s: %w", o.page, err)
			}
			d.pages[lang][o.page] = text
		}
	}
	b, err := docFiles.ReadFile("docs/errors.tsv")
	if err != nil {
		return nil, fmt.Errorf("read docs: %w", err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n") {
		f := strings.Split(line, "\t")
		if len(f) != 4 {
			return nil, fmt.Errorf("docs/errors.tsv: %q has not four fields", line)
		}
		d.errors = append(d.errors, errorCode{Code: f[0], Kind: f[1], What: catalog.Text{Zh: f[2], En: f[3]}})
	}
	return d, nil
}

var limitName = regexp.MustCompile(`\{limits\.([a-z_.]+)\}`)

// withLimits puts the numbers in force into a text.
func withLimits(b []byte, limits handle.Limits, lang string) ([]byte, error) {
	written, err := json.Marshal(limits)
	if err != nil {
		return nil, err
	}
	var all map[string]any
	if err := json.Unmarshal(written, &all); err != nil {
		return nil, err
	}
	var unknown error
	b = limitName.ReplaceAllFunc(b, func(match []byte) []byte {
		var value any = all
		for name := range strings.SplitSeq(string(limitName.FindSubmatch(match)[1]), ".") {
			group, _ := value.(map[string]any)
			value = group[name]
		}
		n, ok := value.(float64)
		switch {
		case !ok:
			unknown = fmt.Errorf("there is no limit %s", match)
		case n == 0:
			return []byte(phrase(lang, "不限", "no limit"))
		}
		return []byte(number(int64(n)))
	})
	return b, unknown
}

// topSection returns the nth part of a text that begins with a top heading; code
// blocks are passed over.
func topSection(b []byte, n int) []byte {
	at, code := -1, false
	var parts [][]byte
	for line := range bytes.Lines(b) {
		if bytes.HasPrefix(line, []byte("```")) {
			code = !code
		}
		if !code && bytes.HasPrefix(line, []byte("# ")) {
			parts = append(parts, nil)
			at++
		}
		if at >= 0 {
			parts[at] = append(parts[at], line...)
		}
	}
	if len(parts) == 0 {
		return b
	}
	return parts[min(n, len(parts)-1)]
}

var (
	docTitle   = regexp.MustCompile(`(?s)<h1[^>]*>(.*?)</h1>`)
	docHeading = regexp.MustCompile(`<h2[^>]*>(.*?)</h2>`)
	tag        = regexp.MustCompile(`<[^>]+>`)
)

// renderDoc renders our own Markdown. The top heading becomes the page's; each
// second heading gets an anchor s1, s2, … as its words are Chinese.
func renderDoc(b []byte, lang string) (docText, error) {
	var out bytes.Buffer
	if err := docMarkdown.Convert(b, &out); err != nil {
		return docText{}, err
	}
	body := out.String()
	var d docText
	if m := docTitle.FindStringSubmatch(body); m != nil {
		d.Title = unescape.Replace(tag.ReplaceAllString(m[1], ""))
		body = strings.Replace(body, m[0], "", 1)
	}
	n := 0
	body = docHeading.ReplaceAllStringFunc(body, func(h string) string {
		n++
		words := docHeading.FindStringSubmatch(h)[1]
		id := fmt.Sprintf("s%d", n)
		d.Parts = append(d.Parts, link{Words: unescape.Replace(tag.ReplaceAllString(words, "")), Href: "#" + id})
		return `<h2 id="` + id + `">` + words + `</h2>`
	})
	body = boxTables(body, lang)
	body = strings.ReplaceAll(body, "<pre>", `<pre tabindex="0">`)
	d.Body = template.HTML(body)
	return d, nil
}

// boxTables puts each table into a box that scrolls, named by the heading above
// it and, where a section has more than one, its number.
func boxTables(body, lang string) string {
	parts := strings.Split(body, "<table>")
	out, named := parts[0], map[string]int{}
	for i, part := range parts[1:] {
		label := phrase(lang, "表", "Table")
		if above := docHeading.FindAllStringSubmatch(strings.Join(parts[:i+1], ""), -1); len(above) > 0 {
			label = tag.ReplaceAllString(above[len(above)-1][1], "") + phrase(lang, "：表", ": table")
		}
		if named[label]++; named[label] > 1 {
			label += fmt.Sprint(" ", named[label])
		}
		out += `<div class="tablebox plain" tabindex="0" role="region" aria-label="` + template.HTMLEscapeString(unescape.Replace(label)) + `"><table class="grid">` + part
	}
	return strings.ReplaceAll(out, "</table>", "</table></div>")
}

func (s *Site) docLinks(lang, current string) []link {
	var out []link
	for _, o := range docOrder {
		out = append(out, link{Words: s.docs.pages[lang][o.page].Title, Href: href(lang, "/docs/"+o.page), Note: o.about.In(lang), Current: o.page == current})
	}
	return append(out,
		link{Words: phrase(lang, "检查发现", "Findings"), Href: href(lang, "/docs/findings"), Note: phrase(lang, "上传检查会报告什么，怎样改", "What the check of an upload reports, and how to mend it"), Current: current == "findings"},
		link{Words: phrase(lang, "错误代码", "Error codes"), Href: href(lang, "/docs/errors"), Note: phrase(lang, "接口与页面给出的每一种错误", "Every error of the API and the pages"), Current: current == "errors"})
}

func (s *Site) docsIndex(c *gin.Context) error {
	lang := language(c)
	return s.render(c, http.StatusOK, "docs", docIndexPage{frame: s.frame(c, "docs", phrase(lang, "文档", "Docs")), Index: s.docLinks(lang, "")})
}

func (s *Site) docsPage(c *gin.Context) error {
	lang, page := language(c), c.Param("page")
	switch page {
	case "errors":
		return s.docsErrors(c, "")
	case "findings":
		return s.docsFindings(c)
	}
	d, ok := s.docs.pages[lang][page]
	if !ok {
		return catalog.Errorf(catalog.NotFound, "not_found", "there is no page %q in the docs", page).InChinese("文档里没有“%s”这一页", page)
	}
	section := "docs"
	if page == "api" {
		section = "api"
	}
	v := docPage{frame: s.frame(c, section, d.Title), Doc: d, Index: s.docLinks(lang, page)}
	if page == "api" {
		v.Forms = []link{{Words: "OpenAPI", Href: "/openapi.json"}}
	}
	return s.render(c, http.StatusOK, "doc", v)
}

func (s *Site) docsError(c *gin.Context) error { return s.docsErrors(c, c.Param("code")) }

// docsErrors explains one code, or lists all.
func (s *Site) docsErrors(c *gin.Context, code string) error {
	lang := language(c)
	v := docErrorsPage{frame: s.frame(c, "docs", phrase(lang, "错误代码", "Error codes"))}
	for _, e := range s.docs.errors {
		row := errorRow{Code: e.Code, Kind: e.Kind, What: e.What.In(lang), Href: href(lang, "/docs/errors/"+e.Code), Status: statusOf(e.Kind)}
		if e.Code == code {
			v.One, v.Title = &row, code
		}
		v.All = append(v.All, row)
	}
	if code != "" && v.One == nil {
		return catalog.Errorf(catalog.NotFound, "not_found", "there is no error code %q; /docs/errors lists all", code).InChinese("没有错误代码“%s”，/docs/errors列出全部", code)
	}
	return s.render(c, http.StatusOK, "docs-errors", v)
}

func (s *Site) docsFindings(c *gin.Context) error {
	lang := language(c)
	v := docFindingsPage{frame: s.frame(c, "docs", phrase(lang, "检查发现", "Findings"))}
	groups := []struct {
		severity     catalog.Severity
		words, about catalog.Text
	}{
		{catalog.Fatal, catalog.Text{Zh: "须改", En: "Must be mended"}, catalog.Text{Zh: "有一处，文件就不收", En: "one of these and the file is refused"}},
		{catalog.ToSettle, catalog.Text{Zh: "须定", En: "To settle"}, catalog.Text{Zh: "数据员先决定怎样处理，才能提交", En: "a steward decides before it can be submitted"}},
		{catalog.Warning, catalog.Text{Zh: "提醒", En: "Warnings"}, catalog.Text{Zh: "不改也能提交", En: "the file can still be submitted"}},
		{catalog.Note, catalog.Text{Zh: "说明", En: "Notes"}, catalog.Text{Zh: "系统怎样读的这个文件", En: "how the file was read"}},
	}
	for _, g := range groups {
		group := findingGroup{Words: g.words.In(lang), About: g.about.In(lang)}
		for _, f := range ingest.FindingCodes {
			if f.Severity == g.severity {
				group.Rows = append(group.Rows, findingRow{Code: f.Code, What: f.What, Hint: f.Hint})
			}
		}
		if len(group.Rows) > 0 {
			v.Groups = append(v.Groups, group)
		}
	}
	return s.render(c, http.StatusOK, "docs-findings", v)
}

// knownCode reports whether a code has a page.
func (s *Site) knownCode(code string) bool {
	return slices.ContainsFunc(s.docs.errors, func(e errorCode) bool { return e.Code == code })
}
