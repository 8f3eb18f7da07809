package table_test

import (
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
)

func TestCost(t *testing.T) {
	schema := catalog.Schema{Fields: []catalog.Field{
		{Name: "name", Type: catalog.String}, {Name: "note", Type: catalog.String}, {Name: "n", Type: catalog.Integer},
		{Name: "lon", Type: catalog.Number}, {Name: "lat", Type: catalog.Number},
	}}
	for _, test := range []struct {
		name   string
		params table.Params
		want   int64 // of a thousand rows
	}{
		{"whole table", table.Params{}, 0},
		{"sorted, some columns", table.Params{Sort: "-n", Select: "name"}, 0},
		{"one comparison", table.Params{Where: "n > 3"}, 1000},
		{"a list is one", table.Params{Where: "n in (1,2,3,4,5)"}, 1000},
		{"parts add up", table.Params{Where: "n = 1 or not (name is null and n < 9)"}, 3000},
		{"a search counts twenty", table.Params{Where: "contains(note, 'a') or starts(name, 'b')"}, 40_000},
		{"words in each text column", table.Params{Q: "park stop"}, 80_000},
		{"a place", table.Params{Near: "120,31,500"}, 5000},
		{"groups and what they must have", table.Params{Group: "name", Where: "n > 3", Select: "name,count(*) as c", Having: "c > 5"}, 2000},
	} {
		q, err := table.Parse(test.params)
		if err != nil {
			t.Fatal(test.name, err)
		}
		plan, err := q.Check(&schema)
		if err != nil {
			t.Fatal(test.name, err)
		}
		if got := plan.Cost(1000); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
}
