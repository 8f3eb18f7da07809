package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"taihu/catalog/table"
)

// soak reports whether the long proofs run at their full size: make soak.
func soak() bool { return os.Getenv("TAIHU_SOAK") != "" }

// TestWalkUnderReleases: three programs walk through a large table by cursors, plain
// and under sort and filter, from latest on, while five releases are published. Each
// gets every row once and in order.
func TestWalkUnderReleases(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: takes a minute; run without -short")
	}
	rows := 100_000
	if soak() {
		rows = 1_000_000
	}
	p := startLots(t)
	if _, err := p.client.CreateDataset(t.Context(), editOf("walk-lots", "cgj")); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("序号,组,值,说明\n")
	for i := range rows {
		fmt.Fprintf(&b, "%d,%d,%d.%d,第%d号停车场\n", i, i%7, i*7919%100_003, i%10, i*31%977)
	}
	p.release("walk-lots", "lots.csv", b.String())
	walks := []*tableWalk{
		{query: "", ordered: func(a, b walkRow) bool { return a.Number < b.Number }},
		{query: "&sort=-值", ordered: func(a, b walkRow) bool { return a.Value > b.Value || a.Value == b.Value && a.Number < b.Number }},
		{query: "&where=值 >= 0&sort=组,-说明", ordered: func(a, b walkRow) bool {
			return a.Group < b.Group || a.Group == b.Group && (a.Text > b.Text || a.Text == b.Text && a.Number < b.Number)
		}},
	}
	began := time.Now()
	published := make(chan struct{})
	var first, all sync.WaitGroup // first: of pages
	for _, w := range walks {
		first.Add(1)
		all.Go(func() {
			if err := w.run(p, rows, first.Done, published); err != nil {
				t.Errorf("%q: after %d pages: %v", w.query, w.pages, err)
			}
		})
	}
	first.Wait() // all stand on release 1
	for n := range 5 {
		p.release("walk-lots", "lots.csv", fmt.Sprintf("序号,组,值,说明\n%d,1,1.5,新的\n", n))
	}
	close(published)
	all.Wait()
	if t.Failed() {
		return
	}
	_, _, body := p.send(t, scenario{path: "/api/v1/datasets/walk-lots/releases/latest/tables/lots/rows"})
	if !strings.Contains(body, "新的") || strings.Count(body, "序号") != 1 {
		t.Errorf("latest is %.200s", body)
	}
	for _, w := range walks {
		t.Logf("%q: %d distinct rows on %d pages, %d of them read while five releases were published; all walks %v",
			w.query, rows, w.pages, w.during, time.Since(began).Round(time.Millisecond))
	}
}

type walkRow struct {
	Number int     `json:"序号"`
	Group  int     `json:"组"`
	Value  float64 `json:"值"`
	Text   string  `json:"说明"`
}

// tableWalk is one program's way through a table.
type tableWalk struct {
	query         string
	ordered       func(a, b walkRow) bool
	pages, during int
}

// run reads page after page until the end, the last third not before published, and
// wants each number below rows once.
func (w *tableWalk) run(p *lotPortal, rows int, first func(), published <-chan struct{}) error {
	once := sync.OnceFunc(first)
	defer once()
	seen := make([]bool, rows)
	var last *walkRow
	count, cursor := 0, ""
	for {
		if count > rows*2/3 {
			<-published
		}
		select {
		case <-published:
		default:
			w.during++
		}
		var page struct {
			Rows []walkRow
			Next *string
		}
		address := fmt.Sprintf("%s/api/v1/datasets/walk-lots/releases/latest/tables/lots/rows?limit=%d%s%s", p.URL, min(table.MaxRows, rows/30), cursor, w.query)
		resp, err := http.Get(encodeQuery(address))
		if err != nil {
			return err
		}
		err = json.NewDecoder(resp.Body).Decode(&page)
		resp.Body.Close()
		switch {
		case resp.StatusCode == http.StatusServiceUnavailable: // as the portal asks
			time.Sleep(100 * time.Millisecond)
			continue
		case err != nil || resp.StatusCode != http.StatusOK:
			return fmt.Errorf("%s: %v", resp.Status, err)
		}
		w.pages++
		for _, row := range page.Rows {
			switch {
			case row.Number < 0 || row.Number >= rows || row.Text == "新的":
				return fmt.Errorf("row %+v is not of release 1", row)
			case seen[row.Number]:
				return fmt.Errorf("row %+v came twice", row)
			case last != nil && !w.ordered(*last, row):
				return fmt.Errorf("row %+v comes after %+v", row, *last)
			}
			seen[row.Number], last = true, &row
			count++
		}
		once()
		if page.Next == nil {
			break
		}
		cursor = "&cursor=" + *page.Next
	}
	if count != rows {
		return fmt.Errorf("%d rows, want %d", count, rows)
	}
	return nil
}
