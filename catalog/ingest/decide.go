package ingest

import (
	"fmt"
	"strings"
	"unicode"

	"taihu/catalog"
)

// columnType is how the cells of a column are read in the second pass.
type columnType struct {
	Type      catalog.Type
	Precision int
	Scale     int
	Zone      string
	as        variant // which spelling of dates and datetimes
	toUTC     bool    // offsets differ: convert
	loose     bool    // chosen: cells may be written as loosely reads them
	declared  bool    // canonical text of the file's own schema: no null words
}

// choice is what is known of a column beside its cells.
type choice struct {
	table, column string
	declared      Declared
	chosen        catalog.Type // by the steward
	zone          string       // of datetimes that state none; empty: the default
}

// order is the preference among variants that fit every cell.
var order = []variant{asBoolean, asInteger, asNumber, asDecimal, asDate, asDayFirst, asMonthFirst, asTime, asDatetime, asOffset, asDayFirstT, asMonthFirstT}

// decide gives the column its type and says why. A type is taken only where
// every cell that is not null agrees.
func (e *evidence) decide(c choice, fs *Findings) (columnType, catalog.Decision) {
	d := catalog.Decision{Table: c.table, Column: c.column, Nulls: e.nulls}
	t := columnType{Type: catalog.String}
	switch {
	case c.declared.Type != "":
		t = columnType{Type: c.declared.Type, Precision: c.declared.Precision, Scale: c.declared.Scale, Zone: c.declared.Zone, declared: true}
		d.Why = catalog.Text{Zh: "文件自身的列定义写明了类型。", En: "The file's own schema states the type."}
		if c.chosen != "" && c.chosen != c.declared.Type {
			t, d.Why = e.choose(c), chosenWhy
		}
	case c.chosen != "":
		t, d.Why = e.choose(c), chosenWhy
	case e.values() == 0:
		d.Why = catalog.Text{Zh: "没有可供判断的值，按文本保存。", En: "No value speaks for a type: text."}
		if e.count[classNullWord] == 0 && e.nulls > 0 {
			fs.Add(at(found("empty_column", "", ""), c, catalog.Against{}))
		}
	case e.nested == e.values():
		t.Type = catalog.JSON
		d.Why = catalog.Text{Zh: "所有值都是JSON数组或对象。", En: "Every value is a JSON array or object."}
	default:
		t, d.Why = e.weigh(c, fs)
	}
	if t.Type == catalog.Datetime && t.Zone == "" {
		t.Zone = e.zoneOf(&t, c, fs)
	}
	if t.Type != catalog.String && t.Type != catalog.JSON && !t.declared {
		d.NullWord = e.count[classNullWord]
		d.Nulls += d.NullWord
	}
	d.Type = t.Type
	return t, d
}

var chosenWhy = catalog.Text{Zh: "由数据管理员选定。", En: "Chosen by the steward."}

// weigh finds the variant that fits every value.
func (e *evidence) weigh(c choice, fs *Findings) (columnType, catalog.Text) {
	values := e.values()
	for _, v := range order {
		if e.agree(v) != values {
			continue
		}
		if v == asInteger {
			e.tellWhole(c, fs)
		}
		if word := codeWord(c.column); word != "" && (v == asInteger || (v == asNumber || v == asDecimal) && !e.measures(word)) {
			if e.hints.exponent.Row > 0 {
				fs.Add(at(found("digits_lost", "", ""), c, e.hints.exponent))
			}
			return columnType{Type: catalog.String}, say("全部%d个值都是数字，但列名含“%s”，是编码，按文本保存。", "All %d values are numbers, but the header says %q: codes stay text.", values, word)
		}
		t := columnType{Type: typeOf[v], as: v}
		switch v {
		case asDecimal:
			if e.exponent || e.whole+e.scale > 38 {
				continue
			}
			t.Precision, t.Scale = max(e.whole+e.scale, 1), e.scale
		case asOffset: // converted to UTC, a time would leave the calendar
			if e.beyond && len(e.offsets) > 1 {
				continue
			}
		case asDayFirst, asDayFirstT:
			if e.agree(v+1) == values {
				fs.Add(at(found("ambiguous_dates", "", ""), c, e.firstOf(classDayMonth, classDayMonthT)))
				return columnType{Type: catalog.String}, say("全部%d个值都像日期，但日、月顺序无法确定，按文本保存。", "All %d values look like dates, but day and month cannot be told apart: text.", values)
			}
		}
		return t, say("全部%d个值都是%s。", "All %d values are "+variantWords[v].En+".", values, variantWords[v].Zh)
	}
	return columnType{Type: catalog.String}, e.whyText(c, fs)
}

