package catalog

import (
	"regexp"
	"slices"
	"time"
	"unicode/utf8"
)

// OpenAttribute says who gets the bytes (开放属性).
type OpenAttribute string

// The three attributes, as architecture.md §2 defines them.
const (
	Unconditional OpenAttribute = "unconditional" // 无条件开放: bytes for all
	Conditional   OpenAttribute = "conditional"   // 有条件开放: page, schema and sample for all; rows, profiles, top values and bytes on application
	Closed        OpenAttribute = "closed"        // 不予开放: listed for its organization only
)

// OpenAttributes lists the attributes from open to closed.
var OpenAttributes = []OpenAttribute{Unconditional, Conditional, Closed}

// Frequency is the promised update frequency (更新频率).
type Frequency string

// Frequencies lists the codes in order; their words are in FrequencyNames.
// Source: design/wuxi.md §2.3.
var Frequencies = []Frequency{"realtime", "minutely", "hourly", "daily", "weekly", "monthly", "quarterly", "semiannual", "annual", "biennial", "irregular", "never"}

// FrequencyNames gives each frequency its words.
var FrequencyNames = map[Frequency]Text{
	"realtime": {"实时", "Real time"}, "minutely": {"分钟级", "Every minute"}, "hourly": {"每小时", "Hourly"},
	"daily": {"每日", "Daily"}, "weekly": {"每周", "Weekly"}, "monthly": {"每月", "Monthly"},
	"quarterly": {"每季度", "Quarterly"}, "semiannual": {"每半年", "Twice a year"}, "annual": {"每年", "Yearly"},
	"biennial": {"每两年", "Every two years"}, "irregular": {"不定期", "Irregular"}, "never": {"不更新", "Not updated"},
}

// OpenAttributeNames gives each attribute its words.
var OpenAttributeNames = map[OpenAttribute]Text{
	Unconditional: {"无条件开放", "Open"}, Conditional: {"有条件开放", "Conditional"}, Closed: {"不予开放", "Closed"},
}

// Theme is one of the 22 data domains (数据领域).
type Theme struct {
	Code string
	Name Text
}

// Themes lists the 22 domains used by Zhejiang and Huangshi (design/wuxi.md §2.3).
var Themes = []Theme{
	{"credit", Text{"信用服务", "Credit"}}, {"health", Text{"医疗卫生", "Health"}}, {"employment", Text{"社保就业", "Social security and jobs"}},
	{"safety", Text{"公共安全", "Public safety"}}, {"housing", Text{"城建住房", "City building and housing"}}, {"transport", Text{"交通运输", "Transport"}},
	{"education", Text{"教育文化", "Education and culture"}}, {"science", Text{"科技创新", "Science and innovation"}}, {"energy", Text{"资源能源", "Resources and energy"}},
	{"environment", Text{"生态环境", "Environment"}}, {"industry", Text{"工业农业", "Industry and farming"}}, {"commerce", Text{"商贸流通", "Trade"}},
	{"finance", Text{"财税金融", "Finance and tax"}}, {"production-safety", Text{"安全生产", "Work safety"}}, {"market", Text{"市场监督", "Market supervision"}},
	{"relief", Text{"社会救助", "Social relief"}}, {"legal", Text{"法律服务", "Legal services"}}, {"living", Text{"生活服务", "Daily life"}},
	{"weather", Text{"气象服务", "Weather"}}, {"geography", Text{"地理空间", "Geography"}}, {"institutions", Text{"机构团体", "Institutions"}},
	{"other", Text{"其他", "Other"}},
}

// ThemeName returns the words of a theme code, or the code itself where unknown.
func ThemeName(code string) Text {
	for _, t := range Themes {
		if t.Code == code {
			return t.Name
		}
	}
	return Text{Zh: code, En: code}
}

// Licence is a set of terms a dataset may be published under.
type Licence struct {
	Code string
	Name Text
	URL  string // of the full text; empty for the portal's own terms, which are served at /docs/licence
	// The four rights (design/wuxi.md §1.3 D10): free of charge, without
	// discrimination, free use, free sharing.
	Free, Equal, Use, Share bool
	Attribution, ShareAlike bool
}

