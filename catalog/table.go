package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Type is the type of a column (architecture.md §6).
type Type string

// The types.
const (
	Boolean  Type = "boolean"
	Integer  Type = "integer"  // 64 bit
	Decimal  Type = "decimal"  // Field.Precision (at most 38), Field.Scale
	Number   Type = "number"   // IEEE double
	Date     Type = "date"     // proleptic Gregorian
	Time     Type = "time"     // of day, microseconds
	Datetime Type = "datetime" // local wall clock in microseconds; Field.Zone is its offset
	String   Type = "text"
	JSON     Type = "json"
)

// Types lists every type.
var Types = []Type{Boolean, Integer, Decimal, Number, Date, Time, Datetime, String, JSON}

// RowNumber is the reserved name of the 1-based position of a row. It can be
// compared, sorted by and selected, and is in an answer only when selected.
const RowNumber = "_row"

// DefaultZone is the offset of datetimes that state none.
const DefaultZone = "+08:00"

// Code is one entry of a field's code list.
type Code struct {
	Value string `json:"value"`
	Label Text   `json:"label"`
}

// Field is one column of a table.
type Field struct {
	ID          string `json:"id"`               // stable from release to release
	Name        string `json:"name"`             // the header as written: trimmed, NFC, unique without regard to case
	Header      string `json:"header,omitempty"` // the header cell byte for byte, where it differs from Name
	Latin       string `json:"latin,omitempty"`  // a Latin name beside it, only where the steward sets one
	Type        Type   `json:"type"`
	Precision   int    `json:"precision,omitempty"` // of a decimal
	Scale       int    `json:"scale,omitempty"`
	Zone        string `json:"zone,omitempty"` // of a datetime: ±hh:mm or Z
	Label       Text   `json:"label"`
	Unit        string `json:"unit,omitempty"`
	Description Text   `json:"description"`
	Codes       []Code `json:"codes,omitempty"`
	Rules       Rules  `json:"rules,omitzero"` // what the dataset's contract asks of the values
}

// Schema is the ordered columns of a table.
type Schema struct {
	Fields []Field `json:"fields"`
	// Key is the names of the columns that, as its steward declares, tell the rows
	// apart; empty: none is declared.
	Key []string `json:"key,omitempty"`
}

// CheckKey returns Invalid where a key names what is no column, or one twice.
func (s *Schema) CheckKey(key []string) error {
	for i, name := range key {
		if !slices.ContainsFunc(s.Fields, func(f Field) bool { return f.Name == name }) {
			return Errorf(Invalid, "unknown_column", "there is no column %q; there are %s", name, strings.Join(s.Names(), ", ")).
				With("column", name).With("columns", s.Names()).InChinese("没有名为“%s”的列", name)
		}
		if slices.Contains(key[:i], name) {
			return Errorf(Invalid, "bad_key", "the key names the column %q twice: name it once", name).
				With("column", name).InChinese("主键里列“%s”写了两次：只写一次", name)
		}
	}
	return nil
}

// Index returns the position of the field called name, or -1. Names are matched
// exactly first, then by their Latin name, then without regard to ASCII case.
func (s *Schema) Index(name string) int {
	if i := slices.IndexFunc(s.Fields, func(f Field) bool { return f.Name == name }); i >= 0 {
		return i
	}
	if i := slices.IndexFunc(s.Fields, func(f Field) bool { return f.Latin != "" && f.Latin == name }); i >= 0 {
		return i
	}
	return slices.IndexFunc(s.Fields, func(f Field) bool { return strings.EqualFold(f.Name, name) })
}

// Names returns the columns' names in order.
func (s *Schema) Names() []string {
	names := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		names[i] = f.Name
	}
	return names
}

// Part is one Parquet file of a table: its blob and how many rows it holds.
// A part's column _row counts on from the part before.
type Part struct {
	Blob Blob  `json:"blob"`
	Rows int64 `json:"rows"`
}

