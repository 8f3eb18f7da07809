package ingest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// What another type would make of a column is what the converter of that type, once
// chosen, makes of its cells. Where the classes of the cells say that surely, the
// counts of the first pass are enough; else the cells are converted once more, from
// the spool, before the second pass.

// alternative is a type a steward could choose for a column.
type alternative struct {
	columnType
	agree, disagree int64
	against         []catalog.Against
	changed         [changeCount]int64
	look            bool // the counts of classes do not tell
}

// change is what happens to a cell that is read, beside its form.
type change uint8

const (
	changeZeros change = iota
	changeRounded
	changeSign
	changeFraction
	changeTimes
	changeThousands
	changeCompact
	changeWidth
	changeMidnight
	changeOrder
	changeUTC
	changeNull
	changeCount
)

var changeWords = [changeCount]catalog.Text{
	changeZeros:     {Zh: "%d个值失去前面的0", En: "%d values lose the zeros in front"},
	changeRounded:   {Zh: "%d个值位数太多，会失真", En: "%d values have too many digits and are rounded"},
	changeSign:      {Zh: "%d个-0变为0", En: "%d values -0 become 0"},
	changeFraction:  {Zh: "%d个百分数、千分数变为小数（30%% → 0.3）", En: "%d values in per cent or per mille become fractions (30%% → 0.3)"},
	changeTimes:     {Zh: "%d个值按万、亿换算（12.5万 → 125000）", En: "%d values are multiplied by their 万 or 亿 (12.5万 → 125000)"},
	changeThousands: {Zh: "%d个值去掉千分位逗号（1,234 → 1234）", En: "%d values lose their thousands commas (1,234 → 1234)"},
	changeCompact:   {Zh: "%d个8位数字读作日期（20211208 → 2021-12-08）", En: "%d values of eight digits are read as dates (20211208 → 2021-12-08)"},
	changeWidth:     {Zh: "%d个值的全角字、不可见字符改为通常写法（１２ → 12）", En: "%d values lose full-width or invisible characters (１２ → 12)"},
	changeMidnight:  {Zh: "%d个日期变为当天零点", En: "%d dates become midnight of that day"},
	changeOrder:     {Zh: "%d个日期的日、月无法确定，按日在前读", En: "%d dates whose day and month cannot be told apart are read day first"},
	changeUTC:       {Zh: "%d个时间换算为UTC", En: "%d times are converted to UTC"},
	changeNull:      {Zh: "%d个空白或写作NA、-一类的字变为空值", En: "%d blanks or words such as NA or - become null"},
}

// reads are the classes that the converter of each variant, where chosen, surely
// reads, and refuses those that it surely does not. Where there are others, the cells
// are looked at: text may hold 12.5万, and eight digits a date.
var reads = [variantCount]uint32{
	asBoolean:     classSet(classBoolean),
	asInteger:     classSet(classInteger),
	asNumber:      classSet(classInteger, classNumber, classZeros, classExponent, classSpecial),
	asDecimal:     classSet(classInteger),
	asDate:        classSet(classDate),
	asDayFirst:    classSet(classDayMonth, classDayFirst),
	asMonthFirst:  classSet(classDayMonth, classMonthDay),
	asTime:        classSet(classTime),
	asDatetime:    classSet(classDate, classDatetime),
	asDayFirstT:   classSet(classDayMonthT, classDayFirstT),
	asMonthFirstT: classSet(classDayMonthT, classMonthDayT),
}

var refuses = func() (m [variantCount]uint32) {
	const all = 1<<classCount - 1
	numbers := classSet(classInteger, classLong, classZeros, classNumber, classDecimal, classExponent, classSpecial)
	open := classSet(classText, classFullWidth, classThousands, classPercent)
	dates := classSet(classDate, classDayMonth, classDayFirst, classMonthDay, classDatetime, classOffset, classDayMonthT, classDayFirstT, classMonthDayT)
	m[asBoolean], m[asTime] = all&^open&^reads[asBoolean], all&^open&^reads[asTime]
	m[asInteger] = classSet(classNumber, classDecimal, classExponent, classSpecial, classBoolean, classTime) | dates
	m[asNumber] = classSet(classBoolean, classTime) | dates
	m[asDecimal] = classSet(classExponent, classSpecial, classBoolean, classTime) | dates
	for _, v := range []variant{asDate, asDatetime} {
		m[v] = numbers&^classSet(classInteger, classZeros) | classSet(classBoolean, classTime) | dates&^reads[v]
	}
	return m
}()

func classSet(classes ...class) (m uint32) {
	for _, c := range classes {
		m |= 1 << c
	}
	return m
}

