package tabletest

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// names are column names that have broken programs: words of SQL and of our own
// grammar, quotes, signs, formats, what engines call their hidden columns.
var names = []string{
	`a"; DROP TABLE x;--`, "select", "中文列", "😀", "with space", "not", "true", "1", "2020年", "a.b", "PM2.5", "_", "''", "x'y", "%s %d", "$1", "?", `\`, `"`,
	"温度(℃)", "tab\tinside", "line\nbreak", "rowid", "_rows", "row", "file_row_number", "filename", "group", "null", "contains", "starts", "in", "-a", "a,b", "a=b", "*",
	"é", "ß", "Ａ", "站点", "aqi", "Name", "value", "order", "схема", strings.Repeat("长列名", 60), "#", "(", ")", ":", "@x", "/*", "{}", "[0]", "main", "t",
}

var texts = []string{
	"", " ", "a", "A", "a ", " a", "b", "ab", "aB", "abc", "ABC", "ＡＢＣ", "ａｂｃ", "滨湖区", "梁溪区", "无锡市滨湖区", "ｱ", "ア", "ガ", "ｶﾞ", "①", "1", "㎡", "m2", "ﬁ", "fi",
	"NA", "null", "NULL", "NaN", "-", "0", "007", "'", "''", `"`, `""`, `\`, `\n`, "a,b", "a;b", "a\nb", "a\r\nb", "\t", "\x01", "\x1f", "\x7f", "\u0085", "%", "_", "a%b", "a_b", "[a]", "*", "a*",
	"é", "e\u0301", "É", "ß", "SS", "ss", "ẞ", "Σ", "σ", "ς", "ΟΔΟΣ", "İ", "ı", "I", "i", "K", "Å", "😀", "👨‍👩‍👧", "𠀀", "\ue000", "\uff21", "\uffff", "\U0010ffff", "\ufeff", "\ufffd", "\u200b", "\u3000",
	"=1+1", "+1", "@x", "{\"a\":1}", "<b>", "&amp;", "停车场", "车场", "水", strings.Repeat("长文本", 1200), strings.Repeat("x", 40000),
}

var documents = []string{`{}`, `[]`, `null`, `"x"`, `1`, `1.0`, `{"a":1}`, `{"a": 1}`, `{"名":"值","b":[1,2,null]}`, `"\u0041"`, `true`}

// Table makes the random table of a seed: up to eight columns of any type, up to
// some sixty rows and now and then a few hundred, few different values so that
// rows tie and comparisons meet.
func Table(seed uint64) (catalog.Schema, [][]table.Value) {
	r := rand.New(rand.NewPCG(seed, 0))
	var schema catalog.Schema
	for range 1 + r.IntN(8) {
		f := field(r)
		if !slices.ContainsFunc(schema.Fields, func(g catalog.Field) bool { return strings.EqualFold(f.Name, g.Name) }) {
			schema.Fields = append(schema.Fields, f)
		}
	}
	n := r.IntN(60)
	if r.IntN(20) == 0 {
		n = 200 + r.IntN(300)
	}
	pools := make([][]table.Value, len(schema.Fields))
	nulls := make([]float64, len(schema.Fields))
	for i, f := range schema.Fields {
		for range 1 + r.IntN(12) {
			pools[i] = append(pools[i], value(r, f))
		}
		nulls[i] = []float64{0, 0, 0.1, 0.5, 1}[r.IntN(5)]
	}
	rows := make([][]table.Value, n)
	for i := range rows {
		rows[i] = make([]table.Value, len(schema.Fields))
		for j := range rows[i] {
			if r.Float64() < nulls[j] {
				rows[i][j] = table.Value{Null: true}
				continue
			}
			rows[i][j] = pools[j][r.IntN(len(pools[j]))]
		}
	}
	return schema, rows
}

func field(r *rand.Rand) catalog.Field {
	f := catalog.Field{Name: names[r.IntN(len(names))], Type: catalog.Types[r.IntN(len(catalog.Types))]}
	switch f.Type {
	case catalog.Decimal:
		shapes := [][2]int{{1, 0}, {1, 1}, {5, 2}, {9, 9}, {18, 0}, {18, 6}, {18, 18}, {19, 0}, {19, 4}, {38, 0}, {38, 10}, {38, 38}}
		shape := shapes[r.IntN(len(shapes))]
		f.Precision, f.Scale = shape[0], shape[1]
	case catalog.Datetime:
		f.Zone = []string{"", "+08:00", "Z", "-05:30", "+00:00", "+14:00"}[r.IntN(6)]
	}
	return f
}

// value makes a value of a field's type, an extreme one as often as not.
func value(r *rand.Rand, f catalog.Field) table.Value {
	first, last := catalog.DaysOf(1, 1, 1), catalog.DaysOf(9999, 12, 31)
	const day = int64(86400e6)
	switch f.Type {
	case catalog.Boolean:
		return table.Value{Bool: r.IntN(2) == 0}
	case catalog.Integer:
		return table.Value{Int: one(r, 0, 1, -1, 2, 3, 10, math.MinInt64, math.MaxInt64, math.MinInt64+1, math.MaxInt64-1, 1<<53+1, r.Int64(), -r.Int64(), r.Int64N(100))}
	case catalog.Decimal:
		return decimal(r, f)
	case catalog.Number:
		return table.Value{Num: one(r, 0, math.Copysign(0, -1), 1, -1, 0.1, 0.5, 2, 1e15, 1e21, 1e-7, 123456.789, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64,
			math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64, 0x1p-1022, r.NormFloat64(), math.Float64frombits(r.Uint64()))}
	case catalog.Date:
		return table.Value{Int: one(r, 0, -1, first, last, catalog.DaysOf(2000, 2, 29), catalog.DaysOf(1900, 3, 1), first+r.Int64N(last-first))}
	case catalog.Time:
		return table.Value{Int: one(r, 0, 1, day-1, 1e6, 8*3600e6, r.Int64N(86400)*1e6, r.Int64N(day))}
	case catalog.Datetime:
		return table.Value{Int: one(r, 0, -1, 1, first*day, last*day+day-1, r.Int64N(day), -r.Int64N(day), first*day+r.Int64N(last-first)*day+r.Int64N(day))}
	case catalog.JSON:
		return table.Value{Text: documents[r.IntN(len(documents))]}
	}
	return table.Value{Text: texts[r.IntN(len(texts))]}
}

func one[T any](r *rand.Rand, choices ...T) T { return choices[r.IntN(len(choices))] }

// decimal makes units between the least and the greatest the precision allows.
func decimal(r *rand.Rand, f catalog.Field) table.Value {
	end := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(f.Precision)), nil)
	units := new(big.Int)
	switch r.IntN(4) {
	case 0:
		units.SetInt64(r.Int64N(3))
	case 1:
		units.Sub(end, big.NewInt(1))
	default:
		for range 3 {
			units.Lsh(units, 60).Add(units, big.NewInt(r.Int64N(1<<60)))
		}
		units.Mod(units, end)
	}
	if r.IntN(2) == 0 {
		units.Neg(units)
	}
	if !table.Wide(f.Precision) {
		return table.Value{Int: units.Int64()}
	}
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(f.Scale)), nil)
	return table.Value{Text: new(big.Rat).SetFrac(units, scale).FloatString(f.Scale)}
}
