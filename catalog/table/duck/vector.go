package duck

import (
	"fmt"
	"math/big"
	"math/bits"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// chunkRows is the most rows a chunk of DuckDB has.
const chunkRows = 2048

// reader turns chunks into batches. Columns of eight bytes and booleans are the
// chunk's own memory; narrower ones are widened into scratch slices that the
// next chunk uses again; texts point into the chunk.
type reader struct {
	table.Batch
	scratch []scratch
}

type scratch struct {
	null []bool
	ints []int64
	text []string
}

// read fills the batch from a chunk, whose vectors fetching has made flat. The
// batch is valid until the chunk is destroyed or the next one read.
func (r *reader) read(chunk bindings.DataChunk, fields []catalog.Field) error {
	r.Len, r.Last = int(bindings.DataChunkGetSize(chunk)), nil
	if r.scratch == nil {
		r.scratch = make([]scratch, len(fields))
		r.Columns = make([]table.Vector, len(fields))
	}
	r.Columns = r.Columns[:len(fields)] // a caller may have hidden some
	for i, f := range fields {
		vec := bindings.DataChunkGetVector(chunk, bindings.IdxT(i))
		v := &r.Columns[i]
		*v = table.Vector{Type: f.Type, Precision: f.Precision, Scale: f.Scale, Zone: f.Zone}
		s := &r.scratch[i]
		v.Null = s.nulls((*uint64)(bindings.VectorGetValidity(vec)), r.Len)
		if err := s.fill(v, bindings.VectorGetData(vec), r.Len); err != nil {
			return err
		}
	}
	return nil
}

// nulls unpacks a validity mask, one bit for each row; nil where all are valid.
func (s *scratch) nulls(mask *uint64, n int) []bool {
	if mask == nil {
		return nil
	}
	words := unsafe.Slice(mask, (n+63)/64)
	valid := 0
	for i, w := range words {
		if rest := n - i*64; rest < 64 {
			w &= 1<<rest - 1
		}
		valid += bits.OnesCount64(w)
	}
	if valid == n {
		return nil
	}
	if s.null == nil {
		s.null = make([]bool, chunkRows)
	}
	null := s.null[:n]
	for i := range null {
		null[i] = words[i/64]>>(i%64)&1 == 0
	}
	return null
}

// fill sets the slice of v that its type asks for.
func (s *scratch) fill(v *table.Vector, data unsafe.Pointer, n int) error {
	switch v.Type {
	case catalog.Boolean:
		v.Bool = unsafe.Slice((*bool)(data), n)
	case catalog.Integer, catalog.Time, catalog.Datetime:
		v.Int = unsafe.Slice((*int64)(data), n)
	case catalog.Number:
		v.Num = unsafe.Slice((*float64)(data), n)
	case catalog.Date:
		v.Int = widen(s, unsafe.Slice((*int32)(data), n))
	case catalog.String, catalog.JSON:
		v.Text = s.texts(data, v.Null, n)
	case catalog.Decimal: // as narrow as its precision allows
		switch p := v.Precision; {
		case p <= 4:
			v.Int = widen(s, unsafe.Slice((*int16)(data), n))
		case p <= 9:
			v.Int = widen(s, unsafe.Slice((*int32)(data), n))
		case !table.Wide(p):
			v.Int = unsafe.Slice((*int64)(data), n)
		default:
			v.Text = s.digits(unsafe.Slice((*[2]uint64)(data), n), v.Null, v.Scale)
		}
	default:
		return fmt.Errorf("no column is of type %q", v.Type)
	}
	return nil
}

func widen[T int16 | int32](s *scratch, from []T) []int64 {
	if s.ints == nil {
		s.ints = make([]int64, chunkRows)
	}
	to := s.ints[:len(from)]
	for i, x := range from {
		to[i] = int64(x)
	}
	return to
}

// inlined is the longest text that DuckDB keeps inside its 16-byte string_t:
// four bytes of length, then the text, or a prefix of it and its address.
const inlined = 12

type stringT struct {
	length uint32
	prefix [4]byte
	data   unsafe.Pointer
}

func (s *scratch) texts(data unsafe.Pointer, null []bool, n int) []string {
	if s.text == nil {
		s.text = make([]string, chunkRows)
	}
	to := s.text[:n]
	from := unsafe.Slice((*stringT)(data), n)
	for i := range from {
		t := &from[i]
		switch {
		case null != nil && null[i]:
			to[i] = "" // what lies there is not a text
		case t.length <= inlined:
			to[i] = unsafe.String(&t.prefix[0], int(t.length))
		default:
			to[i] = unsafe.String((*byte)(t.data), int(t.length))
		}
	}
	return to
}

// digits writes 128-bit decimals, low half first, as canonical text.
func (s *scratch) digits(from [][2]uint64, null []bool, scale int) []string {
	if s.text == nil {
		s.text = make([]string, chunkRows)
	}
	to := s.text[:len(from)]
	var n, low big.Int
	var buf []byte
	for i, x := range from {
		if null != nil && null[i] {
			to[i] = ""
			continue
		}
		n.SetInt64(int64(x[1]))
		n.Lsh(&n, 64)
		n.Add(&n, low.SetUint64(x[0]))
		buf = appendScaled(buf[:0], &n, scale)
		to[i] = string(buf)
	}
	return to
}

// appendScaled appends n × 10^-scale with exactly scale digits after the point.
func appendScaled(dst []byte, n *big.Int, scale int) []byte {
	if n.Sign() < 0 {
		dst = append(dst, '-')
	}
	digits := new(big.Int).Abs(n).String()
	if scale == 0 {
		return append(dst, digits...)
	}
	for len(digits) <= scale {
		digits = "0" + digits
	}
	point := len(digits) - scale
	dst = append(dst, digits[:point]...)
	dst = append(dst, '.')
	return append(dst, digits[point:]...)
}
