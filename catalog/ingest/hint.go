package ingest

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"taihu/catalog"
)

// Cells that are nearly values: 12.5万, １２－８, 约300, 2021年四季度, 暂无. They stay
// text, because what they mean is the steward's to say; the report counts each kind
// over all rows and says how to have them as values.

// hint is why a cell that is text is nearly a value.
type hint uint8

const (
	hintNone      hint = iota
	hintPart           // a year, half-year, quarter or month
	hintInvisible      // a value with blanks that are not seen
	hintFullWidth      // a value in full-width characters
	hintUnit           // a number with its unit
	hintAbout          // 约300, 22万多
	hintRange          // 10-20
	hintDegrees        // 120°18′E
	hintNull           // 无, 暂无, —
	hintCount
)

// hintCodes are the findings of the hints, in the order in which they are told.
var hintCodes = [hintCount]string{hintPart: "partial_dates", hintInvisible: "invisible_characters", hintFullWidth: "full_width_digits", hintUnit: "units_in_cells",
	hintAbout: "approximate_values", hintRange: "ranges_in_cells", hintDegrees: "degrees_minutes", hintNull: "null_words_suggested"}

// suggestedNulls are words that say that there is no value, but are no null words
// unless a steward says so.
var suggestedNulls = map[string]bool{"无": true, "暂无": true, "没有": true, "空": true, "空值": true, "未知": true, "不详": true, "缺": true, "缺失": true, "缺测": true, "未填": true,
	"未填写": true, "未统计": true, "无数据": true, "暂无数据": true, "暂缺": true, "不适用": true, "待定": true, "—": true, "——": true, "–": true, "―": true, "－": true, "−": true, "--": true, "---": true,
	"…": true, "……": true, "...": true, "/": true, `\`: true, "*": true, "**": true, ".": true, "..": true, "?": true, "？": true, "x": true, "X": true, "×": true, "#N/A": true, "N/A!": true,
	"#VALUE!": true, "#DIV/0!": true, "#REF!": true, "#NAME?": true, "#NULL!": true, "none": true, "None": true, "NONE": true, "nil": true, "unknown": true, "Unknown": true, "missing": true,
	"n.a.": true, "N.A.": true, "na": true, "NaN%": true, "<NA>": true, "(null)": true, "(空)": true, "(空白)": true, "undefined": true}

var (
	partOfTime = regexp.MustCompile(`^(?:1[89]|20|21)\d\d(?:年度?|年?(?:上|下)半年|[-/.]?[Qq][1-4]|年?第?[一二三四1-4]季度?|[-/.](?:0?[1-9]|1[0-2])|年(?:0?[1-9]|1[0-2])月(?:份|[上中下]旬)?)$`)
	about      = regexp.MustCompile(`^(?:大?约|近|超过?|逾|不足|不到|至少|最多|高于|低于|[><≥≤~～≈])\s*[\d０-９]|^[\d.,]+\s*[千万亿]?\s*(?:多|余|以上|以下|左右|\+)\s*\p{Han}{0,3}$`)
	rangeOf    = regexp.MustCompile(`^[\d.,]+\s*(?:-|–|—|~|～|至|到)\s*[\d.,]+\s*(\S{0,6})$`)
	degrees    = regexp.MustCompile(`^[EWNSewns东西南北经纬]*\s*\d{1,3}(?:\.\d+)?\s*[°度]\s*(?:\d{1,2}(?:\.\d+)?\s*[′'’分]\s*)?(?:\d{1,2}(?:\.\d+)?\s*(?:[″"”秒]|''|′′)\s*)?[EWNSewns东西南北经纬]*$`)
	numberUnit = regexp.MustCompile(`^(-?[\d,]+(?:\.\d+)?)\s*(\S{1,8})$`)
)

// hintOf looks at a cell whose class is text. Most texts are passed by their first
// character.
func hintOf(b []byte) (h hint, unit string) {
	if len(b) > 0 && (b[0] <= ' ' || b[len(b)-1] <= ' ') {
		b = trimSpaces(b)
	}
	if len(b) == 0 || len(b) > 48 || !mayHint(b) {
		return hintNone, ""
	}
	if suggestedNulls[string(b)] {
		return hintNull, ""
	}
	if plain := plainForm(b); !bytes.Equal(plain, b) {
		if suggestedNulls[string(plain)] {
			return hintNull, ""
		}
		if c, _ := classify(plain); c != classText && c != classNullWord {
			if bytes.Equal(norm.NFKC.Bytes(b), plain) && !bytes.ContainsFunc(b, isInvisible) {
				return hintFullWidth, ""
			}
			return hintInvisible, ""
		}
		b = plain
	}
	s := string(b)
	switch {
	case partOfTime.MatchString(s):
		return hintPart, ""
	case about.MatchString(s):
		return hintAbout, ""
	case degrees.MatchString(s):
		return hintDegrees, ""
	}
	if m := rangeOf.FindStringSubmatch(s); m != nil && (m[1] == "" || isUnit(m[1])) {
		return hintRange, ""
	}
	if m := numberUnit.FindStringSubmatch(s); m != nil && (isUnit(m[2]) || m[2] == "万" || m[2] == "亿" || m[2] == "千") {
		return hintUnit, m[2]
	}
	return hintNone, ""
}

// mayHint reports whether a text may be nearly a value, by its first character.
func mayHint(b []byte) bool {
	switch c := b[0]; {
	case c >= '0' && c <= '9', c == '-', c == '.':
		for i, d := range b { // at most a few characters after a number
			if d-'0' > 9 && d != '.' && d != ',' && d != '-' && d != '/' {
				return len(b)-i <= 24
			}
		}
		return true
	case c == '<' || c == '>' || c == '~':
		return true
	case c < 0x80:
		return len(b) <= 9 && suggestedNulls[string(b)] || (c == 'E' || c == 'N') && len(b) > 1 && b[1]-'0' <= 9
	case c == 0xc2 || c == 0xe2 || c == 0xe3 || c == 0xef:
		return true
	}
	r, n := utf8.DecodeRune(b)
	switch r {
	case '约', '大', '近', '超', '逾', '不', '至', '最', '高', '低': // a number after at most two more characters
		i := bytes.IndexFunc(b, func(r rune) bool { return '0' <= r && r <= '9' || '０' <= r && r <= '９' })
		return i >= n && i <= n+6 || r == '不' && suggestedNulls[string(b)]
	case '东', '西', '南', '北', '经', '纬':
		return bytes.ContainsRune(b, '°') || bytes.ContainsRune(b, '度')
	case '无', '暂', '没', '空', '未', '缺', '待', '×':
		return len(b) <= 12
	}
	return false
}

// plainForm is a text without characters that are not seen, and in ordinary width.
func plainForm(b []byte) []byte {
	ascii := true
	for _, c := range b {
		if c >= 0x80 {
			ascii = false
			break
		}
	}
	if ascii {
		return b
	}
	s := strings.Map(func(r rune) rune {
		switch {
		case r == '−':
			return '-'
		case r == '\u00a0' || r == '\u3000':
			return ' '
		case isInvisible(r):
			return -1
		}
		return r
	}, string(b))
	return trimSpaces([]byte(norm.NFKC.String(s)))
}

// isHanText reports whether a cell holds a Han character that no value is written
// with, which spares writing it as plainForm does.
func isHanText(b []byte) bool {
	for i := 0; i+2 < len(b); i++ {
		if b[i] < 0xe4 || b[i] > 0xe9 {
			continue
		}
		switch r, n := utf8.DecodeRune(b[i:]); r {
		case '年', '月', '日', '时', '分', '秒', '万', '亿':
			i += n - 1
		default:
			if r >= 0x4e00 && r <= 0x9fff {
				return true
			}
		}
	}
	return false
}

// scales are the words after a number that move its point.
var scales = []struct {
	word  string
	shift int
}{{"%", -2}, {"‰", -3}, {"万", 4}, {"亿", 8}}

// loosely writes a cell of a column whose type a steward chose as that type has it,
// where there is no doubt about it: full-width and invisible characters, thousands
// separators, per cent and per mille, 万 and 亿, and dates as 20211208.
func loosely(cell []byte, t catalog.Type) ([]byte, bool) {
	b := plainForm(trimSpaces(cell))
	switch t {
	case catalog.Integer, catalog.Number, catalog.Decimal:
		shift := 0
		for _, u := range scales {
			if rest, ok := bytes.CutSuffix(b, []byte(u.word)); ok {
				b, shift = trimSpaces(rest), u.shift
				break
			}
		}
		if isThousands(b) {
			b = bytes.ReplaceAll(b, []byte{','}, nil)
		}
		if c, _ := classify(b); c == classText || c == classNullWord || c == classExponent || c == classSpecial || shift != 0 && bytes.ContainsAny(b, "eE") {
			return nil, false
		}
		return shifted(b, shift), true
	case catalog.Date, catalog.Datetime:
		if len(b) == 8 && allDigits(string(b)) {
			return slices.Concat(b[:4], []byte{'-'}, b[4:6], []byte{'-'}, b[6:]), true
		}
	}
	return b, !bytes.Equal(b, cell)
}

// shifted moves the point of a number by so many digits to the right.
func shifted(b []byte, by int) []byte {
	if by == 0 {
		return b
	}
	sign, digits := "", string(b)
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	if by > 0 {
		for len(fraction) < by {
			fraction += "0"
		}
		whole, fraction = whole+fraction[:by], fraction[by:]
	} else {
		for len(whole) < -by {
			whole = "0" + whole
		}
		whole, fraction = whole[:len(whole)+by], whole[len(whole)+by:]+fraction
	}
	whole, fraction = strings.TrimLeft(whole, "0"), strings.TrimRight(fraction, "0")
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return []byte(sign + whole + fraction)
}

// hints is what the evidence knows of cells that are nearly values.
type hints struct {
	count [hintCount]int64
	first [hintCount]catalog.Against
	words [hintCount]map[string]int64 // units and words for null → cells
	// Of all values as loosely reads them: digits before and after the point.
	whole, scale int
	compact      int64           // whole numbers that are dates such as 20211208
	serial       int64           // whole numbers that a spreadsheet may show as dates of 1982 to 2064
	exponent     catalog.Against // the first number with an exponent
	coordinate   *coordinate     // where the column is called longitude or latitude
}

// near looks at a cell whose class is text or one of those that a chosen type reads
// loosely.
func (e *evidence) near(c class, cell []byte, row int64) {
	if c == classThousands || c == classPercent || c == classFullWidth {
		e.measure(cell)
		return
	}
	h, unit := hintOf(cell)
	if h == hintNone {
		return
	}
	n := &e.hints
	if n.count[h]++; n.count[h] == 1 {
		n.first[h] = catalog.Against{Row: row, Value: shorten(string(cell))}
	}
	switch h {
	case hintNull:
		unit = string(trimSpaces(cell))
	case hintUnit, hintInvisible, hintFullWidth:
		e.measure(cell)
	}
	if unit != "" {
		if n.words[h] == nil {
			n.words[h] = map[string]int64{}
		}
		n.words[h][unit]++
	}
}

// measure takes the digits of a number as loosely reads it.
func (e *evidence) measure(cell []byte) {
	if b, ok := loosely(cell, catalog.Decimal); ok {
		_, s := classify(b)
		e.hints.whole, e.hints.scale = max(e.hints.whole, s.whole), max(e.hints.scale, s.scale)
	}
}

// wholeNumber looks at a whole number.
func (e *evidence) wholeNumber(cell []byte) {
	cell = trimSpaces(cell)
	n, _ := strconv.Atoi(string(cell))
	switch len(cell) {
	case 8:
		if y := n / 10000; y >= 1900 && y < 2100 && validDate(y, n/100%100, n%100) {
			e.hints.compact++
		}
	case 5:
		if n >= 30_000 && n < 60_000 {
			e.hints.serial++
		}
	}
}

// dateWord is what a header says where its numbers may be dates.
var dateWord = regexp.MustCompile(`日期|时间|年月日|(?i:\bdate|date\b|_dt\b)`)

// tellWhole reports whole numbers that are dates by their header and their form.
func (e *evidence) tellWhole(c choice, fs *Findings) {
	if !dateWord.MatchString(c.column) {
		return
	}
	for _, x := range []struct {
		code  string
		count int64
	}{{"compact_dates", e.hints.compact}, {"serial_dates", e.hints.serial}} {
		if x.count > 0 && x.count == e.values() {
			f := at(found(x.code, "", ""), c, e.first[classInteger])
			f.Count = x.count
			fs.Add(f)
		}
	}
}

// tellNear reports the cells of a text column that are nearly values, where nearly
// all of the column are; and whether it did.
func (e *evidence) tellNear(c choice, fs *Findings) bool {
	values := e.values()
	near := e.textual + e.count[classThousands] + e.count[classPercent] + e.count[classFullWidth]
	for cl := classBoolean; cl < classThousands; cl++ {
		near += e.count[cl]
	}
	hinted := int64(0)
	for _, n := range e.hints.count {
		hinted += n
	}
	if hinted == 0 || (near+hinted)*10 < values*9 || near+hinted == e.hints.count[hintNull] {
		return false
	}
	for h := hintPart; h < hintCount; h++ {
		if e.hints.count[h] == 0 {
			continue
		}
		f := at(found(hintCodes[h], "", ""), c, e.hints.first[h])
		f.Count = e.hints.count[h]
		var words []string
		for w, n := range e.hints.words[h] {
			words = append(words, w+" ×"+strconv.FormatInt(n, 10))
		}
		if slices.Sort(words); len(words) > 0 {
			f.Value = strings.Join(words, ", ")
		}
		fs.Add(f)
	}
	return true
}

// coordinate watches the values of a column called longitude or latitude.
type coordinate struct {
	latitude bool
	min, max float64
	values   int64
	beyond   int64 // values that are no place on Earth
	at       catalog.Against
}

var (
	longitudeWord = regexp.MustCompile(`^(?:.*经度.*|(?i:.*[_ .-])?(?i:lon|long|lng|longitude))$`)
	latitudeWord  = regexp.MustCompile(`^(?:.*纬度.*|(?i:.*[_ .-])?(?i:lat|latitude))$`)
)

// watch makes the evidence look at coordinates where the header says so.
func (e *evidence) watch(header string) *evidence {
	if lat := latitudeWord.MatchString(header); lat || longitudeWord.MatchString(header) {
		e.hints.coordinate = &coordinate{latitude: lat}
	}
	return e
}

func (k *coordinate) add(cell []byte, row int64) {
	v, err := strconv.ParseFloat(string(trimSpaces(cell)), 64)
	if err != nil {
		return
	}
	if k.values == 0 {
		k.min, k.max = v, v
	}
	k.values++
	k.min, k.max = min(k.min, v), max(k.max, v)
	limit := 180.0
	if k.latitude {
		limit = 90
	}
	if v < -limit || v > limit {
		if k.beyond++; k.beyond == 1 {
			k.at = catalog.Against{Row: row, Value: shorten(string(cell))}
		}
	}
}

// tellCoordinates reports longitudes and latitudes that are in each other's column,
// by the bounds of China, or no place on Earth.
func tellCoordinates(table string, fields []catalog.Field, evidence []*evidence, fs *Findings) {
	tell := func(code string, column int, a catalog.Against, count int64) {
		f := at(found(code, "", ""), choice{table: table, column: fields[column].Name}, a)
		f.Count = count
		fs.Add(f)
	}
	lon, lat := -1, -1
	for i, e := range evidence {
		k := e.hints.coordinate
		switch {
		case k == nil || k.values == 0:
		case k.latitude && lat < 0:
			lat = i
		case !k.latitude && lon < 0:
			lon = i
		}
	}
	if lon >= 0 && lat >= 0 {
		x, y := evidence[lon].hints.coordinate, evidence[lat].hints.coordinate
		if x.min >= 3 && x.max <= 54 && y.min >= 73 && y.max <= 136 {
			tell("coordinates_swapped", lon, evidence[lon].firstOf(classNumber, classInteger), x.values)
			return
		}
	}
	for i, e := range evidence {
		if k := e.hints.coordinate; k != nil && k.beyond > 0 {
			tell("coordinates_out_of_range", i, k.at, k.beyond)
		}
	}
}

// initials is a header that is the initials of Pinyin words, as database columns are
// called: BJQSBMMC.
var initials = regexp.MustCompile(`^[BCDFGHJKLMNPQRSTWXYZ][A-Z_]{3,}$`)

// tellInitials asks for labels where most headers say nothing to a reader.
func tellInitials(fields []catalog.Field, fs *Findings) {
	var list []string
	for _, f := range fields {
		if initials.MatchString(f.Name) && 4*strings.Count(strings.Map(func(r rune) rune {
			if strings.ContainsRune("AEIOUV", r) {
				return 'A'
			}
			return r
		}, f.Name), "A") <= len(f.Name) {
			list = append(list, f.Name)
		}
	}
	if len(list) >= 2 && 2*len(list) >= len(fields) {
		f := found("initials_as_headers", "", "")
		f.Column, f.Count, f.Value = list[0], int64(len(list)), strings.Join(list, ", ")
		fs.Add(f)
	}
}
