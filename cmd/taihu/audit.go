package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"taihu/api"
	"taihu/catalog"
)

type auditCommand struct {
	Dataset string `arg:"" optional:"" help:"Dataset whose record is printed; without it every chain is verified."`
	Verify  string `placeholder:"FILE" type:"existingfile" help:"Verify a record that was saved from /api/v1/datasets/DATASET/events; no portal is needed."`
	Head    string `placeholder:"HASH" help:"Hash that was noted down: it must be that of one of the events."`
	JSON    bool   `name:"json" help:"Print the record as JSON."`
}

// Run verifies chains of events, in the portal or from a saved answer, and prints
// the record of a dataset. A broken chain is exit code 1.
func (a auditCommand) Run(ctx context.Context, cfg *Config, env environment, log *slog.Logger) error {
	if a.Verify != "" {
		record, err := readRecord(a.Verify)
		if err != nil {
			return err
		}
		return a.tell(env.Out, record.Dataset, record.Events)
	}
	return withStore(ctx, cfg, log, func(p *portal) error {
		if a.Dataset == "" {
			if err := p.store.CheckEvents(ctx); err != nil {
				fmt.Fprintln(env.Out, err)
				return exitCode(1)
			}
			fmt.Fprintln(env.Out, "every chain is whole")
			return nil
		}
		d, events, err := p.store.DatasetEvents(ctx, catalog.SystemActor, a.Dataset)
		if err != nil {
			return err
		}
		return a.tell(env.Out, d.Slug, events)
	})
}

// readRecord reads a saved answer of list-events.
func readRecord(path string) (*api.EventList, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	record := &api.EventList{}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(record); err != nil {
		return nil, fmt.Errorf("%s is no record in JSON, as GET /api/v1/datasets/{slug}/events gives one: %w", path, err)
	}
	return record, nil
}

// tell prints the record and says whether it is whole.
func (a auditCommand) tell(out io.Writer, dataset string, events []catalog.Event) error {
	broken := catalog.CheckChain(events)
	if broken == nil && a.Head != "" {
		broken = errors.New("no event has the hash " + a.Head)
		for _, e := range events {
			if e.Hash == a.Head {
				broken = nil
			}
		}
	}
	head := ""
	if len(events) > 0 {
		head = events[len(events)-1].Hash
	}
	if a.JSON {
		if err := printJSON(out, api.EventList{Dataset: dataset, Events: events, Whole: broken == nil, Head: head}); err != nil {
			return err
		}
	} else {
		for _, e := range events {
			fmt.Fprintf(out, "%d\t%s\t%s\t%s\t%s\t%s\n", e.Sequence, e.At.Format(time.RFC3339), e.Verb, e.Actor, e.Object, e.Facts)
		}
	}
	if broken != nil {
		if !a.JSON {
			fmt.Fprintln(out, broken)
		}
		return exitCode(1)
	}
	if !a.JSON {
		fmt.Fprintf(out, "%d events, whole; the last one's hash is %s\n", len(events), head)
	}
	return nil
}
