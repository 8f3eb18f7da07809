package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"taihu/catalog"
	"taihu/catalog/ingest"
)

// Bounds of a small file that is read on request, such as a dictionary: it says
// something about at most 16,384 columns.
const (
	cellRows    = 20_000
	cellBytes   = 16 << 20
	cellSeconds = 30
	cellReaders = 2 // at once; others wait
)

var cellSeats = make(chan struct{}, cellReaders)

// cells reads the first table of a small file as text, in a child like every stranger's
// bytes. Unprocessable unreadable_file says what is wrong with it; TooLarge.
func (p *portal) cells(ctx context.Context, name string, r io.Reader) ([][]string, error) {
	select {
	case cellSeats <- struct{}{}:
		defer func() { <-cellSeats }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	dir, err := os.MkdirTemp(p.temp.path, "cells-")
	if err != nil {
		return nil, fmt.Errorf("read cells: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "file")
	if err := writeSmall(path, r); err != nil {
		return nil, err
	}
	limits := ingestLimits(p.cfg)
	limits.Wall = cellSeconds * time.Second
	result, err := ingest.ChildVerdict(ctx, ingestSpec(p.cfg, p.temp.path), ingest.Request{Path: path, Name: name, OutDir: dir, Options: catalog.IngestOptions{HeaderRow: 1}, Limits: limits, Rows: cellRows})
	if err != nil {
		return nil, err
	}
	if rows := result.Rows; rows != nil {
		if rows.More {
			return nil, catalog.Errorf(catalog.Unprocessable, "unreadable_file", "the file has more than %d rows", cellRows).With("field", "file").InChinese("行数超过%d", cellRows)
		}
		cells := [][]string{rows.Columns}
		for _, row := range rows.Rows {
			cells = append(cells, row.Cells)
		}
		return cells, nil
	}
	for _, f := range result.Report.Findings {
		if f.Severity == catalog.Fatal {
			return nil, catalog.Errorf(catalog.Unprocessable, "unreadable_file", "the file cannot be read: %s", f.Message.En).With("finding", f.Code).With("field", "file").InChinese("这个文件读不了：%s", f.Message.Zh)
		}
	}
	return nil, catalog.Errorf(catalog.Unprocessable, "unreadable_file", "the file is no table: send XLSX or CSV").With("field", "file").InChinese("这个文件不是表格：请用XLSX或CSV")
}

// writeSmall writes at most cellBytes to a file.
func writeSmall(path string, r io.Reader) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("read cells: %w", err)
	}
	n, err := io.Copy(f, io.LimitReader(r, cellBytes+1))
	err = errors.Join(err, f.Close())
	var disk *fs.PathError
	switch {
	case errors.As(err, &disk):
		return fmt.Errorf("read cells: %w", err)
	case err != nil:
		return catalog.Errorf(catalog.Invalid, "bad_form", "the file did not arrive whole: send it again").InChinese("文件没有传完：请再传一次").Because(err)
	case n > cellBytes:
		return catalog.Errorf(catalog.TooLarge, "too_large", "the file is larger than %d MB", cellBytes>>20).With("field", "file").InChinese("文件超过%d MB", cellBytes>>20)
	}
	return nil
}
