package ingest

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// maxPlaces is how many places a finding of the contract names.
const maxPlaces = 20

// promise holds the rows of a table to the dataset's contract, in the second
// pass: what is asked of the values of one column is seen cell by cell, what is
// asked of all of them together (unique, key) by the hashes of the rows. A nil
// promise asks nothing.
type promise struct {
	*run
	columns []promisedColumn
	apart   []*apart // unique columns, then the key
}

// promisedColumn is what is asked of one column, and where it is not so.
type promisedColumn struct {
	at       int
	name     string
	rules    catalog.Rules
	min, max *table.Vector // of one row
	pattern  *regexp.Regexp
	codes    map[string]bool
	missed   map[string]*missed // by code
	text     []byte
}

// missed counts the cells that miss a rule.
type missed struct {
	cells  int64
	places []catalog.Against
}

func (m *missed) add(row int64, value []byte) {
	m.cells++
	if len(m.places) < maxPlaces {
		m.places = append(m.places, catalog.Against{Row: row, Value: shorten(string(value))})
	}
}

// promise reads the contract for the table of that name; nil where it asks
// nothing of the rows. What it asks of columns that are missing, or of another
// type now, is told at once.
func (r *run) promise(name string, fields []catalog.Field, types []columnType) (*promise, error) {
	of := r.req.Contract.Table(name)
	if of == nil {
		return nil, nil
	}
	asked := of.Asked()
	if len(asked.Fields) == 0 && len(asked.Key) == 0 {
		return nil, nil
	}
	p := &promise{run: r}
	at := func(column string) int {
		return slices.IndexFunc(fields, func(f catalog.Field) bool { return f.Name == column })
	}
	for _, f := range asked.Fields {
		i := at(f.Name)
		if i < 0 {
			p.gone(f.Name)
			continue
		}
		now := fields[i]
		now.Codes = f.Codes
		if now.Rules = f.Rules; now.Rules.Check(&now) != nil {
			x := found("contract_type", "列“%[1]s”现在是%[2]s，约定的范围或格式无法检查。", "The column %[1]q is %[3]s now, so its range or pattern cannot be checked.", f.Name, typeNames[now.Type], string(now.Type))
			x.Column = f.Name
			r.findings.Add(x)
			now.Rules.Minimum, now.Rules.Maximum, now.Rules.Pattern = "", "", ""
		}
		c, err := newPromisedColumn(i, &now, types[i])
		if err != nil {
			return nil, err
		}
		p.columns = append(p.columns, c)
		if f.Rules.Unique {
			p.apart = append(p.apart, newApart(r.req.OutDir, "contract_unique", []int{i}, []string{f.Name}))
		}
	}
	key := []int{}
	for _, column := range asked.Key {
		i := at(column)
		if i < 0 {
			p.gone(column)
			continue
		}
		key = append(key, i)
	}
	if len(key) > 0 && len(key) == len(asked.Key) {
		p.apart = append(p.apart, newApart(r.req.OutDir, "contract_key", key, asked.Key))
	}
	return p, nil
}

func (p *promise) gone(column string) {
	x := found("contract_column", "约定要求的列“%[1]s”不在这张表里。", "The contract asks something of the column %[1]q, which the table lacks.", column)
	x.Column = column
	p.findings.Add(x)
}

func newPromisedColumn(at int, f *catalog.Field, t columnType) (promisedColumn, error) {
	c := promisedColumn{at: at, name: f.Name, rules: f.Rules, missed: map[string]*missed{}}
	bound := func(text string) *table.Vector {
		if text == "" {
			return nil
		}
		v := &table.Vector{}
		if t.as = asNumber; t.Type == catalog.Date || t.Type == catalog.Datetime {
			t.as, t.toUTC, t.declared = asDate, false, false
		}
		conv := converter{columnType: t, name: f.Name}
		if t.Type == catalog.Decimal { // a bound may have more digits than the column
			conv.Precision, conv.Scale = 38, 0
			if _, fraction, ok := strings.Cut(text, "."); ok {
				conv.Scale = len(fraction)
			}
		}
		k := &Column{}
		k.Append([]byte(text))
		ok := true
		conv.convert(k, v, func(int, []byte) { ok = false })
		if !ok {
			return nil
		}
		return v
	}
	c.min, c.max = bound(f.Rules.Minimum), bound(f.Rules.Maximum)
	if f.Rules.Pattern != "" {
		var err error
		if c.pattern, err = regexp.Compile(`\A(?:` + f.Rules.Pattern + `)\z`); err != nil {
			return c, fmt.Errorf("pattern of %s: %w", f.Name, err) // checked when it was set
		}
	}
	if f.Rules.Listed {
		c.codes = map[string]bool{}
		for _, code := range f.Codes {
			c.codes[code.Value] = true
		}
	}
	return c, nil
}

// check looks at a batch; rows are the source's row numbers.
func (p *promise) check(b *table.Batch, rows []int64) error {
	for i := range p.columns {
		p.columns[i].check(&b.Columns[p.columns[i].at], rows)
	}
	for _, a := range p.apart {
		if err := a.add(b, rows); err != nil {
			return err
		}
	}
	return nil
}

