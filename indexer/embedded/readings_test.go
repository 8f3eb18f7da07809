package embedded

import (
	"math/rand/v2"
	"strings"
	"testing"

	"taihu/indexer"
	"taihu/indexer/indextest"
)

// TestReadingsFindWhatPinyinWordsSay compares them, with words that are beginnings
// of what is there and words that are not, before and after sorting. What they find
// beside that is by the other reading of a character.
func TestReadingsFindWhatPinyinWordsSay(t *testing.T) {
	var texts [][]string
	for d := range indextest.Generate(300, 3) {
		texts = append(texts, indexer.PinyinTexts(&d))
	}
	texts = append(texts, []string{"西安", "先后", "停車場A", "〇一", "呣", "欸乃", "嗯", "Ａ", "𠀀一"})
	random := rand.New(rand.NewPCG(1, 1))
	var r readings
	var have [][]string
	var queries []string
	for id, list := range texts {
		r.add(uint32(id), keysOf(list))
		if id == 200 {
			r.settle(true)
		}
		words := indexer.PinyinWords(list)
		have = append(have, words)
		for range 3 {
			if len(words) > 0 {
				w := words[random.IntN(len(words))]
				w = w[:2+random.IntN(len(w)-1)]
				queries = append(queries, w, "x"+w)
			}
		}
	}
	queries = append(queries, "xian", "xi", "x", "", "tcc", "A", "12", "tingchechanga", strings.Repeat("a", 100))
	for range 2 {
		for _, q := range queries {
			set := newBitset(len(texts))
			r.find(q, len(texts), set)
			for id, words := range have {
				want, may := false, len(q) > initialCount // a part of a long one may stand elsewhere
				for _, w := range words {
					want = want || len(q) > 1 && strings.HasPrefix(w, q)
				}
				got := set.has(uint32(id))
				for _, text := range texts[id] {
					if got == want {
						break
					}
					indexer.Tokens(indexer.Fold(text), func(t indexer.Token) {
						at, _ := indexer.FindPinyin(t.Text, q)
						may = may || t.Run && at >= 0
					})
				}
				if want && !got || got && !want && !may {
					t.Errorf("%q in %v: got %v", q, texts[id], got)
				}
			}
		}
		r.settle(true)
	}
}

func TestLongPinyin(t *testing.T) {
	x := open(t, t.TempDir())
	docs := indextest.Documents()
	if err := x.Put(t.Context(), docs...); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{
		"tingchechangshishi": 1, "tingchechangshishikongyupowei": 1, "tingchechangshishikongyubei": 0, "tccssky": 1, "tccsskypw": 1, "tccsskypx": 0,
		strings.Repeat("ting", 40): 0, "kongyubowei": 1,
	} {
		if r, err := x.Search(t.Context(), indexer.Query{Text: text}); err != nil || r.Total != want {
			t.Errorf("%s: %d, %v", text, r.Total, err)
		}
	}
}

func TestOtherReadings(t *testing.T) {
	var r readings
	r.add(0, keysOf([]string{"重庆市长江大桥银行"}))
	for word, want := range map[string]bool{
		"chongqing": true, "zhongqing": true, "changjiang": true, "zhangjiang": true, "yinhang": true, "yinxing": true, "cj": true, "zj": true, "yh": true,
		"chang": true, "changqing": false, "hangyin": false,
	} {
		set := newBitset(1)
		if r.find(word, 1, set); set.has(0) != want {
			t.Errorf("%s: %v", word, !want)
		}
	}
}

// TestAmbiguousPinyin: what can be cut into syllables in ever so many ways, or in
// none after as many beginnings, is bounded.
func TestAmbiguousPinyin(t *testing.T) {
	for _, word := range []string{strings.Repeat("an", 20), strings.Repeat("an", 19) + "v", strings.Repeat("nang", 10), strings.Repeat("a", 40)} {
		if ways := spellings(word); len(ways) > maxSpellings+1 {
			t.Errorf("%s: %d ways", word, len(ways))
		}
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b   string
		most   int
		prefix bool
		want   int
	}{
		{"bolards", "bollards", 1, false, 1}, {"bollrads", "bollards", 1, false, 1}, {"bollards", "bollards", 1, false, 0}, {"abc", "abcdef", 2, false, 3},
		{"kindergaretn", "kindergarten", 2, false, 1}, {"statstic", "statistical", 2, true, 1}, {"statstic", "statistical", 2, false, 3},
		{"water", "later", 1, false, 1}, {"water", "toaster", 2, false, 3}, {"abcde", "abxye", 1, false, 2}, {"abcde", "abcdefghij", 1, true, 0},
		{strings.Repeat("a", 64), strings.Repeat("a", 70), 2, true, 0},
	} {
		if got := distance(test.a, test.b, test.most, test.prefix); got != test.want && (got <= test.most || test.want <= test.most) {
			t.Errorf("%s to %s: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
