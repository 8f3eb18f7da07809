package table_test

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"testing"

	"taihu/catalog"
	"taihu/catalog/parquet/parquettest"
	"taihu/catalog/table"
)

func contentFields() []catalog.Field {
	return []catalog.Field{
		{Name: "是否", Type: catalog.Boolean, Label: catalog.Text{Zh: "不入哈希"}},
		{Name: "n", Type: catalog.Integer},
		{Name: "d", Type: catalog.Decimal, Precision: 9, Scale: 2},
		{Name: "w", Type: catalog.Decimal, Precision: 20},
		{Name: "f", Type: catalog.Number},
		{Name: "day", Type: catalog.Date},
		{Name: "at", Type: catalog.Time},
		{Name: "when", Type: catalog.Datetime, Zone: "+08:00"},
		{Name: "te\"xt", Type: catalog.String},
		{Name: "j", Type: catalog.JSON},
	}
}

func contentBatch() *table.Batch {
	return &table.Batch{Len: 2, Columns: []table.Vector{
		{Type: catalog.Boolean, Bool: []bool{true, false}},
		{Type: catalog.Integer, Int: []int64{-5, 0}, Null: []bool{false, true}},
		{Type: catalog.Decimal, Precision: 9, Scale: 2, Int: []int64{1250, -5}},
		{Type: catalog.Decimal, Precision: 20, Text: []string{"12345678901234567890", "0"}},
		{Type: catalog.Number, Num: []float64{0.1, math.NaN()}},
		{Type: catalog.Date, Int: []int64{0, 20779}},
		{Type: catalog.Time, Int: []int64{0, 86399_500000}},
		{Type: catalog.Datetime, Zone: "+08:00", Int: []int64{0, -1}},
		{Type: catalog.String, Text: []string{"水\n\x01<", ""}},
		{Type: catalog.JSON, Text: []string{"{\"a\":\n1}", "null"}},
	}}
}

// contentLines is what is hashed, by hand.
const contentLines = `[["是否","boolean"],["n","integer"],["d","decimal(9,2)"],["w","decimal(20,0)"],["f","number"],["day","date"],["at","time"],["when","datetime"],["te\"xt","text"],["j","json"]]
[true,-5,12.50,12345678901234567890,0.1,"1970-01-01","00:00:00","1970-01-01T00:00:00+08:00","水\n\u0001<","{\"a\":\n1}"]
[false,null,-0.05,0,"NaN","2026-11-22","23:59:59.5","1969-12-31T23:59:59.999999+08:00","","null"]
`

func TestContentHashOfLinesWrittenByHand(t *testing.T) {
	sum := sha256.Sum256([]byte(contentLines))
	want := hex.EncodeToString(sum[:])
	h := table.NewContentHash(contentFields())
	if err := h.Add(contentBatch()); err != nil {
		t.Fatal(err)
	}
	if got := h.Sum(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// The vector: it is a promise to users and must never change.
	if want != "7c88f2b08389d34d2941b48e3b2dafbe2d4e6058bfceca533286b449e0da505d" {
		t.Errorf("the test vector is now %s", want)
	}
}

func TestContentHashDependsOnContentAlone(t *testing.T) {
	sum := func(fields []catalog.Field, batches ...*table.Batch) string {
		h := table.NewContentHash(fields)
		for _, b := range batches {
			if err := h.Add(b); err != nil {
				t.Fatal(err)
			}
		}
		return h.Sum()
	}
	text := func(s ...string) *table.Batch {
		return &table.Batch{Len: len(s), Columns: []table.Vector{{Type: catalog.String, Text: s}}}
	}
	a := []catalog.Field{{Name: "a", Type: catalog.String}}
	labelled := []catalog.Field{{Name: "a", Type: catalog.String, Label: catalog.Text{Zh: "甲"}, Unit: "米", ID: "x"}}
	if sum(a, text("x", "y")) != sum(labelled, text("x"), text("y")) {
		t.Error("labels or batches change the hash")
	}
	if sum(a, text("x", "y")) == sum(a, text("y", "x")) || sum(a, text("")) == sum(a) || sum(a) == sum([]catalog.Field{{Name: "a", Type: catalog.JSON}}) {
		t.Error("order, rows or types do not change the hash")
	}
	if err := table.NewContentHash(a).Add(contentBatch()); err == nil {
		t.Error("a batch of other columns is taken")
	}
}

func TestVectorAppendJSON(t *testing.T) {
	b := contentBatch()
	for j, want := range []string{"true", "-5", "12.50", "12345678901234567890", "0.1", `"1970-01-01"`, `"00:00:00"`, `"1970-01-01T00:00:00+08:00"`, `"水\n\u0001<"`, `{"a":1}`} {
		if got := string(b.Columns[j].AppendJSON(nil, 0)); got != want {
			t.Errorf("column %d: got %s, want %s", j, got, want)
		}
	}
	if got := string(b.Columns[1].AppendJSON(nil, 1)); got != "null" {
		t.Errorf("null became %s", got)
	}
	broken := table.Vector{Type: catalog.JSON, Text: []string{`{"a":`}}
	if got := string(broken.AppendJSON(nil, 0)); got != `"{\"a\":"` {
		t.Errorf("broken JSON became %s", got)
	}
}

// BenchmarkContentHash hashes 100,000 rows of the mixed table.
func BenchmarkContentHash(b *testing.B) {
	batches := parquettest.MixedBatches(100_000, 2048)
	for b.Loop() {
		h := table.NewContentHash(parquettest.MixedFields())
		for _, batch := range batches {
			if err := h.Add(batch); err != nil {
				b.Fatal(err)
			}
		}
		h.Sum()
	}
}
