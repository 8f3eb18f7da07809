package ingest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"taihu/catalog"
)

const (
	maxFooter = 128 << 20 // bytes
	// parquetBatch is how many values of a column are decoded at once.
	parquetBatch = 1024
)

// parquetSource reads a Parquet file of flat columns as one table with the types
// its schema states. Everything the footer says is checked against the file and
// against itself before a page is read; the values are decoded and written anew
// by the pipeline, never passed on.
type parquetSource struct {
	in      Input
	raw     *os.File
	file    *parquet.File
	columns []parquetColumn
	readers []parquetReader
	group   int   // of the row groups, the next to open
	left    int64 // rows of the open one
	row     int64 // rows given
	bytes   int64 // given
	opened  bool
}

// openParquet opens the Parquet file at in.Path.
func openParquet(in Input) (Source, error) {
	in.Report.Format = "parquet"
	f, err := os.Open(in.Path)
	if err != nil {
		return nil, fmt.Errorf("open upload: %w", err)
	}
	s := &parquetSource{in: in, raw: f}
	if err := s.open(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

func (s *parquetSource) open() error {
	if err := checkFooter(s.raw, s.in.Size); err != nil {
		return err
	}
	err := guardParquet(func() (err error) {
		s.file, err = parquet.OpenFile(s.raw, s.in.Size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
		return err
	})
	if err != nil {
		return err
	}
	meta := s.file.Metadata()
	if meta.EncryptionAlgorithm.Value != nil {
		return refuse("encrypted", "Parquet 文件已加密。", "The Parquet file is encrypted.")
	}
	if err := s.schema(meta.Schema); err != nil {
		return err
	}
	return checkGroups(meta, s.in.Size, s.in.Limits.Rows)
}

// checkFooter checks the magic bytes at both ends and the length of the footer.
func checkFooter(r io.ReaderAt, size int64) error {
	var head [4]byte
	var tail [8]byte
	if size < 12 {
		return refuse("malformed_parquet", "文件只有 %d 字节，不是完整的 Parquet。", "The file has %d bytes, which is no whole Parquet file.", size)
	}
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return fmt.Errorf("read upload: %w", err)
	}
	if _, err := r.ReadAt(tail[:], size-8); err != nil {
		return fmt.Errorf("read upload: %w", err)
	}
	footer := int64(binary.LittleEndian.Uint32(tail[:4]))
	switch {
	case string(head[:]) == "PARE" || string(tail[4:]) == "PARE":
		return refuse("encrypted", "Parquet 文件已加密。", "The Parquet file is encrypted.")
	case string(head[:]) != "PAR1":
		return refuse("malformed_parquet", "文件开头没有 PAR1。", "The file does not begin with PAR1.")
	case string(tail[4:]) != "PAR1":
		return refuse("cut_archive", "Parquet 文件末尾缺失（没有 PAR1）。", "The Parquet file is cut off: it does not end with PAR1.")
	case footer > size-12, footer == 0:
		return refuse("malformed_parquet", "文件尾声称长 %d 字节，文件共 %d 字节。", "The footer claims %d bytes in a file of %d.", footer, size)
	case footer > maxFooter:
		return refuse("archive_too_large", "文件尾长 %d 字节，最多 %d。", "The footer has %d bytes; at most %d are allowed.", footer, maxFooter)
	}
	return nil
}

// schema maps the columns; the first element is the root.
func (s *parquetSource) schema(elements []format.SchemaElement) error {
	if len(elements) < 2 {
		return refuse("no_tables", "Parquet 文件没有列。", "The Parquet file has no columns.")
	}
	if n := len(elements) - 1; n > s.in.Limits.Columns {
		return refuse("too_many_columns", "有 %d 列，最多 %d 列。", "There are %d columns; at most %d are allowed.", n, s.in.Limits.Columns)
	}
	for i := range elements[1:] {
		e := &elements[i+1]
		if e.NumChildren.Valid && e.NumChildren.V > 0 || e.RepetitionType.Valid && e.RepetitionType.V == format.Repeated {
			return refuse("unsupported_parquet", "列 %q 是嵌套的（LIST、MAP 或 STRUCT）。", "The column %q is nested (a list, map or struct).", shorten(e.Name)).at(0, e.Name, "")
		}
		c, ok := parquetColumnOf(e)
		if !ok {
			return refuse("unsupported_parquet", "列 %[1]q 的类型 %[2]s 不支持。", "The type %[2]s of the column %[1]q is not supported.", shorten(e.Name), typeWords(e)).at(0, e.Name, "")
		}
		s.columns = append(s.columns, c)
	}
	return nil
}

func typeWords(e *format.SchemaElement) string {
	if !e.Type.Valid {
		return "?"
	}
	if e.LogicalType.Value != nil {
		return e.Type.V.String() + " " + e.LogicalType.String()
	}
	if e.ConvertedType.Valid && e.ConvertedType.V == deprecated.Interval {
		return e.Type.V.String() + " INTERVAL"
	}
	return e.Type.V.String()
}

// checkGroups holds the row groups to the schema, the row count and the file.
func checkGroups(meta *format.FileMetaData, size, maxRows int64) error {
	columns := len(meta.Schema) - 1
	var rows int64
	for g := range meta.RowGroups {
		group := &meta.RowGroups[g]
		if group.NumRows < 0 || len(group.Columns) != columns {
			return refuse("malformed_parquet", "第 %d 个行组的行数或列数不对。", "Row group %d has a wrong number of rows or columns.", g+1)
		}
		for i := range group.Columns {
			m, name := &group.Columns[i].MetaData, meta.Schema[i+1].Name
			if err := checkChunk(m, name, group.NumRows, size); err != nil {
				return err
			}
			if wideDeltas(m, meta.CreatedBy) {
				return refuse("unsupported_parquet", "列 %q 的差值编码可能超出32位，不支持。", "The deltas of the column %q may be wider than 32 bits, which is not supported.", shorten(name)).at(0, name, "")
			}
		}
		if rows += group.NumRows; rows < 0 || rows > maxRows {
			return refuse("too_many_rows", "文件有 %d 行，最多 %d 行。", "The file has %d rows; at most %d are allowed.", rows, maxRows)
		}
	}
	if rows != meta.NumRows {
		return refuse("malformed_parquet", "文件尾写明 %d 行，各行组共 %d 行。", "The footer states %d rows, the row groups have %d.", meta.NumRows, rows)
	}
	return nil
}

func checkChunk(m *format.ColumnMetaData, name string, rows, size int64) error {
	switch m.Codec {
	case format.Uncompressed, format.Snappy, format.Gzip, format.Zstd:
	default: // LZ4_RAW too: parquet-go v0.32.0 reads pages of it that compress well as wrong values
		return refuse("unsupported_parquet", "列 %[1]q 的压缩方法 %[2]s 不支持。", "The compression %[2]s of the column %[1]q is not supported.", shorten(name), m.Codec.String()).at(0, name, "")
	}
	if m.Type == format.Boolean && m.NumValues != 0 && runLength(m) { // a column of no rows has no values to encode
		return refuse("unsupported_parquet", "布尔列 %q 使用了 RLE 编码，不支持。", "The boolean column %q uses the RLE encoding, which is not supported.", shorten(name)).at(0, name, "")
	}
	start := m.DataPageOffset
	if d := m.DictionaryPageOffset; d > 0 && d < start {
		start = d
	}
	if m.NumValues != rows || m.TotalCompressedSize < 0 || m.TotalUncompressedSize < 0 || start < 0 || start > size-m.TotalCompressedSize {
		return refuse("malformed_parquet", "列 %q 的位置或值数不对。", "The place or the number of values of the column %q is wrong.", shorten(name)).at(0, name, "")
	}
	return nil
}

// runLength reports whether the values of a chunk, not only its levels, are
// encoded as RLE. parquet-go v0.32.0 reads such booleans wrongly (its decodeBits
// fills runs of true with 0x01 and runs that end within a byte to its end).
func runLength(m *format.ColumnMetaData) bool {
	for _, s := range m.EncodingStats {
		if s.Encoding == format.RLE && (s.PageType == format.DataPage || s.PageType == format.DataPageV2) {
			return true
		}
	}
	return !slices.Contains(m.Encoding, format.Plain)
}

// wideDeltas reports whether the differences between the 32-bit values of a chunk
// may be packed in more than 32 bits, as DuckDB does with PARQUET_VERSION V2:
// parquet-go v0.32.0 reads such blocks as wrong values. The writers named here
// let a difference wrap round instead, as the format wants; of others, values
// less than 2^31 apart have none that wide.
func wideDeltas(m *format.ColumnMetaData, createdBy string) bool {
	if m.Type != format.Int32 || m.NumValues == 0 || !slices.Contains(m.Encoding, format.DeltaBinaryPacked) {
		return false
	}
	for _, writer := range []string{"parquet-cpp-arrow", "parquet-mr", "github.com/parquet-go"} {
		if strings.HasPrefix(createdBy, writer) {
			return false
		}
	}
	low, high := m.Statistics.MinValue, m.Statistics.MaxValue
	if len(low) != 4 || len(high) != 4 {
		return m.Statistics.NullCount < m.NumValues
	}
	from, to := binary.LittleEndian.Uint32(low), binary.LittleEndian.Uint32(high)
	signed, unsigned := int64(int32(to))-int64(int32(from)), int64(to)-int64(from)
	return (signed < 0 || signed >= 1<<31) && (unsigned < 0 || unsigned >= 1<<31)
}

// guardParquet turns errors and panics of the decoder into a verdict: it reads a
// local file that was just checked, so what fails is the content.
func guardParquet(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = refuse("malformed_parquet", "", "")
		}
	}()
	err = f()
	var r *Refusal
	if err == nil || errors.As(err, &r) {
		return err
	}
	return refuse("malformed_parquet", "Parquet 文件无法读取：%v", "The Parquet file cannot be read: %v", shorten(err.Error()))
}

