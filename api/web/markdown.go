package web

import (
	"bytes"
	"html/template"
	"strings"
	"unicode/utf8"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
)

// Descriptions come from stewards, so raw HTML is never passed on by goldmark
// and what it makes is filtered again. Images are left out: a page loads nothing
// from elsewhere.
var (
	// A line break between Chinese characters is no space.
	chinese       = extension.NewCJK(extension.WithEastAsianLineBreaks())
	plainMarkdown = goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify, chinese))
	docMarkdown   = goldmark.New(goldmark.WithExtensions(extension.GFM, chinese), goldmark.WithParserOptions(parser.WithAutoHeadingID(), parser.WithAttribute()))
	filter        = markdownPolicy()
	noTags        = bluemonday.StrictPolicy()
)

func markdownPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowRelativeURLs(true)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnFullyQualifiedLinks(true)
	return p
}

// markdown turns a steward's text into safe HTML. Its headings are lowered to
// stand below the page's own.
func markdown(s string) template.HTML {
	if strings.TrimSpace(s) == "" {
		return ""
	}
	var b bytes.Buffer
	if err := plainMarkdown.Convert([]byte(s), &b); err != nil {
		return template.HTML("<p>" + template.HTMLEscapeString(s) + "</p>")
	}
	safe := filter.SanitizeBytes(b.Bytes())
	return template.HTML(headings.Replace(string(safe)))
}

// headings lowers h1 and h2 to h3; html/template has no say in it, so it works
// on the filtered text, where a tag can only be a tag.
var headings = strings.NewReplacer("<h1>", "<h3>", "</h1>", "</h3>", "<h2>", "<h3>", "</h2>", "</h3>", "<h4>", "<h4>", "<h5>", "<h4>", "</h5>", "</h4>", "<h6>", "<h4>", "</h6>", "</h4>")

// plainText is Markdown as plain words, cut after n characters at most.
func plainText(s string, n int) string {
	var b bytes.Buffer
	if err := plainMarkdown.Convert([]byte(s), &b); err == nil {
		s = noTags.Sanitize(b.String())
	}
	s = strings.Join(strings.Fields(unescape.Replace(s)), " ")
	return cut(s, n)
}

var unescape = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&quot;", `"`, "&#39;", "'", "&amp;", "&")

// cut shortens s to n characters and says so with an ellipsis.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return strings.TrimRight(string(r[:n-1]), " ，、,;；") + "…"
}
