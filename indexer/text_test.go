package indexer

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/quick"
	"unicode/utf8"
)

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "abc 123": "abc 123", "ABC": "abc", "ＡＢｃ１２３": "abc123", "停车场": "停车场", "㎡": "m2", "Ⅷ": "viii", "ﬁ": "fi", "Café": "cafe",
		"cafe\u0301": "cafe", "İ": "i", "ẞ": "ß", "ﾊﾝｶｸ": "ハンカク", "가": "가", "a\u200bb": "ab", "a\tb": "a b", "—": "—", "Ω": "ω",
		"停車場": "停车场", "臺灣統計": "台湾统计", "著名": "著名", "𠁞": "𠀾", "\uf92a": "浪", "\uf902": "车",
	} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFoldTwiceIsFoldOnce(t *testing.T) {
	same := func(s string) bool {
		once := Fold(strings.ToValidUTF8(s, ""))
		return Fold(once) == once && utf8.ValidString(once)
	}
	if err := quick.Check(same, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
}

// TestSimplifiedIsAFixpoint: a simplified character is not simplified again.
func TestSimplifiedIsAFixpoint(t *testing.T) {
	for r := rune(hanFirst); r <= hanLast; r++ {
		if once := simplify(r); simplify(once) != once {
			t.Errorf("%c becomes %c, that %c", r, once, simplify(once))
		}
	}
	for r, once := range simplifiedRare {
		if simplify(once) != once || r == once {
			t.Errorf("%c becomes %c, that %c", r, once, simplify(once))
		}
	}
}

func TestTokens(t *testing.T) {
	for in, want := range map[string]string{
		"":                    "",
		"停车场 parking, pm2.5":  "停车场* parking pm2 5",
		"gps轨迹":               "gps 轨迹*",
		"井盖/止车杆":              "井盖* 止车杆*",
		"𠮷野家🍜拉面":              "𠮷野家* 拉面*",
		"wx-cg_01":            "wx cg 01",
		"ソート 한글 данные":       "ソート* 한글* данные",
		"「太湖」（水质）":            "太湖* 水质*",
		"\u3007一二 2021年12月8日": "〇一二* 2021 年* 12 月* 8 日*",
	} {
		var got []string
		Tokens(in, func(tok Token) {
			if in[tok.Start:tok.End] != tok.Text {
				t.Errorf("%q: token %q is not at %d", in, tok.Text, tok.Start)
			}
			if tok.Run {
				tok.Text += "*"
			}
			got = append(got, tok.Text)
		})
		if strings.Join(got, " ") != want {
			t.Errorf("%q: got %q, want %q", in, strings.Join(got, " "), want)
		}
	}
}

func TestTerms(t *testing.T) {
	for in, want := range map[string][]Term{
		"":                nil,
		"！？":              nil,
		"停车场 Parking":     {{Text: "停车场", Run: true}, {Text: "parking", Prefix: true}},
		"Parking 停车场":     {{Text: "parking"}, {Text: "停车场", Run: true}},
		"x b x":           {{Text: "x", Prefix: true}, {Text: "b"}},
		"ｐｍ２.5":           {{Text: "pm2"}, {Text: "5", Prefix: true}},
		"1 2 3 4 5 6 7 8": {{Text: "1"}, {Text: "2"}, {Text: "3"}, {Text: "4"}, {Text: "5"}, {Text: "6"}, {Text: "7"}, {Text: "8", Prefix: true}},
	} {
		if got := Ask(in).Terms; !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, want %v", in, got, want)
		}
	}
	if got := Ask("z b c d e f g h i j k l").Terms; len(got) != MaxTerms || got[MaxTerms-1].Prefix {
		t.Errorf("too many terms: %v", got)
	}
}

func TestSortKeyOrdersAsAReaderExpects(t *testing.T) {
	want := []string{"12345热线", "Air quality", "bus", "ＢＵＳ lines", "安全", "车", "车场", "停车", "无锡", "行政处罚", "中国"}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, func(a, b string) int { return strings.Compare(SortKey(a), SortKey(b)) })
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