// Next opens the one table.
func (s *parquetSource) Next() (*Header, error) {
	if s.opened {
		return nil, io.EOF
	}
	s.opened = true
	h := &Header{Why: catalog.Text{Zh: "列名取自 Parquet 的列定义", En: "columns are those of the Parquet schema"}}
	for _, c := range s.columns {
		h.Columns = append(h.Columns, c.name)
		h.Declared = append(h.Declared, c.declared)
	}
	return h, nil
}

// Read gives the following rows, within one row group.
func (s *parquetSource) Read(c *Chunk) error {
	return s.guardRow(guardParquet(func() error { return s.read(c) }))
}

// guardRow lets io.EOF through and places a refusal that has no row.
func (s *parquetSource) guardRow(err error) error {
	var r *Refusal
	if errors.As(err, &r) {
		if r.Finding.Code == endOfParquet.Finding.Code {
			return io.EOF
		}
		if r.Finding.Row == 0 {
			r.Finding.Row = s.row + 1
		}
	}
	return err
}

// endOfParquet stands for io.EOF inside the guard, where a bare io.EOF would be
// one that the decoder met too early.
var endOfParquet = &Refusal{catalog.Finding{Code: "end"}}

func (s *parquetSource) read(c *Chunk) error {
	for s.left == 0 {
		groups := s.file.RowGroups()
		if s.group == len(groups) {
			return endOfParquet
		}
		s.openGroup(groups[s.group])
		s.group++
	}
	rows := int(min(s.left, int64(chunkRows), s.rowsPerChunk()))
	for i := range s.readers {
		if err := s.readColumn(i, &c.Columns[i], rows); err != nil {
			return err
		}
	}
	for range rows {
		s.row++
		c.EndRow(s.row)
	}
	s.left -= int64(rows)
	return nil
}