// Licences lists what a steward may choose. The names and addresses of the
// public ones are those of spdx.org/licenses.
var Licences = []Licence{
	{Code: "taihu-open-1.0", Name: Text{"公共数据开放许可1.0", "Open public data terms 1.0"}, Free: true, Equal: true, Use: true, Share: true, Attribution: true},
	{Code: "CC-BY-4.0", Name: Text{"知识共享 署名4.0", "Creative Commons Attribution 4.0"}, URL: "https://creativecommons.org/licenses/by/4.0/", Free: true, Equal: true, Use: true, Share: true, Attribution: true},
	{Code: "CC-BY-SA-4.0", Name: Text{"知识共享 署名—相同方式共享4.0", "Creative Commons Attribution-ShareAlike 4.0"}, URL: "https://creativecommons.org/licenses/by-sa/4.0/", Free: true, Equal: true, Use: true, Share: true, Attribution: true, ShareAlike: true},
	{Code: "CC0-1.0", Name: Text{"CC0 1.0（放弃权利）", "CC0 1.0 Universal"}, URL: "https://creativecommons.org/publicdomain/zero/1.0/", Free: true, Equal: true, Use: true, Share: true},
	{Code: "ODbL-1.0", Name: Text{"开放数据库许可1.0", "Open Database License 1.0"}, URL: "https://opendatacommons.org/licenses/odbl/1-0/", Free: true, Equal: true, Use: true, Share: true, Attribution: true, ShareAlike: true},
	{Code: "ODC-By-1.0", Name: Text{"开放数据共用 署名1.0", "Open Data Commons Attribution 1.0"}, URL: "https://opendatacommons.org/licenses/by/1-0/", Free: true, Equal: true, Use: true, Share: true, Attribution: true},
	{Code: "PDDL-1.0", Name: Text{"公共领域贡献1.0", "Public Domain Dedication 1.0"}, URL: "https://opendatacommons.org/licenses/pddl/1-0/", Free: true, Equal: true, Use: true, Share: true},
	{Code: "source-terms", Name: Text{"依来源条款", "As the source states"}, Free: true},
}

// LicenceOf returns the licence with that code.
func LicenceOf(code string) (Licence, bool) {
	i := slices.IndexFunc(Licences, func(l Licence) bool { return l.Code == code })
	if i < 0 {
		return Licence{}, false
	}
	return Licences[i], true
}

// Contact is whom a reader can ask.
type Contact struct {
	Unit  string `json:"unit,omitempty"`
	Phone string `json:"phone,omitempty"`
	Mail  string `json:"mail,omitempty"`
}

// Dataset is what a reader looks for.
type Dataset struct {
	ID             string        `json:"id"`
	Slug           string        `json:"slug"`
	OrganizationID string        `json:"organization_id"`
	Title          Text          `json:"title"`
	Description    Text          `json:"description"` // Markdown
	Themes         []string      `json:"themes"`      // codes of Themes
	Keywords       []string      `json:"keywords"`
	Region         string        `json:"region,omitempty"`
	Licence        string        `json:"licence"`
	OpenAttribute  OpenAttribute `json:"open_attribute"`
	Conditions     Text          `json:"conditions"` // how to apply; required where conditional
	Frequency      Frequency     `json:"frequency"`
	Spatial        string        `json:"spatial,omitempty"`        // spatial coverage in words
	TemporalStart  string        `json:"temporal_start,omitempty"` // ISO date, month or year
	TemporalEnd    string        `json:"temporal_end,omitempty"`
	Language       string        `json:"language,omitempty"` // BCP 47
	Contact        Contact       `json:"contact"`
	SourceNote     Text          `json:"source_note"`
	Identifiers    []string      `json:"identifiers"`              // codes given elsewhere, such as 信息资源代码
	SecurityLevel  string        `json:"security_level,omitempty"` // L1–L4
	Simulated      bool          `json:"simulated,omitempty"`      // 示例数据: labelled so on every page and in every source line
	RowVersion     int64         `json:"row_version"`
	CreatedAt      time.Time     `json:"created_at"`
	// CatalogueAt is the catalogue date: when these metadata last changed. The
	// data date belongs to the release; the two are never mixed.
	CatalogueAt time.Time `json:"catalogue_at"`
	// PublishedAt is the last publication, of a release that was withdrawn since too;
	// nil: none yet.
	PublishedAt *time.Time `json:"published_at,omitempty"`
	// LatestNumber is the newest release that stands; 0 where there is none.
	LatestNumber int `json:"latest_number"`
}

