package standards

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"taihu/api/export"
	"taihu/catalog"
)

// Bundle is a whole release as one archive.
type Bundle struct {
	Portal    Portal
	Dataset   *catalog.Dataset
	Publisher *catalog.Organization
	Release   *catalog.Release // with schemas, and hashes of files
	Format    export.Format    // of the tables
	Terms     catalog.Text     // full text of the portal's own licence
}

// Document is a small file of the archive, in full.
type Document struct {
	Name  string
	Bytes []byte
}

// Kept is a large file of the archive that lies ready elsewhere: a table in the
// bundle's format, or an uploaded file.
type Kept struct {
	Name string // in the archive
	Blob catalog.Blob
}

// TableName is where a table lies in the archive.
func (b *Bundle) TableName(t *catalog.Table) string { return "data/" + t.Name + "." + b.Format.Ext }

// FileName is where an uploaded file lies in the archive. Names of files hold no
// slash, so it stays in its folder.
func (b *Bundle) FileName(f *catalog.File) string { return "files/" + f.Name }

// Time is the one time of all entries.
func (b *Bundle) Time() time.Time { return published(b.Release) }

// Documents writes what goes with the tables and files: README, licence, Data
// Package, dictionary, and last the lists of names, bytes and hashes. kept are
// the tables in the order of the release, then its files. With zero blobs in kept
// the result shows what the documents depend on before the tables are encoded.
func (b *Bundle) Documents(kept []Kept) []Document {
	docs := []Document{
		{"README.md", b.readme()},
		{"LICENSE.txt", b.licence()},
		{"datapackage.json", b.dataPackage(kept)},
		{"dictionary.csv", b.dictionary()},
	}
	all := make([]Kept, 0, len(docs)+len(kept))
	for _, d := range docs {
		all = append(all, Kept{d.Name, blobOf(d.Bytes)})
	}
	all = append(all, kept...)
	var manifest bytes.Buffer
	w := csv.NewWriter(&manifest)
	_ = w.Write([]string{"name", "bytes", "sha256"}) // a buffer never fails
	for _, k := range all {
		_ = w.Write([]string{k.Name, strconv.FormatInt(k.Blob.Size, 10), k.Blob.SHA256})
	}
	w.Flush()
	docs = append(docs, Document{"MANIFEST.csv", manifest.Bytes()})
	var sums []byte
	for _, k := range append(all, Kept{"MANIFEST.csv", blobOf(manifest.Bytes())}) {
		sums = fmt.Appendf(sums, "%s  %s\n", k.Blob.SHA256, k.Name)
	}
	return append(docs, Document{"SHA256SUMS", sums})
}

func blobOf(b []byte) catalog.Blob {
	sum := sha256.Sum256(b)
	return catalog.Blob{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(b))}
}

