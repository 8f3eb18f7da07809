package ingest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"

	"taihu/catalog"
	"taihu/catalog/ingest/personal"
)

// What a steward can do about each group of findings.
var (
	ofValues = []catalog.Measure{catalog.Mask, catalog.Drop, catalog.Accept}
	ofHidden = []catalog.Measure{catalog.Drop, catalog.Accept}
	ofWhole  = []catalog.Measure{catalog.Accept}
)

// personalCodes are the findings of personal information.
var personalCodes = map[personal.Kind]string{
	personal.IDNumber: "personal_id", personal.Mobile: "personal_mobile", personal.BankCard: "personal_bank_card", personal.Mail: "personal_mail",
	personal.Plate: "personal_plate", personal.Name: "personal_name", personal.Address: "personal_address", personal.BirthDate: "personal_birth_date",
	personal.Passport: "personal_passport", personal.Record: "personal_record",
}

// personalKind returns the kind of a code.
func personalKind(code string) (personal.Kind, bool) {
	for k, c := range personalCodes {
		if c == code {
			return k, true
		}
	}
	return 0, false
}

// scanning is off in the benchmark that measures what the scan costs.
var scanning = true

// columnPlan is what was decided about a column, and what came of it.
type columnPlan struct {
	masks  []personal.Kind
	drops  []string // codes for which it is left out
	masked int64    // cells
	nulls  []string // words that mean null
	nulled int64    // cells that held one
	tally  *personal.Tally
}

// planColumns reads the decisions about the columns of a table.
func planColumns(o catalog.IngestOptions, table string, fields []catalog.Field) []columnPlan {
	plans := make([]columnPlan, len(fields))
	for i, f := range fields {
		plans[i].tally = personal.New(f.Name)
		plans[i].nulls = slices.Concat(o.NullWords[catalog.EveryColumn], o.NullWords[f.Name])
		for _, s := range o.Settled {
			kind, ok := personalKind(s.Code)
			if !ok || !s.Covers(s.Code, table, f.Name) {
				continue
			}
			switch s.Measure {
			case catalog.Mask:
				plans[i].masks = append(plans[i].masks, kind)
			case catalog.Drop:
				plans[i].drops = append(plans[i].drops, s.Code)
			}
		}
	}
	return plans
}

// checkSettled refuses decisions that cannot be carried out. To mask or leave
// out, the column has to be named: a guess would damage others.
func checkSettled(list []catalog.Settlement) error {
	for _, s := range list {
		_, ofPerson := personalKind(s.Code)
		switch {
		case !CanBe(s.Code, s.Measure):
			return refuse("bad_option", "发现“%[1]s”不能用“%[2]s”处理。", "The finding %[1]q cannot be settled by %[2]q.", s.Code, string(s.Measure))
		case ofPerson && s.Column == "" && s.Measure != catalog.Accept:
			return refuse("bad_option", "“%[1]s”要写明是哪一列。", "The decision about %[1]q must name the column.", s.Code)
		}
	}
	return nil
}

// nullChunk makes cells null that hold nothing but a word that means it.
func nullChunk(c *Chunk, plans []columnPlan) {
	for i := range plans {
		if len(plans[i].nulls) > 0 {
			plans[i].nulled += c.Columns[i].nullify(plans[i].nulls)
		}
	}
}

// nullify makes null what holds one of the words, and returns how many cells do.
func (k *Column) nullify(words []string) int64 {
	hit := func(cell []byte) bool {
		cell = trimSpaces(cell)
		for _, w := range words {
			if string(cell) == w {
				return true
			}
		}
		return false
	}
	changed, start := int64(0), uint32(0)
	out := k.Data[:0] // what is written is never ahead of what is read
	for i, end := range k.Ends {
		cell := k.Data[start:end]
		start = end
		if (k.Null == nil || !k.Null[i]) && hit(cell) {
			if k.Null == nil {
				k.Null = append(k.nulls[:0], make([]bool, len(k.Ends))...)
			}
			k.Null[i] = true
			changed++
		} else {
			out = append(out, cell...)
		}
		k.Ends[i] = uint32(len(out))
	}
	k.Data = out
	return changed
}

// mask masks the cells of a chunk as decided.
func maskChunk(c *Chunk, plans []columnPlan) {
	for i := range plans {
		for _, kind := range plans[i].masks {
			plans[i].masked += c.Columns[i].mask(kind)
		}
	}
}

// mask masks one kind in every cell and returns in how many it was. JSON that
// would be broken by it becomes null.
func (k *Column) mask(kind personal.Kind) int64 {
	changed := int64(0)
	out := make([]byte, 0, len(k.Data))
	start := uint32(0)
	for i, end := range k.Ends {
		cell := k.Data[start:end]
		start = end
		masked := personal.Mask(kind, cell)
		if string(masked) != string(cell) {
			changed++
			if k.kind(i) == Nested && !json.Valid(masked) {
				masked = []byte("null")
			}
		}
		out = append(out, masked...)
		k.Ends[i] = uint32(len(out))
	}
	k.Data = append(k.Data[:0], out...)
	return changed
}

