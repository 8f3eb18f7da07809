package web

import (
	"embed"
	"fmt"
	"html/template"
	"path"
	"strconv"
	"strings"
	"time"

	"taihu/catalog"
)

//go:embed all:templates
var templateFiles embed.FS

// parseTemplates parses every page once per language: templates say each phrase
// in both languages with w, and the set knows which one to show. Files whose
// name begins with _ are parts that pages share.
func parseTemplates(a *assets) (map[string]map[string]*template.Template, error) {
	entries, err := templateFiles.ReadDir("templates")
	if err != nil {
		return nil, fmt.Errorf("read templates: %w", err)
	}
	pages := map[string]map[string]*template.Template{}
	for _, lang := range []string{"zh", "en"} {
		base, err := template.New("base").Funcs(functions(lang, a)).ParseFS(templateFiles, "templates/_*.html")
		if err != nil {
			return nil, fmt.Errorf("parse shared templates: %w", err)
		}
		pages[lang] = map[string]*template.Template{}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), "_") {
				continue
			}
			t, err := base.Clone()
			if err == nil {
				t, err = t.ParseFS(templateFiles, "templates/"+e.Name())
			}
			if err != nil {
				return nil, fmt.Errorf("parse template: %w", err)
			}
			pages[lang][strings.TrimSuffix(e.Name(), path.Ext(e.Name()))] = t
		}
	}
	return pages, nil
}

// functions are what templates can call.
func functions(lang string, a *assets) template.FuncMap {
	return template.FuncMap{
		// w gives the phrase in the page's language; args fill its verbs.
		"w":  func(zh, en string, args ...any) string { return phrase(lang, zh, en, args...) },
		"zh": func() bool { return lang == "zh" },
		// plural is the English of one thing or of n; Chinese needs no such choice.
		"plural": plural,
		// href puts the page's language before a path.
		"href": func(path string) string { return href(lang, path) },
		// text shows a bilingual text, marked with its language where that is not the page's.
		"text":     func(t catalog.Text) template.HTML { return marked(lang, t) },
		"plain":    func(t catalog.Text) string { return t.In(lang) },
		"num":      number,
		"size":     size,
		"day":      func(t time.Time) string { return day(lang, t) },
		"iso":      isoDay,
		"minute":   minute,
		"date":     func(s string) string { return proseDate(lang, s) },
		"percent":  percent,
		"state":    func(s catalog.State) string { return s.Words().In(lang) },
		"typeName": func(t catalog.Type) string { return typeWords[t].In(lang) },
		"asset": func(name string) (string, error) {
			if address, ok := a.address[name]; ok {
				return address, nil
			}
			return "", fmt.Errorf("there is no static file %s", name)
		},
		"seal": func(kind, zh, en, titleZh, titleEn string) template.HTML {
			return seal(lang, kind, catalog.Text{Zh: zh, En: en}, catalog.Text{Zh: titleZh, En: titleEn})
		},
		"short": func(hash string) string {
			if len(hash) > 12 {
				return hash[:6] + "…" + hash[len(hash)-4:]
			}
			return hash
		},
		"relations": func() []choice { return opsFor(lang, "", "") },
		"deskCrumb": func(words string) []link {
			return []link{{Words: phrase(lang, "数据员工作台", "Steward's desk"), Href: href(lang, "/steward")}, {Words: words}}
		},
		"docCrumb": func(words string) []link {
			return []link{{Words: phrase(lang, "文档", "Docs"), Href: href(lang, "/docs")}, {Words: words}}
		},
		"optionsView": func(f form, encodings, separators []choice, id string) optionsView {
			return optionsView{f, encodings, separators, id}
		},
		"settleArgs": func(f fileView, action string, edit bool) settleArgs {
			return settleArgs{f.Settle, f.File.Name, f.Anchor, action, edit}
		},
		"pickView": func(wrong, limit string) pickView { return pickView{wrong, limit} },
		"actView": func(action, verb string, version int64, words, class string) actView {
			return actView{action, verb, version, words, class}
		},
		// crumb is a path of one step: the page itself.
		"crumb": func(words string) []link { return []link{{Words: words}} },
		"add":   func(a, b int) int { return a + b },
		"list":  func(s ...string) []string { return s },
		"field": func(f form, name string, label string, hint string, more ...string) fieldView {
			return f.field(name, label, hint, more...)
		},
	}
}

