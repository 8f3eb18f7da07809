package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"taihu/api"
	"taihu/api/handle"
	"taihu/api/web"
	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/pool"
)

type serveCommand struct{}

// Run serves until ctx ends, then lets requests and jobs finish.
func (serveCommand) Run(ctx context.Context, cfg *Config, env environment, log *slog.Logger) error {
	return serve(ctx, cfg, env, log, nil)
}

type workCommand struct{}

// Run runs jobs until ctx ends.
func (workCommand) Run(ctx context.Context, cfg *Config, _ environment, log *slog.Logger) error {
	p, err := openPortal(ctx, cfg, log)
	if err != nil {
		return err
	}
	if err := p.migrated(ctx); err != nil {
		return errors.Join(err, p.close())
	}
	if err := p.takeBackLeases(ctx); err != nil {
		return errors.Join(err, p.close())
	}
	log.Info("job runner started", "jobs_at_a_time", cfg.Jobs)
	var keeping sync.WaitGroup
	keeping.Go(func() { _ = p.keepIndex(ctx) })
	err = p.runner().Run(ctx)
	keeping.Wait()
	return errors.Join(err, p.close())
}

// migrated brings an embedded database up to date and refuses to run on a shared
// one that is not: there the operator chooses the moment (taihu migrate).
func (p *portal) migrated(ctx context.Context) error {
	if strings.HasPrefix(p.cfg.dsn(), "sqlite:") {
		return p.store.Migrate(ctx)
	}
	pending, err := p.store.Pending(ctx)
	if err == nil && len(pending) > 0 {
		return fmt.Errorf("the database lacks %d migrations (%s): run taihu migrate first", len(pending), strings.Join(pending, ", "))
	}
	return err
}

// takeBackLeases lets jobs of a runner on this machine that was killed go on at
// once. A runner's name is host:pid; one with our own name is our former life.
func (p *portal) takeBackLeases(ctx context.Context) error {
	host, err := os.Hostname()
	if err != nil {
		p.log.Warn("jobs of a process that died wait for their leases to end", "error", err)
		return nil //nolint:nilerr // told; a portal without a name can serve
	}
	n, err := p.store.TakeBackLeases(ctx, func(worker string) bool {
		name, number, _ := strings.Cut(worker, ":")
		pid, err := strconv.Atoi(number)
		return err == nil && name == host && (pid == os.Getpid() || !alive(pid))
	})
	if n > 0 {
		p.log.Info("jobs of a process that died go on", "jobs", n)
	}
	return err
}

// alive reports whether a process with that number exists.
func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// Times of the server. Writing has no limit, as a download may take hours; a
// reader that stalls is held by the kernel's own time-outs.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	stopTimeout   = 20 * time.Second
	writeTimeout  = 2 * time.Second // of what is written down at the end
)

// begin is called once the portal answers at the address.
type begin func(ctx context.Context, p *portal, address string) error

// serve runs the server and, unless told otherwise, the job runner.
func serve(ctx context.Context, cfg *Config, env environment, log *slog.Logger, begun begin) error {
	listener, err := listen(ctx, cfg.Listen) // first: where it fails nothing has been made, and no password shown
	if err != nil {
		return err
	}
	defer listener.Close()
	p, err := openPortal(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() {
		if err := p.close(); err != nil {
			log.Error("closing failed", "error", err)
		}
	}()
	if err := p.migrated(ctx); err != nil {
		return err
	}
	if err := p.takeBackLeases(ctx); err != nil {
		return err
	}
	password, created, err := p.store.EnsureAdmin(ctx)
	if err != nil {
		return err
	}
	if created { // the one place where a secret is printed, and only this once
		fmt.Fprintf(env.Out, "\nmade the user admin with the password  %s\n(shown only this once; change it with taihu user password admin)\n\n", password)
	}
	return p.serve(ctx, listener, env, begun)
}

// serve answers at listener and runs the jobs until ctx ends or one of them
// fails. Then what is being sent has stopTimeout to end.
func (p *portal) serve(ctx context.Context, listener net.Listener, env environment, begun begin) error {
	base := p.cfg.baseURL(listener.Addr().String())
	p.exporter.BaseURL = base
	handler, err := p.handler(base)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug)}

	work, stopWork := context.WithCancel(ctx)
	defer stopWork()
	ended := make(chan error, 9) // one for each of those below, so that none waits for a reader
	var jobs sync.WaitGroup
	job := func(f func() error) { jobs.Go(func() { ended <- f() }) }
	if begun == nil { // said before the first answer: who waits for one finds it said
		fmt.Fprintf(env.Out, "%s is at %s\n", p.cfg.NameEn, base)
	}
	go func() { ended <- server.Serve(listener) }()
	job(func() error { return p.sweepUploads(work) })
	job(func() error { return p.sweepExports(work) })
	job(func() error { return p.keepSynonyms(work) })
	job(func() error { return p.writeUses(work) })
	if !p.cfg.NoJobs {
		job(func() error { return p.runner().Run(work) })
		job(func() error { return p.keepIndex(work) })
		job(func() error { return p.sketchOld(work) })
	}
	p.log.Info("serving", "address", base, "database", redactDSN(p.cfg.dsn()), "version", version())
	if env.Started != nil {
		env.Started(base)
	}
	if begun != nil {
		job(func() error { return begun(work, p, base) })
	}

	var failure error
	for stopping := false; !stopping; {
		select {
		case <-ctx.Done():
			stopping = true
		case err := <-ended:
			if err != nil && !errors.Is(err, context.Canceled) {
				failure, stopping = err, true
			}
		}
	}
	p.log.Info("stopping")
	stopWork()
	p.stop(ctx, server, &jobs)
	return failure
}

