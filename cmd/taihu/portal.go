package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"taihu/api"
	"taihu/api/download"
	"taihu/api/export"
	"taihu/api/web"
	"taihu/catalog"
	"taihu/catalog/blob"
	"taihu/catalog/child"
	"taihu/catalog/ingest"
	"taihu/catalog/job"
	"taihu/catalog/store"
	"taihu/catalog/table/pool"
	"taihu/catalog/upload"
	"taihu/indexer"
	"taihu/indexer/embedded"
	"taihu/indexer/meili"
)

// portal is the parts put together, as serve, work, demo and the commands on the
// server's machine need them.
type portal struct {
	cfg      *Config
	log      *slog.Logger
	store    *store.DB
	blobs    *blob.Directory
	exports  *blob.Directory  // encoded exports, disposable
	index    indexer.Index    // nil where it was not asked for
	watched  *indexer.Watched // index, where the portal serves or works
	pool     *pool.Pool
	exporter *download.Exporter
	temp     *tempFolder
	uploads  *upload.Receiver
	site     *web.Site // the pages, once handler made them
	uses     api.Uses
}

// openStore opens the database and the blobs alone.
func openStore(ctx context.Context, cfg *Config, log *slog.Logger) (*portal, error) {
	if err := os.MkdirAll(cfg.Data, 0o750); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	calendar, err := openCalendar(cfg.Calendar)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, cfg.dsn(), store.Options{Clock: catalog.Now, Log: log, Calendar: calendar, AnswerDays: cfg.AnswerDays})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", redactDSN(cfg.dsn()), err)
	}
	blobs, err := blob.OpenDirectory(filepath.Join(cfg.Data, "blobs"))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	exports, err := blob.OpenDirectory(filepath.Join(cfg.Data, "exports"))
	if err != nil {
		return nil, errors.Join(err, blobs.Close(), db.Close())
	}
	return &portal{cfg: cfg, log: log, store: db, blobs: blobs, exports: exports}, nil
}

// openCalendar reads the calendar of deadlines, with the days of a file where there
// is one.
func openCalendar(path string) (*catalog.Calendar, error) {
	var more []byte
	if path != "" {
		var err error
		if more, err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("--calendar: %w", err)
		}
	}
	c, err := catalog.NewCalendar(string(more))
	if err != nil {
		return nil, fmt.Errorf("--calendar %s: %w", path, err)
	}
	return c, nil
}

