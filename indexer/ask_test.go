package indexer

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestAsk(t *testing.T) {
	run := func(s string) Term { return Term{Text: s, Run: true} }
	day := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, chinaTime) }
	for in, want := range map[string]Asked{
		"":                    {},
		" 　\t":                {},
		"停车场 泊位":              {Terms: []Term{run("停车场"), run("泊位")}},
		`"air quality" PM`:    {Terms: []Term{{Phrase: []Term{{Text: "air"}, {Text: "quality"}}}, {Text: "pm", Prefix: true}}},
		"“停车场”":               {Terms: []Term{{Phrase: []Term{run("停车场")}}}},
		`"停车场`:                {Terms: []Term{run("停车场")}},
		`""`:                  {},
		"公交 -轨迹":              {Terms: []Term{run("公交")}, Not: []Term{run("轨迹")}},
		`-"a b"`:              {Not: []Term{{Phrase: []Term{{Text: "a"}, {Text: "b"}}}}},
		"-pm2.5":              {Not: []Term{{Phrase: []Term{{Text: "pm2"}, {Text: "5"}}}}},
		"x - b":               {Terms: []Term{{Text: "x"}, {Text: "b", Prefix: true}}},
		"--a":                 {Terms: []Term{{Text: "a", Prefix: true}}},
		"column:溶解氧":          {Keys: []string{"column:溶解氧"}},
		"列：PM2.5":             {Keys: []string{"column:pm2", "column:5"}},
		"Org:生态环境局":           {Keys: []string{"org:生态环", "org:态环境", "org:环境局"}},
		`org:"Transport Bur"`: {Keys: []string{"org:transport", "org:bur"}},
		"-机构:交通":              {NotKeys: [][]string{{"org:交通"}}},
		"the number of cars":  {Terms: []Term{{Text: "number"}, {Text: "cars", Prefix: true}}},
		"how is":              {Terms: []Term{{Text: "how"}, {Text: "is", Prefix: true}}},
		"who in":              {Terms: []Term{{Text: "who"}, {Text: "in", Prefix: true}}},
		"12:30":               {Terms: []Term{{Text: "12"}, {Text: "30", Prefix: true}}},
		"org: 交通":             {Terms: []Term{{Text: "org"}, run("交通")}},
		"updated:2026":        {UpdatedFrom: day(2026, 1, 1), UpdatedTo: day(2027, 1, 1)},
		"updated:>2026":       {UpdatedFrom: day(2027, 1, 1)},
		"更新:>=2026-03":        {UpdatedFrom: day(2026, 3, 1)},
		"updated:<=2026-03-05 updated:>=2026-01 updated:<2027": {UpdatedFrom: day(2026, 1, 1), UpdatedTo: day(2026, 3, 6)},
		"updated:soon": {Terms: []Term{{Text: "updated"}, {Text: "soon", Prefix: true}}},
	} {
		if got := Ask(in); !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\n got %+v\nwant %+v", in, got, want)
		}
	}
	if got := Ask("updated:2026-02-30"); !got.UpdatedFrom.IsZero() || len(got.Terms) == 0 {
		t.Errorf("a day that is none: %+v", got)
	}
}

// FuzzAsk: no text is an error, and a condition's keys are ones a document can have.
func FuzzAsk(f *testing.F) {
	for _, s := range []string{`"`, "-", ":", "org:", `-org:"`, "updated:<<", "“", "\xff", "列：", strings.Repeat("水", 500), "column:" + strings.Repeat("a", 500)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a := Ask(s)
		if len(a.Terms) > MaxTerms || len(a.Not) > MaxTerms {
			t.Errorf("%q: %d terms, %d not", s, len(a.Terms), len(a.Not))
		}
		for _, k := range a.Keys {
			if !strings.Contains(k, ":") || strings.HasSuffix(k, ":") {
				t.Errorf("%q: key %q", s, k)
			}
		}
	})
}

func TestKeysOfADocumentFulfilItsConditions(t *testing.T) {
	d := Document{Columns: []string{"统一社会信用代码", "PM2.5"}, Organizations: []string{"wuxi", "sthj"}, PathNames: []string{"无锡市生态环境局"}, Formats: []string{"csv"}, Year: 2026}
	have := map[string]bool{}
	for _, k := range DocumentKeys(&d) {
		have[k] = true
	}
	for text, want := range map[string]bool{
		"column:信用": true, "column:统一社会信用代码": true, "column:会": true, "column:pm2.5": true, "column:信用社": false, "org:sthj": true,
		"org:生态环境局": true, "org:信用": false, "format:csv": true, "format:cs": false, "year:2026": true,
	} {
		got := true
		for _, k := range Ask(text).Keys {
			got = got && have[k]
		}
		if got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestSynonyms(t *testing.T) {
	s := ReadSynonyms("# 说明\n停车场，泊车, car park\n单独\n\n卫生间、公厕\n")
	if want := (Synonyms{{"停车场", "泊车", "car park"}, {"卫生间", "公厕"}}); !reflect.DeepEqual(s, want) {
		t.Fatalf("read: %v", s)
	}
	terms := s.Expand(Ask("泊车 收费").Terms)
	want := [][]Term{{{Text: "停车场", Run: true}}, {{Text: "car"}, {Text: "park"}}}
	if !reflect.DeepEqual(terms[0].Or, want) || terms[1].Or != nil {
		t.Errorf("泊车: %+v", terms)
	}
	terms = s.Expand(Ask("car park").Terms)
	if len(terms[0].Or) != 2 || len(terms[1].Or) != 2 {
		t.Errorf("car park: %+v", terms)
	}
	if terms = s.Expand(Ask(`car "park"`).Terms); terms[0].Or != nil {
		t.Errorf("a phrase has no synonyms: %+v", terms)
	}
}

func TestPinyinWords(t *testing.T) {
	got := strings.Join(PinyinWords([]string{"停车场A", "水"}), " ")
	if want := "tingchechang tcc tingjuchang tjc chechang cc juchang jc chang shui"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
