package parquet

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

const (
	level = zstd.SpeedFastest
	// pageRows is how many rows a data page holds: few, as a page of a table reads
	// one of each column (BenchmarkReader).
	pageRows = 4096
	// pageBytes is about how much PLAIN text a page holds before compression: little,
	// as most of what a page of rows decompresses is text.
	pageBytes = 64 << 10
)

// chunk is the metadata of an encoded column, with offsets relative to its first
// byte.
type chunk struct {
	encoding  format.Encoding
	dictBytes int // length of the dictionary page with its header; 0: none
	pages     []page
	raw       int // sum of the page sizes before compression, headers included
	stats     format.Statistics
}

// page is where a data page stands in its chunk.
type page struct {
	offset, size int // of header and values
	row          int // its first, in the row group
}

// index returns the offset index of a chunk that begins at offset.
func (c *chunk) index(offset int64) *format.OffsetIndex {
	index := &format.OffsetIndex{PageLocations: make([]format.PageLocation, len(c.pages))}
	for i, p := range c.pages {
		index.PageLocations[i] = format.PageLocation{Offset: offset + int64(p.offset), CompressedPageSize: int32(p.size), FirstRowIndex: int64(p.row)}
	}
	return index
}

// meta returns the column's metadata for a chunk that begins at offset.
func (c *column) meta(offset int64) format.ColumnMetaData {
	m := format.ColumnMetaData{
		Type: c.kind, Codec: format.Zstd, PathInSchema: []string{c.spec.Name}, NumValues: int64(c.rows),
		TotalUncompressedSize: int64(c.chunk.raw), TotalCompressedSize: int64(len(c.out)),
		DataPageOffset: offset + int64(c.chunk.dictBytes), Statistics: c.chunk.stats,
		Encoding: []format.Encoding{c.chunk.encoding, format.RLE},
	}
	if c.chunk.dictBytes > 0 {
		m.DictionaryPageOffset = offset
		m.Encoding = []format.Encoding{format.Plain, format.RLE, format.RLEDictionary}
		m.EncodingStats = append(m.EncodingStats, format.PageEncodingStats{PageType: format.DictionaryPage, Encoding: format.Plain, Count: 1})
	}
	m.EncodingStats = append(m.EncodingStats, format.PageEncodingStats{PageType: format.DataPage, Encoding: c.chunk.encoding, Count: int32(len(c.chunk.pages))})
	return m
}

// encode fills out and chunk from the gathered values.
func (c *column) encode(s *scratch) {
	c.out = c.out[:0]
	c.chunk = chunk{encoding: format.Plain, pages: c.chunk.pages[:0]}
	c.chunk.stats = c.statistics()
	switch c.kind {
	case format.Boolean:
		c.err = c.dataPages(s, func(dst []byte, lo, hi int) []byte { return appendBits(dst, c.bools[lo:hi]) })
	case format.FixedLenByteArray:
		c.err = c.dataPages(s, func(dst []byte, lo, hi int) []byte { return append(dst, c.bytes[lo*wideBytes:hi*wideBytes]...) })
	case format.ByteArray:
		c.err = c.encodeTexts(s)
	default:
		c.err = c.encodeWords(s)
	}
}

// encodeWords takes the smallest of dictionary, delta (not for doubles) and
// PLAIN.
func (c *column) encodeWords(s *scratch) error {
	width := 8
	if c.kind == format.Int32 {
		width = 4
	}
	best := len(c.words) * width
	delta := false
	if c.kind != format.Double {
		s.delta, s.ends = s.delta[:0], s.ends[:0]
		c.eachPage(func(_, _, lo, hi int) {
			s.delta = appendDelta(s.delta, c.words[lo:hi])
			s.ends = append(s.ends, len(s.delta))
		})
		if delta = len(s.delta) < best*9/10; delta {
			best = len(s.delta)
		}
	}
	if s.dict.words(c.words, &s.indexes) {
		if size := len(s.dict.keys)*width + len(s.indexes)*s.dict.width()/8; size < best {
			return c.dictionary(s, len(s.dict.keys), func(dst []byte) []byte { return appendWords(dst, s.dict.keys, width) })
		}
	}
	if delta {
		c.chunk.encoding = format.DeltaBinaryPacked
		from := 0
		return c.dataPages(s, func(dst []byte, _, _ int) []byte {
			to := s.ends[len(c.chunk.pages)]
			dst = append(dst, s.delta[from:to]...)
			from = to
			return dst
		})
	}
	return c.dataPages(s, func(dst []byte, lo, hi int) []byte { return appendWords(dst, c.words[lo:hi], width) })
}

