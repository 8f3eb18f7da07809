package ingest

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"slices"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// apart finds rows that do not differ in some columns. Of each row it keeps 128
// bits of hash and the row's number, 24 bytes: in memory for so many rows, then
// dealt to files by their hash, so that each is sorted alone.
type apart struct {
	code    string
	columns []int
	names   []string
	dir     string
	seeds   [2]maphash.Seed
	records []record
	files   []*apartFile // nil while memory is enough
	nulls   missed       // rows with a null in the key
	text    []byte
	count   int64 // rows taken
}

type record struct {
	hash [2]uint64
	row  int64
}

type apartFile struct {
	f *os.File
	w *bufio.Writer
}

// apartMemory is how many records are kept in memory: 24 MiB.
var apartMemory = 1 << 20

const (
	apartParts  = 64
	recordBytes = 24
)

func newApart(dir, code string, columns []int, names []string) *apart {
	return &apart{code: code, columns: columns, names: names, dir: dir, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// add takes the rows of a batch. A null in a key is told; in a unique column it
// does not count.
func (a *apart) add(b *table.Batch, rows []int64) error {
	for i, row := range rows {
		hash, ok := a.of(b, i)
		if !ok {
			if a.code == "contract_key" {
				a.nulls.add(row, nil)
			}
			continue
		}
		if err := a.put(hash, row); err != nil {
			return err
		}
	}
	return nil
}

// before takes rows of the table that stand before those of the file; the first
// is row first, counted from 0. They repeat nothing that is told.
func (a *apart) before(b *table.Batch, first int64) error {
	for i := range b.Len {
		if hash, ok := a.of(b, i); ok {
			if err := a.put(hash, first+int64(i)-beforeRows); err != nil {
				return err
			}
		}
	}
	return nil
}

// beforeRows is taken from the numbers of rows that stand before those of the
// file, which sorts them first and tells them apart.
const beforeRows = 1 << 40

func (a *apart) put(hash [2]uint64, row int64) error {
	a.count++
	a.records = append(a.records, record{hash, row})
	if len(a.records) < apartMemory {
		return nil
	}
	return a.spill()
}

// of hashes row i; false where it has a null in the columns.
func (a *apart) of(b *table.Batch, i int) (hash [2]uint64, ok bool) {
	a.text = a.text[:0]
	for _, c := range a.columns {
		v := &b.Columns[c]
		if v.IsNull(i) {
			return hash, false
		}
		at := len(a.text)
		a.text = append(a.text, 0, 0, 0, 0)
		a.text = v.AppendText(a.text, i)
		binary.LittleEndian.PutUint32(a.text[at:], uint32(len(a.text)-at)) // so that ab|c is not a|bc
	}
	return [2]uint64{maphash.Bytes(a.seeds[0], a.text), maphash.Bytes(a.seeds[1], a.text)}, true
}

// spill deals the records in memory to files.
func (a *apart) spill() error {
	if a.files == nil {
		for range apartParts {
			f, err := os.CreateTemp(a.dir, "apart-*")
			if err != nil {
				return fmt.Errorf("apart: %w", err)
			}
			a.files = append(a.files, &apartFile{f, bufio.NewWriterSize(f, 32<<10)})
			if err := os.Remove(f.Name()); err != nil { // it goes with its process
				return fmt.Errorf("apart: %w", err)
			}
		}
	}
	var buf [recordBytes]byte
	for _, r := range a.records {
		binary.LittleEndian.PutUint64(buf[:], r.hash[0])
		binary.LittleEndian.PutUint64(buf[8:], r.hash[1])
		binary.LittleEndian.PutUint64(buf[16:], uint64(r.row))
		if _, err := a.files[r.hash[0]>>58].w.Write(buf[:]); err != nil {
			return fmt.Errorf("apart: %w", err)
		}
	}
	a.records = a.records[:0]
	return nil
}

func (a *apart) close() {
	for _, f := range a.files {
		_ = f.f.Close() // it has no name: nothing is lost
	}
	a.files, a.records = nil, nil
}

// again is a row that repeats an earlier one.
type again struct{ row, first int64 }

// repeated returns how many rows repeat an earlier one, and the first of them.
func (a *apart) repeated(ctx context.Context) (n int64, list []again, err error) {
	count := func(records []record) {
		slices.SortFunc(records, func(x, y record) int {
			return cmp.Or(cmp.Compare(x.hash[0], y.hash[0]), cmp.Compare(x.hash[1], y.hash[1]), cmp.Compare(x.row, y.row))
		})
		first := int64(0)
		for i, r := range records {
			if i == 0 || r.hash != records[i-1].hash {
				first = r.row
				continue
			}
			if r.row < 0 { // of the table before: told when it was published
				continue
			}
			n++
			list = append(list, again{r.row, first})
		}
		slices.SortFunc(list, func(x, y again) int { return cmp.Compare(x.row, y.row) })
		list = list[:min(len(list), maxPlaces)]
	}
	err = a.parts(func(records []record) error {
		count(records)
		return ctx.Err()
	})
	return n, slices.Clip(list), err
}

// each yields every record, in no order.
func (a *apart) each(yield func(record)) error {
	return a.parts(func(records []record) error {
		for _, r := range records {
			yield(r)
		}
		return nil
	})
}

// parts yields the records, those of one hash together.
func (a *apart) parts(yield func([]record) error) error {
	if a.files == nil {
		return yield(a.records)
	}
	if err := a.spill(); err != nil {
		return err
	}
	for _, f := range a.files {
		if err := f.w.Flush(); err != nil {
			return fmt.Errorf("apart: %w", err)
		}
		if _, err := f.f.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("apart: %w", err)
		}
		records := a.records[:0]
		var buf [recordBytes]byte
		for in := bufio.NewReaderSize(f.f, 256<<10); ; {
			if _, err := io.ReadFull(in, buf[:]); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return fmt.Errorf("apart: %w", err)
			}
			records = append(records, record{[2]uint64{binary.LittleEndian.Uint64(buf[:]), binary.LittleEndian.Uint64(buf[8:])}, int64(binary.LittleEndian.Uint64(buf[16:]))})
		}
		if err := yield(records); err != nil {
			return err
		}
	}
	return nil
}