// rowsPerChunk keeps chunks of wide rows small, judged by the rows so far.
func (s *parquetSource) rowsPerChunk() int64 {
	if s.row == 0 {
		return 64
	}
	return max(16, chunkBytes*s.row/(s.bytes+1))
}

func (s *parquetSource) openGroup(group parquet.RowGroup) {
	s.closeReaders()
	s.left = group.NumRows()
	if s.left == 0 {
		return
	}
	for _, chunk := range group.ColumnChunks() {
		s.readers = append(s.readers, parquetReader{pages: chunk.Pages()})
	}
}

// readColumn appends that many values of column i.
func (s *parquetSource) readColumn(i int, k *Column, rows int) error {
	col, r := &s.columns[i], &s.readers[i]
	for n := range rows {
		v, err := r.next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				return refuse("malformed_parquet", "列 %q 的值比写明的少。", "The column %q holds fewer values than stated.", shorten(col.name)).at(s.row+int64(n)+1, col.name, "")
			}
			return err
		}
		if v.IsNull() {
			k.AppendNull()
			continue
		}
		start := len(k.Data)
		data, ok := col.text(k.Data, v)
		if !ok {
			return refuse("unsupported_parquet", "列 %q 的值无法表示（不是 UTF-8 文字，或超出日历、精度）。", "A value of the column %q cannot be represented (no UTF-8 text, or beyond the calendar or the precision).", shorten(col.name)).
				at(s.row+int64(n)+1, col.name, v.String())
		}
		size := len(data) - start
		if s.bytes += int64(size); s.bytes > s.in.Limits.Inflate {
			return refuse("archive_too_large", "内容超过 %d 字节。", "The content has more than %d bytes.", s.in.Limits.Inflate).at(s.row+int64(n)+1, col.name, "")
		}
		if size > s.in.Limits.Cell || len(data) > 1<<31 {
			return refuse("cell_too_long", "单元格有 %d 字节，最多 %d。", "A cell has %d bytes; at most %d are allowed.", size, s.in.Limits.Cell).at(s.row+int64(n)+1, col.name, "")
		}
		k.Data = data
		k.endCell(Plain)
	}
	return nil
}

