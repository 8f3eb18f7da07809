package tabletest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"

	"taihu/catalog"
	"taihu/catalog/table"
)

// Query makes a random query over a table, as the text a reader could have sent.
// Its literals are mostly values of the table, so that comparisons meet.
func Query(r *rand.Rand, schema catalog.Schema, rows [][]table.Value) table.Params {
	q := question{r: r, schema: schema, rows: rows}
	var p table.Params
	if r.IntN(4) > 0 {
		p.Where = q.or(3)
		if len(p.Where) > table.MaxText*3/4 { // long names; the bound itself has its own tests
			p.Where = ""
		}
	}
	if r.IntN(2) == 0 {
		p.Select = strings.Join(q.some(len(schema.Fields)), ",")
	}
	if r.IntN(4) > 0 {
		keys := q.some(3)
		for i := range keys {
			if r.IntN(2) == 0 {
				keys[i] = "-" + keys[i]
			}
		}
		p.Sort = strings.Join(keys, ",")
	}
	p.Limit = one(r, 0, 0, 1, 5, int64(1+r.IntN(100)), table.MaxRows)
	q.find(&p)
	if r.IntN(3) == 0 {
		q.group(&p)
	}
	return p
}

// find asks for words now and then, and for places where the table has any.
func (q *question) find(p *table.Params) {
	text := slices.IndexFunc(q.schema.Fields, func(f catalog.Field) bool { return f.Type == catalog.String })
	if text >= 0 && q.r.IntN(8) == 0 {
		p.Q = strings.Trim(q.needle(text, q.schema.Fields[text]), "'")
		if len(strings.Fields(p.Q)) > 3 {
			p.Q = ""
		}
	}
	if _, _, ok := table.Coordinates(&q.schema); ok && q.r.IntN(2) == 0 {
		if q.r.IntN(2) == 0 {
			p.Bbox = one(q.r, "0,0,90,45", "-180,-90,180,90", "170,-10,-170,10.5", "119.5,31.1,120.7,32")
		} else {
			p.Near = one(q.r, "120.3,31.57,500000", "0,0,3000000", "-180,90,1e7", "10,10,0")
		}
	}
}

// group turns the query into one over groups. What doubles add up to depends on
// rounding, so sums and averages of them have a test of their own.
func (q *question) group(p *table.Params) {
	var keys, names, items []string
	for n := q.r.IntN(3); len(keys) < n; {
		name, key := fmt.Sprintf("k%d", len(keys)), q.key()
		if slices.ContainsFunc(keys, func(other string) bool { return strings.HasPrefix(strings.ToLower(other), strings.ToLower(key)+" as ") }) {
			break // one key twice is refused
		}
		keys = append(keys, key+" as "+name)
		names = append(names, name)
		if q.r.IntN(4) > 0 {
			items = append(items, name)
		}
	}
	for n := 1 + q.r.IntN(3); n > 0; n-- {
		name := fmt.Sprintf("a%d", n)
		items = append(items, q.aggregate()+" as "+name)
		names = append(names, name)
	}
	q.r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	p.Group, p.Select, p.Sort = strings.Join(keys, ","), strings.Join(items, ","), ""
	for _, name := range names {
		if q.r.IntN(3) == 0 {
			p.Sort = strings.TrimPrefix(p.Sort+","+one(q.r, "", "-")+name, ",")
		}
	}
	if q.r.IntN(3) == 0 {
		p.Having = one(q.r, "not ", "") + names[q.r.IntN(len(names))] + one(q.r, " is null", " is not null")
	}
}

func (q *question) key() string {
	column := q.r.IntN(len(q.schema.Fields)+1) - 1
	name := q.name(column)
	if column == table.RowColumn {
		return "bin(" + name + ", " + one(q.r, "1", "3", "100", "2.5") + ")"
	}
	switch f := q.schema.Fields[column]; {
	case f.Type == catalog.Date && q.r.IntN(2) == 0:
		return "trunc(" + name + ", '" + table.Units[2+q.r.IntN(len(table.Units)-2)] + "')"
	case f.Type == catalog.Datetime && q.r.IntN(4) > 0:
		return "TRUNC(" + name + ", '" + table.Units[q.r.IntN(len(table.Units))] + "')"
	case (f.Type == catalog.Integer || f.Type == catalog.Number) && q.r.IntN(2) == 0:
		return "bin(" + name + ", " + one(q.r, "1", "7", "1000", "0.5", "0.1", "999999999999999") + ")"
	}
	return name
}

func (q *question) aggregate() string {
	column := q.r.IntN(len(q.schema.Fields)+2) - 2
	if column == table.AllRows {
		return "count(*)"
	}
	f := catalog.Field{Type: catalog.Integer}
	if column >= 0 {
		f = q.schema.Fields[column]
	}
	functions := []string{"count", "distinct", "min", "max"}
	if f.Type == catalog.Integer || f.Type == catalog.Decimal && f.Precision <= 28 {
		functions = append(functions, "sum", "sum")
	}
	return functions[q.r.IntN(len(functions))] + "(" + q.name(column) + ")"
}