// openPortal opens everything.
func openPortal(ctx context.Context, cfg *Config, log *slog.Logger) (*portal, error) {
	p, err := openStore(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	if p.temp, err = openTemp(cfg.Data); err != nil {
		return nil, errors.Join(err, p.close())
	}
	if p.uploads, err = upload.Open(filepath.Join(cfg.Data, "uploads"), p.store, p.blobs, int64(cfg.MaxUpload)<<20, log); err != nil {
		return nil, errors.Join(err, p.close())
	}
	if p.index, err = openIndex(ctx, cfg, log, indexPatience); err != nil {
		return nil, errors.Join(err, p.close())
	}
	p.watched = indexer.NewWatched(p.index, cfg.engine(), catalog.Now)
	p.index = p.watched
	p.pool = pool.New(pool.Config{
		Size: cfg.Queries, Files: p.blobs, Log: log,
		MaxCost:       int64(cfg.QueryCost) * 1_000_000,
		ExportTimeout: time.Duration(cfg.QuerySeconds) * time.Second,
		Child: child.Spec{
			Args: []string{"query-child"}, MemoryBytes: int64(cfg.QueryMemory) << 20,
			Env: []string{fmt.Sprintf("TAIHU_QUERY_MEMORY=%d", cfg.QueryMemory)}, TempRoot: p.temp.path,
		},
	})
	p.exporter = &download.Exporter{Store: p.store, Blobs: p.exports, Files: p.blobs, Pool: p.pool, Portal: catalog.Text{Zh: cfg.NameZh, En: cfg.NameEn}, TempDir: p.temp.path,
		MaxBytes: int64(cfg.KeptExports) << 20, Log: log}
	return p, nil
}

// engine is the name of the search engine.
func (c *Config) engine() string {
	if c.MeiliURL != "" {
		return "Meilisearch"
	}
	return "embedded"
}

// indexPatience is how long a start waits for the embedded index to be read. One that
// takes longer is read while the portal serves, and search goes on in the database.
const indexPatience = 2 * time.Second

// openIndex opens the search index. It waits at most for patience until an embedded
// one has been read; 0 is until the end.
func openIndex(ctx context.Context, cfg *Config, log *slog.Logger, patience time.Duration) (indexer.Index, error) {
	if cfg.MeiliURL != "" {
		return meili.Open(meili.Config{URL: cfg.MeiliURL, Key: cfg.MeiliKey, Index: cfg.MeiliIndex}), nil
	}
	folder := filepath.Join(cfg.Data, "index")
	_, missing := os.Stat(folder)
	x, err := embedded.Begin(folder)
	if errors.Is(err, embedded.ErrLocked) {
		return nil, fmt.Errorf("%w; stop that one first, or set up Meilisearch (--meili-url), which several may use at once", err)
	}
	if err != nil {
		return nil, err
	}
	warn := func() {
		if why := x.Damage(); why != "" && missing == nil {
			log.Warn("the search index was damaged and is built anew", "reason", why)
		}
	}
	waiting := ctx
	if patience > 0 {
		var done context.CancelFunc
		waiting, done = context.WithTimeout(ctx, patience)
		defer done()
	}
	switch err := x.Loaded(waiting); {
	case err == nil:
		warn()
	case waiting.Err() == nil || ctx.Err() != nil:
		return nil, errors.Join(err, x.Close())
	default:
		began := time.Now()
		log.Info("the search index is being read; search goes on in the database until it is there")
		go func() {
			switch err := x.Loaded(context.Background()); {
			case err == nil:
				log.Info("the search index is there", "seconds", int(time.Since(began).Seconds()))
				warn()
			case !errors.Is(err, context.Canceled): // else the portal stopped before
				log.Error("the search index could not be read", "error", err)
			}
		}()
	}
	return x, nil
}

func (p *portal) close() error {
	var errs []error
	if p.pool != nil {
		errs = append(errs, p.pool.Close())
	}
	if p.exporter != nil {
		p.exporter.Close()
	}
	if p.index != nil {
		errs = append(errs, p.index.Close())
	}
	if p.temp != nil {
		errs = append(errs, p.temp.close())
	}
	return errors.Join(append(errs, p.store.Close())...)
}

// runner makes the job runner: ingest, index, warm, import, publish.
func (p *portal) runner() *job.Runner {
	worker := &ingest.Worker{
		Ledger: ledger{p.store}, Blobs: p.blobs, TempRoot: p.temp.path, Log: p.log,
		Child: ingestSpec(p.cfg, p.temp.path), Limits: ingestLimits(p.cfg), Office: p.cfg.office(), Scan: ingest.CommandScanner(p.cfg.ScanCommand),
	}
	source := documentSource{p.store}
	fetcher := p.cfg.fetcher()
	return &job.Runner{
		Queue: p.store, Log: p.log, Clock: catalog.Now, Workers: p.cfg.Jobs,
		Handlers: map[string]job.Handler{
			catalog.JobIngest: func(ctx context.Context, j *catalog.Job) error {
				var args catalog.IngestArgs
				if err := json.Unmarshal(j.Args, &args); err != nil {
					return err
				}
				return worker.Ingest(ctx, args.FileID, j.Attempt >= j.MaxAttempts)
			},
			catalog.JobIndex: func(ctx context.Context, j *catalog.Job) error {
				var args catalog.IndexArgs
				if err := json.Unmarshal(j.Args, &args); err != nil {
					return err
				}
				return indexer.Sync(ctx, p.index, source, args.DatasetID)
			},
			catalog.JobWarm: func(ctx context.Context, j *catalog.Job) error {
				var args catalog.WarmArgs
				if err := json.Unmarshal(j.Args, &args); err != nil {
					return err
				}
				return p.warm(ctx, args.ReleaseID)
			},
			catalog.JobImport: func(ctx context.Context, j *catalog.Job) error {
				var args catalog.ImportArgs
				if err := json.Unmarshal(j.Args, &args); err != nil {
					return err
				}
				return p.uploads.Fetch(ctx, fetcher, j, args.UploadID)
			},
			catalog.JobPublish: func(ctx context.Context, j *catalog.Job) error {
				var args catalog.PublishArgs
				if err := json.Unmarshal(j.Args, &args); err != nil {
					return err
				}
				return p.store.PublishDue(ctx, args.ReleaseID)
			},
		},
	}
}

// Which tables get which formats encoded when published; the rest is encoded when
// somebody asks. JSON is large and rarely the first choice, so it is bounded first.
const (
	warmJSONCells = 1_000_000
	warmXLSXCells = 20_000_000
)

func warmed(format string, cells int64) bool {
	switch format {
	case "csv", "parquet":
		return true
	case "json", "ndjson":
		return cells <= warmJSONCells
	case "xlsx":
		return cells <= warmXLSXCells
	}
	return false
}

// warm encodes the whole-table exports of a release just published.
func (p *portal) warm(ctx context.Context, releaseID string) error {
	d, r, err := p.store.ReleaseByID(ctx, releaseID)
	if err != nil {
		return err
	}
	if r.State != catalog.Published {
		return nil
	}
	path, err := p.store.OrganizationPath(ctx, d.OrganizationID)
	if err != nil {
		return err
	}
	publisher := path[len(path)-1].Name
	for i := range r.Tables {
		t := &r.Tables[i]
		for _, f := range export.Formats {
			if !warmed(f.Name, t.Rows*int64(len(t.Schema.Fields))) {
				continue
			}
			_, err := p.exporter.Build(ctx, &download.Request{Dataset: d, Release: r, Table: t, Format: f.Name, Publisher: publisher})
			if catalog.KindOf(err) == catalog.Unprocessable {
				continue // this table does not fit the format or the store, as its reader will be told
			}
			if err != nil {
				return fmt.Errorf("warm %s/%d/%s.%s: %w", d.Slug, r.Number, t.Name, f.Ext, err)
			}
		}
	}
	return nil
}

// ledger lets ingest read and finish jobs without knowing the store.
type ledger struct{ db *store.DB }

func (l ledger) FileForIngest(ctx context.Context, id string) (*catalog.File, error) {
	f, _, _, err := l.db.FileForIngest(ctx, id)
	return f, err
}

func (l ledger) Known(ctx context.Context, f *catalog.File, tables []catalog.Table) (ingest.Known, error) {
	_, _, d, err := l.db.FileForIngest(ctx, f.ID)
	if catalog.KindOf(err) == catalog.NotFound {
		return ingest.Known{}, nil // removed meanwhile: there is nothing to say
	}
	if err != nil {
		return ingest.Known{}, err
	}
	twins, err := l.db.Twins(ctx, f, tables)
	if err != nil {
		return ingest.Known{}, err
	}
	wholes, err := l.db.Wholes(ctx, f, tables)
	return ingest.Known{Title: d.Title, Twins: twins, Wholes: wholes}, err
}

func (l ledger) Contract(ctx context.Context, f *catalog.File) (*catalog.Contract, error) {
	c, err := l.db.FileContract(ctx, f.ID)
	if catalog.KindOf(err) == catalog.NotFound {
		return nil, nil // removed meanwhile: its outcome will not be asked for
	}
	return c, err
}

func (l ledger) Base(ctx context.Context, f *catalog.File) (int, *catalog.Table, error) {
	release, t, err := l.db.BaseTable(ctx, f)
	if catalog.KindOf(err) == catalog.NotFound {
		return 0, nil, nil // removed meanwhile: its outcome will not be asked for
	}
	return release, t, err
}

func (l ledger) FinishIngest(ctx context.Context, f *catalog.File, c *catalog.Contract, report catalog.Report, tables []catalog.Table, attachment bool) error {
	return l.db.FinishIngest(ctx, f.ID, f.Blob.SHA256, f.Options, store.IngestOutcome{Contract: c, Report: report, Tables: tables, Attachment: attachment})
}

// documentSource lets the indexer read the store.
type documentSource struct{ db *store.DB }

func (s documentSource) Document(ctx context.Context, id string) (indexer.Document, bool, error) {
	e, ok, err := s.db.IndexEntry(ctx, id)
	if err != nil || !ok {
		return indexer.Document{}, false, err
	}
	return indexer.NewDocument(indexer.Entry(*e)), true, nil
}

func (s documentSource) Documents(ctx context.Context) iter.Seq2[indexer.Document, error] {
	return func(yield func(indexer.Document, error) bool) {
		after := ""
		for {
			page, err := s.db.IndexEntries(ctx, after, 500)
			if err != nil {
				yield(indexer.Document{}, err)
				return
			}
			if len(page) == 0 {
				return
			}
			for i := range page {
				e := &page[i]
				after = e.Dataset.ID
				if !yield(indexer.NewDocument(indexer.Entry(*e)), nil) {
					return
				}
			}
		}
	}
}