// tell adds what was found.
func (a *apart) tell(ctx context.Context, r *run, sp *spool) error {
	names := strings.Join(a.names, ", ")
	if a.nulls.cells > 0 {
		x := found(a.code, "主键（%[2]s）有%[1]d行为空。", "The key (%[2]s) is null in %[1]d rows.", a.nulls.cells, names)
		x.Column, x.Count, x.Row, x.Places = a.names[0], a.nulls.cells, a.nulls.places[0].Row, a.nulls.places
		r.findings.Add(x)
	}
	n, list, err := a.repeated(ctx)
	if err != nil || n == 0 {
		return err
	}
	var x catalog.Finding
	if list[0].first < 0 {
		x = found(a.code, "有%[1]d行的%[2]s在表中已有：如第%[3]d行，与原有的第%[4]d行相同。", "%[1]d rows have %[2]s that the table has already: row %[3]d that of its row %[4]d, for one.", n, names, list[0].row, list[0].first+beforeRows+1)
	} else if a.code == "contract_key" {
		x = found(a.code, "有%[1]d行与前面某行的主键（%[2]s）相同：如第%[3]d行与第%[4]d行。", "%[1]d rows have the key (%[2]s) of an earlier row: row %[3]d that of row %[4]d, for one.", n, names, list[0].row, list[0].first)
	} else {
		x = found(a.code, "列“%[2]s”有%[1]d个值与前面某行相同：如第%[3]d行与第%[4]d行。", "%[1]d values of the column %[2]q stand in an earlier row already: that of row %[3]d in row %[4]d, for one.", n, names, list[0].row, list[0].first)
	}
	x.Column, x.Count, x.Row = a.names[0], n, list[0].row
	if x.Places, err = a.places(r, sp, list); err != nil {
		return err
	}
	x.Value = x.Places[0].Value
	r.findings.Add(x)
	return nil
}

// places reads the text of the rows from the spool.
func (a *apart) places(r *run, sp *spool, list []again) ([]catalog.Against, error) {
	places := make([]catalog.Against, len(list))
	in, err := sp.reader()
	if err != nil {
		return nil, err
	}
	c := &Chunk{}
	for at := 0; at < len(list); {
		c.Reset(sp.columns)
		if err := in.read(c); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		for ; at < len(list); at++ {
			i, ok := slices.BinarySearch(c.Rows, list[at].row)
			if !ok {
				break
			}
			var cells []string
			for n, k := range a.columns {
				cells = append(cells, r.hide(a.names[n], string(c.Columns[k].Cell(i))))
			}
			places[at] = catalog.Against{Row: list[at].row, Value: shorten(strings.Join(cells, ", "))}
		}
	}
	return places, nil
}
