// Package ingest turns an uploaded file into tables, or says where and why it
// cannot: kind by content → rows of text cells → text Parquet and, in the same
// pass, type evidence over all rows → types → typed Parquet, content hash and
// profile → report.
//
// It parses strangers' bytes, so Run is called only in a one-shot child process
// with limits (Main is that child's whole work; Child is the parent's side). It
// knows nothing of databases, users or HTTP, and asks the table engine for
// profiles through an interface. Readers of the formats implement Source; the
// pipeline and the decisions are the same for all.
package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"

	"taihu/catalog"
	"taihu/catalog/ingest/personal"
	"taihu/catalog/table"
)

// Request asks for the check of one file. It travels as JSON.
type Request struct {
	Path    string                `json:"path"` // of the bytes
	Name    string                `json:"name"` // as uploaded
	Options catalog.IngestOptions `json:"options"`
	// Contract is what the tables are checked against; nil: nothing was promised.
	Contract *catalog.Contract `json:"contract,omitempty"`
	// Base is the table to which Options.Mode adds the rows.
	Base   *Base  `json:"base,omitempty"`
	OutDir string `json:"out_dir"` // where Parquet files and temporary ones go
	Limits Limits `json:"limits"`
	Office string `json:"office,omitempty"` // as FindOffice has it
	// Rows, where it is not 0, asks for that many rows of the first table as they
	// stand (Result.Rows), and for nothing else: no types, no Parquet.
	Rows int `json:"rows,omitempty"`
}

// Result is the verdict on one file. A refused file has Report.Accepted false
// and no tables; a file that is kept as it is has Attachment true.
type Result struct {
	Report     catalog.Report `json:"report"`
	Tables     []Built        `json:"tables,omitempty"`
	Attachment bool           `json:"attachment,omitempty"`
	Rows       *Rows          `json:"rows,omitempty"`
}

// Built is a table made from the file: its facts (no ids, no blobs) and the
// Parquet files that hold it.
type Built struct {
	Table     catalog.Table `json:"table"`
	TextPath  string        `json:"text_path"`
	TypedPath string        `json:"typed_path"`
	// Of a table that grew: whether the parts of the base stay, first; else the
	// path of what is left of them, if anything is. TypedRows are the rows of
	// TypedPath.
	Keeps     bool   `json:"keeps,omitempty"`
	RestPath  string `json:"rest_path,omitempty"`
	TypedRows int64  `json:"typed_rows"`
}

// Profiler counts a table's columns; duck.Engine is one.
type Profiler interface {
	Profile(ctx context.Context, s table.Source) (*catalog.Profile, error)
}

// answer is what the child writes: a result, or the trouble that is not the
// file's.
type answer struct {
	Result *Result `json:"result,omitempty"`
	Error  string  `json:"error,omitempty"`
}

// Main is the work of the child process: a Request as JSON from in, the answer
// as JSON to out. Its error is that of reading or writing these.
func Main(in io.Reader, out io.Writer, p Profiler) error {
	var req Request
	if err := json.NewDecoder(in).Decode(&req); err != nil {
		return fmt.Errorf("read ingest request: %w", err)
	}
	limits := req.Limits.orDefault()
	runtime.GOMAXPROCS(limits.Threads)
	debug.SetMemoryLimit(limits.Memory * 3 / 4) // DuckDB and the stacks need the rest
	var a answer
	result, err := Run(context.Background(), req, p)
	if err != nil {
		a.Error = err.Error()
	} else {
		a.Result = &result
	}
	if err := json.NewEncoder(out).Encode(a); err != nil {
		return fmt.Errorf("write ingest answer: %w", err)
	}
	return nil
}