// stop lets requests and jobs end.
func (p *portal) stop(ctx context.Context, server *http.Server, jobs *sync.WaitGroup) {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		p.log.Warn("requests were still running and are broken off", "after", stopTimeout)
		_ = server.Close() // what is still being sent looks broken, as it is
	}
	idle := make(chan struct{})
	go func() {
		jobs.Wait()
		close(idle)
	}()
	select {
	case <-idle:
	case <-grace.Done():
	}
	last, done := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer done()
	if err := p.uses.Write(last, p.store.AddDownloads); err != nil {
		p.log.Warn("downloads of the last minute are not counted", "error", err)
	}
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("cannot listen on %s: another program does already; stop it, or take another address with --listen", address)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return l, nil
}

func (p *portal) handler(base string) (http.Handler, error) {
	budgets := handle.NewBudgets(p.cfg.AnonymousQueries, p.cfg.KeyQueries)
	feedback := handle.NewFeedbackBudgets(anonymousFeedback, keyFeedback)
	limits := p.limits()
	openID, openIDName := p.cfg.openID(base)
	site, err := web.New(web.Config{
		Store: p.store, Index: p.index, IndexHealth: p.watched.Health, Pool: p.pool, Blobs: p.blobs, Uploads: p.uploads, Downloads: p.exporter, Clock: catalog.Now, Log: p.log,
		BaseURL: base, PortalName: catalog.Text{Zh: p.cfg.NameZh, En: p.cfg.NameEn}, MaxUpload: int64(p.cfg.MaxUpload) << 20, KeptAnswers: int64(p.cfg.KeptAnswers) << 20,
		Budgets: budgets, FeedbackBudgets: feedback, Limits: limits, Cells: p.cells, OpenID: openID, OpenIDName: openIDName, OpenIDByMail: p.cfg.OIDCLinkMail,
		ReadOrganizations: func(ctx context.Context, name string, r io.Reader) (*catalog.OrganizationList, []catalog.LineProblem, error) {
			return readOrganizations(ctx, p.cfg, p.temp.path, name, r)
		},
	})
	if err != nil {
		return nil, err
	}
	p.site = site
	return api.New(api.Config{
		Store: p.store, Blobs: p.blobs, Uploads: p.uploads, Pool: p.pool, Index: p.index, Exporter: p.exporter, Site: site, Log: p.log, Clock: catalog.Now,
		BaseURL: base, Version: version(), MaxUpload: int64(p.cfg.MaxUpload) << 20, TrustedProxies: p.cfg.TrustedProxies, Budgets: budgets, FeedbackBudgets: feedback, Limits: limits, Uses: &p.uses,
		Ready: func(ctx context.Context) error {
			if err := p.store.Ping(ctx); err != nil {
				return catalog.Errorf(catalog.Unavailable, "not_ready", "the database does not answer").Because(err)
			}
			return nil
		},
	})
}

// Reports of errors an hour: what a person who goes through a table finds, and more
// than a steward can answer.
const (
	anonymousFeedback = 12
	keyFeedback       = 60
)

// limits are the numbers in force, for those who must keep to them.
func (p *portal) limits() (l handle.Limits) {
	c := p.pool.Config()
	l.Queries.Anonymous, l.Queries.Key = p.cfg.AnonymousQueries, p.cfg.KeyQueries
	l.Query.Rows, l.Query.TextBytes, l.Query.Comparisons = table.MaxRows, table.MaxText, table.MaxTerms
	l.Query.PageSeconds, l.Query.ExportSeconds = int(c.RowsTimeout.Seconds()), int(c.ExportTimeout.Seconds())
	l.Query.MemoryMB = p.cfg.QueryMemory
	l.Query.PageCost = int64(p.cfg.QueryCost)
	l.Query.ExportCost = l.Query.PageCost * pool.ExportCosts
	l.Queue.Running, l.Queue.Waiting, l.Queue.WaitSeconds = c.Size, c.Queue, int(c.Wait.Seconds())
	l.Queue.RunningPerClient, l.Queue.WaitingPerClient = c.Shares()
	l.Feedback.Anonymous, l.Feedback.Key, l.Feedback.AnswerDays = anonymousFeedback, keyFeedback, p.cfg.AnswerDays
	l.KeptExportsMB, l.UploadMB = p.cfg.KeptExports, p.cfg.MaxUpload
	return l
}

