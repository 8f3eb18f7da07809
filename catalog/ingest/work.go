package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"taihu/catalog"
	"taihu/catalog/child"
)

// Ledger is where the worker finds what to read and leaves what it found; the
// store, seen through cmd.
type Ledger interface {
	// FileForIngest returns the file; NotFound where it was removed meanwhile.
	FileForIngest(ctx context.Context, id string) (*catalog.File, error)
	// Contract returns what the tables of a file are held to.
	Contract(ctx context.Context, f *catalog.File) (*catalog.Contract, error)
	// Base returns the table of the newest release to which a file's rows are to be
	// added, and the number of that release; nil where there is none.
	Base(ctx context.Context, f *catalog.File) (release int, t *catalog.Table, err error)
	// Known returns what the portal knows that bears on the tables of a file.
	Known(ctx context.Context, f *catalog.File, tables []catalog.Table) (Known, error)
	// FinishIngest records the outcome. It does nothing where the file or its
	// options changed since it was read, and has it read again where the contract
	// did.
	FinishIngest(ctx context.Context, f *catalog.File, c *catalog.Contract, report catalog.Report, tables []catalog.Table, attachment bool) error
}

// Blobs is where the worker reads the file's bytes and keeps what was made of
// them.
type Blobs interface {
	Local(ctx context.Context, sha256 string) (path string, release func(), err error)
	Check(ctx context.Context, sha256 string) error
	PutFile(ctx context.Context, path string) (catalog.Blob, error)
}

// Worker does ingest jobs in the process that runs jobs: it starts the child
// that reads the file and never parses a byte of it here.
type Worker struct {
	Ledger   Ledger
	Blobs    Blobs
	Child    child.Spec // program and limits; Args name the hidden subcommand
	Limits   Limits
	Office   string // as FindOffice has it
	Scan     Scanner
	TempRoot string // on the blobs' filesystem, so that results are moved, not copied
	Log      *slog.Logger
}

// Ingest reads one file and records the outcome. A refused file is no error. The
// death of the child is returned as one, so that the job is tried again, until
// last: then it is a verdict on the file.
func (w *Worker) Ingest(ctx context.Context, fileID string, last bool) error {
	f, err := w.Ledger.FileForIngest(ctx, fileID)
	if catalog.KindOf(err) == catalog.NotFound {
		return nil // removed or replaced: nothing to do
	}
	if err != nil {
		return err
	}
	// What is read must be what was uploaded.
	if err := w.Blobs.Check(ctx, f.Blob.SHA256); err != nil {
		return fmt.Errorf("ingest %s: %w", f.Name, err)
	}
	path, release, err := w.Blobs.Local(ctx, f.Blob.SHA256)
	if err != nil {
		return fmt.Errorf("ingest %s: %w", f.Name, err)
	}
	defer release()
	if w.Scan != nil {
		found, err := w.Scan(ctx, path)
		if err != nil && !last {
			return fmt.Errorf("ingest %s: %w", f.Name, err) // it is tried again
		}
		if err != nil {
			w.Log.WarnContext(ctx, "a file could not be scanned and is refused", "file_id", f.ID, "name", f.Name, "error", err)
		}
		if err != nil || found != "" {
			return w.Ledger.FinishIngest(ctx, f, nil, ScanReport(f.Name, found, err), nil, false)
		}
	}
	out, err := os.MkdirTemp(w.TempRoot, "ingest-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)

	contract, err := w.Ledger.Contract(ctx, f)
	if err != nil {
		return fmt.Errorf("ingest %s: %w", f.Name, err)
	}
	base, done, err := w.base(ctx, f)
	if err != nil {
		return fmt.Errorf("ingest %s: %w", f.Name, err)
	}
	defer done()
	result, err := Child(ctx, w.Child, Request{Path: path, Name: f.Name, Options: f.Options, Contract: contract, Base: base, OutDir: out, Limits: w.Limits, Office: w.Office})
	var death *child.Death
	if errors.As(err, &death) && ctx.Err() == nil {
		if !last {
			return fmt.Errorf("ingest %s: %w", f.Name, err)
		}
		w.Log.WarnContext(ctx, "ingest child died; the file is refused", "file_id", f.ID, "name", f.Name, "error", err)
		result = Result{Report: DeathReport(f.Name, death)}
		err = nil
	}
	if err != nil {
		return fmt.Errorf("ingest %s: %w", f.Name, err)
	}
	tables, err := w.keep(ctx, f, base, result)
	if err != nil {
		return fmt.Errorf("ingest %s: %w", f.Name, err)
	}
	if result.Report.Accepted && len(tables) > 0 {
		known, err := w.Ledger.Known(ctx, f, tables)
		if err != nil {
			return fmt.Errorf("ingest %s: %w", f.Name, err)
		}
		result.Report.Findings = append(result.Report.Findings, known.findings(tables)...)
	}
	return w.Ledger.FinishIngest(ctx, f, contract, result.Report, tables, result.Attachment)
}

// base gives the child the table to which rows are added; done ends its use.
func (w *Worker) base(ctx context.Context, f *catalog.File) (b *Base, done func(), err error) {
	done = func() {}
	if f.Options.Mode == "" {
		return nil, done, nil
	}
	release, t, err := w.Ledger.Base(ctx, f)
	if err != nil || t == nil {
		return nil, done, err
	}
	b = &Base{Release: release, Table: *t}
	var releases []func()
	done = func() {
		for _, release := range releases {
			release()
		}
	}
	for _, part := range t.Parts {
		path, release, err := w.Blobs.Local(ctx, part.Blob.SHA256)
		if err != nil {
			done()
			return nil, func() {}, err
		}
		releases = append(releases, release)
		b.Paths = append(b.Paths, path)
	}
	return b, done, nil
}

// keep stores what the child made as blobs.
func (w *Worker) keep(ctx context.Context, f *catalog.File, base *Base, r Result) ([]catalog.Table, error) {
	var tables []catalog.Table
	part := func(path string, rows int64) (catalog.Part, error) {
		b, err := w.Blobs.PutFile(ctx, path)
		return catalog.Part{Blob: b, Rows: rows}, err
	}
	for i, built := range r.Tables {
		t := built.Table
		text, err := w.Blobs.PutFile(ctx, built.TextPath)
		if err != nil {
			return nil, err
		}
		t.TextBlob = text
		t.Parts = nil
		switch {
		case built.Keeps:
			t.Parts = append(t.Parts, base.Table.Parts...)
		case built.RestPath != "":
			rest, err := part(built.RestPath, t.Rows-built.TypedRows)
			if err != nil {
				return nil, err
			}
			t.Parts = append(t.Parts, rest)
		}
		if built.TypedRows > 0 || len(t.Parts) == 0 { // a table of no rows has a part all the same
			added, err := part(built.TypedPath, built.TypedRows)
			if err != nil {
				return nil, err
			}
			t.Parts = append(t.Parts, added)
		}
		t.TableSHA256 = catalog.PartsHash(t.Parts)
		t.FileID, t.SourceSHA256, t.Position = f.ID, f.Blob.SHA256, i
		tables = append(tables, t)
	}
	return tables, nil
}