// Run checks one file. A verdict, refusal included, is a Result; an error is the
// portal's own trouble (disk full, no permission). p may be nil: no profiles.
func Run(ctx context.Context, req Request, p Profiler) (Result, error) {
	limits := req.Limits.orDefault()
	ctx, cancel := context.WithTimeout(ctx, limits.Wall)
	defer cancel()
	r := &run{req: req, limits: limits, profiler: p, findings: &Findings{}, names: tableNames{}}
	r.result.Report = catalog.Report{File: req.Name}
	read := r.file
	if req.Rows > 0 {
		read = r.rows
	}
	err := read(ctx)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		err = refuse("ingest_timeout", "", "")
	}
	var kept *attach
	var refused *Refusal
	switch {
	case errors.As(err, &kept):
		r.findings.Add(kept.Finding)
		r.result.Attachment = true
		r.result.Report.Format = "attachment"
		if err := r.scanAttachment(); err != nil {
			return Result{}, fmt.Errorf("ingest %s: %w", req.Name, err)
		}
	case errors.As(err, &refused):
		r.findings.Add(refused.Finding)
	case err != nil:
		r.discard()
		return Result{}, fmt.Errorf("ingest %s: %w", req.Name, err)
	}
	r.tellTitles()
	report := &r.result.Report
	report.Findings = r.findings.List()
	r.hideValues(report)
	report.Accepted = !r.findings.Fatal()
	if !report.Accepted {
		r.discard()
	}
	return r.result, nil
}

// run is the state of one check.
type run struct {
	req      Request
	limits   Limits
	profiler Profiler
	findings *Findings
	names    tableNames
	result   Result
	files    []string // written so far
	cells    int64
	hidden   map[string][]personal.Kind // by column: what the report must not show
}

// discard removes what was written for a file that was refused.
func (r *run) discard() {
	for _, f := range r.files {
		_ = os.Remove(f) // the folder goes with the job in any case
	}
	r.result.Tables = nil
}

// file reads every table of the file.
func (r *run) file(ctx context.Context) error {
	if err := checkOptions(r.req.Options); err != nil {
		return err
	}
	if shown := personal.Hide(r.req.Name); shown != r.req.Name {
		r.findings.Add(personalName(shown))
	}
	src, err := r.open()
	if err != nil {
		return err
	}
	defer src.Close()
	chosen := map[string]bool{}
	for {
		h, err := src.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if len(r.result.Tables) == r.limits.Tables {
			return refuse("too_many_tables", "", "")
		}
		if err := r.table(ctx, src, h, chosen); err != nil {
			return err
		}
	}
	if len(r.result.Tables) == 0 && !r.findings.Fatal() {
		return refuse("no_tables", "", "")
	}
	for name := range r.req.Options.Types {
		if !chosen[name] && !r.findings.Fatal() {
			if r.req.Options.From > 0 { // what held for the release before need not hold for this one
				f := found("option_idle", "", "")
				f.Column = name
				r.findings.Add(f)
				continue
			}
			return refuse("unknown_column", "没有名为“%[1]s”的列。", "There is no column called %[1]q.", name).at(0, name, "")
		}
	}
	return nil
}

// open opens the file.
func (r *run) open() (Source, error) {
	info, err := os.Stat(r.req.Path)
	if err != nil {
		return nil, err
	}
	return open(Input{
		Path: r.req.Path, Name: r.req.Name, Size: info.Size(), Options: r.req.Options, Limits: r.limits,
		TempDir: r.req.OutDir, Office: r.req.Office, Report: &r.result.Report, Findings: r.findings,
	})
}

var zoneForm = regexp.MustCompile(`^(Z|[+-](0\d|1[0-8]):[0-5]\d)$`)

// checkOptions refuses what a steward cannot have meant.
func checkOptions(o catalog.IngestOptions) error {
	if o.Table != "" && catalog.CheckTableName(o.Table) != nil {
		return refuse("bad_option", "表名“%[1]s”不可用：请用1至64个小写字母、数字、下划线或连字符。", "%[1]q cannot name a table: use 1 to 64 of the characters a-z, 0-9, _ and -.", o.Table)
	}
	if o.Zone != "" && !zoneForm.MatchString(o.Zone) {
		return refuse("bad_option", "时区“%[1]s”有误：请写作 +08:00 或 Z。", "The zone %[1]q is wrong: write it as +08:00 or Z.", o.Zone)
	}
	if err := checkShape(o); err != nil {
		return err
	}
	if err := checkSettled(o.Settled); err != nil {
		return err
	}
	for column, t := range o.Types {
		if !slices.Contains(catalog.Types, t) {
			return refuse("bad_option", "列“%[1]s”的类型“%[2]s”不存在。", "Column %[1]q: there is no type %[2]q.", column, string(t))
		}
	}
	return nil
}
