package tabletest

import (
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/memory"
)

// stations is a table with places, doubles that add up without surprise, and
// times: what random tables seldom have together.
func stations() (catalog.Schema, [][]table.Value) {
	schema := catalog.Schema{Fields: []catalog.Field{
		{Name: "站点", Type: catalog.String},
		{Name: "经度", Type: catalog.Number},
		{Name: "纬度", Type: catalog.Decimal, Precision: 9, Scale: 5},
		{Name: "时间", Type: catalog.Datetime, Zone: "+08:00"},
		{Name: "AQI", Type: catalog.Integer},
		{Name: "浓度", Type: catalog.Number},
		{Name: "金额", Type: catalog.Decimal, Precision: 12, Scale: 2},
	}}
	r := rand.New(rand.NewPCG(7, 7))
	null := func(v table.Value) table.Value {
		if r.IntN(12) == 0 {
			return table.Value{Null: true}
		}
		return v
	}
	odd := []float64{math.NaN(), math.Inf(1), 200, -200, math.Copysign(0, -1), 180, -180}
	var rows [][]table.Value
	for i := range 700 {
		x := table.Value{Num: 119.5 + r.Float64()*1.2}
		if r.IntN(10) == 0 {
			x.Num = odd[r.IntN(len(odd))]
		}
		rows = append(rows, []table.Value{
			null(table.Value{Text: one(r, "雪浪", "曹张", "旺庄", "ＡＢＣ 公园", "")}), null(x),
			null(table.Value{Int: int64(3100000 + r.IntN(90000))}),
			null(table.Value{Int: int64(r.IntN(400*86400))*1e6 + int64(i)}),
			null(table.Value{Int: int64(r.IntN(400))}),
			null(table.Value{Num: float64(r.IntN(100000)) / 64 * 1.1}),
			null(table.Value{Int: int64(r.IntN(1e9)) - 5e8}),
		})
	}
	return schema, rows
}

// fixed are queries over stations. Those over groups are compared within a few
// units in the last place.
var fixed = []table.Params{
	{Bbox: "120,31.2,120.3,31.5"}, {Bbox: "170,-90,-170,90"}, {Bbox: "-180,-90,180,90", Where: "AQI > 100", Sort: "-经度"},
	{Near: "120.3,31.57,30000"}, {Near: "120.1,31.3,5000", Q: "公园", Sort: "时间"}, {Near: "120,31.5,1e9"}, {Near: "0,0,100"},
	{Q: "abc 公"}, {Q: "雪"},
	{Select: "sum(浓度),avg(浓度),median(浓度),quantile(浓度, 0.9) as q90,sum(金额),avg(金额),avg(AQI),median(AQI),count(*),min(时间),max(站点)"},
	{Group: "站点", Select: "站点,avg(AQI) as mean,quantile(金额, 0.25) as q,sum(浓度) as s", Sort: "-mean", Having: "mean > 10 and 站点 is not null"},
	{Group: "trunc(时间, 'month') as 月,bin(AQI, 50)"}, {Group: "月,bin(浓度, 0.5) as b", Select: "trunc(时间, 'week') as 月,b,count(AQI),distinct(站点)", Sort: "-count_AQI", Limit: 20},
	{Group: "bin(经度, 0.1) as x,bin(纬度, 0.1) as y", Bbox: "119,31,121,32", Having: "count >= 3 or x > 120.5"},
	{Select: "sum(AQI),max(AQI)", Where: "AQI > 1000"}, {Group: "站点", Where: "AQI > 1000"},
}

func fixedQueries(t *testing.T, open Open) {
	schema, rows := stations()
	engine, oracle := open(t, schema, rows), memory.NewTable(schema, rows)
	defer func() { _ = engine.Close() }()
	for _, params := range fixed {
		c := comparison{schema: schema, params: params, engine: engine, oracle: oracle}
		p, err := c.plan(params)
		if err != nil {
			t.Errorf("%s: %v", params, err)
			continue
		}
		want, err := collect(t.Context(), oracle, p)
		if err != nil {
			t.Fatal(err)
		}
		got, err := collect(t.Context(), engine, p)
		if err != nil {
			t.Errorf("%s: %v", params, err)
			continue
		}
		if p.Group != nil {
			roundAlike(p, got.rows, want.rows)
		}
		if diff := firstDifference(p, got.rows, want.rows); diff != "" {
			t.Errorf("%s: %s", params, diff)
		}
	}
}

// roundAlike puts the wanted double where the one that came is next to it.
func roundAlike(p *table.Plan, got, want [][]string) {
	for i := range min(len(got), len(want)) {
		for j, c := range p.Columns {
			if p.Field(c).Type != catalog.Number {
				continue
			}
			x, err1 := strconv.ParseFloat(got[i][j], 64)
			y, err2 := strconv.ParseFloat(want[i][j], 64)
			if err1 == nil && err2 == nil && math.Abs(x-y) <= 1e-12*math.Abs(y) {
				got[i][j] = want[i][j]
			}
		}
	}
}