// variantWords names each variant in a sentence.
var variantWords = [variantCount]catalog.Text{
	asBoolean: {Zh: "true或false", En: "true or false"}, asInteger: {Zh: "整数", En: "whole numbers"}, asNumber: {Zh: "数字", En: "numbers"},
	asDecimal: {Zh: "位数超出双精度的小数", En: "fractions of more digits than a double keeps"},
	asDate:    {Zh: "日期", En: "dates"}, asDayFirst: {Zh: "日在前的日期", En: "dates with the day first"}, asMonthFirst: {Zh: "月在前的日期", En: "dates with the month first"},
	asTime: {Zh: "时刻", En: "times of day"}, asDatetime: {Zh: "日期时间", En: "dates with times"}, asOffset: {Zh: "带时区的日期时间", En: "dates with times and offsets"},
	asDayFirstT: {Zh: "日在前的日期时间", En: "dates with times, the day first"}, asMonthFirstT: {Zh: "月在前的日期时间", En: "dates with times, the month first"},
}

// typeNames names the types in a Chinese sentence.
var typeNames = map[catalog.Type]string{
	catalog.Boolean: "是或否（true、false）", catalog.Integer: "整数", catalog.Decimal: "定点小数", catalog.Number: "数值", catalog.Date: "日期",
	catalog.Time: "时刻", catalog.Datetime: "日期时间", catalog.String: "文本", catalog.JSON: "JSON",
}

// say formats both sentences; the English one takes the arguments its verbs ask for.
func say(zh, en string, args ...any) catalog.Text {
	n := strings.Count(en, "%") - 2*strings.Count(en, "%%")
	return catalog.Text{Zh: fmt.Sprintf(zh, args...), En: fmt.Sprintf(en, args[:n]...)}
}

// whyText says why no type fits, with a finding where little is missing.
func (e *evidence) whyText(c choice, fs *Findings) catalog.Text {
	values := e.values()
	numeric := e.count[classInteger] + e.count[classNumber]
	hinted := false
	for _, hint := range []struct {
		class class
		code  string
	}{{classThousands, "thousands_separators"}, {classPercent, "percent_signs"}, {classFullWidth, "full_width_digits"}} {
		if n := e.count[hint.class]; n > 0 && n+numeric == values {
			f := at(found(hint.code, "", ""), c, e.first[hint.class])
			f.Count = n
			fs.Add(f)
			hinted = true
		}
	}
	hinted = e.tellNear(c, fs) || hinted
	switch {
	case e.count[classZeros] > 0 && e.count[classZeros]+e.count[classInteger]+e.count[classLong] == values:
		return say("全部%d个值都是数字，其中%d个以0开头，是编码，按文本保存。", "All %d values are digits, %d of them with a leading zero: codes stay text.", values, e.count[classZeros])
	case e.count[classLong] > 0 && e.count[classLong]+e.count[classInteger] == values:
		return say("全部%d个值都是整数，其中%d个超过15位，按文本保存以免失真。", "All %d values are whole numbers, %d of them with more than 15 digits: text keeps them exact.", values, e.count[classLong])
	case e.textual > 0 && e.textual == values:
		return say("全部%d个值在文件中都是文本。", "The file gives all %d values as text.", values)
	}
	best, n := variant(0), int64(0)
	for _, v := range order {
		if a := e.agree(v); a > n {
			best, n = v, a
		}
	}
	if n == 0 {
		return say("%d个值都不是数字、日期等，按文本保存。", "None of the %d values is a number, date or the like: text.", values)
	}
	if n*100 >= values*95 && n < values && !hinted && codeWord(c.column) == "" && len(e.against[best]) > 0 {
		a := e.against[best][0]
		f := at(found("almost_typed", "%[1]d个值中有%[2]d个是%[3]s，%[4]d个不是，因此整列按文本保存。", "Of %[1]d values %[2]d are %[5]s and %[4]d are not, so the column stays text.",
			values, n, variantWords[best].Zh, values-n, variantWords[best].En), c, a)
		f.Count = values - n
		fs.Add(f)
	}
	return say("%d个值中只有%d个是"+variantWords[best].Zh+"，按文本保存。", "Only %[2]d of %[1]d values are "+variantWords[best].En+": text.", values, n)
}