// plural is the English of one thing or of n.
func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Views of parts that pages share.
type (
	optionsView struct {
		Form                  form
		Encodings, Separators []choice
		ID                    string // makes the ids of the inputs unique
	}
	settleArgs struct {
		settleView
		Name, Anchor, Action string
		Edit                 bool
	}
	pickView struct{ Wrong, Limit string }
	actView  struct {
		Action, Verb string
		Version      int64
		Words, Class string
	}
)

// phrase gives zh or en with its verbs filled.
func phrase(lang, zh, en string, args ...any) string {
	s := zh
	if lang == "en" {
		s = en
	}
	if len(args) == 0 {
		return s
	}
	return fmt.Sprintf(s, args...)
}

// marked shows t in lang, or the other language inside a span that says so.
func marked(lang string, t catalog.Text) template.HTML {
	s := template.HTMLEscapeString(t.In(lang))
	if shown := shownLang(lang, t); shown != lang && s != "" {
		return template.HTML(`<span lang="` + htmlLang(shown) + `">` + s + `</span>`)
	}
	return template.HTML(s)
}

// shownLang is the language in which t.In(lang) is.
func shownLang(lang string, t catalog.Text) string {
	switch {
	case lang == "en" && t.En == "" && t.Zh != "":
		return "zh"
	case lang == "zh" && t.Zh == "" && t.En != "":
		return "en"
	}
	return lang
}

func htmlLang(lang string) string {
	if lang == "zh" {
		return "zh-CN"
	}
	return lang
}

// seal is the one-character seal of the visual language.
func seal(lang, kind string, words, title catalog.Text) template.HTML {
	class := "seal"
	if kind != "" {
		class += " " + kind
	}
	if lang == "en" {
		class += " latin"
	}
	return template.HTML(fmt.Sprintf(`<abbr class="%s" title="%s">%s</abbr>`, class, template.HTMLEscapeString(title.In(lang)), template.HTMLEscapeString(words.In(lang))))
}

// number writes a whole number with commas, in both languages.
func number(v any) string {
	s := fmt.Sprint(v)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "−", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// size writes bytes for people.
func size(bytes int64) string {
	switch {
	case bytes < 1000:
		return strconv.FormatInt(bytes, 10) + " B"
	case bytes < 1000_000:
		return trimFloat(float64(bytes)/1e3) + " KB"
	case bytes < 1000_000_000:
		return trimFloat(float64(bytes)/1e6) + " MB"
	}
	return trimFloat(float64(bytes)/1e9) + " GB"
}

func trimFloat(f float64) string {
	if f >= 100 {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}
	return strconv.FormatFloat(f, 'f', 1, 64)
}

// percent writes part of whole; what is neither 0 nor 100 never reads so.
func percent(part, whole int64) string {
	if whole == 0 {
		return "0%"
	}
	p := float64(part) * 100 / float64(whole)
	switch {
	case part == 0 || part == whole:
		return strconv.FormatFloat(p, 'f', 0, 64) + "%"
	case p < 0.1:
		return "<0.1%"
	case p > 99.9:
		return ">99.9%"
	case p < 10, p > 90:
		return strconv.FormatFloat(p, 'f', 1, 64) + "%"
	}
	return strconv.FormatFloat(p, 'f', 0, 64) + "%"
}

// zone is the clock of the people the portal is for.
var zone = catalog.Zone

func isoDay(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format(time.DateOnly)
}

func minute(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone).Format("2006-01-02 15:04")
}

func day(lang string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(zone)
	if lang == "en" {
		return t.Format("2 Jan 2006")
	}
	return fmt.Sprintf("%d年%d月%d日", t.Year(), int(t.Month()), t.Day())
}

// proseDate writes an ISO date, month or year as prose; anything else stays.
func proseDate(lang, s string) string {
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		if lang == "en" {
			return t.Format("2 Jan 2006")
		}
		return fmt.Sprintf("%d年%d月%d日", t.Year(), int(t.Month()), t.Day())
	}
	if t, err := time.Parse("2006-01", s); err == nil {
		if lang == "en" {
			return t.Format("Jan 2006")
		}
		return fmt.Sprintf("%d年%d月", t.Year(), int(t.Month()))
	}
	if _, err := time.Parse("2006", s); err == nil && lang == "zh" {
		return s + "年"
	}
	return s
}
