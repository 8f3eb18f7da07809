package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/indexer"
)

// TestReindexCannotMakeItWorse: a new index that finds less is refused unless that
// is wanted, and the one of before can be put back.
func TestReindexCannotMakeItWorse(t *testing.T) {
	s := start(t, "serve")
	file := filepath.Join(t.TempDir(), "lots.csv")
	if err := os.WriteFile(file, []byte("编号,名称\n1,东\n2,西\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.publish("lots", file)
	queries := filepath.Join(t.TempDir(), "queries.txt")
	if err := os.WriteFile(queries, []byte("# ours\n停车泊位 = lots:3\n不存在 = gone:3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is found", func() bool { return s.total("/api/v1/datasets?q=停车泊位") == 1 })
	s.stop()

	reindex := func(wantCode int, want string, args ...string) {
		t.Helper()
		out, code := s.command(append([]string{"reindex"}, args...)...)
		if code != wantCode || !strings.Contains(out, want) {
			t.Errorf("reindex %v: exit code %d, want %d with %q:\n%s", args, code, wantCode, want, out)
		}
	}
	finds := func(text string) int {
		t.Helper()
		total := 0
		err := withStore(t.Context(), &Config{Data: s.Data}, discardLog, func(p *portal) error {
			idx, err := openIndex(t.Context(), p.cfg, p.log, 0)
			if err != nil {
				return err
			}
			defer idx.Close()
			found, err := idx.Search(t.Context(), indexer.Query{Text: text})
			total = found.Total
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return total
	}
	reindex(0, "1 queries expect datasets that are not there", "--golden="+queries)
	reindex(0, "nDCG@10 1.000, was 1.000; MRR 1.000, was 1.000 (1 queries)", "--golden="+queries)

	rename := func(zh string) { // with no server there that would bring the index up to date
		t.Helper()
		err := withStore(t.Context(), &Config{Data: s.Data}, discardLog, func(p *portal) error {
			d, err := p.store.Dataset(t.Context(), catalog.SystemActor, "lots")
			if err != nil {
				return err
			}
			d.Title.Zh = zh
			return p.store.UpdateDataset(t.Context(), catalog.SystemActor, d)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	rename("路灯")
	reindex(exitRefused, "+ 0.000  停车泊位 = lots:3@-", "--golden="+queries)
	if finds("停车泊位") != 1 || finds("路灯") != 0 {
		t.Error("the refused index was put in place")
	}
	reindex(0, "as --force says", "--golden="+queries, "--force")
	if finds("停车泊位") != 0 || finds("路灯") != 1 {
		t.Error("--force did not put the new index in place")
	}
	reindex(0, "of 1 datasets 1 were brought up to date", "--rollback")
	if finds("停车泊位") != 0 || finds("路灯") != 1 {
		t.Error("the index of before does not say what the datasets say")
	}
	reindex(1, "--golden: ", "--golden="+queries+".none")
	if err := os.WriteFile(queries, []byte("停车\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	reindex(1, "line 1", "--golden="+queries)
}
