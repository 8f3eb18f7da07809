package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"taihu/catalog"
	"taihu/catalog/table"
)

// Cursor reads some columns of a file. It is used by one goroutine at a time and
// keeps one page of each column.
type Cursor struct {
	reader  *Reader
	zstd    *zstd.Decoder
	columns []pages
	batch   table.Batch
}

// Cursor returns a cursor over columns of the file, each given by its index in
// Columns, or table.RowColumn for the number of the row, which is not read.
func (r *Reader) Cursor(columns []int) *Cursor {
	// NewReader fails on bad options only.
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true))
	if err != nil {
		panic(err)
	}
	c := &Cursor{reader: r, zstd: z, columns: make([]pages, len(columns))}
	c.batch.Columns = make([]table.Vector, len(columns))
	for i, column := range columns {
		p := &c.columns[i]
		p.column, p.group, p.page = column, -1, -1
		v := &c.batch.Columns[i]
		if column == table.RowColumn {
			v.Type = catalog.Integer
			continue
		}
		p.spec = r.columns[column]
		p.kind = physical(p.spec)
		v.Type, v.Precision, v.Scale = p.spec.Type, p.spec.Precision, p.spec.Scale
	}
	return c
}

// Read returns rows from … of the file, counted from 0: at least one and at most
// n, fewer where a page of a column ends. The batch is valid until the next Read.
func (c *Cursor) Read(from int64, n int) (*table.Batch, error) {
	if from < 0 || n <= 0 || from >= c.reader.Rows() {
		return nil, fmt.Errorf("parquet: no row %d among %d", from, c.reader.Rows())
	}
	g := c.reader.group(from)
	row := int(from - c.reader.starts[g])
	n = min(n, int(c.reader.starts[g+1]-from))
	for i := range c.columns {
		p := &c.columns[i]
		if p.column == table.RowColumn {
			continue
		}
		if err := p.seek(c, g, row); err != nil {
			return nil, fmt.Errorf("parquet: column %q, row %d: %w", p.spec.Name, from+1, err)
		}
		n = min(n, p.first+p.rows-row)
	}
	c.batch.Len = n
	for i := range c.columns {
		c.columns[i].vector(&c.batch.Columns[i], row, n, from)
	}
	return &c.batch, nil
}

// Close frees what the cursor holds beside the file.
func (c *Cursor) Close() { c.zstd.Close() }

// pages is a column as a cursor reads it: the page that was asked for last, decoded.
type pages struct {
	column int
	spec   Column
	kind   format.Type

	group int // whose index this is; -1: none yet
	index format.OffsetIndex
	dict  bool // the dictionary of the group is read

	page        int // in index; -1: none yet
	first, rows int // of the page, in the row group

	null  []bool // by row; nil: none
	ints  []int64
	nums  []float64
	bools []bool
	texts []string

	// What decoding reuses. Texts point into plain and dictPlain.
	packed    []byte
	plain     []byte
	dictPlain []byte
	dictInts  []int64
	dictTexts []string
	indexes   []uint32
	levels    []byte
	nulls     []bool
}

// vector makes v the rows row … row+n of the page.
func (p *pages) vector(v *table.Vector, row, n int, from int64) {
	if p.column == table.RowColumn {
		p.ints = slices.Grow(p.ints[:0], n)[:n]
		for i := range p.ints {
			p.ints[i] = from + int64(i) + 1
		}
		v.Int = p.ints
		return
	}
	lo := row - p.first
	hi := lo + n
	v.Null = nil
	if p.null != nil {
		v.Null = p.null[lo:hi]
	}
	switch p.kind {
	case format.Boolean:
		v.Bool = p.bools[lo:hi]
	case format.Double:
		v.Num = p.nums[lo:hi]
	case format.ByteArray, format.FixedLenByteArray:
		v.Text = p.texts[lo:hi]
	default:
		v.Int = p.ints[lo:hi]
	}
}

