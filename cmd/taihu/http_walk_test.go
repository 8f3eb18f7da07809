package main

import (
	"encoding/json"
	"errors"
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
// and under sort and filter, from latest on, while five releases are published, one in
// each sixth of their way. Each gets every row once and in order.
func TestWalkUnderReleases(t *testing.T) {
	t.Parallel()
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
	stages := make([]stage, 5)
	for n := range stages {
		stages[n].published = make(chan struct{})
		stages[n].reached.Add(len(walks))
	}
	var all sync.WaitGroup
	for _, w := range walks {
		all.Go(func() {
			if err := w.run(p, rows, stages); err != nil {
				t.Errorf("%q: after %d pages: %v", w.query, w.pages, err)
			}
		})
	}
	for n := range stages {
		stages[n].reached.Wait()
		p.release("walk-lots", "lots.csv", fmt.Sprintf("序号,组,值,说明\n%d,1,1.5,新的\n", n))
		close(stages[n].published)
	}
	all.Wait()
	if t.Failed() {
		return
	}
	_, _, body := p.send(t, scenario{path: "/api/v1/datasets/walk-lots/releases/latest/tables/lots/rows"})
	if !strings.Contains(body, "新的") || strings.Count(body, "序号") != 1 {
		t.Errorf("latest is %.200s", body)
	}
	for _, w := range walks {
		t.Logf("%q: %d distinct rows on %d pages, %d of them while a release was published; all walks %v",
			w.query, rows, w.pages, w.during, time.Since(began).Round(time.Millisecond))
	}
}

type walkRow struct {
	Number int     `json:"序号"`
	Group  int     `json:"组"`
	Value  float64 `json:"值"`
	Text   string  `json:"说明"`
}

// stage is a release that is published once all walks have come so far.
type stage struct {
	reached   sync.WaitGroup
	published chan struct{}
}

// tableWalk is one program's way through a table.
type tableWalk struct {
	query         string
	ordered       func(a, b walkRow) bool
	pages, during int
}

// run reads page after page until the end and wants each number below rows once. It
// does not leave a sixth of the way before the release of that sixth is published.
func (w *tableWalk) run(p *lotPortal, rows int, stages []stage) error {
	reached := 0
	defer func() {
		for ; reached < len(stages); reached++ {
			stages[reached].reached.Done()
		}
	}()
	seen := make([]bool, rows)
	var last *walkRow
	count, cursor := 0, ""
	for {
		for reached < len(stages) && count >= (reached*rows+1)/(len(stages)+1) && count > 0 {
			if reached > 0 {
				<-stages[reached-1].published
			}
			stages[reached].reached.Done()
			reached++
		}
		if reached > 0 {
			select {
			case <-stages[reached-1].published:
			default:
				w.during++
			}
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
		case resp.StatusCode != http.StatusOK:
			return errors.New(resp.Status)
		case err != nil:
			return err
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