// before takes rows of the table that stand before those of the file: they were
// held to the contract when they were published, but the key is of all rows.
func (p *promise) before(b *table.Batch, first int64) error {
	if p == nil {
		return nil
	}
	for _, a := range p.apart {
		if err := a.before(b, first); err != nil {
			return err
		}
	}
	return nil
}

func (c *promisedColumn) miss(code string, row int64, value []byte) {
	m := c.missed[code]
	if m == nil {
		m = &missed{}
		c.missed[code] = m
	}
	m.add(row, value)
}

func (c *promisedColumn) check(v *table.Vector, rows []int64) {
	text := c.pattern != nil || c.codes != nil
	if !text && c.min == nil && c.max == nil && (!c.rules.Required || v.Null == nil) {
		return
	}
	for i, row := range rows {
		if v.IsNull(i) {
			if c.rules.Required {
				c.miss("contract_required", row, nil)
			}
			continue
		}
		if c.min != nil && less(v, i, c.min, 0) || c.max != nil && less(c.max, 0, v, i) {
			c.text = v.AppendText(c.text[:0], i)
			c.miss("contract_range", row, c.text)
		}
		if !text {
			continue
		}
		c.text = v.AppendText(c.text[:0], i)
		if c.pattern != nil && !c.pattern.Match(c.text) {
			c.miss("contract_pattern", row, c.text)
		}
		if c.codes != nil && !c.codes[string(c.text)] {
			c.miss("contract_codes", row, c.text)
		}
	}
}

// less compares two values of one ordered type; decimals by their digits, as a
// bound may have another scale than the column.
func less(a *table.Vector, i int, b *table.Vector, k int) bool {
	switch a.Type {
	case catalog.Number:
		return a.Num[i] < b.Num[k]
	case catalog.Decimal:
		return compareDecimals(string(a.AppendText(nil, i)), string(b.AppendText(nil, k))) < 0
	}
	return a.Int[i] < b.Int[k]
}

// compareDecimals compares two decimals in canonical text: no zeros in front.
func compareDecimals(a, b string) int {
	negative := strings.HasPrefix(a, "-")
	if negative != strings.HasPrefix(b, "-") {
		if negative {
			return -1
		}
		return 1
	}
	if negative {
		return -compareDecimals(a[1:], b[1:])
	}
	wholeA, fractionA, _ := strings.Cut(a, ".")
	wholeB, fractionB, _ := strings.Cut(b, ".")
	// "5" < "50": zeros at the end of a fraction make it longer, but no larger.
	return cmp.Or(cmp.Compare(len(wholeA), len(wholeB)), strings.Compare(wholeA, wholeB),
		strings.Compare(strings.TrimRight(fractionA, "0"), strings.TrimRight(fractionB, "0")))
}

// close gives up what the promise keeps on disk.
func (p *promise) close() {
	if p == nil {
		return
	}
	for _, a := range p.apart {
		a.close()
	}
}

// tell adds the findings, once all rows were seen.
func (p *promise) tell(ctx context.Context, sp *spool) error {
	if p == nil {
		return nil
	}
	for i := range p.columns {
		c := &p.columns[i]
		for _, code := range []string{"contract_required", "contract_range", "contract_pattern", "contract_codes"} {
			m := c.missed[code]
			if m == nil {
				continue
			}
			for i := range m.places {
				m.places[i].Value = p.hide(c.name, m.places[i].Value)
			}
			x := c.finding(code, m)
			x.Column, x.Count, x.Places = c.name, m.cells, m.places
			x.Row, x.Value = m.places[0].Row, m.places[0].Value
			p.findings.Add(x)
		}
	}
	for _, a := range p.apart {
		if err := a.tell(ctx, p.run, sp); err != nil {
			return err
		}
	}
	return nil
}

func (c *promisedColumn) finding(code string, m *missed) catalog.Finding {
	switch code {
	case "contract_required":
		return found(code, "约定必填的列“%[1]s”有%[2]d个空值。", "The contract requires the column %[1]q, which has %[2]d nulls.", c.name, m.cells)
	case "contract_range":
		span := [2]string{cmp.Or(c.rules.Minimum, "−∞"), cmp.Or(c.rules.Maximum, "+∞")}
		return found(code, "列“%[1]s”有%[2]d个值超出约定的范围（%[3]s至%[4]s）。", "%[2]d values of the column %[1]q lie outside the range of the contract (%[3]s to %[4]s).", c.name, m.cells, span[0], span[1])
	case "contract_pattern":
		return found(code, "列“%[1]s”有%[2]d个值不合约定的格式 %[3]s。", "%[2]d values of the column %[1]q do not match the pattern %[3]s of the contract.", c.name, m.cells, c.rules.Pattern)
	}
	return found(code, "列“%[1]s”有%[2]d个值不在约定的代码表里。", "%[2]d values of the column %[1]q are not in the code list of the contract.", c.name, m.cells)
}
