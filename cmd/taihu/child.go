package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
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
	Name string `help:"Name to check it under; by default the file's own."`
	JSON bool   `name:"json" help:"Print the report as JSON."`
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
	out, err := os.MkdirTemp("", "taihu-check-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(out)
	path, err := filepath.Abs(c.File)
	if err != nil {
		return err
	}
	spec := ingestSpec(cfg, out) // in no portal's folder: there may be none
	result, err := ingest.Child(ctx, spec, ingest.Request{Path: path, Name: name, Options: options, OutDir: out, Limits: ingestLimits(cfg)})
	report := result.Report
	var death *child.Death
	if errors.As(err, &death) && ctx.Err() == nil {
		report = ingest.DeathReport(name, death)
	} else if err != nil {
		return err
	}
	if c.JSON {
		if err := printJSON(env.Out, report); err != nil {
			return err
		}
	} else {
		printReport(env.Out, &report)
		if report.Accepted { // of a refused file only part may have been read
			printDecisions(env.Out, &report)
		}
	}
	checked := catalog.Release{Files: []catalog.File{{Name: name, Options: options, Report: &report}}}
	switch unsettled := checked.Unsettled(); {
	case !report.Accepted:
		return exitCode(exitRefused)
	case len(unsettled) > 0:
		if !c.JSON {
			printUnsettled(env.Out, unsettled)
		}
		return exitCode(exitUnsettled)
	}
	return nil
}

// ingestSpec is how a file is read by a child, by the job runner and by check.
func ingestSpec(cfg *Config, temp string) child.Spec {
	return child.Spec{Args: []string{"ingest-child"}, FileBytes: 64 << 30, TempRoot: temp, Env: []string{"TAIHU_INGEST_MEMORY=" + strconv.Itoa(cfg.IngestMemory)}}
}

func ingestLimits(cfg *Config) ingest.Limits {
	return ingest.Limits{Memory: int64(cfg.IngestMemory) << 20 * 8 / 9, Wall: time.Duration(cfg.IngestSeconds) * time.Second}
}

func printDecisions(out io.Writer, r *catalog.Report) {
	for _, d := range r.Decisions {
		fmt.Fprintf(out, "  %s.%s is %s: %s\n", d.Table, d.Column, d.Type, d.Why.In("en"))
	}
}
