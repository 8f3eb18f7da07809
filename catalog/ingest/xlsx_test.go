package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"taihu/catalog"
)

// readTable is a table as read to its end.
type readTable struct {
	Header Header
	Rows   [][]*string // nil is null
	At     []int64     // the source's row numbers
	Kinds  [][]Kind
}

// readFile reads every table of a file through the given reader.
func readFile(t testing.TB, path, name string, o catalog.IngestOptions, reader func(Input) (Source, error)) ([]readTable, []catalog.Finding, error) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	findings := &Findings{}
	in := Input{Path: path, Name: name, Size: info.Size(), Options: o, Limits: Limits{}.orDefault(), TempDir: t.TempDir(),
		Report: &catalog.Report{}, Findings: findings}
	src, err := reader(in)
	if err != nil {
		return nil, findings.List(), err
	}
	defer func() {
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}()
	tables, err := readSource(src)
	for _, f := range findings.List() {
		if err == nil && f.Severity == catalog.Fatal {
			err = &Refusal{Finding: f}
		}
	}
	return tables, findings.List(), err
}

// readSource reads a source to its end.
func readSource(src Source) ([]readTable, error) {
	var tables []readTable
	var c Chunk
	for {
		h, err := src.Next()
		if errors.Is(err, io.EOF) {
			return tables, nil
		}
		if err != nil {
			return tables, err
		}
		tables = append(tables, readTable{Header: *h})
		table := &tables[len(tables)-1]
		for {
			c.Reset(len(h.Columns))
			err := src.Read(&c)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return tables, err
			}
			if err := table.add(&c, len(h.Columns)); err != nil {
				return tables, err
			}
		}
	}
}

func (t *readTable) add(c *Chunk, width int) error {
	if c.Len == 0 || len(c.Rows) != c.Len || len(c.Columns) != width {
		return fmt.Errorf("chunk of %d rows, %d numbers, %d columns; want %d columns", c.Len, len(c.Rows), len(c.Columns), width)
	}
	t.At = append(t.At, c.Rows...)
	for i := range c.Len {
		row, kinds := make([]*string, width), make([]Kind, width)
		for j := range c.Columns {
			k := &c.Columns[j]
			if len(k.Ends) != c.Len || k.Null != nil && len(k.Null) != c.Len || k.Kinds != nil && len(k.Kinds) != c.Len {
				return fmt.Errorf("column %d has %d cells of %d", j, len(k.Ends), c.Len)
			}
			if !k.IsNull(i) {
				s := string(k.Cell(i))
				row[j], kinds[j] = &s, k.kind(i)
			}
		}
		t.Rows, t.Kinds = append(t.Rows, row), append(t.Kinds, kinds)
	}
	return nil
}

// checksum is the canonical form of verdicts.tsv: for the header (an empty name
// as column_N) and each row, every cell as N where null, else its length in
// bytes, a colon and the bytes; then LF. Its SHA-256 in hexadecimal.
func (t *readTable) checksum() string {
	var b bytes.Buffer
	for i, name := range t.Header.Columns {
		if name == "" {
			name = fmt.Sprintf("column_%d", i+1)
		}
		fmt.Fprintf(&b, "%d:%s", len(name), name)
	}
	b.WriteByte('\n')
	for _, row := range t.Rows {
		for _, cell := range row {
			if cell == nil {
				b.WriteByte('N')
			} else {
				fmt.Fprintf(&b, "%d:%s", len(*cell), *cell)
			}
		}
		b.WriteByte('\n')
	}
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:])
}

// text shows the table, a line for each row, null as ∅.
func (t *readTable) text() string {
	var b bytes.Buffer
	for i, h := range t.Header.Columns {
		if i > 0 {
			b.WriteByte('|')
		}
		b.WriteString(h)
	}
	for _, row := range t.Rows {
		b.WriteByte('\n')
		for j, cell := range row {
			if j > 0 {
				b.WriteByte('|')
			}
			if cell == nil {
				b.WriteString("∅")
			} else {
				b.WriteString(*cell)
			}
		}
	}
	return b.String()
}

// codeOf is the code of a refusal or attachment, "" for nil, else the error.
func codeOf(err error) string {
	var r *Refusal
	var a *attach
	switch {
	case err == nil:
		return ""
	case errors.As(err, &r):
		return r.Finding.Code
	case errors.As(err, &a):
		return a.Finding.Code
	}
	return err.Error()
}

// asRefusal returns the verdict in an error, whether refusal or attachment.
func asRefusal(err error) *Refusal {
	var r *Refusal
	var a *attach
	switch {
	case errors.As(err, &a):
		return &a.Refusal
	case errors.As(err, &r):
		return r
	}
	return nil
}

func codesOf(list []catalog.Finding) map[string]int {
	out := map[string]int{}
	for _, f := range list {
		out[f.Code]++
	}
	return out
}

// messy is the folder of other people's troublesome files.
func messy(t testing.TB) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "data", "messy")
	if d := os.Getenv("TAIHU_SHARED_DATA"); d != "" {
		dir = filepath.Join(d, "messy")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no real data here (%v)", err)
	}
	return dir
}
