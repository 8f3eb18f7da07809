package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/store"
)

// errorPage says what is so, what to do, and where else to go.
type errorPage struct {
	frame
	Status  int
	Heading string
	Detail  string
	Code    string
	Near    []result
	Typed   string
	Back    string
}

// unkept: what is not there may be there in a minute, and nothing of an error is kept.
func (errorPage) unkept() bool { return true }

var statusHeadings = map[int]catalog.Text{
	400: {Zh: "这个请求看不懂", En: "This request cannot be read"}, 401: {Zh: "请先登录", En: "Sign in first"}, 403: {Zh: "没有这项权限", En: "Not allowed"},
	404: {Zh: "这个地址没有内容", En: "There is nothing at this address"}, 405: {Zh: "这一步不能这样打开", En: "This address cannot be opened like this"}, 409: {Zh: "别人先改了", En: "Somebody was faster"}, 410: {Zh: "已经撤回", En: "Withdrawn"},
	412: {Zh: "这一页已经旧了", En: "This page is out of date"}, 413: {Zh: "文件太大", En: "Too large"}, 422: {Zh: "这样办不到", En: "This cannot be done"},
	429: {Zh: "请求太频繁", En: "Too many requests"}, 503: {Zh: "暂时不能提供", En: "Not available for the moment"}, 500: {Zh: "本站出了问题", En: "Something went wrong on our side"},
}

// RenderError shows an error to people. It never fails: where even the error
// page cannot be rendered it writes plain words.
func (s *Site) RenderError(c *gin.Context, p *handle.Problem) {
	lang := language(c)
	if p.Status == http.StatusUnauthorized && c.Request.Method == http.MethodGet {
		back := localPath(c)
		if c.Request.URL.RawQuery != "" {
			back += "?" + c.Request.URL.RawQuery
		}
		_ = seeOther(c, "/sign-in?back="+url.QueryEscape(href(lang, back)))
		return
	}
	v := errorPage{frame: s.frame(c, "", phrase(lang, "出错", "Error")), Status: p.Status}
	if s.knownCode(p.Code) {
		v.Code = p.Code
	}
	v.NoIndex, v.BigSearch = true, true
	heading, ok := statusHeadings[p.Status]
	if !ok {
		heading = statusHeadings[500]
	}
	v.Heading = heading.In(lang)
	v.Title = v.Heading
	v.Detail = problemSentence(lang, p)
	if p.Instance != "" {
		v.RequestID = p.Instance
	}
	if p.Status == http.StatusNotFound || p.Status == http.StatusGone {
		v.Typed = strings.ReplaceAll(guess(localPath(c)), "-", " ")
		nearest, _ := p.Facts["nearest"].([]string)
		v.Near = s.near(c, guess(localPath(c)), nearest)
	}
	if c.Request.Method == http.MethodPost {
		if r, err := url.Parse(c.Request.Referer()); err == nil && r.Host == c.Request.Host {
			v.Back = ownPath(r.RequestURI(), "")
		}
	}
	if p.Status == http.StatusTooManyRequests || p.Status == http.StatusServiceUnavailable {
		after := 5
		if n, ok := p.Facts["retry_after"].(int); ok {
			after = n
		}
		c.Header("Retry-After", strconv.Itoa(after))
	}
	if err := s.render(c, p.Status, "error", v); err != nil {
		s.Log.ErrorContext(c.Request.Context(), "error page failed", "request_id", p.Instance, "error", err)
		c.String(p.Status, "%s\n", v.Detail)
	}
}

// problemSentence is the problem's sentence in lang.
func problemSentence(lang string, p *handle.Problem) string {
	e := &catalog.Error{Kind: catalog.Invalid, Message: p.Detail, Zh: p.DetailZh}
	if p.Detail == "" {
		return ""
	}
	return sentence(lang, e)
}

// guess is the word of a path that names what was looked for.
func guess(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) > 1 && (parts[0] == "datasets" || parts[0] == "data" || parts[0] == "organizations") {
		return parts[1]
	}
	return parts[len(parts)-1]
}

const nearCount = 5

// near looks for datasets whose address or title resembles what was typed: those
// the store named as nearest, else a search. An error here leaves the list empty:
// it is an error page already.
func (s *Site) near(c *gin.Context, word string, nearest []string) []result {
	if word == "" || s.Store == nil {
		return nil
	}
	ctx, actor, lang := c.Request.Context(), handle.Actor(c), language(c)
	var named []catalog.Dataset
	for _, slug := range nearest {
		if d, err := s.Store.Dataset(ctx, actor, slug); err == nil {
			named = append(named, *d)
		}
	}
	for _, text := range tries(word) {
		list := named
		if len(list) == 0 {
			var err error
			if list, _, _, err = s.Store.Datasets(ctx, actor, store.DatasetFilter{Published: true, Text: text, Limit: nearCount}); err != nil {
				return nil
			}
		}
		if len(list) == 0 {
			continue
		}
		publishers, err := s.publishers(ctx)
		if err != nil {
			return nil
		}
		var out []result
		for i := range list {
			r := s.result(c, &list[i], publishers, lang)
			out = append(out, r)
		}
		return out
	}
	return nil
}

// tries is the word, then shorter pieces of it: whole, its longest part, and
// its beginning, so that one wrong letter at the end still finds something.
func tries(word string) []string {
	out := []string{word}
	longest := ""
	for _, part := range strings.FieldsFunc(word, func(r rune) bool { return r == '-' || r == '_' || r == '.' }) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	if longest != "" && longest != word {
		out = append(out, longest)
	}
	if r := []rune(longest); len(r) > 4 {
		out = append(out, string(r[:len(r)*2/3]))
	}
	return out
}

// statusOf is the HTTP status of a kind written as a word.
func statusOf(kind string) int { return handle.Status(catalog.Kind(kind)) }
