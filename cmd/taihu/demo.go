package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"taihu/catalog"
	"taihu/catalog/sample"
	"taihu/catalog/store"
)

type demoCommand struct{}

// Run starts a portal on embedded defaults and fills it with the sample datasets
// by the normal way in: upload, check, review, publish. A portal that has them
// already starts as it is.
func (demoCommand) Run(ctx context.Context, cfg *Config, env environment, log *slog.Logger) error {
	start := time.Now()
	return serve(ctx, cfg, env, log, func(ctx context.Context, p *portal, base string) error {
		n, err := p.loadSample(ctx, env.Out)
		if err != nil {
			return fmt.Errorf("load the sample portal: %w", err)
		}
		if n > 0 {
			fmt.Fprintf(env.Out, "\rpublished %d sample releases in %s%20s\n", n, time.Since(start).Round(100*time.Millisecond), "")
		}
		fmt.Fprintf(env.Out, "%s is at  %s  (English: %s/en/)  · stop it with Ctrl-C\n", cfg.NameEn, base, base)
		return nil
	})
}

func newUser(login, name, password string, admin bool) store.NewUser {
	return store.NewUser{Login: login, Name: name, Password: password, SiteAdmin: admin}
}

// loadSample publishes what is missing of the sample portal and returns how many
// releases that were.
func (p *portal) loadSample(ctx context.Context, out io.Writer) (int, error) {
	if err := p.loadOrganizations(ctx); err != nil {
		return 0, err
	}
	all := sample.Datasets()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan sample.Dataset)
	var published, done atomic.Int64
	var wg sync.WaitGroup
	var printing sync.Mutex
	for range loadAtATime {
		wg.Go(func() {
			for s := range next {
				n, err := p.loadDataset(ctx, s)
				published.Add(int64(n))
				if err != nil {
					cancel(fmt.Errorf("%s: %w", s.Meta.Slug, err)) // the first one counts
					continue
				}
				printing.Lock()
				fmt.Fprintf(out, "\rloading sample data  %d/%d", done.Add(1), len(all))
				printing.Unlock()
			}
		})
	}
	for _, s := range all {
		next <- s
	}
	close(next)
	wg.Wait()
	return int(published.Load()), context.Cause(ctx)
}

func (p *portal) loadOrganizations(ctx context.Context) error {
	for _, o := range sample.Organizations() {
		if _, err := p.store.Organization(ctx, o.Slug); err == nil {
			continue
		}
		org := o.Organization
		if o.Parent != "" {
			parent, err := p.store.Organization(ctx, o.Parent)
			if err != nil {
				return err
			}
			org.ParentID = parent.ID
		}
		if err := p.store.CreateOrganization(ctx, catalog.SystemActor, &org); err != nil {
			return err
		}
	}
	return nil
}

// loadAtATime is how many datasets are on the way at a time: while one file is
// checked the next is uploaded, and a small one need not wait for a large one.
const loadAtATime = 3

func (p *portal) loadDataset(ctx context.Context, s sample.Dataset) (int, error) {
	d, err := p.store.Dataset(ctx, catalog.SystemActor, s.Meta.Slug)
	if catalog.KindOf(err) == catalog.NotFound {
		org, err := p.store.Organization(ctx, s.Organization)
		if err != nil {
			return 0, err
		}
		meta := s.Meta
		meta.OrganizationID = org.ID
		if err := p.store.CreateDataset(ctx, catalog.SystemActor, &meta); err != nil {
			return 0, err
		}
		d = &meta
	} else if err != nil {
		return 0, err
	}
	there, err := p.store.Releases(ctx, catalog.SystemActor, d.Slug)
	if err != nil {
		return 0, err
	}
	if len(there) >= len(s.Releases) {
		return 0, nil
	}
	if err := p.dropLeftovers(ctx, d.ID); err != nil {
		return 0, err
	}
	n := 0
	for i := len(there); i < len(s.Releases); i++ {
		if err := p.loadRelease(ctx, d.Slug, s.Releases[i]); err != nil {
			return n, fmt.Errorf("release %d: %w", i+1, err)
		}
		n++
	}
	return n, nil
}

// dropLeftovers abandons the drafts that a start killed on the way left behind.
func (p *portal) dropLeftovers(ctx context.Context, datasetID string) error {
	drafts, err := p.store.Drafts(ctx, catalog.SystemActor, store.DraftFilter{DatasetID: datasetID})
	if err != nil {
		return err
	}
	for _, r := range drafts {
		if r.CreatedBy != catalog.SystemActor.ID() {
			continue
		}
		if _, err := p.store.Abandon(ctx, catalog.SystemActor, r.ID, 0); err != nil {
			return err
		}
	}
	return nil
}

func (p *portal) loadRelease(ctx context.Context, slug string, s sample.Release) error {
	actor := catalog.SystemActor
	draft, err := p.store.CreateDraft(ctx, actor, slug, store.DraftEdit{Notes: s.Notes, DataDate: s.DataDate})
	if err != nil {
		return err
	}
	for _, f := range s.Files {
		r, w := io.Pipe()
		go func() { w.CloseWithError(f.Write(w)) }()
		b, err := p.blobs.Put(ctx, r)
		_ = r.Close()
		if err != nil {
			return err
		}
		if _, err := p.store.PutFile(ctx, actor, draft.ID, store.Upload{Name: f.Name, MediaType: "application/octet-stream", Blob: b, Options: f.Options}); err != nil {
			return err
		}
	}
	for {
		if draft, err = p.store.Draft(ctx, actor, draft.ID); err != nil {
			return err
		}
		if draft.State != catalog.Checking && draft.State != catalog.Uploading {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
	if draft.State != catalog.Ready {
		for _, f := range draft.Files {
			if f.Report != nil && f.Report.FirstError() != nil {
				return fmt.Errorf("%s was refused: %s", f.Name, f.Report.FirstError().Message.En)
			}
		}
		return fmt.Errorf("the draft is %s", draft.State)
	}
	for table, words := range s.Words {
		w := store.TableWords{Title: &words.Title, Fields: map[string]store.FieldWords{}}
		for column, f := range words.Fields {
			w.Fields[column] = store.FieldWords{Label: f.Label, Unit: f.Unit, Description: f.Description, Codes: f.Codes}
		}
		if err := p.store.DescribeTable(ctx, actor, draft.ID, table, w); err != nil {
			return err
		}
		if words.Sample != nil {
			if err := p.store.SetSample(ctx, actor, draft.ID, table, words.Sample); err != nil {
				return err
			}
		}
	}
	if _, err := p.store.Submit(ctx, actor, draft.ID, 0); err != nil {
		return err
	}
	if _, err := p.store.Approve(ctx, actor, draft.ID, 0); err != nil {
		return err
	}
	_, err = p.store.Publish(ctx, actor, draft.ID, 0)
	return err
}
