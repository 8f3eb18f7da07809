package ingest

import (
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"taihu/catalog"
)

func sketchNames(r Result) []string {
	var names []string
	for _, k := range r.Tables[0].Table.ColumnSketches {
		names = append(names, fmt.Sprintf("%s:%d", k.Column, k.Distinct))
	}
	return names
}

// Columns whose values name things have sketches; those of personal information,
// also masked, have none.
func TestColumnSketches(t *testing.T) {
	var b strings.Builder
	b.WriteString("姓名,联系电话,区县,数量,值\n")
	for i := range 40 {
		fmt.Fprintf(&b, "张%c,1380013%04d,%s,%d,%d.5\n", '一'+rune(i), i, []string{"滨湖区", "梁溪区", "新吴区"}[i%3], i*7, i)
	}
	r := ingestBytes(t, "a.csv", []byte(b.String()), catalog.IngestOptions{})
	if got := fmt.Sprint(sketchNames(r)); got != "[区县:3 数量:40]" {
		t.Errorf("sketches of %s", got)
	}
	r = ingestBytes(t, "a.csv", []byte(b.String()), settled(catalog.Settlement{Code: "personal_mobile", Column: "联系电话", Measure: catalog.Mask}))
	if got := fmt.Sprint(sketchNames(r)); got != "[区县:3 数量:40]" {
		t.Errorf("after masking: sketches of %s", got)
	}
}

// A table to which rows are added has the sketches that a file of all rows would give.
func TestColumnSketchesGrow(t *testing.T) {
	rows := func(from, to int) string {
		var b strings.Builder
		b.WriteString("代码,区县\n")
		for i := from; i < to; i++ {
			fmt.Fprintf(&b, "A%05d,区%d\n", i, i%7)
		}
		return b.String()
	}
	grown := growTable(t, whole(t, rows(0, 3000)), []string{"代码"}, rows(2000, 4000), catalog.Upsert)
	all := whole(t, rows(0, 4000))
	if len(grown.Tables) != 1 {
		t.Fatalf("%s", summary(grown))
	}
	for i, k := range all.Tables[0].Table.ColumnSketches {
		if got := grown.Tables[0].Table.ColumnSketches[i]; got.Column != k.Column || !slices.Equal(got.Hashes, k.Hashes) {
			t.Errorf("%s: %d hashes, %d", k.Column, len(got.Hashes), len(k.Hashes))
		}
	}
}

// realColumn is a column of the real data with all its values.
type realColumn struct {
	name   string
	sketch catalog.ColumnSketch
	values []int // each value has a number; ascending
}

func realColumns(t *testing.T) []realColumn {
	var out []realColumn
	numbers, files := map[string]int{}, 0
	for _, dir := range []string{"tables", "catalogues"} {
		err := filepath.WalkDir(sharedData(t, dir), func(path string, d fs.DirEntry, err error) error {
			name := filepath.Base(path)
			if err != nil || d.IsDir() || !slices.Contains([]string{".csv", ".dat"}, filepath.Ext(name)) || strings.Contains(name, "gb18030") {
				return err
			}
			if files++; dir == "catalogues" && files%3 != 0 { // of hundreds of small ones a third
				return nil
			}
			r := ingestFile(t, path, name, catalog.IngestOptions{})
			for _, built := range r.Tables {
				rows := cells(t, built.TypedPath)
				for _, k := range built.Table.ColumnSketches {
					at := built.Table.Schema.Index(k.Column)
					c := realColumn{name: name + "/" + k.Column, sketch: k}
					for _, row := range rows {
						if v := canonical(built.Table.Schema.Fields[at], row[at+1]); v != "∅" && v != "" {
							if _, ok := numbers[v]; !ok {
								numbers[v] = len(numbers)
							}
							c.values = append(c.values, numbers[v])
						}
					}
					slices.Sort(c.values)
					c.values = slices.Compact(c.values)
					out = append(out, c)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// Over every pair of columns of the real data: what was counted is right, and what
// was estimated is near.
func TestOverlapOfRealData(t *testing.T) {
	if testing.Short() {
		t.Skip("reads all the real data")
	}
	columns := realColumns(t)
	var sum, worst float64
	counted, estimated, few, wrong := 0, 0, 0, 0
	for i := range columns {
		a := &columns[i]
		if n := int64(len(a.values)); a.sketch.Whole() && a.sketch.Distinct != n || math.Abs(float64(a.sketch.Distinct-n)) > 0.15*float64(n) {
			t.Errorf("%s: %d values, the sketch says %d", a.name, n, a.sketch.Distinct)
		}
		for j := range columns {
			b := &columns[j]
			if i == j || !a.sketch.Type.Joins(b.sketch.Type) {
				continue
			}
			e := a.sketch.Overlap(&b.sketch)
			shared := 0
			for x, y := 0, 0; x < len(a.values) && y < len(b.values); {
				switch {
				case a.values[x] < b.values[y]:
					x++
				case a.values[x] > b.values[y]:
					y++
				default:
					shared, x, y = shared+1, x+1, y+1
				}
			}
			of := float64(shared) / float64(len(a.values))
			switch {
			case e.Counted:
				counted++
				if e.Shared != int64(shared) {
					wrong++
					t.Errorf("%s in %s: counted %d, there are %d", a.name, b.name, e.Shared, shared)
				}
			case shared == 0 && e.Shared == 0:
			case e.Sampled < 16:
				few++
			default:
				estimated++
				off := math.Abs(e.Of - of)
				sum += off
				if off > worst {
					worst = off
				}
				if off > 5*math.Sqrt(of*(1-of)/float64(e.Sampled))+0.01 {
					t.Errorf("%s in %s: share %.3f, exact %.3f, %d sampled", a.name, b.name, e.Of, of, e.Sampled)
				}
			}
		}
	}
	t.Logf("%d columns; %d overlaps counted, all right; %d shares estimated, off by %.4f on average and %.4f at worst; %d with fewer than 16 values sampled", len(columns), counted-wrong, estimated, sum/float64(max(estimated, 1)), worst, few)
}
