package indexer

import (
	"strings"
	"testing"
	"testing/quick"

	"taihu/catalog"
)

func marked(segments []Segment) string {
	var b strings.Builder
	for _, s := range segments {
		if s.Hit {
			b.WriteString("[" + s.Text + "]")
		} else {
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

func TestSpans(t *testing.T) {
	for _, test := range []struct{ query, text, want string }{
		{"停车场", "停车场实时空余泊位，停车难", "[停车场]实时空余泊位，[停车]难"},
		{"停车场泊位", "停车场实时空余泊位", "[停车场]实时空余[泊位]"},
		{"水", "太湖水质", "太湖[水]质"},
		{"park", "Car Parking, park", "Car [Park]ing, [park]"},
		{"car park", "car carpark", "[car] carpark"},
		{"cafe", "Café cafe\u0301s", "[Café] [cafe\u0301]s"},
		{"fi", "ﬁnance", "[ﬁ]nance"},
		{"m2", "面积（㎡）", "面积（[㎡]）"},
		{"abc", "ＡＢＣ", "[ＡＢＣ]"},
		{"停车场", "停車場收費", "[停車場]收費"},
		{"停車", "停车", "[停车]"},
		{`"停车 场"`, "停车场，停车 场，停车的场", "[停车场]，[停车 场]，停车的场"},
		{`"car park"`, "Car, park; car parking; carpark", "[Car, park]; car parking; carpark"},
		{`"gps轨迹" 公交`, "公交GPS轨迹的GPS 轨迹", "[公交GPS轨迹]的[GPS 轨迹]"},
		{"", "停车场", "停车场"},
		{"停车", "", ""},
	} {
		m := NewMatcher(Ask(test.query).Terms)
		if m.Matches(test.text) != (test.want != test.text) {
			t.Errorf("%q in %q: matches: %v", test.query, test.text, m.Matches(test.text))
		}
		got := marked(Segments(test.text, m.Spans(test.text)))
		if got != test.want {
			t.Errorf("%q in %q: got %q, want %q", test.query, test.text, got, test.want)
		}
	}
}

func TestSpansByPinyin(t *testing.T) {
	for _, test := range []struct{ query, text, want string }{
		{"tcc", "公共停车场", "公共[停车场]"},
		{"tingch", "公共停車場", "公共[停車]場"},
		{"tingchechang", "停车场", "[停车场]"},
		{"tingchechangshishi", "停车场", "停车场"},
		{"t", "停车场", "停车场"},
		{"tcc", "TCC 停车场", "[TCC] 停车场"},
		{"changjiang", "长江水位", "[长江]水位"},
		{"yh", "商业银行", "商业[银行]"},
	} {
		got := marked(Segments(test.text, NewMatcher(Ask(test.query).Terms).SpansAlsoByPinyin(test.text)))
		if got != test.want {
			t.Errorf("%q in %q: got %q, want %q", test.query, test.text, got, test.want)
		}
	}
}

func TestRespell(t *testing.T) {
	for _, test := range []struct{ text, word, other, want string }{
		{"Car  Bolards, 停车", "bolards", "bollards", "Car  bollards, 停车"},
		{"停車厂 bolards", "停车厂", "停车场", "停车场 bolards"},
		{"abc", "x", "y", "abc"},
	} {
		if got := Respell(test.text, map[string]string{test.word: test.other}); got != test.want {
			t.Errorf("%q: got %q, want %q", test.text, got, test.want)
		}
	}
}

// TestSegmentsJoin holds for any text, valid or not, that the segments are it.
func TestSegmentsJoin(t *testing.T) {
	joins := func(text, query string) bool {
		m := NewMatcher(Ask(query + " " + text).Terms)
		var b strings.Builder
		for _, s := range Segments(text, m.Spans(text)) {
			if s.Text == "" {
				return false
			}
			b.WriteString(s.Text)
		}
		return b.String() == text
	}
	if err := quick.Check(joins, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
}

func TestPassage(t *testing.T) {
	sentence := strings.Repeat("一二三四五六七八九。", 50)
	for _, test := range []struct{ name, text, query, want string }{
		{"short", "太湖水质", "水质", "太湖[水质]"},
		{"no match: the beginning", sentence, "无", strings.Repeat("一二三四五六七八九。", 16)},
		{"begins at a sentence", sentence + "太湖水质。" + sentence, "水质", "太湖[水质]。" + sentence[:len("一二三四五六七八九。")*15] + "一二三四五"},
		{"the end", sentence + "太湖水质", "水质", sentence[:len("一二三四五六七八九。")*15][len("一二三四"):] + ""},
	} {
		segments := Passage(test.text, NewMatcher(Ask(test.query).Terms).Spans(test.text))
		got := marked(segments)
		if test.name == "the end" {
			if !strings.HasSuffix(got, "太湖[水质]") {
				t.Errorf("%s: got %q", test.name, got)
			}
			continue
		}
		if got != test.want {
			t.Errorf("%s:\n got %q\nwant %q", test.name, got, test.want)
		}
		if n := len([]rune(strings.NewReplacer("[", "", "]", "").Replace(got))); n > PassageLength {
			t.Errorf("%s: %d characters", test.name, n)
		}
	}
}

func TestShowFallsBackToTheOtherLanguage(t *testing.T) {
	d := Document{Title: catalog.Text{En: "Bollards"}, Description: catalog.Text{Zh: "止车杆", En: "All bollards"}}
	hit := NewMatcher(Ask("bollards").Terms).Show(&d, "zh", nil)
	if got := marked(hit.Title) + " " + marked(hit.Description); got != "[Bollards] All [bollards]" {
		t.Errorf("got %q", got)
	}
}