// alternatives lists the types that some cells speak for or could be read as, one
// for each type, with what the counts tell of it. The type the column has is always
// one, as it has it.
func (e *evidence) alternatives(c choice, has columnType) []alternative {
	var list []alternative
	for i, v := range order {
		t := typeOf[v]
		if slices.IndexFunc(order[:i], func(v variant) bool { return typeOf[v] == t }) >= 0 || t != has.Type && !e.mayBe(t) {
			continue
		}
		a := alternative{columnType: has}
		switch {
		case t == has.Type && !has.loose: // decided, as every cell fits
			a.agree = e.values()
			list = append(list, a)
			continue
		case t != has.Type:
			c.chosen = t
			a.columnType = e.choose(c)
			if t == catalog.Datetime {
				a.Zone = e.zoneOf(&a.columnType, c, &Findings{})
			}
		}
		e.foresee(&a)
		list = append(list, a)
	}
	return list
}

// mayBe reports whether any cell may be read as t.
func (e *evidence) mayBe(t catalog.Type) bool {
	for v := range variantCount {
		if typeOf[v] == t && e.agree(v) > 0 && (t != catalog.Decimal || e.agree(asDecimal) > e.agree(asNumber)) {
			return true
		}
	}
	h := &e.hints
	plain := e.textual + h.count[hintInvisible] + h.count[hintFullWidth] // may be anything
	switch t {
	case catalog.Number, catalog.Integer:
		if t == catalog.Number {
			plain += e.count[classDecimal] + e.count[classExponent]
		}
		return plain+h.count[hintUnit]+e.count[classZeros]+e.count[classLong]+e.count[classThousands]+e.count[classPercent]+e.count[classFullWidth] > 0
	case catalog.Date: // one number may be like a date by chance
		return plain > 0 || h.compact > 0 && h.compact == e.count[classInteger]
	case catalog.Boolean, catalog.Time, catalog.Datetime:
		return plain > 0
	}
	return false
}

// foresee counts what a would make of the column, or says that it has to be looked at.
func (e *evidence) foresee(a *alternative) {
	read, refused := reads[a.as], refuses[a.as]
	if a.as == asInteger && e.bare > 0 {
		refused &^= classSet(classNumber) // -0 is read
	}
	switch {
	case a.as == asInteger && e.whole <= 18:
		read |= classSet(classZeros, classLong)
	case a.as == asDecimal && !e.exponent && a.Precision == e.whole+e.scale && a.Scale == e.scale:
		read |= classSet(classNumber, classDecimal, classZeros)
	case a.as == asOffset && len(e.offsets) == 1:
		read |= classSet(classOffset)
	}
	beyondAgree := false // cells are read that stand in the list of those that disagree
	for c := range classCount {
		n := e.count[c]
		if n == 0 || c == classNullWord {
			continue
		}
		switch {
		case read>>c&1 != 0:
			a.agree += n
			beyondAgree = beyondAgree || agrees[c]>>a.as&1 == 0
		case refused>>c&1 != 0:
			a.disagree += n
		default:
			a.look = true
		}
	}
	a.look = a.look || beyondAgree && a.disagree > 0
	if a.disagree > 0 {
		a.against = e.against[a.as]
	}
	switch a.Type {
	case catalog.Integer, catalog.Number, catalog.Decimal:
		a.changed[changeZeros] = e.count[classZeros]
	case catalog.Datetime:
		if a.as == asDatetime {
			a.changed[changeMidnight] = e.count[classDate]
		}
	}
}

// report is the evidence a decision shows: the alternatives that read at least one
// cell, best first, at most three; with them the type the column has.
func (e *evidence) report(list []alternative, has catalog.Type) []catalog.Evidence {
	integer := int64(-1)
	var out []catalog.Evidence
	for i := range list {
		a := &list[i]
		if a.Type == catalog.Integer {
			integer = a.agree
		}
		// Numbers that are all read as whole ones need no other type.
		if a.Type != has && (a.agree == 0 || a.Type == catalog.Number && integer == a.agree) {
			continue
		}
		out = append(out, catalog.Evidence{Type: a.Type, Agree: a.agree, Disagree: a.disagree, Against: a.against, Loss: e.loss(a)})
	}
	slices.SortStableFunc(out, func(a, b catalog.Evidence) int {
		switch { // the column's own is not to be cut off
		case a.Type == has:
			return -1
		case b.Type == has:
			return 1
		}
		return cmp.Compare(b.Agree, a.Agree)
	})
	return out[:min(len(out), 3)]
}