// tellPersonal reports what the columns hold, and what was done about it. It
// returns the kinds of each column, for hiding them in the report.
func (r *run) tellPersonal(fields []catalog.Field, plans []columnPlan) {
	for i := range plans {
		p := &plans[i]
		column := fields[i].Name
		holds := p.tally.Found()
		if r.hidden == nil {
			r.hidden = map[string][]personal.Kind{}
		}
		kinds := []personal.Kind{}
		for _, f := range holds {
			kinds = append(kinds, f.Kind)
			if len(p.drops) == 0 {
				r.findings.Add(personalFinding(column, f))
			}
		}
		r.hidden[column] = append(r.hidden[column], kinds...)
		if n, places := p.tally.SoleTraders(); n > 0 && len(p.drops) == 0 {
			f := found("sole_traders", "", "")
			f.Column, f.Row, f.Count = column, places[0].Row, n
			r.findings.Add(f)
		}
		for _, code := range p.drops {
			f := found("column_dropped", "", "")
			f.Column = column
			r.findings.Add(f)
			if _, ofPerson := personalKind(code); ofPerson && !slices.ContainsFunc(holds, func(f personal.Found) bool { return personalCodes[f.Kind] == code }) {
				r.findings.Add(idle(code, column))
			}
		}
		if p.masked > 0 {
			f := found("values_masked", "", "")
			f.Column, f.Count = column, p.masked
			r.findings.Add(f)
		} else if len(p.masks) > 0 && len(p.drops) == 0 {
			r.findings.Add(idle(personalCodes[p.masks[0]], column))
		}
		if shown := personal.Hide(column); shown != column {
			r.findings.Add(personalName(shown))
		}
	}
}

func idle(code, column string) catalog.Finding {
	f := found("decision_idle", "对“%[1]s”的处理决定没有用上：这个文件里没有发现它。", "The decision about %[1]s has nothing to apply to: it was not found in this file.", code)
	f.Column = column
	return f
}

func personalName(shown string) catalog.Finding {
	f := found("personal_in_names", "", "")
	f.Value = shown
	return f
}

func personalFinding(column string, p personal.Found) catalog.Finding {
	f := found(personalCodes[p.Kind], "", "")
	f.Column, f.Count, f.Of = column, p.Cells, p.Values
	for _, x := range p.Places {
		f.Places = append(f.Places, catalog.Against{Row: x.Row, Value: shorten(x.Text)})
	}
	if len(f.Places) > 0 {
		f.Row, f.Value = f.Places[0].Row, f.Places[0].Value
	}
	return f
}

// hide masks a value of a column as a report may show it: what is personal in the
// column; where the column was not read to its end, whatever has the form.
func (r *run) hide(column, value string) string {
	kinds, known := r.hidden[column]
	if known && len(kinds) == 0 {
		return value
	}
	for _, k := range kinds {
		value = string(personal.Mask(k, []byte(value)))
	}
	return personal.Hide(value)
}

// hideValues masks in the report what it shows of personal information.
func (r *run) hideValues(report *catalog.Report) {
	for i := range report.Findings {
		f := &report.Findings[i]
		if f.Value != "" {
			f.Value = r.hide(f.Column, f.Value)
		}
	}
	for i := range report.Decisions {
		d := &report.Decisions[i]
		for k := range d.Evidence {
			list := slices.Clone(d.Evidence[k].Against)
			for j := range list {
				list[j].Value = r.hide(d.Column, list[j].Value)
			}
			d.Evidence[k].Against = list
		}
	}
}

// tellTitles looks at the lines above the header and below the data, which are in
// the original.
func (r *run) tellTitles() {
	for _, f := range r.findings.List() {
		if slices.Contains([]string{"title_lines", "totals_left_out", "notes_left_out"}, f.Code) && personal.Hide(f.Value) != f.Value {
			r.findings.Add(personalName(personal.Hide(f.Value)))
		}
	}
}

// scanAttachment looks for numbers and addresses of persons in the lines of an
// attachment that is text. What is no text (PDF, pictures, archives) is not read.
func (r *run) scanAttachment() error {
	f, err := os.Open(r.req.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	tally := personal.New("")
	in := bufio.NewReaderSize(f, chunkBytes)
	for row := int64(1); ; row++ {
		line, err := in.ReadSlice('\n') // a longer line comes in pieces
		if bytes.IndexByte(line, 0) >= 0 {
			return nil
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) > 0 {
			tally.Scan(line, []uint32{uint32(len(line))}, []int64{row})
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
	for _, p := range tally.Found() {
		x := personalFinding("", p)
		x.Code, x.Severity, x.Measures = "personal_in_attachment", catalog.ToSettle, ofWhole
		c := findingCode("personal_in_attachment")
		x.Message = catalog.Text{Zh: c.What.Zh + "（" + personalCodes[p.Kind] + "）", En: c.What.En + " (" + personalCodes[p.Kind] + ")"}
		x.Hint = c.Hint
		r.findings.Add(x)
	}
	return nil
}
