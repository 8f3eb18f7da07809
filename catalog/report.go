package catalog

// Severity weighs a finding.
type Severity string

// The severities, from heavy to light. One Fatal finding refuses the file; one
// that is to be settled keeps it from being published until a steward decided.
const (
	Fatal    Severity = "error"
	ToSettle Severity = "settle"
	Warning  Severity = "warning"
	Note     Severity = "note"
)

// Finding is one thing ingest found in a file: where, what, and how to mend it.
type Finding struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`            // one of FindingCodes; its page is /docs/findings#<code>
	Table    string   `json:"table,omitempty"` // name of the table or sheet
	Row      int64    `json:"row,omitempty"`   // 1-based row of the file as a person counts it in an editor or spreadsheet
	Column   string   `json:"column,omitempty"`
	Value    string   `json:"value,omitempty"` // as found, at most 200 characters
	Message  Text     `json:"message"`         // what is so
	Hint     Text     `json:"hint"`            // what to do
	Count    int64    `json:"count,omitempty"` // how many places are like this one; 0 and 1 mean one
	// Of is how many cells of the column hold a value, where Count is a share of them.
	Of int64 `json:"of,omitempty"`
	// Places are the first 20, with personal values masked.
	Places []Against `json:"places,omitempty"`
	// Measures are those among which a steward chooses; only where it is to be settled.
	Measures []Measure `json:"measures,omitempty"`
}

// Against is a cell that is pointed at, such as one that speaks against a type.
type Against struct {
	Row   int64  `json:"row"`
	Value string `json:"value"`
}

// Evidence is what a type makes of a column, counted over all rows: of the type it
// has, and of others what choosing them would do.
type Evidence struct {
	Type Type `json:"type"`
	// Agree and Disagree count the cells, but for nulls, that are read as the type
	// and those that are refused as type_mismatch.
	Agree    int64     `json:"agree"`
	Disagree int64     `json:"disagree"`
	Against  []Against `json:"against,omitempty"` // the first 20 that are refused
	// Loss says what changes in cells that are read, such as zeros in front of a
	// code that are lost, or 30% that becomes 0.3.
	Loss Text `json:"loss,omitzero"`
}

// Decision is why a column has its type.
type Decision struct {
	Table    string `json:"table"`
	Column   string `json:"column"`
	Type     Type   `json:"type"`
	Why      Text   `json:"why"`
	Nulls    int64  `json:"nulls"`               // null and empty cells
	NullWord int64  `json:"null_word,omitempty"` // of these, cells that held a null word such as NA
	// Evidence lists the type and the likeliest others, at most three: its own first,
	// then those that read most.
	Evidence []Evidence `json:"evidence,omitempty"`
}

// TableFacts is what a report says about each table read.
type TableFacts struct {
	Name    string `json:"name"`
	Sheet   string `json:"sheet,omitempty"`
	Rows    int64  `json:"rows"`
	Columns int    `json:"columns"`
	// Title, Unit and Notes are the words above and below the table.
	Title string   `json:"title,omitempty"`
	Unit  string   `json:"unit,omitempty"`
	Notes []string `json:"notes,omitempty"`
}

// Report is what ingest found in one file.
type Report struct {
	File      string `json:"file"`
	Format    string `json:"format"` // csv, tsv, xlsx, xls, ods, json, ndjson, geojson, parquet, or attachment
	Encoding  string `json:"encoding,omitempty"`
	Delimiter string `json:"delimiter,omitempty"`
	Quote     string `json:"quote,omitempty"`
	HeaderRow int    `json:"header_row,omitempty"`
	// HeaderRows is how many rows the header takes where it is more than one.
	HeaderRows int          `json:"header_rows,omitempty"`
	Base       int          `json:"base,omitempty"` // the release to whose table the rows were added
	Accepted   bool         `json:"accepted"`
	Tables     []TableFacts `json:"tables,omitempty"`
	Findings   []Finding    `json:"findings"`
	Decisions  []Decision   `json:"decisions,omitempty"`
}

// FirstError returns the first fatal finding, or nil.
func (r *Report) FirstError() *Finding {
	for i := range r.Findings {
		if r.Findings[i].Severity == Fatal {
			return &r.Findings[i]
		}
	}
	return nil
}
