package api

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
)

// What counts as a download: the first byte, to a reader.
func TestUsed(t *testing.T) {
	for _, c := range []struct {
		name, method, agent, purpose, content string
		status                                int
		err                                   error
		want                                  bool
	}{
		{"a file", "GET", "curl/8", "", "", 200, nil, true},
		{"its first part", "GET", "curl/8", "", "bytes 0-99/300", 206, nil, true},
		{"where a broken one goes on", "GET", "curl/8", "", "bytes 100-299/300", 206, nil, false},
		{"several parts", "GET", "curl/8", "", "", 206, nil, false},
		{"HEAD", "HEAD", "curl/8", "", "", 200, nil, false},
		{"unchanged", "GET", "curl/8", "", "", 304, nil, false},
		{"being encoded", "GET", "curl/8", "", "", 202, nil, false},
		{"broken", "GET", "curl/8", "", "", 200, errors.New("broken"), false},
		{"a crawler", "GET", "Mozilla/5.0 (compatible; Somebot/2.1)", "", "", 200, nil, false},
		{"a prefetch", "GET", "Mozilla/5.0", "prefetch", "", 200, nil, false},
		{"a page's own try", "GET", "", "", "", 200, nil, false},
	} {
		a := &API{Config: Config{Uses: &Uses{}}}
		g, _ := gin.CreateTestContext(httptest.NewRecorder())
		g.Request = httptest.NewRequest(c.method, "/", nil)
		g.Request.Header = http.Header{"User-Agent": {c.agent}, "Sec-Purpose": {c.purpose}}
		g.Writer.Header().Set("Content-Range", c.content)
		g.Status(c.status)
		a.used(g, &catalog.Dataset{ID: "1"}, c.err)
		if got := a.Uses.count["1"] == 1; got != c.want {
			t.Errorf("%s: counted %v", c.name, got)
		}
	}
}

// Counts that could not be written are kept; memory is bounded.
func TestUsesWrite(t *testing.T) {
	u := &Uses{}
	u.add("a", 2)
	failed := errors.New("away")
	if err := u.Write(t.Context(), func(context.Context, map[string]int64) error { u.add("a", 1); u.add("b", 1); return failed }); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	var got map[string]int64
	keep := func(_ context.Context, count map[string]int64) error { got = count; return nil }
	if err := u.Write(t.Context(), keep); err != nil || !maps.Equal(got, map[string]int64{"a": 3, "b": 1}) {
		t.Errorf("written %v, %v", got, err)
	}
	got = nil
	if err := u.Write(t.Context(), keep); err != nil || got != nil {
		t.Errorf("nothing was counted, written %v, %v", got, err)
	}
	for i := range mostUses + 10 {
		u.add(string(rune(0x4e00+i%20000))+string(rune(0x4e00+i/20000)), 1)
	}
	if len(u.count) != mostUses {
		t.Errorf("%d datasets are kept", len(u.count))
	}
}