// seek decodes the page that holds a row of a group, where it is not the last one.
func (p *pages) seek(c *Cursor, group, row int) error {
	if p.group != group {
		chunk := &c.reader.groups[group].Columns[p.column]
		p.group, p.page, p.dict = -1, -1, false
		var err error
		if p.packed, err = c.reader.read(p.packed, chunk.OffsetIndexOffset, int(chunk.OffsetIndexLength)); err != nil {
			return err
		}
		p.index.Reset()
		if err := thrift.Unmarshal(new(thrift.CompactProtocol), p.packed, &p.index); err != nil {
			return fmt.Errorf("read offset index: %w", err)
		}
		if len(p.index.PageLocations) == 0 || p.index.PageLocations[0].FirstRowIndex != 0 {
			return errors.New("its offset index does not begin with the first row")
		}
		p.group = group
	}
	if p.page >= 0 && row >= p.first && row < p.first+p.rows {
		return nil
	}
	i, found := slices.BinarySearchFunc(p.index.PageLocations, int64(row), func(l format.PageLocation, row int64) int { return int(l.FirstRowIndex - row) })
	if !found {
		i--
	}
	p.page = -1
	if err := p.decode(c, i); err != nil {
		return err
	}
	p.page = i
	return nil
}

// decode reads data page i of the group.
func (p *pages) decode(c *Cursor, i int) error {
	chunk := &c.reader.groups[p.group]
	at := p.index.PageLocations[i]
	end := chunk.NumRows
	if i+1 < len(p.index.PageLocations) {
		end = p.index.PageLocations[i+1].FirstRowIndex
	}
	p.first, p.rows = int(at.FirstRowIndex), int(end-at.FirstRowIndex)
	encoding := format.Encoding(-1)
	var err error
	p.plain, err = p.load(c, p.plain, at.Offset, int(at.CompressedPageSize), func(h *pageHeader) error {
		encoding = h.encoding
		if h.kind != format.DataPage || h.values != p.rows {
			return fmt.Errorf("page %d has not the %d rows of the index", i, p.rows)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if encoding == format.RLEDictionary && !p.dict {
		if err := p.decodeDictionary(c, &chunk.Columns[p.column].MetaData); err != nil {
			return err
		}
		p.dict = true
	}
	body, valid, err := p.decodeLevels(p.plain)
	if err != nil {
		return err
	}
	return p.decodeValues(body, encoding, valid)
}

// load reads a page with its header and returns its bytes before compression, with
// spare ones behind them.
func (p *pages) load(c *Cursor, dst []byte, offset int64, size int, check func(*pageHeader) error) ([]byte, error) {
	var err error
	if p.packed, err = c.reader.read(p.packed, offset, size); err != nil {
		return dst, err
	}
	h, n, err := readPageHeader(p.packed)
	if err != nil {
		return dst, err
	}
	if err := check(&h); err != nil {
		return dst, err
	}
	if most := c.reader.groups[p.group].Columns[p.column].MetaData.TotalUncompressedSize; len(p.packed)-n < h.packed || h.plain < 0 || int64(h.plain) > most {
		return dst, errShort
	}
	dst, err = c.zstd.DecodeAll(p.packed[n:n+h.packed], slices.Grow(dst[:0], h.plain+spare))
	if err != nil {
		return dst, err
	}
	if len(dst) != h.plain {
		return dst, errShort
	}
	return slices.Grow(dst, spare), nil
}

// decodeDictionary reads the dictionary page of the chunk.
func (p *pages) decodeDictionary(c *Cursor, m *format.ColumnMetaData) error {
	count := 0
	var err error
	p.dictPlain, err = p.load(c, p.dictPlain, m.DictionaryPageOffset, int(m.DataPageOffset-m.DictionaryPageOffset), func(h *pageHeader) error {
		count = h.values
		if h.kind != format.DictionaryPage {
			return errors.New("its dictionary is no dictionary page")
		}
		return nil
	})
	if err != nil {
		return err
	}
	if count > len(p.dictPlain) { // an entry has at least four bytes
		return errShort
	}
	if p.kind == format.ByteArray {
		p.dictTexts = slices.Grow(p.dictTexts[:0], count)[:count]
		return plainTexts(p.dictTexts, p.dictPlain)
	}
	p.dictInts = slices.Grow(p.dictInts[:0], count)[:count]
	return plainInts(p.dictInts, p.dictPlain, p.kind)
}

// decodeLevels reads which rows are null and returns the values' bytes and how
// many there are.
func (p *pages) decodeLevels(b []byte) (body []byte, valid int, err error) {
	p.null = nil
	if len(b) < 4 {
		return nil, 0, errShort
	}
	n := int64(binary.LittleEndian.Uint32(b))
	if n > int64(len(b)-4) {
		return nil, 0, errShort
	}
	levels, body := b[4:4+n], b[4+n:]
	if head, k := binary.Uvarint(levels); k > 0 && head == uint64(p.rows)<<1 && k+1 == len(levels) && levels[k] == 1 {
		return body, p.rows, nil
	}
	p.levels = slices.Grow(p.levels[:0], p.rows)[:p.rows]
	if err := unpackHybrid(p.levels, levels, 1); err != nil {
		return nil, 0, err
	}
	p.nulls = slices.Grow(p.nulls[:0], p.rows)[:p.rows]
	for i, l := range p.levels {
		p.nulls[i] = l == 0
		valid += int(l)
	}
	if valid < p.rows {
		p.null = p.nulls
	}
	return body, valid, nil
}

// decodeValues fills the slice of the column's type, one value for each row; what
// stands where a row is null has no meaning but is harmless.
func (p *pages) decodeValues(b []byte, encoding format.Encoding, valid int) (err error) {
	switch p.kind {
	case format.Boolean:
		p.bools = slices.Grow(p.bools[:0], p.rows)[:p.rows]
		err = unpackBits(p.bools[:valid], b)
		spread(p.bools, valid, p.null)
	case format.ByteArray:
		p.texts = slices.Grow(p.texts[:0], p.rows)[:p.rows]
		if encoding == format.RLEDictionary {
			err = lookUp(p, p.texts[:valid], p.dictTexts, b)
		} else {
			err = plainTexts(p.texts[:valid], b)
		}
		spread(p.texts, valid, p.null)
	case format.FixedLenByteArray:
		p.texts = slices.Grow(p.texts[:0], p.rows)[:p.rows]
		err = wideTexts(p.texts[:valid], b, p.spec.Scale)
		spread(p.texts, valid, p.null)
	case format.Double:
		if err = p.decodeInts(b, encoding, valid); err != nil {
			return err
		}
		p.nums = slices.Grow(p.nums[:0], p.rows)[:p.rows]
		for i, v := range p.ints {
			p.nums[i] = math.Float64frombits(uint64(v))
		}
	default:
		err = p.decodeInts(b, encoding, valid)
	}
	return err
}

func (p *pages) decodeInts(b []byte, encoding format.Encoding, valid int) (err error) {
	p.ints = slices.Grow(p.ints[:0], p.rows)[:p.rows]
	switch encoding {
	case format.RLEDictionary:
		err = lookUp(p, p.ints[:valid], p.dictInts, b)
	case format.DeltaBinaryPacked:
		err = unpackDelta(p.ints[:valid], b)
	case format.Plain:
		err = plainInts(p.ints[:valid], b, p.kind)
	default:
		err = fmt.Errorf("encoding %v is none of the writer's", encoding)
	}
	spread(p.ints, valid, p.null)
	return err
}

// spread moves the valid first values to the rows that are not null.
func spread[T any](values []T, valid int, null []bool) {
	if null == nil {
		return
	}
	var zero T
	for i := len(values) - 1; i >= 0; i-- {
		if null[i] {
			values[i] = zero
		} else {
			valid--
			values[i] = values[valid]
		}
	}
}

// lookUp reads indexes and takes their values from the dictionary.
func lookUp[T any](p *pages, dst, dictionary []T, b []byte) error {
	if len(dst) == 0 {
		return nil
	}
	if len(b) == 0 || b[0] == 0 || b[0] > 32 {
		return errShort
	}
	p.indexes = slices.Grow(p.indexes[:0], len(dst))[:len(dst)]
	if err := unpackHybrid(p.indexes, b[1:], int(b[0])); err != nil {
		return err
	}
	for i, index := range p.indexes {
		if int(index) >= len(dictionary) {
			return fmt.Errorf("its dictionary has no entry %d", index)
		}
		dst[i] = dictionary[index]
	}
	return nil
}

func plainInts(dst []int64, b []byte, kind format.Type) error {
	if kind == format.Int32 {
		if len(b) < 4*len(dst) {
			return errShort
		}
		for i := range dst {
			dst[i] = int64(int32(binary.LittleEndian.Uint32(b[4*i:])))
		}
		return nil
	}
	if len(b) < 8*len(dst) {
		return errShort
	}
	for i := range dst {
		dst[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return nil
}

func plainTexts(dst []string, b []byte) error {
	for i := range dst {
		if len(b) < 4 {
			return errShort
		}
		n := int64(binary.LittleEndian.Uint32(b))
		if n > int64(len(b)-4) {
			return errShort
		}
		dst[i] = view(b[4 : 4+n])
		b = b[4+n:]
	}
	return nil
}

// wideTexts is the inverse of appendWide.
func wideTexts(dst []string, b []byte, scale int) error {
	if len(b) < wideBytes*len(dst) {
		return errShort
	}
	var buf []byte
	for i := range dst {
		hi, lo := binary.BigEndian.Uint64(b[wideBytes*i:]), binary.BigEndian.Uint64(b[wideBytes*i+8:])
		buf = appendDigits(buf[:0], hi, lo, scale)
		dst[i] = string(buf)
	}
	return nil
}

// appendDigits appends a two's complement number of 128 bits with scale digits
// behind the point.
func appendDigits(dst []byte, hi, lo uint64, scale int) []byte {
	if int64(hi) < 0 {
		dst = append(dst, '-')
		var borrow uint64
		lo, borrow = bits.Sub64(0, lo, 0)
		hi, _ = bits.Sub64(0, hi, borrow)
	}
	var digits [40]byte
	at := len(digits)
	for hi|lo != 0 || len(digits)-at <= scale {
		var rest uint64
		hi, rest = hi/10, hi%10
		lo, rest = bits.Div64(rest, lo, 10)
		at--
		digits[at] = byte('0' + rest)
	}
	point := len(digits) - scale
	dst = append(dst, digits[at:point]...)
	if scale == 0 {
		return dst
	}
	dst = append(dst, '.')
	return append(dst, digits[point:]...)
}

// pageHeader is what the reader needs of a page's header.
type pageHeader struct {
	kind          format.PageType
	plain, packed int // sizes before and after compression
	values        int
	encoding      format.Encoding
}

func readPageHeader(b []byte) (h pageHeader, n int, err error) {
	var p format.PageHeader
	r := new(thrift.CompactProtocol).NewReaderFromBytes(b)
	if err := thrift.NewDecoder(r).Decode(&p); err != nil {
		return h, 0, fmt.Errorf("read page header: %w", err)
	}
	h = pageHeader{kind: p.Type, plain: int(p.UncompressedPageSize), packed: int(p.CompressedPageSize)}
	switch {
	case p.DataPageHeader.Valid:
		h.values, h.encoding = int(p.DataPageHeader.V.NumValues), p.DataPageHeader.V.Encoding
	case p.DictionaryPageHeader.Valid:
		h.values = int(p.DictionaryPageHeader.V.NumValues)
	default:
		return h, 0, errors.New("a page is of a kind the writer does not write")
	}
	if h.packed < 0 || h.values < 0 {
		return h, 0, errShort
	}
	return h, r.BytesRead(), nil
}
