package indexer

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"taihu/catalog"
)

func TestPlainText(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "",
		"一行\n接着":                          "一行 接着",
		"# 标题\n\n**粗** _斜_ `码`":           "标题 粗 斜 码",
		"[链接](https://example.org)":       "链接",
		"![图](a.png)后":                    "图后",
		"- 甲\n- 乙":                        "甲 乙",
		"<script>alert(1)</script>":       "",
		"前<b>粗</b>后":                      "前粗后",
		"| 甲 | 乙 |\n|---|---|\n| 1 | 2 |": "甲 乙 1 2",
		"```\ncode\n```":                  "code",
		"<https://example.org>":           "https://example.org",
		"a\x00b\x01c\u0085":               "a b c",
		"&lt;b&gt; \\*not bold*":          "<b> *not bold*",
		"bad \xff byte":                   "bad \ufffd byte",
	} {
		if got := plainText(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := plainText(strings.Repeat("水", 20000)); len([]rune(got)) != maxDescription {
		t.Errorf("a long one has %d characters", len([]rune(got)))
	}
}

func TestNewDocument(t *testing.T) {
	published := time.Date(2025, 12, 31, 20, 0, 0, 0, time.UTC) // 2026 in China
	d := &catalog.Dataset{
		ID: "id", Slug: "air", Title: catalog.Text{Zh: " 空气\n质量 ", En: "Air"}, Description: catalog.Text{Zh: "**每小时**"},
		Themes: []string{"environment"}, Keywords: []string{"空气", "空气", ""}, Identifiers: []string{"WX-1"},
		OpenAttribute: catalog.Conditional, Frequency: "hourly",
	}
	path := []catalog.Organization{{Slug: "city", Name: catalog.Text{Zh: "市"}}, {Slug: "bureau", Name: catalog.Text{Zh: "局", En: "Bureau"}}}
	r := &catalog.Release{
		PublishedAt: &published,
		Tables: []catalog.Table{
			{Rows: 10, Schema: catalog.Schema{Fields: []catalog.Field{{Name: "时间"}, {Name: "AQI", Label: catalog.Text{Zh: "指数", En: "Index"}, Latin: "aqi"}}}},
			{Rows: 5, Schema: catalog.Schema{Fields: []catalog.Field{{Name: "时间"}}},
				Profile: &catalog.Profile{Columns: []catalog.ColumnProfile{{Top: []catalog.Count{{Value: "secret"}}}}}, Sample: []byte("secret")},
		},
		Files: []catalog.File{
			{Name: "a.CSV", Role: catalog.Source}, {Name: "说明.PDF", Role: catalog.Attachment}, {Name: "x.tar.weird~ext", Role: catalog.Attachment}, {Name: "none", Role: catalog.Attachment},
		},
	}
	entry := Entry{Dataset: d, Path: path, Release: r, Version: 7, Downloads: 12345, Notes: []catalog.Text{{Zh: "**修正**了单位"}, {}}}
	want := Document{
		ID: "id", Slug: "air", Title: catalog.Text{Zh: "空气 质量", En: "Air"}, Description: catalog.Text{Zh: "每小时"},
		Organization: "bureau", Organizations: []string{"city", "bureau"}, Publisher: catalog.Text{Zh: "局", En: "Bureau"},
		Themes: []string{"environment"}, ThemeNames: []string{"生态环境", "Environment"}, Keywords: []string{"空气"},
		Columns: []string{"时间", "AQI", "指数", "Index", "aqi"}, Identifiers: []string{"WX-1"},
		Formats:       []string{"csv", "json", "ndjson", "xlsx", "parquet", "pdf"},
		OpenAttribute: catalog.Conditional, Frequency: "hourly", Year: 2026, Updated: published, Rows: 15, Cells: 25, Version: 7,
		PathNames: []string{"市", "局", "Bureau"}, Notes: []string{"修正了单位"}, Downloads: 12000, Quality: 51,
	}
	if got := NewDocument(entry); !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	d.OpenAttribute, entry.Dataset = catalog.Unconditional, d
	r.Tables[1].Profile.Columns[0].Name, r.Tables[1].Schema.Fields[0].Type = "时间", catalog.String
	if got := NewDocument(entry).Values; !slices.Equal(got, []string{"secret"}) {
		t.Errorf("values: %q", got)
	}
	r.DataDate = "2019-06"
	if got := NewDocument(entry).Year; got != 2019 {
		t.Errorf("year of the data date: %d", got)
	}
}
