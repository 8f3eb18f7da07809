package catalog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// State is where a release stands.
//
//	uploading ─► checking ─► ready ─► in_review ─► approved ─► published ─► withdrawn
//	    ▲         │  ▲  ▲      │          │  │         │ ▲          ▲            │
//	    │         ▼  │  └──────┘          │  ▼         ▼ │          └────────────┘
//	    └───── rejected                   │ returned   scheduled ─► published
//	              checking ◄──────────────┼───┘
//	                      ready ◄─────────┘ (taken back)
//	approved ─► returned, where it cannot be published as it is
//	any draft state ─► abandoned
type State string

// The states. All but published, withdrawn and abandoned are drafts.
const (
	Uploading State = "uploading" // nothing checked yet
	Checking  State = "checking"  // an ingest job is due or running
	Rejected  State = "rejected"  // at least one file was refused; its report says why
	Ready     State = "ready"     // every file was read
	InReview  State = "in_review"
	Returned  State = "returned" // the reviewer wants changes
	Approved  State = "approved"
	Scheduled State = "scheduled"
	Published State = "published"
	Withdrawn State = "withdrawn"
	Abandoned State = "abandoned"
)

// transitions is the whole state machine (architecture.md §2).
var transitions = map[State][]State{
	Uploading: {Checking, Abandoned},
	Checking:  {Rejected, Ready, Abandoned},
	Rejected:  {Uploading, Checking, Abandoned},
	Ready:     {Checking, InReview, Abandoned},
	InReview:  {Ready, Returned, Approved, Abandoned},
	Returned:  {Checking, Abandoned},
	Approved:  {Returned, Scheduled, Published, Abandoned},
	Scheduled: {Approved, Published, Abandoned},
	Published: {Withdrawn},
	Withdrawn: {Published},
	Abandoned: {},
}

// States lists every state in the order of the drawing.
var States = []State{Uploading, Checking, Rejected, Ready, InReview, Returned, Approved, Scheduled, Published, Withdrawn, Abandoned}

// IsDraft reports whether a release in this state has no number yet and may
// still become one.
func (s State) IsDraft() bool {
	return s != Published && s != Withdrawn && s != Abandoned
}

// CanBecome reports whether the state machine has an arrow from s to next.
func (s State) CanBecome(next State) bool { return slices.Contains(transitions[s], next) }

// CheckMove returns Conflict naming what is possible where s cannot become next.
func (s State) CheckMove(next State) error {
	if s.CanBecome(next) {
		return nil
	}
	can := make([]string, len(transitions[s]))
	for i, t := range transitions[s] {
		can[i] = string(t)
	}
	possible := "nothing follows it"
	if len(can) > 0 {
		possible = "it can become " + strings.Join(can, ", ")
	}
	return Errorf(Conflict, "wrong_state", "the release is %s and cannot become %s: %s", s, next, possible).
		With("state", string(s)).With("possible", can).
		InChinese("这一版现在是%s，不能变为%s", s.Words().Zh, next.Words().Zh)
}

// Words gives the state as shown to people.
func (s State) Words() Text { return stateWords[s] }

var stateWords = map[State]Text{
	Uploading: {"上传中", "Uploading"}, Checking: {"检查中", "Checking"}, Rejected: {"未通过检查", "Rejected"},
	Ready: {"可提交", "Ready"}, InReview: {"待审", "In review"}, Returned: {"已退回", "Returned"},
	Approved: {"已批准", "Approved"}, Scheduled: {"已定时", "Scheduled"}, Published: {"已发布", "Published"},
	Withdrawn: {"已撤回", "Withdrawn"}, Abandoned: {"已放弃", "Abandoned"},
}