type question struct {
	r      *rand.Rand
	schema catalog.Schema
	rows   [][]table.Value
}

// some names one to n different columns, _row now and then among them.
func (q *question) some(n int) []string {
	var chosen []string
	for _, i := range q.r.Perm(len(q.schema.Fields) + 1) {
		if len(chosen) > 0 && (len(chosen) == n || q.r.IntN(3) == 0) {
			break
		}
		chosen = append(chosen, q.name(i-1))
	}
	return chosen
}

func (q *question) name(column int) string {
	if column == table.RowColumn {
		return catalog.RowNumber
	}
	return `"` + strings.ReplaceAll(q.schema.Fields[column].Name, `"`, `""`) + `"`
}

func (q *question) or(depth int) string {
	return q.list(" or ", func() string { return q.list(" AND ", func() string { return q.not(depth) }) })
}

func (q *question) list(joint string, term func() string) string {
	terms := []string{term()}
	for q.r.IntN(3) == 0 && len(terms) < 4 {
		terms = append(terms, term())
	}
	return strings.Join(terms, joint)
}

func (q *question) not(depth int) string {
	not := ""
	if q.r.IntN(4) == 0 {
		not = "not "
	}
	if depth > 0 && q.r.IntN(3) == 0 {
		return not + "(" + q.or(depth-1) + ")"
	}
	return not + q.compare()
}

func (q *question) compare() string {
	column := q.r.IntN(len(q.schema.Fields)+1) - 1
	f := catalog.Field{Type: catalog.Integer}
	if column >= 0 {
		f = q.schema.Fields[column]
	}
	name := q.name(column)
	switch n := q.r.IntN(10); {
	case n == 0:
		return name + " is null"
	case n == 1:
		return name + " is not null"
	case n < 4:
		return fmt.Sprintf("%s in (%s)", name, q.list(",", func() string { return q.literal(column, f) }))
	case n < 7 && (f.Type == catalog.String || f.Type == catalog.JSON):
		return fmt.Sprintf("%s(%s, %s)", one(q.r, "contains", "starts"), name, q.needle(column, f))
	}
	return name + string(table.Ops[q.r.IntN(len(table.Ops))]) + q.literal(column, f)
}

// sample is a value of the column, or a new one of its type.
func (q *question) sample(column int, f catalog.Field) table.Value {
	if column == table.RowColumn {
		return table.Value{Int: int64(q.r.IntN(len(q.rows)+2)) - 1}
	}
	if len(q.rows) > 0 && q.r.IntN(4) > 0 {
		if v := q.rows[q.r.IntN(len(q.rows))][column]; !v.Null {
			return v
		}
	}
	return value(q.r, f)
}

func (q *question) literal(column int, f catalog.Field) string {
	v := q.sample(column, f)
	whole := f.Type == catalog.Integer || f.Type == catalog.Decimal
	if whole && q.r.IntN(4) == 0 { // what the column cannot hold
		return one(q.r, "1.5", "-1.5", "0.0000000000000000000000000000000000000001", "1e30", "-1e30", "1e300", "9223372036854775808", "-9223372036854775809", "0.5", "99999999999999999999999999999999999999.5", "-0", "1e-5", "1e2")
	}
	if f.Type == catalog.Number && q.r.IntN(8) == 0 {
		return one(q.r, "1e999", "-1e999", "1e-400", "-0", "0.1", "123456.7890", "9007199254740993", "1E2")
	}
	cell := table.Vector{Type: f.Type, Precision: f.Precision, Scale: f.Scale, Zone: f.Zone,
		Bool: []bool{v.Bool}, Int: []int64{v.Int}, Num: []float64{v.Num}, Text: []string{shorten(v.Text)}}
	text := string(cell.AppendText(nil, 0))
	switch {
	case whole, f.Type == catalog.Boolean, f.Type == catalog.Number && text != "NaN" && !strings.Contains(text, "Inf"):
		return text
	}
	return quote(text)
}

// needle is a piece of a value of the column, its case or width changed at times.
func (q *question) needle(column int, f catalog.Field) string {
	runes := []rune(shorten(q.sample(column, f).Text))
	from := q.r.IntN(len(runes) + 1)
	if q.r.IntN(2) == 0 {
		from = 0
	}
	piece := string(runes[from : from+q.r.IntN(len(runes)-from+1)])
	switch q.r.IntN(4) {
	case 0:
		piece = strings.ToUpper(piece)
	case 1:
		piece = strings.Map(func(c rune) rune {
			if c > ' ' && c < 0x7f {
				return c - ' ' + 0xff00
			}
			return c
		}, piece)
	}
	return quote(piece)
}

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// shorten cuts a long text at a character, so that a query stays within its bound.
func shorten(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	n := most
	for !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