// SampleRows is how many rows a steward's sample of a conditional dataset holds
// at the most.
const SampleRows = 20

var (
	slugForm      = regexp.MustCompile(`^[a-z0-9-]{3,80}$`)
	tableNameForm = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)
)

// ReservedSlugs are words that pages use, so no dataset or organization can.
var ReservedSlugs = []string{"new", "api", "data", "docs", "datasets", "organizations", "latest", "search", "static", "steward", "account", "admin", "sign-in", "sign-out", "healthz", "readyz", "portal", "feed", "sitemap", "robots"}

// CheckSlug returns Invalid where s cannot name a dataset or organization.
func CheckSlug(s string) error {
	if s == "" {
		return Errorf(Invalid, "invalid_slug", "the address is empty: use 3 to 80 of the characters a-z, 0-9 and -").With("slug", s).
			InChinese("还没有写地址：请用3至80个小写字母、数字或连字符")
	}
	if !slugForm.MatchString(s) {
		return Errorf(Invalid, "invalid_slug", "%q cannot be an address: use 3 to 80 of the characters a-z, 0-9 and -", s).With("slug", s).
			InChinese("“%s”不能用作地址：请用3至80个小写字母、数字或连字符", s)
	}
	if slices.Contains(ReservedSlugs, s) {
		return Errorf(Invalid, "reserved_slug", "%q is a word of the portal's own pages: choose another", s).With("slug", s).
			InChinese("“%s”是本站页面用的词，请换一个", s)
	}
	return nil
}

// CheckTableName returns Invalid where s cannot name a table.
func CheckTableName(s string) error {
	if !tableNameForm.MatchString(s) {
		return Errorf(Invalid, "invalid_table_name", "%q cannot name a table: use 1 to 64 of the characters a-z, 0-9, _ and -", s).With("table", s)
	}
	return nil
}

// Check returns Invalid naming the first field that is missing or not among the
// words allowed for it.
func (d *Dataset) Check() error {
	bad := func(field, format string, args ...any) *Error {
		return Errorf(Invalid, "invalid_field", format, args...).With("field", field)
	}
	if err := CheckSlug(d.Slug); err != nil {
		return err
	}
	switch {
	case d.Title.IsZero():
		return bad("title", "title is missing: give it in Chinese, English or both").InChinese("缺少标题：请填中文、英文或两者")
	case utf8.RuneCountInString(d.Title.Zh) > 200 || utf8.RuneCountInString(d.Title.En) > 300:
		return bad("title", "title is too long: at most 200 Chinese or 300 English characters")
	case d.OrganizationID == "":
		return bad("organization", "organization is missing: every dataset has a publisher")
	case !slices.Contains(OpenAttributes, d.OpenAttribute):
		return bad("open_attribute", "open_attribute %q is not known: use one of %v", d.OpenAttribute, OpenAttributes)
	case d.OpenAttribute == Conditional && d.Conditions.IsZero():
		return bad("conditions", "a conditional dataset must say how to apply for it").InChinese("有条件开放的数据集须写明申请条件")
	case !slices.Contains(Frequencies, d.Frequency):
		return bad("frequency", "frequency %q is not known: use one of %v", d.Frequency, Frequencies)
	}
	if _, ok := LicenceOf(d.Licence); !ok {
		codes := make([]string, len(Licences))
		for i, l := range Licences {
			codes[i] = l.Code
		}
		return bad("licence", "licence %q is not known: use one of %v", d.Licence, codes)
	}
	for _, t := range d.Themes {
		if !slices.ContainsFunc(Themes, func(x Theme) bool { return x.Code == t }) {
			return bad("themes", "theme %q is not one of the 22 domains", t)
		}
	}
	return nil
}