// Release is one immutable, numbered publication of a dataset, or a draft of
// one: then Number is 0 and it is addressed by ID. A release holds the complete
// list of its tables and files; unchanged ones reuse their bytes.
type Release struct {
	ID           string     `json:"id"`
	DatasetID    string     `json:"dataset_id"`
	Number       int        `json:"number,omitempty"` // 1, 2, … without gaps, given inside the publishing transaction
	State        State      `json:"state"`
	Version      string     `json:"version,omitempty"`      // label, e.g. 1.2.0
	Notes        Text       `json:"notes"`                  // what changed
	DataDate     string     `json:"data_date,omitempty"`    // up to when the data speak: ISO date, month or year
	Comment      string     `json:"comment,omitempty"`      // the reviewer's, where returned; the portal's, where approved and not published at its time
	Remarks      []Remark   `json:"remarks,omitempty"`      // the reviewer's about single columns, where returned
	Corrects     int        `json:"corrects,omitempty"`     // the release that this one corrects; 0: none
	CorrectedBy  int        `json:"corrected_by,omitempty"` // the newest published one that corrects this one
	CreatedBy    string     `json:"created_by"`
	CreatedAt    time.Time  `json:"created_at"`
	SubmittedBy  string     `json:"submitted_by,omitempty"`
	ApprovedBy   string     `json:"approved_by,omitempty"`
	PublishedBy  string     `json:"published_by,omitempty"`
	PublishedAt  *time.Time `json:"published_at,omitempty"`
	PublishAt    *time.Time `json:"publish_at,omitempty"` // where scheduled
	WithdrawnBy  string     `json:"withdrawn_by,omitempty"`
	WithdrawnAt  *time.Time `json:"withdrawn_at,omitempty"`
	WithdrawnWhy string     `json:"withdrawn_why,omitempty"`
	// LikeNumber is the release a draft was begun like: its files are read as there.
	LikeNumber int   `json:"like_number,omitempty"`
	RowVersion int64 `json:"row_version"`

	Tables []Table `json:"tables"` // in order; loaded with the release
	Files  []File  `json:"files"`
	// Withheld is how many files of a published release are not in Files: originals
	// of which something was masked or left out.
	Withheld int `json:"withheld,omitempty"`
}

// Table returns the release's table of that name, or NotFound naming what exists.
func (r *Release) Table(name string) (*Table, error) {
	names := make([]string, len(r.Tables))
	for i := range r.Tables {
		if r.Tables[i].Name == name {
			return &r.Tables[i], nil
		}
		names[i] = r.Tables[i].Name
	}
	return nil, Errorf(NotFound, "unknown_table", "there is no table %q in this release; it has %s", name, strings.Join(names, ", ")).
		With("table", name).With("tables", names)
}

// ReleaseNumber reads a release as it stands in an address: its number, or latest,
// which is 0. NotFound unknown_release else.
func ReleaseNumber(s string) (int, error) {
	if s == "latest" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || strconv.Itoa(n) != s {
		return 0, Errorf(NotFound, "unknown_release", "%q is not a release: use its number or latest", s).With("release", s).
			InChinese("“%s”不是版本号：请用数字或latest", s)
	}
	return n, nil
}

// CheckStands returns Gone with the reason where the release was withdrawn.
func (r *Release) CheckStands() error {
	if r.State != Withdrawn {
		return nil
	}
	return Errorf(Gone, "withdrawn", "release %d was withdrawn: %s", r.Number, r.WithdrawnWhy).
		With("release", r.Number).With("reason", r.WithdrawnWhy).With("withdrawn_at", r.WithdrawnAt).
		InChinese("第%d版已撤回：%s", r.Number, r.WithdrawnWhy)
}

// Blob names content-addressed bytes.
type Blob struct {
	SHA256 string `json:"sha256"` // 64 lower-case hexadecimal digits
	Size   int64  `json:"bytes"`
}

// FileRole says what a file of a release is.
type FileRole string

// The roles of a file.
const (
	Source     FileRole = "source"     // the uploaded original of one or more tables
	Attachment FileRole = "attachment" // anything else
)

// FileState is where the check of one uploaded file stands.
type FileState string

// The states of a file's check.
const (
	FilePending  FileState = "pending"
	FileAccepted FileState = "accepted"
	FileRefused  FileState = "refused"
)

// File is an uploaded file of a release.
type File struct {
	ID        string        `json:"id"`
	ReleaseID string        `json:"release_id"`
	Name      string        `json:"name"` // as shown and as in /files/<name>; never used as a path
	Role      FileRole      `json:"role"`
	State     FileState     `json:"state"`
	MediaType string        `json:"media_type"`
	Blob      Blob          `json:"blob"`    // Blob.SHA256 is the source_sha256 of its tables
	Options   IngestOptions `json:"options"` // as the steward gave them
	Report    *Report       `json:"report,omitempty"`
	CreatedAt time.Time     `json:"created_at"`
}

