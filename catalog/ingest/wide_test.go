package ingest

import (
	"bytes"
	"runtime"
	"testing"

	"taihu/catalog"
)

// A table as wide as can be stays within the child's memory.
func TestWidestTable(t *testing.T) {
	if testing.Short() {
		t.Skip("writes a table of 16,384 columns")
	}
	const columns, rows = 16384, 300
	var b bytes.Buffer
	for i := range columns {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('c')
		b.Write(appendInt(nil, i))
	}
	b.WriteByte('\n')
	for r := range rows {
		for i := range columns {
			if i > 0 {
				b.WriteByte(',')
			}
			if (r+i)%7 != 0 {
				b.Write(appendInt(nil, r*i))
			}
		}
		b.WriteByte('\n')
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := ingestBytes(t, "wide.csv", b.Bytes(), catalog.IngestOptions{})
	runtime.ReadMemStats(&after)
	if !r.Report.Accepted || len(r.Tables) != 1 || r.Tables[0].Table.Rows != rows || len(r.Report.Decisions) != columns {
		t.Fatal(r.Report.FirstError(), len(r.Report.Decisions))
	}
	if grown := int64(after.Sys) - int64(before.Sys); grown > 400<<20 {
		t.Errorf("memory grew by %d MB", grown>>20)
	}
	for i, f := range r.Tables[0].Table.Schema.Fields {
		if f.Type != catalog.Integer {
			t.Fatalf("column %d is %s", i, f.Type)
		}
	}
}

func appendInt(dst []byte, n int) []byte { return catalog.AppendDecimal(dst, int64(n), 0) }
