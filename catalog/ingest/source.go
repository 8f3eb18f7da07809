package ingest

import (
	"unsafe"

	"taihu/catalog"
)

// A chunk is handed on when it has this many rows or bytes, whichever comes
// first: few enough to stay in a core's cache, enough to spread fixed costs.
const (
	chunkRows  = 8192
	chunkBytes = 2 << 20
)

// Input is an uploaded file as a reader opens it.
type Input struct {
	Path    string // local file
	Name    string // as uploaded, without .gz once inflated; never used as a path
	Size    int64
	Options catalog.IngestOptions
	Limits  Limits
	TempDir string
	Office  string // LibreOffice, which converts .xls and .ods; empty: there is none
	// Report takes what the reader finds out about the file as a whole: Format,
	// Encoding, Delimiter, Quote, HeaderRow.
	Report *catalog.Report
	// Findings takes everything else worth telling.
	Findings *Findings
}

// Source reads the tables of one file, one after the other. It is used by one
// goroutine at a time. Each error that is a verdict on the file is a *Refusal;
// any other is the portal's own trouble.
type Source interface {
	// Next opens the next table; io.EOF after the last.
	Next() (*Header, error)
	// Read fills c, already reset, with the following rows of the table, at least
	// one; io.EOF (and no rows) after the last. Every chunk of a table has one
	// Column for each of Header.Columns.
	Read(c *Chunk) error
	Close() error
}

// Header says what a table is before its rows are read.
type Header struct {
	Sheet string // the table's own name in the file; empty where a file is one table
	// Columns are the header cells as they stand; the pipeline makes names of
	// them (nameColumns). An empty one becomes column_N.
	Columns []string
	// Declared is what the file's own schema says of each column (Parquet); nil
	// where it has none. The zero Declared leaves a column to the evidence.
	Declared []Declared
	// LeftOut are the columns, counted from 0, that the steward leaves out because
	// they are hidden in the file.
	LeftOut []int
	// Row is the 1-based row of the header, 0 where there is none. Why is how
	// that was decided; it is shown where it was found out, not stated.
	Row   int64
	Why   catalog.Text
	Depth int // rows the header takes; 0 and 1 mean one
	// Title, Unit and Notes are what stands above and below the table. Notes are
	// complete once it has been read.
	Title, Unit string
	Notes       []string
}

// Declared is a column's type as stated by the file. Its cells must be in the
// canonical text of that type (architecture.md §6) or null, and are taken
// without weighing evidence; null words do not apply.
type Declared struct {
	Type      catalog.Type // empty: not stated
	Precision int
	Scale     int
	Zone      string
}

// Kind says what a source knows of a cell beyond its text.
type Kind uint8

// The kinds.
const (
	// Plain is text in which the evidence may see any type, as in CSV.
	Plain Kind = iota
	// Textual is a cell stated to be text (a JSON string, an XLSX text cell): it
	// is no evidence for boolean, integer, decimal or number, but may be a date.
	Textual
	// Nested is a JSON array or object.
	Nested
)

// Chunk is some rows of a table, column by column. Readers append with
// Column.Append; the pipeline reuses chunks.
type Chunk struct {
	Len int
	// Rows holds the source's row number of each row, as a person counts rows in
	// an editor or spreadsheet (a CSV record of two lines counts where it begins).
	Rows    []int64
	Columns []Column
}

// Column is one column of a chunk.
type Column struct {
	Data []byte   // the cells' UTF-8 text, one after another
	Ends []uint32 // Ends[i] is where cell i ends in Data
	Null []bool   // nil: no nulls; else one for each cell. A null cell has no bytes.
	// Kinds is nil where every cell is Plain.
	Kinds []Kind
	nulls []bool // the memory of Null while it is nil
}

// Reset empties the chunk for a table of that many columns and keeps its memory.
func (c *Chunk) Reset(columns int) {
	c.Len = 0
	c.Rows = c.Rows[:0]
	if cap(c.Columns) < columns {
		c.Columns = append(c.Columns[:cap(c.Columns)], make([]Column, columns-cap(c.Columns))...)
	}
	c.Columns = c.Columns[:columns]
	for i := range c.Columns {
		k := &c.Columns[i]
		if k.Null != nil {
			k.nulls = k.Null
		}
		k.Data, k.Ends, k.Null, k.Kinds = k.Data[:0], k.Ends[:0], nil, nil
	}
}

// Full reports whether a chunk of that many rows and bytes should be handed on.
func (c *Chunk) Full(bytes int) bool { return c.Len >= chunkRows || bytes >= chunkBytes }

// EndRow counts a row whose cells have all been appended; row is its number in
// the source.
func (c *Chunk) EndRow(row int64) {
	c.Rows = append(c.Rows, row)
	c.Len++
}

// Append adds a cell of kind Plain.
func (k *Column) Append(cell []byte) {
	k.Data = append(k.Data, cell...)
	k.Ends = append(k.Ends, uint32(len(k.Data)))
	if k.Null != nil {
		k.Null = append(k.Null, false)
	}
	if k.Kinds != nil {
		k.Kinds = append(k.Kinds, Plain)
	}
}

// AppendKind adds a cell of the given kind.
func (k *Column) AppendKind(cell []byte, kind Kind) {
	if kind != Plain && k.Kinds == nil {
		k.Kinds = make([]Kind, len(k.Ends), cap(k.Ends)+1)
	}
	k.Append(cell)
	if kind != Plain {
		k.Kinds[len(k.Kinds)-1] = kind
	}
}

// endCell ends a cell whose bytes the reader has appended to Data itself.
func (k *Column) endCell(kind Kind) {
	k.Ends = append(k.Ends, uint32(len(k.Data)))
	if k.Null != nil {
		k.Null = append(k.Null, false)
	}
	if kind != Plain && k.Kinds == nil {
		k.Kinds = make([]Kind, len(k.Ends)-1, chunkRows)
	}
	if k.Kinds != nil {
		k.Kinds = append(k.Kinds, kind)
	}
}

// AppendNull adds a null cell.
func (k *Column) AppendNull() {
	if k.Null == nil {
		k.Null = k.nulls[:0]
		for range k.Ends {
			k.Null = append(k.Null, false)
		}
	}
	k.Ends = append(k.Ends, uint32(len(k.Data)))
	k.Null = append(k.Null, true)
	if k.Kinds != nil {
		k.Kinds = append(k.Kinds, Plain)
	}
}

// Cell returns the bytes of cell i, valid as long as the chunk.
func (k *Column) Cell(i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = k.Ends[i-1]
	}
	return k.Data[start:k.Ends[i]]
}

// IsNull reports whether cell i is null.
func (k *Column) IsNull(i int) bool { return k.Null != nil && k.Null[i] }

// kind returns the kind of cell i.
func (k *Column) kind(i int) Kind {
	if k.Kinds == nil {
		return Plain
	}
	return k.Kinds[i]
}

// strings appends every cell as a string that shares the column's memory.
func (k *Column) strings(dst []string) []string {
	start := uint32(0)
	for _, end := range k.Ends {
		dst = append(dst, unsafe.String(unsafe.SliceData(k.Data[start:]), int(end-start)))
		start = end
	}
	return dst
}
