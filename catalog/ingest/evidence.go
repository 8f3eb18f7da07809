package ingest

import "taihu/catalog"

const (
	maxAgainst = 20 // cells against a type that a report lists
	// wideTable is the number of columns beyond which a report lists only the
	// first cells against: it has to stay readable, and fit into memory.
	wideTable      = 1000
	maxAgainstWide = 2
)

// variant is a type in one of its spellings; evidence is gathered for each.
type variant uint8

const (
	asBoolean variant = iota
	asInteger
	asNumber
	asDecimal
	asDate
	asDayFirst
	asMonthFirst
	asTime
	asDatetime
	asOffset
	asDayFirstT
	asMonthFirstT
	variantCount
)

// typeOf gives the type of each variant.
var typeOf = [variantCount]catalog.Type{
	asBoolean: catalog.Boolean, asInteger: catalog.Integer, asNumber: catalog.Number, asDecimal: catalog.Decimal,
	asDate: catalog.Date, asDayFirst: catalog.Date, asMonthFirst: catalog.Date, asTime: catalog.Time,
	asDatetime: catalog.Datetime, asOffset: catalog.Datetime, asDayFirstT: catalog.Datetime, asMonthFirstT: catalog.Datetime,
}

// classesOf lists the classes that agree with each variant.
var classesOf = [variantCount][]class{
	asBoolean:     {classBoolean},
	asInteger:     {classInteger},
	asNumber:      {classInteger, classNumber, classExponent, classSpecial},
	asDecimal:     {classInteger, classNumber, classDecimal},
	asDate:        {classDate},
	asDayFirst:    {classDayMonth, classDayFirst},
	asMonthFirst:  {classDayMonth, classMonthDay},
	asTime:        {classTime},
	asDatetime:    {classDatetime},
	asOffset:      {classOffset},
	asDayFirstT:   {classDayMonthT, classDayFirstT},
	asMonthFirstT: {classDayMonthT, classMonthDayT},
}

// agrees[c] has a bit for each variant that a cell of class c speaks for.
var agrees = func() (m [classCount]uint16) {
	for v, classes := range classesOf {
		for _, c := range classes {
			m[c] |= 1 << v
		}
	}
	return m
}()

const allVariants = 1<<variantCount - 1

// evidence gathers what the cells of one column look like, over all rows.
type evidence struct {
	nulls   int64 // null cells of the source
	count   [classCount]int64
	textual int64 // cells stated to be text whose class is a number or boolean
	nested  int64
	bytes   int64
	// Of fractions: digits before and after the point at the most, and whether one has an exponent.
	whole, scale int
	exponent     bool
	bare         int64         // numbers without a fraction that are not of the class of whole ones: -0, 5.
	offsets      map[int]int64 // minutes → cells
	beyond       bool          // a time with an offset lies outside the years 1 to 9999 in UTC
	// against lists the first cells that are not of a variant; open has a bit for
	// each whose list is not full.
	against [variantCount][]catalog.Against
	open    uint16
	list    int // length of a full list
	// first is the first cell of a class that deserves a finding of its own.
	first [classCount]catalog.Against
	hints hints
}

// newEvidence begins the evidence of one of so many columns.
func newEvidence(columns int) *evidence {
	if columns > wideTable {
		return &evidence{open: allVariants, list: maxAgainstWide}
	}
	return &evidence{open: allVariants, list: maxAgainst}
}

// add weighs a column of a chunk; rows are the source's row numbers.
func (e *evidence) add(k *Column, rows []int64) {
	start := uint32(0)
	data := k.Data
	e.bytes += int64(len(data))
	for i, end := range k.Ends {
		if k.Null != nil && k.Null[i] {
			e.nulls++
			continue
		}
		cell := data[start:end]
		start = end
		c, s := classify(cell)
		switch c {
		case classText, classThousands, classPercent, classFullWidth:
			if k.kind(i) != Nested {
				e.near(c, cell, rows[i])
			}
		case classInteger:
			if len(cell) == 8 || len(cell) == 5 {
				e.wholeNumber(cell)
			}
		case classNumber:
			if s.scale == 0 && !s.exponent {
				e.bare++
			}
		}
		if e.hints.coordinate != nil {
			e.hints.coordinate.add(cell, rows[i])
		}
		if s.exponent && e.hints.exponent.Row == 0 {
			e.hints.exponent = catalog.Against{Row: rows[i], Value: shorten(string(cell))}
		}
		if s.whole > e.whole || s.scale > e.scale || s.exponent {
			e.whole, e.scale, e.exponent = max(e.whole, s.whole), max(e.scale, s.scale), e.exponent || s.exponent
		}
		if k.Kinds != nil && k.Kinds[i] != Plain {
			c = e.stated(k.Kinds[i], c)
		}
		e.count[c]++
		switch c {
		case classNullWord:
			continue
		case classOffset:
			e.offset(cell)
		}
		if e.open&^agrees[c] != 0 {
			e.contradict(c, rows[i], cell)
		}
		if e.count[c] == 1 {
			e.first[c] = catalog.Against{Row: rows[i], Value: shorten(string(cell))}
		}
	}
}

// stated turns the class of a cell whose source says what it is.
func (e *evidence) stated(kind Kind, c class) class {
	switch {
	case kind == Nested:
		e.nested++
		return classText
	case c == classBoolean, c == classInteger, c == classNumber, c == classDecimal, c == classExponent, c == classSpecial:
		e.textual++
		return classText
	}
	return c
}

// contradict notes a cell against every variant it is not.
func (e *evidence) contradict(c class, row int64, cell []byte) {
	a := catalog.Against{Row: row, Value: shorten(string(cell))}
	for v := range variantCount {
		if bit := uint16(1) << v; e.open&bit != 0 && agrees[c]&bit == 0 {
			e.against[v] = append(e.against[v], a)
			if len(e.against[v]) == e.list {
				e.open &^= bit
			}
		}
	}
}

func (e *evidence) offset(cell []byte) {
	micros, _, minutes, _ := parseYearFirst(trimSpaces(cell))
	utc := micros - int64(minutes)*60_000_000
	e.beyond = e.beyond || utc < firstDay*dayMicros || utc >= (lastDay+1)*dayMicros
	if e.offsets == nil {
		e.offsets = map[int]int64{}
	}
	e.offsets[minutes]++
}

// values counts the cells that are neither null nor a null word.
func (e *evidence) values() int64 {
	n := int64(0)
	for c, k := range e.count {
		if class(c) != classNullWord {
			n += k
		}
	}
	return n
}

// agree counts the cells that speak for a variant.
func (e *evidence) agree(v variant) int64 {
	n := int64(0)
	for _, c := range classesOf[v] {
		n += e.count[c]
	}
	if v == asNumber {
		if e.count[classNumber] == 0 { // 1E5 beside whole numbers may be a code
			n -= e.count[classExponent]
		}
		if n == e.count[classSpecial] { // infinities and NaN alone are words
			n = 0
		}
	}
	return n
}
