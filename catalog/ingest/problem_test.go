package ingest

import (
	"fmt"
	"strings"
	"testing"

	"taihu/catalog"
)

func TestTitleAtOdds(t *testing.T) {
	dates := func(min, max string) *catalog.Table {
		return &catalog.Table{Name: "a", Schema: catalog.Schema{Fields: []catalog.Field{{Name: "日期", Type: catalog.Date}, {Name: "编号", Type: catalog.Integer}}},
			Profile: &catalog.Profile{Columns: []catalog.ColumnProfile{{Min: min, Max: max}, {Min: "1999", Max: "2001"}}}}
	}
	years := &catalog.Table{Schema: catalog.Schema{Fields: []catalog.Field{{Name: "年份", Type: catalog.Integer}}}, Profile: &catalog.Profile{Columns: []catalog.ColumnProfile{{Min: "2018", Max: "2020"}}}}
	for _, c := range []struct {
		title string
		table *catalog.Table
		odd   bool
	}{
		{"2023年停车泊位", dates("2019-01-01", "2021-12-31"), true}, {"2023年停车泊位", dates("2022-01-01", "2024-12-31"), false}, {"2023年停车泊位", dates("2023-05-01", "2023-05-01"), false},
		{"停车泊位", dates("2019-01-01", "2021-12-31"), false}, {"2019-2021年停车泊位", dates("2022-01-01", "2022-12-31"), false}, {"2010年以来停车泊位", dates("2019-01-01", "2021-12-31"), false}, {"2022年末停车泊位", dates("2019-01-01", "2021-12-31"), false}, {"停车泊位（2023年整理）", dates("2019-01-01", "2021-12-31"), false},
		{"Parking (Eisner, 2014)", dates("2019-01-01", "2021-12-31"), false}, {"2018年至2023年停车", dates("2025-01-01", "2025-12-31"), false}, {"编号20231年的项目", dates("2019-01-01", "2021-12-31"), false},
		{"2023年停车泊位", dates("", ""), false}, {"2023年人口", years, true}, {"2019年人口", years, false}, {"2023年人口", &catalog.Table{}, false},
	} {
		if got := titleAtOdds(catalog.Text{Zh: c.title}, c.table) != nil; got != c.odd {
			t.Errorf("%s beside %+v: %v", c.title, c.table.Profile, got)
		}
	}
}

func TestProblemsOfAFile(t *testing.T) {
	if f := findingOf(ingestBytes(t, "a.csv", []byte("a,b\n"), catalog.IngestOptions{}), "header_only"); f == nil || f.Severity != catalog.ToSettle {
		t.Errorf("empty: %+v", f)
	}
	sparse := "a,b,c,d\n1,,,\n,,,\n,,,\n,,,\n"
	if f := findingOf(ingestBytes(t, "a.csv", []byte(sparse), catalog.IngestOptions{}), "nearly_empty"); f == nil || !strings.Contains(f.Message.En, "Of 16 cells only 1 ") {
		t.Errorf("nearly empty: %+v", f)
	}
	if f := findingOf(ingestBytes(t, "a.csv", []byte("a,b\n1,\n,2\n"), catalog.IngestOptions{}), "nearly_empty"); f != nil {
		t.Errorf("half empty: %+v", f)
	}
	k := Known{Twins: []catalog.Twin{{Table: "a", Dataset: "parking", Title: catalog.Text{Zh: "停车"}, Other: "main"}, {Table: "a", Dataset: "more", Other: "x"}}}
	if got := k.findings([]catalog.Table{{Name: "a"}}); len(got) != 1 || got[0].Code != "duplicate_content" || got[0].Value != "parking/main" {
		t.Errorf("duplicate: %+v", got)
	}
}

// The sample of rows tells a part from the whole whatever the order of rows and
// columns, and from what only looks like it.
func TestSketches(t *testing.T) {
	table := func(from, to, step int, turned bool) catalog.Sketch {
		var b strings.Builder
		b.WriteString("编号,名称,数量\n")
		if turned {
			b.Reset()
			b.WriteString("数量,编号,名称\n")
		}
		for k := range (to - from) / step {
			i := from + k*step
			if turned {
				i = to - step - k*step
				fmt.Fprintf(&b, "%d,%d,第%d号\n", i*7%100, i, i)
			} else {
				fmt.Fprintf(&b, "%d,第%d号,%d\n", i, i, i*7%100)
			}
		}
		return ingestBytes(t, "a.csv", []byte(b.String()), catalog.IngestOptions{}).Tables[0].Table.Sketch
	}
	whole := table(0, 20_000, 1, false)
	if len(whole) != catalog.SketchRows {
		t.Fatalf("%d hashes", len(whole))
	}
	for _, c := range []struct {
		name string
		part catalog.Sketch
		want bool
	}{
		{"a part", table(2_000, 7_000, 1, false), true}, {"a part, turned round", table(2_000, 7_000, 1, true), true}, {"every third row", table(0, 20_000, 3, false), true},
		{"other rows", table(30_000, 35_000, 1, false), false}, {"half of it elsewhere", table(15_000, 25_000, 1, false), false}, {"too few to say", table(10, 20, 1, false), false},
	} {
		if got := c.part.PartOf(whole); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if small := table(0, 100, 1, false); !table(20, 60, 2, true).PartOf(small) || table(90, 130, 1, false).PartOf(small) {
		t.Error("where the sample is the whole table it is exact")
	}
}