// Mode says what the rows of a file are to a table that there is.
type Mode string

// The modes.
const (
	Append Mode = "append" // they stand after its rows
	Upsert Mode = "upsert" // they take the place of its rows of the same key; the others are added
	// KeptFile marks a file that only added rows to a table that a later draft
	// keeps: it cannot be read alone.
	KeptFile Mode = "kept"
)

// IngestOptions is what a steward may state about a file instead of leaving it
// to be found out.
type IngestOptions struct {
	Sheet     string `json:"sheet,omitempty"`      // name of the one sheet to read; empty: every visible sheet with rows
	HeaderRow int    `json:"header_row,omitempty"` // 1-based row of the header; 0: found out; -1: none (columns become column_1, …)
	// HeaderRows is how many rows the header takes; 0: found out.
	HeaderRows int `json:"header_rows,omitempty"`
	// Totals is what is done with rows of totals: auto (those below the data are
	// left out), keep or drop (those within too); empty: auto.
	Totals string `json:"totals,omitempty"`
	// Merged is what is done with merged cells of the body: fill (downwards) or
	// empty; empty: fill.
	Merged string `json:"merged,omitempty"`
	// Path is the key of a JSON text under which the array of records is, such as
	// result.records; empty: found out.
	Path      string `json:"path,omitempty"`
	Delimiter string `json:"delimiter,omitempty"` // one character, or "tab"
	Encoding  string `json:"encoding,omitempty"`  // utf-8, gb18030, gbk, big5, utf-16le, utf-16be, latin-1, windows-1252, shift-jis
	Table     string `json:"table,omitempty"`     // name of the table; empty: from the file's or sheet's name
	// Types fixes the type of columns by name.
	Types map[string]Type `json:"types,omitempty"`
	// Zone is the offset of datetimes that state none, such as +08:00 (the default).
	Zone string `json:"zone,omitempty"`
	// NullWords are words that mean that there is no value, by column; those of
	// EveryColumn hold in each. They are compared without the blanks around a cell.
	NullWords map[string][]string `json:"null_words,omitempty"`
	// Mode says what the file's rows are to the table of the newest release; empty:
	// all of the table. It is stated for each file and never taken over.
	Mode Mode `json:"mode,omitempty" enum:",append,upsert,kept"`
	// From is the release from which options that were not stated are taken over.
	// The store sets it.
	From int `json:"from,omitempty"`
	// Settled is what was decided about findings; nil: as the same file, or the
	// release before, had it.
	Settled []Settlement `json:"settled,omitempty"`
}

// String shows the options that were given, for reports and logs.
func (o IngestOptions) String() string {
	var b strings.Builder
	add := func(k string, v any) { fmt.Fprintf(&b, " %s=%v", k, v) }
	if o.Sheet != "" {
		add("sheet", o.Sheet)
	}
	if o.HeaderRow != 0 {
		add("header_row", o.HeaderRow)
	}
	if o.HeaderRows != 0 {
		add("header_rows", o.HeaderRows)
	}
	if o.Totals != "" {
		add("totals", o.Totals)
	}
	if o.Merged != "" {
		add("merged", o.Merged)
	}
	if o.Path != "" {
		add("path", o.Path)
	}
	if o.Delimiter != "" {
		add("delimiter", o.Delimiter)
	}
	if o.Encoding != "" {
		add("encoding", o.Encoding)
	}
	if o.Table != "" {
		add("table", o.Table)
	}
	if len(o.Types) > 0 {
		add("types", o.Types)
	}
	if o.Zone != "" {
		add("zone", o.Zone)
	}
	if o.Mode != "" {
		add("mode", o.Mode)
	}
	if len(o.NullWords) > 0 {
		add("null_words", o.NullWords)
	}
	for _, d := range o.Settled {
		add("settled", d.Code+":"+d.Column+":"+string(d.Measure))
	}
	return strings.TrimSpace(b.String())
}
