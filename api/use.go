package api

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
)

// Uses counts downloads in memory until they are written down. It keeps how many
// there were of each dataset, and nothing of who asked.
type Uses struct {
	mu    sync.Mutex
	count map[string]int64 // by id of the dataset
}

// mostUses is of how many datasets downloads are kept before they are written down;
// those of more are not counted.
const mostUses = 100_000

// Write hands what was counted to write, and keeps it for the next time where that
// fails.
func (u *Uses) Write(ctx context.Context, write func(context.Context, map[string]int64) error) error {
	u.mu.Lock()
	count := u.count
	u.count = nil
	u.mu.Unlock()
	if len(count) == 0 {
		return nil
	}
	err := write(ctx, count)
	if err != nil {
		for id, n := range count {
			u.add(id, n)
		}
	}
	return err
}

func (u *Uses) add(dataset string, n int64) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.count == nil {
		u.count = map[string]int64{}
	}
	if _, there := u.count[dataset]; there || len(u.count) < mostUses {
		u.count[dataset] += n
	}
}

// used counts an answer that was sent where it is a download: bytes from the first
// one on, asked for with GET and by no robot. One that broke and goes on is the same
// download, and so are the ranges of a reader of Parquet.
func (a *API) used(c *gin.Context, d *catalog.Dataset, err error) {
	if a.Uses == nil || err != nil || c.Request.Method != http.MethodGet || robotic(c.Request.Header) {
		return
	}
	switch c.Writer.Status() {
	case http.StatusOK:
	case http.StatusPartialContent:
		if !strings.HasPrefix(c.Writer.Header().Get("Content-Range"), "bytes 0-") {
			return
		}
	default:
		return
	}
	a.Uses.add(d.ID, 1)
}

// robotic reports whether a request says of itself that nobody reads its answer: a
// crawler, a prefetch, or the page on which a request is tried, which names no program.
func robotic(h http.Header) bool {
	if strings.Contains(strings.ToLower(h.Get("Sec-Purpose")+h.Get("Purpose")), "prefetch") {
		return true
	}
	agent := strings.ToLower(h.Get("User-Agent"))
	for _, word := range []string{"bot", "crawl", "spider", "slurp"} {
		if strings.Contains(agent, word) {
			return true
		}
	}
	return agent == ""
}