// at places a finding in a column.
func at(f catalog.Finding, c choice, a catalog.Against) catalog.Finding {
	f.Table, f.Column, f.Row, f.Value = c.table, c.column, a.Row, a.Value
	return f
}

func (e *evidence) firstOf(classes ...class) catalog.Against {
	for _, c := range classes {
		if e.count[c] > 0 {
			return e.first[c]
		}
	}
	return catalog.Against{}
}

// choose reads the column as the steward says: in the spelling that fits most
// cells. Cells that do not fit are found in the second pass.
func (e *evidence) choose(c choice) columnType {
	t := columnType{Type: c.chosen, loose: true}
	best := int64(-1)
	for _, v := range order {
		if n := e.agree(v); typeOf[v] == c.chosen && n > best {
			best, t.as = n, v
		}
	}
	if c.chosen == catalog.Decimal {
		whole, scale := max(e.whole, e.hints.whole), max(e.scale, e.hints.scale)
		t.Precision, t.Scale = min(max(whole+scale, 1), 38), min(scale, 38)
	}
	return t
}

// zoneOf settles the offset of a datetime column.
func (e *evidence) zoneOf(t *columnType, c choice, fs *Findings) string {
	if t.as == asOffset {
		if len(e.offsets) == 1 {
			for minutes := range e.offsets {
				return zoneText(minutes)
			}
		}
		t.toUTC = true
		f := at(found("mixed_offsets", "", ""), c, e.first[classOffset])
		fs.Add(f)
		return "Z"
	}
	if c.zone != "" {
		return c.zone
	}
	fs.Add(at(found("assumed_zone", "", ""), c, e.firstOf(classDatetime, classDayFirstT, classMonthDayT)))
	return catalog.DefaultZone
}

func zoneText(minutes int) string {
	switch {
	case minutes == 0:
		return "Z"
	case minutes < 0:
		return fmt.Sprintf("-%02d:%02d", -minutes/60, -minutes%60)
	}
	return fmt.Sprintf("+%02d:%02d", minutes/60, minutes%60)
}

// codeWords are what a header says where its digits are a code. The Chinese ones
// may stand anywhere in it, the others must be a word of it.
var (
	chineseCodeWords = []string{"代码", "编码", "编号", "区划", "区号", "邮编", "证号", "号码", "电话", "手机"}
	latinCodeWords   = map[string]bool{"code": true, "codes": true, "zip": true, "zipcode": true, "postcode": true, "postalcode": true, "barcode": true,
		"isbn": true, "issn": true, "phone": true, "telephone": true, "mobile": true, "fax": true}
)

// codesOfAnyForm are the code words of what may be written with a point; the others
// are of numbers that are dialled, posted or scanned.
var codesOfAnyForm = map[string]bool{"code": true, "codes": true, "代码": true, "编码": true, "编号": true, "区划": true, "证号": true, "号码": true}

// measures reports whether fractions are of a measure in spite of the word in the
// header: no telephone number or postcode has a fraction and at most four digits
// before the point, as the phones of a hundred households have.
func (e *evidence) measures(word string) bool {
	return !codesOfAnyForm[strings.ToLower(word)] && e.whole <= 4 && !e.exponent
}

// codeWord returns the word by which a header says code, or "".
func codeWord(header string) string {
	for _, w := range chineseCodeWords {
		if strings.Contains(header, w) {
			return w
		}
	}
	start, prev := -1, rune(0)
	found := ""
	word := func(end int) {
		if start >= 0 && found == "" && latinCodeWords[strings.ToLower(header[start:end])] {
			found = header[start:end]
		}
		start = -1
	}
	for i, r := range header {
		isLetter := r < 0x80 && unicode.IsLetter(r)
		if start >= 0 && (!isLetter || unicode.IsUpper(r) && unicode.IsLower(prev)) {
			word(i)
		}
		if isLetter && start < 0 {
			start = i
		}
		prev = r
	}
	word(len(header))
	return found
}