// dictionary is all columns of all tables, one a line.
func (b *Bundle) dictionary() []byte {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	_ = w.Write([]string{"table", "position", "name", "header", "latin", "type", "precision", "scale", "zone", "unit", "label_zh", "label_en", "description_zh", "description_en", "codes"})
	number := func(n int) string {
		if n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	for i := range b.Release.Tables {
		t := &b.Release.Tables[i]
		for j, f := range t.Schema.Fields {
			codes := ""
			if len(f.Codes) > 0 {
				codes = string(plainJSON(f.Codes))
			}
			precision, scale := "", ""
			if f.Type == catalog.Decimal {
				precision, scale = number(f.Precision), strconv.Itoa(f.Scale)
			}
			_ = w.Write([]string{t.Name, strconv.Itoa(j + 1), f.Name, f.Header, f.Latin, string(f.Type), precision, scale, f.Zone, f.Unit,
				f.Label.Zh, f.Label.En, f.Description.Zh, f.Description.En, codes})
		}
	}
	w.Flush()
	return out.Bytes()
}

// plainJSON is v as JSON without escapes for HTML. Nouns always encode.
func plainJSON(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(fmt.Sprintf("standards: %T cannot be written as JSON: %v", v, err))
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// licence says under which terms the data are given: the full text of the
// portal's own, name, rights and address of a public one.
func (b *Bundle) licence() []byte {
	l, _ := catalog.LicenceOf(b.Dataset.Licence)
	var s strings.Builder
	fmt.Fprintf(&s, "%s\n%s\n%s\n", l.Name.Zh, l.Name.En, b.Portal.licence(l.Code))
	if l.URL != "" {
		fmt.Fprintf(&s, "SPDX-License-Identifier: %s\n", l.Code)
	}
	s.WriteString("\n")
	if l.Code == "source-terms" {
		s.WriteString("以来源的条款为准，见README.md。\nThe terms of the source apply; see README.md.\n")
	} else {
		say := func(is bool, zh, en string) {
			if is {
				fmt.Fprintf(&s, "- %s / %s\n", zh, en)
			}
		}
		say(l.Free, "免费获取", "free of charge")
		say(l.Equal, "平等获取", "open to all without discrimination")
		say(l.Use, "自由利用", "free to use for any purpose")
		say(l.Share, "自由分享", "free to share")
		say(l.Attribution, "须注明来源", "name the source")
		say(l.ShareAlike, "以相同方式共享", "share alike")
	}
	if l.URL == "" && l.Code != "source-terms" && !b.Terms.IsZero() {
		fmt.Fprintf(&s, "\n%s\n\n%s\n", strings.TrimSpace(b.Terms.Zh), strings.TrimSpace(b.Terms.En))
	} else if l.URL != "" {
		s.WriteString("\n全文见上面的地址。\nThe full text is at the address above.\n")
	}
	return []byte(s.String())
}

func (b *Bundle) readme() []byte {
	d, r := b.Dataset, b.Release
	var s strings.Builder
	title := d.Title.In("zh")
	if d.Simulated {
		title += "（示例数据 / sample data）"
	}
	fmt.Fprintf(&s, "# %s\n", title)
	if d.Title.En != "" && d.Title.En != d.Title.In("zh") {
		fmt.Fprintf(&s, "\n%s\n", d.Title.En)
	}
	s.WriteString("\n")
	line := func(zh, en, value string) {
		if value != "" {
			fmt.Fprintf(&s, "- %s / %s: %s\n", zh, en, value)
		}
	}
	both := func(t catalog.Text) string {
		if t.Zh != "" && t.En != "" && t.Zh != t.En {
			return t.Zh + " / " + t.En
		}
		return t.In("zh")
	}
	line("发布机构", "Publisher", both(b.Publisher.Name))
	line("版本", "Release", strings.TrimSpace(strconv.Itoa(r.Number)+" "+r.Version))
	if at := published(r); !at.IsZero() {
		line("发布日期", "Published", at.Format(time.DateOnly))
	}
	line("数据日期", "Data date", r.DataDate)
	l, _ := catalog.LicenceOf(d.Licence)
	line("许可", "Licence", both(l.Name)+" "+b.Portal.licence(d.Licence))
	line("地址", "Address", b.Portal.release(d.Slug, r.Number))
	line("联系", "Contact", strings.TrimSpace(d.Contact.Unit+" "+d.Contact.Phone+" "+d.Contact.Mail))
	part := func(heading string, t catalog.Text) {
		if t.IsZero() {
			return
		}
		fmt.Fprintf(&s, "\n## %s\n", heading)
		for _, text := range []string{t.Zh, t.En} {
			if text != "" {
				fmt.Fprintf(&s, "\n%s\n", strings.TrimSpace(text))
			}
		}
	}
	part("说明 / Description", d.Description)
	part("这一版 / This release", r.Notes)
	part("来源 / Source", d.SourceNote)
	part("条件 / Conditions", d.Conditions)
	part("引用 / Citation", b.citation())
	s.WriteString("\n## 内容 / Contents\n\n")
	for i := range r.Tables {
		t := &r.Tables[i]
		fmt.Fprintf(&s, "- `%s`: %s %d 行 / rows, %d 列 / columns\n", b.TableName(t), t.Title.In("zh"), t.Rows, len(t.Schema.Fields))
	}
	for i := range r.Files {
		kind := "上传的原件 / as uploaded"
		if r.Files[i].Role == catalog.Attachment {
			kind = "附件 / attachment"
		}
		fmt.Fprintf(&s, "- `%s`: %s\n", b.FileName(&r.Files[i]), kind)
	}
	s.WriteString("- `dictionary.csv`: 字段表 / the columns of every table\n- `datapackage.json`: Frictionless Data Package v2\n- `MANIFEST.csv`, `SHA256SUMS`: `sha256sum -c SHA256SUMS`\n")
	if r.Withheld > 0 {
		fmt.Fprintf(&s, "\n有%d个原件不公开：其中的个人信息或隐藏内容已遮盖或去掉。\nOriginals not published: %d. Personal information or hidden content in them was masked or left out.\n", r.Withheld, r.Withheld)
	}
	if b.Format.Name == "csv" {
		s.WriteString("\nCSV为UTF-8：空值之间什么也没有，空文本写作\"\"。\nCSV is UTF-8: a null is nothing between separators, an empty text is \"\".\n")
	}
	return []byte(s.String())
}

func (b *Bundle) citation() catalog.Text {
	return catalog.Citation(b.Dataset, b.Release, b.Publisher.Name, b.Portal.Name, b.Portal.release(b.Dataset.Slug, b.Release.Number))
}
