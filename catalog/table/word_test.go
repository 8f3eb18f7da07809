package table_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"taihu/catalog/table"
)

func TestFoldCaseAndWidth(t *testing.T) {
	for _, pair := range [][2]string{
		{"ＡＢＣ１２", "abc12"}, {"ｶﾞ", "ガ"}, {"Σ", "ς"}, {"ΟΔΟΣ", "οδος"}, {"É", "e\u0301"}, {"㎡", "m2"}, {"ﬁ", "FI"}, {"①", "1"}, {"（", "("}, {"K", "k"}, {"ẞ", "ß"}, {"滨湖", "滨湖"},
	} {
		if a, b := table.Fold(pair[0]), table.Fold(pair[1]); a != b {
			t.Errorf("%q folds to %q, %q to %q", pair[0], a, pair[1], b)
		}
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r >= 0x2e80 && r < 0xa4d0 && (unicode.ToLower(r) != r || unicode.ToUpper(r) != r) {
			t.Fatalf("%U has case, but Fold takes it for a character without", r)
		}
		for _, s := range []string{string(r), "a" + string(r), string(r) + "\u0301"} {
			if once := table.Fold(s); table.Fold(once) != once {
				t.Fatalf("%U: Fold(%q) = %q, folded again %q", r, s, once, table.Fold(once))
			}
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"district", "aqi", "time", "温度(℃)", "PM2.5", "where", "limit"}
	for name, want := range map[string]string{
		"distrct": "district", "AQI": "aqi", "itme": "time", "温度": "温度(℃)", "pm25": "PM2.5", "ＡＱＩ": "aqi", "were": "where", "limt": "limit",
		"": "", "zzzzzz": "", "完全不同": "", strings.Repeat("x", 500): "",
	} {
		if got := table.Nearest(name, known); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}

// The reader's page shows every operator, function and word of the grammar.
func TestGrammarPageIsComplete(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "api", "web", "docs", "grammar.md"))
	if err != nil {
		t.Skipf("no grammar page: %v", err)
	}
	words := []string{"and", "or", "not", "in (", "is null", "is not null", "true", "false", "_row", "where", "select", "sort", "limit", "cursor", "count", "next"}
	for _, op := range table.Ops {
		words = append(words, " "+string(op)+" ")
	}
	for _, f := range append(table.FuncNames(), table.Functions...) {
		words = append(words, f+"(")
	}
	for _, p := range table.Parameters {
		words = append(words, "| `"+p+"` |")
	}
	for _, u := range table.Units {
		words = append(words, "`"+u+"`")
	}
	zh, en, ok := strings.Cut(string(page), "\n# ")
	if !ok {
		t.Fatal("the page has no English half under a second heading of level 1")
	}
	for _, w := range words {
		if !strings.Contains(zh, w) || !strings.Contains(en, w) {
			t.Errorf("%q is missing from the Chinese or the English half of grammar.md", w)
		}
	}
}

func BenchmarkFold(b *testing.B) {
	for name, text := range map[string]string{"ascii": "Wuxi Binhu District No. 1", "chinese": "无锡市滨湖区太湖大道一号停车场", "mixed": "无锡市ＡＢＣ停车场P1"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				table.Fold(text)
			}
		})
	}
}

func BenchmarkParseAndCheck(b *testing.B) {
	params := table.Params{Where: "aqi >= 150 and 站点 in ('滨湖区','梁溪区') and at >= '2026-01-01T00:00:00Z'", Select: "站点,aqi", Sort: "-aqi"}
	for b.Loop() {
		if _, err := check(params, readings); err != nil {
			b.Fatal(err)
		}
	}
}