// every does something at the start and then again a while after each time it was
// done, until ctx ends.
func every(ctx context.Context, pause time.Duration, do func()) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		do()
		timer.Reset(pause)
	}
}

// How often the index is compared with the catalog and tried with a canary, and how
// often, while its engine is away, whether it can be brought back.
const (
	driftEvery  = 10 * time.Minute
	canaryEvery = 5 * time.Minute
	returnEvery = 5 * time.Second
)

// keepIndex repairs the search index at the start, from time to time, and as soon as
// an engine that was away answers again: it may have been deleted, damaged, or
// missed what was published meanwhile. A canary shows that it can be written.
func (p *portal) keepIndex(ctx context.Context) error {
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() { _ = p.watched.Watch(ctx) })
	timer := time.NewTimer(0)
	defer timer.Stop()
	var checked, tried time.Time
	was := false // away
	for {
		back := false
		select {
		case <-ctx.Done():
			return nil
		case <-p.watched.Back():
			back = true
		case <-timer.C:
		}
		h := p.watched.Health()
		away := h.Away
		if away != was {
			was = away
			if away {
				p.log.Warn("the search engine does not answer; search goes on in the database", "engine", h.Engine, "error", h.LastError)
			} else {
				p.log.Info("the search engine answers again", "engine", h.Engine)
			}
		}
		if now := time.Now(); back || away || now.Sub(checked) >= driftEvery {
			if p.checkIndex(ctx, back) {
				checked = now
			}
		}
		if now := time.Now(); !away && now.Sub(tried) >= canaryEvery {
			tried = now
			if _, err := p.watched.Try(ctx); err != nil && ctx.Err() == nil {
				p.log.Warn("the search index could not be written and searched", "error", err)
			}
		}
		timer.Reset(returnEvery)
	}
}

// checkIndex compares the index with the catalog, repairs it, and has the jobs run
// that were given up or wait while the engine was away. It returns whether the
// check came to its end.
func (p *portal) checkIndex(ctx context.Context, back bool) bool {
	report, err := p.watched.Drift(ctx, documentSource{p.store})
	if err != nil {
		if ctx.Err() == nil && !p.watched.Health().Away { // that was said once
			p.log.Warn("search index could not be checked", "error", err)
		}
		return false
	}
	if report.Repaired() > 0 || back {
		p.log.Info("search index checked", "missing", report.Missing, "stale", report.Stale, "extra", report.Extra, "rebuilt", report.Rebuilt)
	}
	n, err := p.store.ResumeJobs(ctx, catalog.JobIndex)
	switch {
	case err != nil && ctx.Err() == nil:
		p.log.Warn("index jobs could not be begun again", "error", err)
	case n > 0:
		p.log.Info("index jobs that had failed are begun again", "jobs", n)
	}
	return true
}

// synonymsEvery is how soon synonyms hold that another process changed.
const synonymsEvery = time.Minute

// keepSynonyms gives the index the administrator's synonyms, at the start and where they
// changed.
func (p *portal) keepSynonyms(ctx context.Context) error {
	return every(ctx, synonymsEvery, func() {
		if err := p.site.ApplySynonyms(ctx); err != nil && ctx.Err() == nil {
			p.log.Warn("synonyms could not be applied", "error", err)
		}
	})
}

// usesEvery is how often the downloads that were counted are written down.
const usesEvery = time.Minute

// writeUses writes down from time to time how often what was downloaded; stop does
// the last time.
func (p *portal) writeUses(ctx context.Context) error {
	return every(ctx, usesEvery, func() {
		if err := p.uses.Write(ctx, p.store.AddDownloads); err != nil && ctx.Err() == nil {
			p.log.Warn("downloads could not be written down and are kept for the next time", "error", err)
		}
	})
}

// sweepEvery is how often uploads whose time is over are thrown away.
const sweepEvery = 10 * time.Minute

// exportsGrace is how long bytes that no export names may be those of one that another
// process is about to name.
const exportsGrace = time.Minute

// sweepExports removes, once, what a killed process left of exports.
func (p *portal) sweepExports(ctx context.Context) error {
	if err := p.exporter.Sweep(ctx, exportsGrace); err != nil && ctx.Err() == nil {
		p.log.Warn("left-over exports were not removed", "error", err)
	}
	return nil
}

// sweepUploads throws away uploads that nobody went on with, at the start and
// from time to time.
func (p *portal) sweepUploads(ctx context.Context) error {
	return every(ctx, sweepEvery, func() {
		if err := p.uploads.Sweep(ctx); err != nil && ctx.Err() == nil {
			p.log.Warn("uploads that ended could not be thrown away", "error", err)
		}
	})
}
