package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"taihu/api/export"
	"taihu/catalog"
	"taihu/catalog/child"
	"taihu/catalog/ingest"
	"taihu/catalog/table"
	"taihu/catalog/table/duck"
	"taihu/catalog/table/parts"
	"taihu/catalog/table/pool"
)

// The children of this binary: the only places where uploaded bytes are parsed
// and DuckDB runs. They have no address of a database and no token.

type ingestChildCommand struct{}

func (ingestChildCommand) Run(_ context.Context, cfg *Config, env environment, _ *slog.Logger) error {
	return ingest.Main(env.In, env.Out, duck.New(duck.Config{Threads: 2, MemoryMB: engineMemory(cfg.IngestMemory), TempDir: os.TempDir()}))
}

type queryChildCommand struct{}

func (queryChildCommand) Run(ctx context.Context, cfg *Config, env environment, _ *slog.Logger) error {
	engine := parts.New(duck.New(duck.Config{Threads: 2, MemoryMB: engineMemory(cfg.QueryMemory), TempDir: os.TempDir()}))
	return pool.Serve(ctx, env.In, env.Out, engine, encode)
}

// engineMemory is what DuckDB may take of a child's memory: half, as its own
// limit is not hard and the encoders need theirs.
func engineMemory(mb int) int { return max(mb/2, 64) }

// encode makes the encoder of an export; the pool's child calls it.
func encode(format string, w io.Writer, meta json.RawMessage, fields []catalog.Field) (pool.Encoder, error) {
	var m export.Meta
	if err := json.Unmarshal(meta, &m); err != nil {
		return nil, fmt.Errorf("meta of export: %w", err)
	}
	m.Fields = fields
	return export.New(format, w, m)
}

var _ table.Engine = (*duck.Engine)(nil)

type checkCommand struct {
	File string `arg:"" type:"existingfile" help:"The file to check."`
	readOptions
	serverOptions
	Contract string `placeholder:"DATASET" help:"Check it as the next release of this dataset: against its contract, read as the last one was. A dataset's slug, asked of --server, or a file with the contract as JSON."`
	Name     string `help:"Name to check it under; by default the file's own."`
	JSON     bool   `name:"json" help:"Print the report as JSON."`
}

// Run checks the file as an upload is checked, with the same limits, and says
// what it found. A refused file is exit code 2, one with findings that have to be
// settled before it can be published 4.
func (c *checkCommand) Run(ctx context.Context, cfg *Config, env environment, _ *slog.Logger) error {
	name := c.Name
	if name == "" {
		name = filepath.Base(c.File)
	}
	options, err := c.ingest()
	if err != nil {
		return err
	}
	contract, err := c.contract(ctx)
	if err != nil {
		return err
	}
	if contract != nil { // as the server does with an upload of this name
		options = options.Or(contract.OptionsFor(name))
		if options.Settled == nil {
			options.Settled = contract.SettledFor(name)
		}
		contract.Files = nil
	}
	out, err := os.MkdirTemp("", "taihu-check-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)
	path, err := filepath.Abs(c.File)
	if err != nil {
		return err
	}
	if scan := ingest.CommandScanner(cfg.ScanCommand); scan != nil {
		found, err := scan(ctx, path)
		if err != nil {
			return err
		}
		if found != "" {
			return c.tell(env.Out, name, options, contract, ingest.ScanReport(name, found, nil))
		}
	}
	spec := ingestSpec(cfg, out) // in no portal's folder: there may be none
	result, err := ingest.ChildVerdict(ctx, spec, ingest.Request{Path: path, Name: name, Options: options, Contract: contract, OutDir: out, Limits: ingestLimits(cfg), Office: cfg.office()})
	if err != nil {
		return err
	}
	return c.tell(env.Out, name, options, contract, result.Report)
}

// tell prints the report; the exit code says how it ended.
func (c *checkCommand) tell(out io.Writer, name string, options catalog.IngestOptions, contract *catalog.Contract, report catalog.Report) error {
	if c.JSON {
		if err := printJSON(out, report); err != nil {
			return err
		}
	} else {
		printReport(out, &report)
		if report.Accepted { // of a refused file only part may have been read
			printDecisions(out, &report)
			printUnmet(out, contract, &report)
		}
	}
	checked := catalog.Release{Files: []catalog.File{{Name: name, Options: options, Report: &report}}}
	switch unsettled := checked.Unsettled(); {
	case !report.Accepted:
		return exitCode(exitRefused)
	case len(unsettled) > 0:
		if !c.JSON {
			printUnsettled(out, unsettled)
		}
		return exitCode(exitUnsettled)
	}
	return nil
}

// contract reads the contract to check against; nil where none is asked for.
func (c *checkCommand) contract(ctx context.Context) (*catalog.Contract, error) {
	if c.Contract == "" {
		return nil, nil
	}
	contract := &catalog.Contract{}
	f, err := os.Open(c.Contract)
	switch {
	case err == nil:
		defer f.Close()
		d := json.NewDecoder(f)
		d.DisallowUnknownFields()
		if err := d.Decode(contract); err != nil {
			return nil, fmt.Errorf("--contract %s is no contract in JSON, as GET /api/v1/datasets/{slug}/contract gives one: %w", c.Contract, err)
		}
		return contract, nil
	case catalog.CheckSlug(c.Contract) != nil:
		return nil, fmt.Errorf("--contract: there is no file %s, and it is no dataset's slug", c.Contract)
	}
	cl, err := c.client()
	if err != nil {
		return nil, err
	}
	if err := cl.Do(ctx, http.MethodGet, "/api/v1/datasets/"+c.Contract+"/contract", nil, contract); err != nil {
		return nil, fmt.Errorf("--contract %s: %w", c.Contract, err)
	}
	return contract, nil
}

// printUnmet says which tables of the contract the file does not give: they may
// come from another file.
func printUnmet(out io.Writer, contract *catalog.Contract, r *catalog.Report) {
	if contract == nil {
		return
	}
	for _, t := range contract.Tables {
		if !slices.ContainsFunc(r.Tables, func(have catalog.TableFacts) bool { return have.Name == t.Name }) {
			fmt.Fprintf(out, "  the contract has a table %s, which is not in this file; --table names the file's table\n", t.Name)
		}
	}
}

// ingestSpec is how a file is read by a child, by the job runner and by check.
func ingestSpec(cfg *Config, temp string) child.Spec {
	return child.Spec{Args: []string{"ingest-child"}, FileBytes: 64 << 30, TempRoot: temp, Env: []string{"TAIHU_INGEST_MEMORY=" + strconv.Itoa(cfg.IngestMemory)}}
}

// office is LibreOffice's program, or none: check has told where it is not to be had.
func (c *Config) office() string {
	path, _ := ingest.FindOffice(c.LibreOffice)
	return path
}

func ingestLimits(cfg *Config) ingest.Limits {
	return ingest.Limits{Memory: int64(cfg.IngestMemory) << 20 * 8 / 9, Wall: time.Duration(cfg.IngestSeconds) * time.Second}
}

func printDecisions(out io.Writer, r *catalog.Report) {
	for _, d := range r.Decisions {
		fmt.Fprintf(out, "  %s.%s is %s: %s\n", d.Table, d.Column, d.Type, d.Why.In("en"))
	}
}
