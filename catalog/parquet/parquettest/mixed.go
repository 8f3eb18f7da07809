package parquettest

import (
	"math"
	"math/rand/v2"
	"strconv"

	"taihu/catalog"
	"taihu/catalog/table"
)

// MixedFields are ten columns as public data has them: Chinese text of few and
// of many values, a code, numbers, decimals, dates, nulls.
func MixedFields() []catalog.Field {
	return []catalog.Field{
		{Name: "编号", Type: catalog.Integer},
		{Name: "站点代码", Type: catalog.String},
		{Name: "所属区", Type: catalog.String},
		{Name: "地址", Type: catalog.String},
		{Name: "金额", Type: catalog.Decimal, Precision: 12, Scale: 2, Unit: "元"},
		{Name: "浓度", Type: catalog.Number},
		{Name: "数量", Type: catalog.Integer},
		{Name: "日期", Type: catalog.Date},
		{Name: "更新时间", Type: catalog.Datetime, Zone: "+08:00"},
		{Name: "有效", Type: catalog.Boolean},
	}
}

// Mixed returns the batch of the mixed table that begins at row first, counted
// from 0; it depends on nothing else. Five per cent of the amounts and ten of
// the concentrations are null.
func Mixed(first, n int) *table.Batch {
	r := rand.New(rand.NewPCG(uint64(first), 42))
	districts := []string{"滨湖区", "梁溪区", "新吴区", "惠山区", "锡山区", "江阴市", "宜兴市", "经开区"}
	roads := []string{"太湖大道", "中山路", "人民中路", "蠡湖大道", "清扬路", "解放南路", "金城路", "高浪路", "吴都路"}
	b := &table.Batch{Len: n}
	for _, f := range MixedFields() {
		b.Columns = append(b.Columns, VectorOf(f))
	}
	c := b.Columns
	c[4].Null, c[5].Null = make([]bool, n), make([]bool, n)
	for i := range n {
		row := int64(first + i)
		c[0].Int = append(c[0].Int, row+1)
		c[1].Text = append(c[1].Text, "0"+strconv.Itoa(32020000+r.IntN(5000)))
		c[2].Text = append(c[2].Text, districts[r.IntN(len(districts))])
		c[3].Text = append(c[3].Text, roads[r.IntN(len(roads))]+strconv.Itoa(r.IntN(2000))+"号"+strconv.Itoa(r.IntN(60))+"室")
		c[4].Int = append(c[4].Int, r.Int64N(10_000_000))
		c[4].Null[i] = r.IntN(20) == 0
		c[5].Num = append(c[5].Num, math.Round(r.ExpFloat64()*3500)/100)
		c[5].Null[i] = r.IntN(10) == 0
		c[6].Int = append(c[6].Int, r.Int64N(500))
		c[7].Int = append(c[7].Int, 18262+row/3000)
		c[8].Int = append(c[8].Int, (1577836800+row*30+r.Int64N(30))*1e6)
		c[9].Bool = append(c[9].Bool, r.IntN(10) > 0)
	}
	return b
}

// MixedBatches returns rows rows of the mixed table in batches of size, made
// from a few different batches to be made quickly: only the number, date and
// datetime columns go on.
func MixedBatches(rows, size int) []*table.Batch {
	var made []*table.Batch
	for first := 0; first < rows; first += size {
		n := min(size, rows-first)
		if len(made) < 64 || n < size {
			made = append(made, Mixed(first, n))
			continue
		}
		old := made[len(made)%64]
		b := &table.Batch{Len: n, Columns: append([]table.Vector(nil), old.Columns...)}
		for _, j := range []int{0, 7, 8} {
			ints := make([]int64, n)
			for i := range ints {
				row := int64(first + i)
				ints[i] = []int64{0: row + 1, 7: 18262 + row/3000, 8: (1577836800 + row*30 + row*7919%30) * 1e6}[j]
			}
			b.Columns[j].Int = ints
		}
		made = append(made, b)
	}
	return made
}
