package web

import (
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/indexer"
)

func TestPassageSaysThatTheDescriptionGoesOn(t *testing.T) {
	description := catalog.Text{Zh: "每行一个**泊位**。含收费标准，坐标略。", En: "Free spaces of 60 car parks. They join the parking table."}
	for _, test := range []struct {
		name string
		part []indexer.Segment
		want string
	}{
		{"whole", []indexer.Segment{{Text: "每行一个泊位。含收费标准，坐标略。"}}, "每行一个泊位。含收费标准，坐标略。"},
		{"beginning", []indexer.Segment{{Text: "每行一个"}, {Text: "泊位", Hit: true}}, "每行一个[泊位]…"},
		{"middle, without the comma", []indexer.Segment{{Text: "含"}, {Text: "收费", Hit: true}, {Text: "标准，"}}, "…含[收费]标准…"},
		{"the end", []indexer.Segment{{Text: "坐标略。"}}, "…坐标略。"},
		{"half a word", []indexer.Segment{{Text: "Free", Hit: true}, {Text: " spaces of 60 car parks. They jo"}}, "[Free] spaces of 60 car parks. They…"},
		{"a whole word", []indexer.Segment{{Text: "Free spaces of 60 car parks. They join "}}, "Free spaces of 60 car parks. They join…"},
		{"of an older description", []indexer.Segment{{Text: "从前的说明"}}, "从前的说明"},
		{"none", nil, ""},
	} {
		var got strings.Builder
		for _, s := range passage(test.part, description) {
			if s.Hit {
				got.WriteString("[" + s.Text + "]")
			} else {
				got.WriteString(s.Text)
			}
		}
		if got.String() != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got.String(), test.want)
		}
	}
}