// closeReaders lets go of the pages of a row group.
func (s *parquetSource) closeReaders() {
	for i := range s.readers {
		s.readers[i].close()
	}
	s.readers = s.readers[:0]
}

// Close lets go of the file.
func (s *parquetSource) Close() error {
	err := guardParquet(func() error { s.closeReaders(); return nil })
	return errors.Join(err, s.raw.Close())
}

// parquetReader gives the values of one column chunk one by one.
type parquetReader struct {
	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	buf    []parquet.Value
	at, n  int
	ended  bool
	empty  int // pages without values in a row
}

// next returns the next value, valid until the one after.
func (r *parquetReader) next() (*parquet.Value, error) {
	for r.at == r.n {
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
	v := &r.buf[r.at]
	r.at++
	return v, nil
}

func (r *parquetReader) fill() error {
	if r.buf == nil {
		r.buf = make([]parquet.Value, parquetBatch)
	}
	r.at, r.n = 0, 0
	if r.values == nil {
		page, err := r.pages.ReadPage()
		if err != nil {
			return err
		}
		r.page, r.values, r.ended = page, page.Values(), false
	}
	if !r.ended {
		n, err := r.values.ReadValues(r.buf)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		r.n, r.ended = n, errors.Is(err, io.EOF) || n == 0
		if r.empty++; n > 0 {
			r.empty = 0
		} else if r.empty > 1000 {
			return io.ErrNoProgress
		}
		return nil
	}
	parquet.Release(r.page)
	r.page, r.values = nil, nil
	return nil
}

func (r *parquetReader) close() {
	if r.page != nil {
		parquet.Release(r.page)
	}
	_ = r.pages.Close() // of a file that was only read
}
