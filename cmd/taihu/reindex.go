package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"time"

	"taihu/catalog"
	"taihu/indexer"
	"taihu/indexer/golden"
)

type reindexCommand struct {
	Golden   string `placeholder:"FILE" help:"Golden queries of your own, beside the built-in ones: query = dataset:grade …"`
	Force    bool   `help:"Put the new index in place although it finds less."`
	Rollback bool   `help:"Put back the index that the last rebuild replaced, and bring it up to date."`
}

// mayFall is by how much the mean nDCG of a set may fall: a new dataset between two
// others moves it by less.
const mayFall = 0.01

// Run builds the index anew and puts it in place unless it finds less than the
// present one: then it says so, and nothing changes.
func (r reindexCommand) Run(ctx context.Context, cfg *Config, env environment, log *slog.Logger) error {
	sets, err := r.sets()
	if err != nil {
		return err
	}
	return withStore(ctx, cfg, log, func(p *portal) error {
		if p.index, err = openIndex(ctx, cfg, log, 0); err != nil {
			return err
		}
		start := time.Now()
		source := documentSource{p.store}
		if r.Rollback {
			if err := p.index.Rollback(ctx); err != nil {
				return err
			}
			report, err := indexer.Drift(ctx, p.index, source)
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Out, "put the index of before back; of %d datasets %d were brought up to date\n", report.Checked, report.Repaired())
			return nil
		}
		kept, err := p.store.Synonyms(ctx) // both are asked with them, as readers ask
		if err != nil {
			return err
		}
		if err := p.index.SetSynonyms(ctx, indexer.ReadSynonyms(kept.Text)); err != nil {
			return err
		}
		g := gate{sets: sets, source: source, there: map[string]bool{}, present: p.index, force: r.Force, out: env.Out}
		if err := p.index.Rebuild(ctx, g.documents(ctx), g.accept); err != nil {
			if errors.Is(err, errFindsLess) {
				return exitCode(exitRefused)
			}
			return fmt.Errorf("rebuild the search index: %w", err)
		}
		report, err := indexer.Drift(ctx, p.index, source) // what changed meanwhile
		if err != nil {
			return err
		}
		fmt.Fprintf(env.Out, "indexed %d datasets in %s\n", report.Checked, time.Since(start).Round(time.Millisecond))
		return nil
	})
}

// sets are the golden queries that come with the program and the operator's own.
func (r reindexCommand) sets() ([]golden.Set, error) {
	var sets []golden.Set
	for _, name := range []string{golden.Portal, golden.Catalogues} {
		set, err := golden.Load(name)
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	if r.Golden == "" {
		return sets, nil
	}
	body, err := os.ReadFile(r.Golden)
	if err != nil {
		return nil, fmt.Errorf("--golden: %w", err)
	}
	set, err := golden.Parse(r.Golden, string(body))
	if err != nil {
		return nil, fmt.Errorf("--golden: %w", err)
	}
	return append(sets, set), nil
}

// gate holds a new index to the present one.
type gate struct {
	sets    []golden.Set
	source  indexer.Source
	there   map[string]bool // slugs of the new index
	present indexer.Searcher
	force   bool
	out     io.Writer
}

var errFindsLess = errors.New("the new index finds less than the present one")

func (g *gate) documents(ctx context.Context) iter.Seq2[indexer.Document, error] {
	return func(yield func(indexer.Document, error) bool) {
		for d, err := range g.source.Documents(ctx) {
			g.there[d.Slug] = true
			if !yield(d, err) {
				return
			}
		}
	}
}

// accept asks both indexes every set that is about this portal.
func (g *gate) accept(ctx context.Context, next indexer.Searcher) error {
	worse := false
	for _, set := range g.sets {
		own := set.Name != golden.Portal && set.Name != golden.Catalogues
		within := set.Within(g.there)
		if left := len(set.Queries) - len(within.Queries); own && left > 0 {
			fmt.Fprintf(g.out, "%s: %d queries expect datasets that are not there and are left out\n", set.Name, left)
		}
		if len(within.Queries) == 0 || !own && set.Share(g.there) < 0.5 {
			continue
		}
		now, err := golden.Run(ctx, next, within)
		if err != nil {
			return fmt.Errorf("the new index: %w", err)
		}
		before, err := golden.Run(ctx, g.present, within)
		if catalog.KindOf(err) == catalog.Unavailable && ctx.Err() == nil { // it was wiped, or is of an older form
			fmt.Fprintf(g.out, "%s: the present index cannot be asked; nDCG@%d of the new one is %.3f\n", set.Name, golden.Depth, now.NDCG())
			continue
		}
		if err != nil {
			return fmt.Errorf("the present index: %w", err)
		}
		fmt.Fprintf(g.out, "%s: nDCG@%d %.3f, was %.3f; MRR %.3f, was %.3f (%d queries)\n",
			set.Name, golden.Depth, now.NDCG(), before.NDCG(), now.MRR(), before.MRR(), len(within.Queries))
		if now.NDCG() < before.NDCG()-mayFall {
			worse = true
			fmt.Fprint(g.out, now.Worse(&before))
		}
	}
	switch {
	case worse && g.force:
		fmt.Fprintln(g.out, "it finds less, and is put in place as --force says")
	case worse:
		fmt.Fprintln(g.out, "not put in place: it finds less than the present index; --force puts it in place")
		return errFindsLess
	}
	return nil
}