// loss says what a type changes in the cells it reads.
func (e *evidence) loss(a *alternative) catalog.Text {
	n := a.changed
	n[changeNull] = e.count[classNullWord]
	switch {
	case a.as == asDayFirst && e.agree(asDayFirst) == e.agree(asMonthFirst):
		n[changeOrder] = e.count[classDayMonth]
	case a.as == asDayFirstT && e.agree(asDayFirstT) == e.agree(asMonthFirstT):
		n[changeOrder] = e.count[classDayMonthT]
	}
	if a.toUTC {
		n[changeUTC] = e.count[classOffset]
	}
	var zh, en []string
	for c, k := range n {
		if k > 0 {
			zh, en = append(zh, fmt.Sprintf(changeWords[c].Zh, k)), append(en, fmt.Sprintf(changeWords[c].En, k))
		}
	}
	return catalog.Text{Zh: strings.Join(zh, "，"), En: strings.Join(en, ", ")}
}

// looked is an alternative of a column whose cells are converted to see.
type looked struct {
	*alternative
	column int
	list   int // places that are kept
	converter
	values table.Vector
}

// convertAgain converts the spooled cells of the columns whose alternatives the
// counts do not tell.
func convertAgain(ctx context.Context, lists [][]alternative, evidence []*evidence, sp *spool) error {
	var open []*looked
	for i := range lists {
		for j := range lists[i] {
			if a := &lists[i][j]; a.look {
				*a = alternative{columnType: a.columnType}
				open = append(open, &looked{alternative: a, column: i, list: evidence[i].list, converter: converter{columnType: a.columnType}})
			}
		}
	}
	if len(open) == 0 {
		return nil
	}
	in, err := sp.reader()
	if err != nil {
		return err
	}
	var c Chunk
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.Reset(len(lists))
		if err := in.read(&c); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		for _, l := range open {
			l.add(&c.Columns[l.column], c.Rows)
		}
	}
}

// add converts the cells of a chunk.
func (l *looked) add(k *Column, rows []int64) {
	next := 0
	l.convert(k, &l.values, func(i int, cell []byte) {
		l.read(k, next, i)
		next = i + 1
		if l.disagree++; len(l.against) < l.list {
			l.against = append(l.against, catalog.Against{Row: rows[i], Value: shorten(string(cell))})
		}
	})
	l.read(k, next, len(k.Ends))
}

// read counts the cells from one to another, all of them read, and what changes in
// them.
func (l *looked) read(k *Column, from, to int) {
	for i := from; i < to; i++ {
		if k.IsNull(i) {
			continue
		}
		cell := trimSpaces(k.Cell(i))
		if isNullWord(cell) {
			continue
		}
		l.agree++
		l.alternative.note(cell)
	}
}

// note counts what changes in a cell that is read.
func (a *alternative) note(cell []byte) {
	plain := plainForm(cell)
	if !bytes.Equal(plain, cell) {
		a.changed[changeWidth]++
	}
	switch a.Type {
	case catalog.Integer, catalog.Number, catalog.Decimal:
		a.noteNumber(plain)
	case catalog.Date, catalog.Datetime:
		if len(plain) == 8 && allDigits(string(plain)) {
			a.changed[changeCompact]++
		} else if a.Type == catalog.Datetime {
			if c, _ := classify(plain); c == classDate || c == classDayMonth || c == classDayFirst || c == classMonthDay {
				a.changed[changeMidnight]++
			}
		}
	}
}

// noteNumber counts what changes in a number that is read.
func (a *alternative) noteNumber(b []byte) {
	for _, u := range scales {
		if rest, ok := bytes.CutSuffix(b, []byte(u.word)); ok {
			b = trimSpaces(rest)
			if u.shift < 0 {
				a.changed[changeFraction]++
			} else {
				a.changed[changeTimes]++
			}
			break
		}
	}
	if isThousands(b) {
		a.changed[changeThousands]++
		b = bytes.ReplaceAll(b, []byte{','}, nil)
	}
	unsigned := bytes.TrimPrefix(b, []byte{'-'})
	digits, sig := significant(b)
	switch {
	case len(unsigned) > 1 && unsigned[0] == '0' && unsigned[1]-'0' <= 9:
		a.changed[changeZeros]++
	case a.Type != catalog.Number && sig == 0 && len(unsigned) < len(b):
		a.changed[changeSign]++
	}
	if a.Type == catalog.Number && sig > 15 {
		if f, ok := parseDouble(b); ok && !sameDigits(f, digits, sig) {
			a.changed[changeRounded]++
		}
	}
}

// weighTypes writes into the decisions what each type would make of their columns.
func (r *run) weighTypes(ctx context.Context, fields []catalog.Field, types []columnType, evidence []*evidence, decisions []catalog.Decision, sp *spool) error {
	lists := make([][]alternative, len(fields))
	for i, e := range evidence {
		if t := types[i]; !t.declared {
			lists[i] = e.alternatives(choice{table: decisions[i].Table, column: fields[i].Name, zone: r.req.Options.Zone}, t)
		}
	}
	if err := convertAgain(ctx, lists, evidence, sp); err != nil {
		return err
	}
	for i, e := range evidence {
		decisions[i].Evidence = e.report(lists[i], types[i].Type)
	}
	return nil
}
