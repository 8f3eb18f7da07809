package catalog

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestAppendJSONTextReadsBack(t *testing.T) {
	all := make([]byte, 0, 128)
	for c := range byte(128) {
		all = append(all, c)
	}
	texts := []string{"", "水", string(all), "\u2028\u2029😀", "<&>", strings.Repeat("a", 100) + `"`}
	r := rand.New(rand.NewPCG(1, 1))
	for range 20000 {
		var b strings.Builder
		for range r.IntN(40) {
			b.WriteRune([]rune{'a', '中', '"', '\\', rune(r.IntN(0x30)), rune(r.IntN(0xd000)), '😀'}[r.IntN(7)])
		}
		texts = append(texts, b.String())
	}
	for _, want := range texts {
		out := AppendJSONText([]byte("x"), want)[1:]
		var got string
		if err := json.Unmarshal(out, &got); err != nil || got != want {
			t.Fatalf("%q written as %s reads back as %q, %v", want, out, got, err)
		}
	}
	if got := string(AppendJSONText(nil, "a\xffb")); got != "\"a\ufffdb\"" {
		t.Errorf("invalid UTF-8 became %q", got)
	}
	if got := string(AppendJSONText(nil, "\x00\x1f\n\"\\/<")); got != `"\u0000\u001f\n\"\\/<"` {
		t.Errorf("got %s", got)
	}
}