// encodeTexts takes a dictionary where it is clearly smaller, else PLAIN, where a
// page ends early at about pageBytes.
func (c *column) encodeTexts(s *scratch) error {
	if s.dict.texts(c.bytes, c.texts, &s.indexes) {
		if size := s.dict.bytes + len(s.indexes)*s.dict.width()/8; size < len(c.bytes)*3/4 {
			return c.dictionary(s, len(s.dict.starts), func(dst []byte) []byte { return s.dict.appendTexts(dst, c.bytes) })
		}
	}
	row, from, at := 0, 0, 0
	for i := range c.rows {
		if c.nulls == 0 || !c.null[i] {
			at += 4 + int(binary.LittleEndian.Uint32(c.bytes[at:]))
		}
		if at-from >= pageBytes || i+1-row == pageRows || i == c.rows-1 {
			part := c.bytes[from:at]
			if err := c.dataPage(s, row, i+1, func(dst []byte) []byte { return append(dst, part...) }); err != nil {
				return err
			}
			row, from = i+1, at
		}
	}
	return nil
}

// dictionary writes the dictionary page and the pages of s.indexes.
func (c *column) dictionary(s *scratch, entries int, values func([]byte) []byte) error {
	s.page = values(s.page[:0])
	c.chunk.encoding = format.RLEDictionary
	err := c.page(s, &format.PageHeader{Type: format.DictionaryPage, DictionaryPageHeader: thrift.New(format.DictionaryPageHeader{NumValues: int32(entries), Encoding: format.Plain})})
	if err != nil {
		return err
	}
	c.chunk.dictBytes = len(c.out)
	width := s.dict.width()
	return c.dataPages(s, func(dst []byte, lo, hi int) []byte {
		return appendHybrid(append(dst, byte(width)), s.indexes[lo:hi], width)
	})
}

// eachPage cuts the rows into pages and calls do with each one's rows from … to and
// its values lo … hi among those that are not null.
func (c *column) eachPage(do func(from, to, lo, hi int)) {
	lo := 0
	for from := 0; from < c.rows; from += pageRows {
		to := min(from+pageRows, c.rows)
		hi := lo + to - from
		if c.nulls > 0 {
			for _, null := range c.null[from:to] {
				if null {
					hi--
				}
			}
		}
		do(from, to, lo, hi)
		lo = hi
	}
}

// dataPages writes all rows in pages of pageRows; values appends the values lo … hi
// of those that are not null.
func (c *column) dataPages(s *scratch, values func(dst []byte, lo, hi int) []byte) (err error) {
	c.eachPage(func(from, to, lo, hi int) {
		if err == nil {
			err = c.dataPage(s, from, to, func(dst []byte) []byte { return values(dst, lo, hi) })
		}
	})
	return err
}

// dataPage writes rows from … to as a data page (v1): definition levels, then
// what values appends.
func (c *column) dataPage(s *scratch, from, to int, values func([]byte) []byte) error {
	nulls := 0
	s.page = append(s.page[:0], 0, 0, 0, 0)
	if c.nulls == 0 {
		s.page = appendRun(s.page, 1, to-from, 1)
	} else {
		s.levels = s.levels[:0]
		for _, null := range c.null[from:to] {
			if null {
				nulls++
				s.levels = append(s.levels, 0)
			} else {
				s.levels = append(s.levels, 1)
			}
		}
		s.page = appendHybrid(s.page, s.levels, 1)
	}
	binary.LittleEndian.PutUint32(s.page, uint32(len(s.page)-4))
	s.page = values(s.page)
	offset := len(c.out)
	err := c.page(s, &format.PageHeader{Type: format.DataPage, DataPageHeader: thrift.New(format.DataPageHeader{
		NumValues: int32(to - from), Encoding: c.chunk.encoding, DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
		Statistics: format.Statistics{NullCount: int64(nulls)},
	})})
	c.chunk.pages = append(c.chunk.pages, page{offset, len(c.out) - offset, from})
	return err
}

// page compresses s.page and appends header and page to out.
func (c *column) page(s *scratch, h *format.PageHeader) error {
	if len(s.page) > math.MaxInt32 {
		return fmt.Errorf("a page of %d bytes cannot be stored", len(s.page))
	}
	s.packed = s.zstd.EncodeAll(s.page, s.packed[:0])
	h.UncompressedPageSize, h.CompressedPageSize = int32(len(s.page)), int32(len(s.packed))
	header, err := thrift.Marshal(new(thrift.CompactProtocol), h)
	if err != nil {
		return fmt.Errorf("encode page header: %w", err)
	}
	c.chunk.raw += len(header) + len(s.page)
	c.out = append(append(c.out, header...), s.packed...)
	if cap(s.page) > 4*pageBytes {
		s.page = nil
	}
	return nil
}

func appendWords(dst []byte, words []uint64, width int) []byte {
	if width == 4 {
		for _, v := range words {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(v))
		}
		return dst
	}
	for _, v := range words {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	return dst
}
