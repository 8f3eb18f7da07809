package meili

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestValueBeginnings(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"梅村街道":                 {"梅村街道"},
		"地铁1号线":                {"地铁 1 号线"}, // not 号线: no sign before it
		"噪音扰民（夜间）":             {"噪音扰民 夜间", "夜间"},
		"Waste-water, treated": {"waste water treated", "water treated", "treated"},
		"ＡＢＣ　路":                {"abc 路", "路"},
		"人民路128号":              nil,
		"2024-01":              nil,
		"":                     nil,
	} {
		if got := valueBeginnings(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestSlowEntries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s slowEntries
		s.add(suggestValue, "无锡市")
		for typed, want := range map[string]bool{"无": true, "无锡市": true, "无锡市梁": false, "锡": false} {
			if got := s.has(suggestValue, typed); got != want {
				t.Errorf("%s: %v, want %v", typed, got, want)
			}
		}
		if s.has(suggestColumn, "无锡市") {
			t.Error("another field is held back too")
		}
		time.Sleep(slowFor)
		if s.has(suggestValue, "无锡市") {
			t.Error("held back for ever")
		}
	})
}
