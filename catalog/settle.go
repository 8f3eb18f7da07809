package catalog

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Measure is what is done about a finding that has to be settled.
type Measure string

// The measures. Where a value is masked or something is left out, the original
// file is not published: it would give both away.
const (
	Mask   Measure = "mask"   // the values of the kind are masked in every form the portal keeps
	Drop   Measure = "drop"   // the column, the rows or the hidden content are left out
	Accept Measure = "accept" // published as it is, for the reason given
)

// Measures lists every measure.
var Measures = []Measure{Mask, Drop, Accept}

// Settlement is a steward's decision about a finding. It is an option of how the
// file is read: the check applies it.
type Settlement struct {
	Code    string  `json:"code"`             // of the finding
	Table   string  `json:"table,omitempty"`  // as the finding names it; empty: any
	Column  string  `json:"column,omitempty"` // empty: any
	Measure Measure `json:"measure" enum:"mask,drop,accept"`
	Reason  string  `json:"reason,omitempty" maxLength:"1000"` // required to accept
	// By and At are set by the store. From is the release whose decision this is,
	// where it was carried over.
	By   string     `json:"by,omitempty"`
	At   *time.Time `json:"at,omitempty"`
	From int        `json:"from,omitempty"`
}

// Covers reports whether the decision is about that place.
func (s *Settlement) Covers(code, table, column string) bool {
	return s.Code == code && (s.Table == "" || s.Table == table) && (s.Column == "" || s.Column == column)
}

// SamePlace reports whether two decisions are about the same finding.
func (s *Settlement) SamePlace(o *Settlement) bool {
	return s.Code == o.Code && s.Table == o.Table && s.Column == o.Column
}

// Check returns Invalid where the decision says nothing that can be done.
func (s *Settlement) Check() error {
	bad := func(field, zh, en string, args ...any) error {
		return Errorf(Invalid, "invalid_settlement", en, args...).With("field", field).InChinese(zh, args...)
	}
	switch {
	case s.Code == "":
		return bad("code", "没有写明是哪一条发现", "the code of the finding is missing")
	case !slices.Contains(Measures, s.Measure):
		return bad("measure", "处理办法“%s”不存在：请用mask（遮盖）、drop（去掉）或accept（保留）", "there is no measure %q: use mask, drop or accept", s.Measure)
	case s.Measure == Accept && strings.TrimSpace(s.Reason) == "":
		return bad("reason", "照样公开须写明理由", "to accept a finding, give the reason: it is kept with the release")
	case utf8.RuneCountInString(s.Reason) > 1000:
		return bad("reason", "理由最多1000个字", "a reason has at most 1,000 characters")
	}
	return nil
}

// ParseSettlement reads CODE[:COLUMN]=MEASURE[,REASON], as the command line and
// an upload's address write a decision.
func ParseSettlement(text string) (Settlement, error) {
	place, rest, ok := strings.Cut(text, "=")
	for ok && !startsWithMeasure(rest) { // a column may hold = itself
		var more string
		if more, rest, ok = strings.Cut(rest, "="); ok {
			place += "=" + more
		}
	}
	if !ok {
		return Settlement{}, Errorf(Invalid, "invalid_settlement", "%q is no decision: write CODE:COLUMN=mask, CODE=drop or CODE=accept,REASON", text).
			With("field", "settle").InChinese("“%s”读不懂：请写作 代码:列名=mask、代码=drop 或 代码=accept,理由", text)
	}
	var s Settlement
	s.Code, s.Column, _ = strings.Cut(place, ":")
	measure, reason, _ := strings.Cut(rest, ",")
	s.Measure, s.Reason = Measure(measure), strings.TrimSpace(reason)
	return s, s.Check()
}

// ParseSettlements reads decisions, one a line; nil where text is empty.
func ParseSettlements(text string) ([]Settlement, error) {
	var list []Settlement
	for line := range strings.Lines(text) {
		s, err := ParseSettlement(strings.TrimRight(line, "\r\n"))
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// String is what ParseSettlement reads.
func (s *Settlement) String() string {
	text := s.Code
	if s.Column != "" {
		text += ":" + s.Column
	}
	text += "=" + string(s.Measure)
	if s.Reason != "" {
		text += "," + s.Reason
	}
	return text
}

func startsWithMeasure(text string) bool {
	word, _, _ := strings.Cut(text, ",")
	return slices.Contains(Measures, Measure(word))
}

// Withheld reports whether the original must not be published: something of it
// was masked or left out.
func (f *File) Withheld() bool {
	return slices.ContainsFunc(f.Options.Settled, func(s Settlement) bool { return s.Measure != Accept })
}

// PersonalColumns are the columns in which personal information was found or masked.
func (f *File) PersonalColumns() []string {
	var columns []string
	of := func(code, column string) {
		if strings.HasPrefix(code, "personal_") && column != "" && !slices.Contains(columns, column) {
			columns = append(columns, column)
		}
	}
	for _, s := range f.Options.Settled {
		of(s.Code, s.Column)
	}
	if f.Report != nil {
		for i := range f.Report.Findings {
			of(f.Report.Findings[i].Code, f.Report.Findings[i].Column)
		}
	}
	return columns
}

// Accepted returns the decision by which a finding is published as it is, or nil.
func (f *File) Accepted(x *Finding) *Settlement {
	i := slices.IndexFunc(f.Options.Settled, func(s Settlement) bool { return s.Measure == Accept && s.Covers(x.Code, x.Table, x.Column) })
	if i < 0 {
		return nil
	}
	return &f.Options.Settled[i]
}

// Unsettled returns the findings of the file that still have to be settled. What
// was masked or left out is found no more once the file was read so.
func (f *File) Unsettled() []Finding {
	var list []Finding
	if f.Report == nil {
		return nil
	}
	for _, x := range f.Report.Findings {
		if x.Severity == ToSettle && f.Accepted(&x) == nil {
			list = append(list, x)
		}
	}
	return list
}

// UnsettledPlace names a finding that keeps a draft from being published.
type UnsettledPlace struct {
	File     string    `json:"file"`
	Code     string    `json:"code"`
	Table    string    `json:"table,omitempty"`
	Column   string    `json:"column,omitempty"`
	Count    int64     `json:"count,omitempty"`
	Measures []Measure `json:"measures"`
}

// Unsettled returns what of a release's files still has to be settled.
func (r *Release) Unsettled() []UnsettledPlace {
	places := []UnsettledPlace{}
	for i := range r.Files {
		f := &r.Files[i]
		for _, x := range f.Unsettled() {
			places = append(places, UnsettledPlace{f.Name, x.Code, x.Table, x.Column, x.Count, x.Measures})
		}
	}
	return places
}

// CheckSettled returns Conflict unsettled_findings naming every finding of the
// release's files that is still to be settled.
func (r *Release) CheckSettled() error {
	places := r.Unsettled()
	if len(places) == 0 {
		return nil
	}
	const named = 10
	var words []string
	for _, p := range places[:min(len(places), named)] {
		at := p.File
		if p.Column != "" {
			at += ", " + p.Column
		}
		words = append(words, fmt.Sprintf("%s (%s)", p.Code, at))
	}
	more := ""
	if len(places) > named {
		more = " …"
	}
	return Errorf(Conflict, "unsettled_findings", "%d findings have to be settled first (mask, drop, or accept with a reason): %s%s", len(places), strings.Join(words, "; "), more).
		With("findings", places).
		InChinese("还有%d条发现没有处理（遮盖、去掉，或写明理由照样公开）：%s%s", len(places), strings.Join(words, "；"), more)
}
