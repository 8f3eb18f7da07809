package ingest

import (
	"fmt"
	"sync"
	"unicode/utf8"

	"taihu/catalog"
)

const (
	maxListed = 100 // findings of one code and table that are listed one by one
	maxValue  = 200 // characters of a value shown in a finding
)

// Refusal is the error of a file that cannot become tables: a verdict on the
// file, to be reported, not an outage.
type Refusal struct{ Finding catalog.Finding }

func (r *Refusal) Error() string { return r.Finding.Code + ": " + r.Finding.Message.En }

// refuse makes a Refusal with a code of FindingCodes. The words may be empty:
// then those of the code stand.
func refuse(code, zh, en string, args ...any) *Refusal {
	return &Refusal{Finding: found(code, zh, en, args...)}
}

// at adds the place.
func (r *Refusal) at(row int64, column, value string) *Refusal {
	r.Finding.Row, r.Finding.Column, r.Finding.Value = row, column, shorten(value)
	return r
}

// found makes a finding with the severity and hint of its code. zh and en are
// formats with the same arguments; where empty, the code's own words stand.
func found(code, zh, en string, args ...any) catalog.Finding {
	c := findingCode(code)
	f := catalog.Finding{Severity: c.Severity, Code: code, Message: c.What, Hint: c.Hint, Measures: c.Measures}
	if zh != "" {
		f.Message.Zh = fmt.Sprintf(zh, args...)
	}
	if en != "" {
		f.Message.En = fmt.Sprintf(en, args...)
	}
	return f
}

// Findings collects findings. Of each code the first 100 in a table are kept and
// the others counted in the last of them. It is safe for concurrent use.
type Findings struct {
	mu    sync.Mutex
	list  []catalog.Finding
	count map[findingKey]int
	last  map[findingKey]int // index in list
	table string
	fatal bool
}

type findingKey struct{ code, table string }

// setTable names the table that later findings without one belong to.
func (fs *Findings) setTable(name string) {
	fs.mu.Lock()
	fs.table = name
	fs.mu.Unlock()
}

// Add keeps or counts f.
func (fs *Findings) Add(f catalog.Finding) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.count == nil {
		fs.count, fs.last = map[findingKey]int{}, map[findingKey]int{}
	}
	if f.Table == "" {
		f.Table = fs.table
	}
	f.Value = shorten(f.Value)
	if f.Severity == catalog.Fatal {
		fs.fatal = true
	}
	k := findingKey{f.Code, f.Table}
	fs.count[k]++
	if fs.count[k] > maxListed {
		last := &fs.list[fs.last[k]]
		last.Count = max(last.Count, 1) + max(f.Count, 1)
		return
	}
	fs.last[k] = len(fs.list)
	fs.list = append(fs.list, f)
}

// Fatal reports whether one of the findings refuses the file.
func (fs *Findings) Fatal() bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return fs.fatal
}

// List returns the findings in the order they came, never nil.
func (fs *Findings) List() []catalog.Finding {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return append([]catalog.Finding{}, fs.list...)
}

// shorten cuts a value to what a report shows and keeps it valid UTF-8.
func shorten(s string) string {
	if len(s) <= maxValue {
		return toValid(s)
	}
	n := 0
	for i := range s {
		if n == maxValue {
			return toValid(s[:i]) + "…"
		}
		n++
	}
	return toValid(s)
}

// toValid writes bytes that are no UTF-8 as \xNN, so that a report shows them as
// they are.
func toValid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b []byte
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b = fmt.Appendf(b, `\x%02X`, s[i])
		} else {
			b = append(b, s[i:i+n]...)
		}
		i += n
	}
	return string(b)
}