// Table is tabular content of a release under a stable name.
type Table struct {
	ID            string   `json:"id"`
	ReleaseID     string   `json:"release_id"`
	Name          string   `json:"name"`
	Title         Text     `json:"title"` // the file's or sheet's own name
	Position      int      `json:"position"`
	Schema        Schema   `json:"schema"`
	Profile       *Profile `json:"profile,omitempty"`
	Rows          int64    `json:"rows"`
	Parts         []Part   `json:"parts"`
	TextBlob      Blob     `json:"text_blob"` // the file's cells as text in Parquet; where rows were added to a table, of those alone
	FileID        string   `json:"file_id"`   // the source
	SourceSHA256  string   `json:"source_sha256"`
	TableSHA256   string   `json:"table_sha256"`   // of the list of parts
	ContentSHA256 string   `json:"content_sha256"` // of names, types and rows: see architecture.md §6
	// Sketch is given by ingest and kept apart: no reader gets it.
	Sketch Sketch `json:"sketch,omitempty"`
	// ColumnSketches are of its columns, given by ingest and kept apart too;
	// nil: none were made.
	ColumnSketches []ColumnSketch `json:"column_sketches"`
	// Sample is a steward's sample of a conditional dataset: at most SampleRows
	// rows in the form of /rows. Empty otherwise.
	Sample    []byte    `json:"-"`
	CreatedAt time.Time `json:"created_at"`
}

// Twin is a table of the portal that holds the same rows as one that is being
// checked.
type Twin struct {
	Table   string // that is being checked
	Dataset string // slug of the other's dataset
	Title   Text   // of that dataset
	Other   string // name of the other table
}

// Profile is what ingest counted over all rows of a table.
type Profile struct {
	Rows    int64           `json:"rows"`
	Columns []ColumnProfile `json:"columns"`
}

// ColumnProfile is the statistics of one column. Values are written in the
// forms of architecture.md §6.
type ColumnProfile struct {
	Name      string    `json:"name"`
	Nulls     int64     `json:"nulls"`
	Empty     int64     `json:"empty,omitempty"` // empty texts
	Distinct  int64     `json:"distinct"`
	Exact     bool      `json:"exact"` // whether Distinct was counted, not estimated
	Min       string    `json:"min,omitempty"`
	Max       string    `json:"max,omitempty"`
	Mean      *float64  `json:"mean,omitempty"`
	Deviation *float64  `json:"deviation,omitempty"` // sample standard deviation
	Quantiles []string  `json:"quantiles,omitempty"` // 5, 25, 50, 75, 95 per cent, of numbers and dates
	MinLength int64     `json:"min_length,omitempty"`
	MaxLength int64     `json:"max_length,omitempty"` // of texts, in characters
	Top       []Count   `json:"top,omitempty"`        // at most 10, most frequent first
	More      []string  `json:"more,omitempty"`       // of texts, the values next in frequency, at most 90, by which search finds the table
	Histogram []HistBin `json:"histogram,omitempty"`  // at most 20 bins of equal width, of numbers and dates
}

// Values returns how many different values a column has that are neither null nor
// empty, and whether that is known. p may be nil.
func (p *Profile) Values(column string) (n int64, known bool) {
	if p == nil {
		return 0, false
	}
	i := slices.IndexFunc(p.Columns, func(c ColumnProfile) bool { return c.Name == column })
	if i < 0 {
		return 0, false
	}
	n = p.Columns[i].Distinct
	if p.Columns[i].Empty > 0 {
		n--
	}
	return n, true
}

// Frequent values: TopValues are counted in a profile, FrequentValues are looked for in
// a column of texts, those no longer than LongestName.
const (
	TopValues      = 10
	FrequentValues = 100
	LongestName    = 40 // characters of a value; longer ones are sentences, not names
)

// SetFrequent takes the most frequent values of a column, up to FrequentValues of them,
// the first ones first. What comes once says little of a column that has more different
// values than these.
func (p *ColumnProfile) SetFrequent(values []Count, texts bool) {
	p.Top, p.More = values[:min(len(values), TopValues)], nil
	if !texts {
		return
	}
	for _, v := range values[len(p.Top):min(len(values), FrequentValues)] {
		if (v.Rows > 1 || p.Distinct <= FrequentValues) && v.Value != "" && utf8.RuneCountInString(v.Value) <= LongestName {
			p.More = append(p.More, v.Value)
		}
	}
}

// Example is a value that the column has, a frequent or a middle one; empty where
// none is known.
func (p *ColumnProfile) Example() string {
	for _, c := range p.Top {
		if c.Value != "" {
			return c.Value
		}
	}
	if len(p.Quantiles) == 5 {
		return p.Quantiles[2]
	}
	return p.Min
}

// Count is a value and how many rows have it.
type Count struct {
	Value string `json:"value"`
	Rows  int64  `json:"rows"`
}

// HistBin is one bin of a histogram: From ≤ value < To, the last one ≤ To.
type HistBin struct {
	From string `json:"from"`
	To   string `json:"to"`
	Rows int64  `json:"rows"`
}

// PartsHash is the table_sha256 of an ordered list of parts: the sha256 of
// their hashes, each followed by a line feed.
func PartsHash(parts []Part) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p.Blob.SHA256 + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil))
}
