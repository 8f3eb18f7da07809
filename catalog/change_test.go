package catalog

import (
	"reflect"
	"testing"
)

func TestChanges(t *testing.T) {
	table := func(name string, rows int64, fields ...Field) Table {
		return Table{Name: name, Rows: rows, Schema: Schema{Fields: fields}}
	}
	id, day := Field{Name: "id", Type: Integer}, Field{Name: "时间", Type: Datetime, Zone: "+08:00"}
	before := []Table{table("a", 100, id, day), table("b", 3, id)}
	for _, c := range []struct {
		name  string
		after []Table
		want  []Change
	}{
		{"the same", before, nil},
		{"more of everything", []Table{table("a", 101, Field{Name: "ID", Type: Integer}, day, Field{Name: "new", Type: String}), table("b", 4, id), table("c", 1, id)}, nil},
		{"a table is gone", before[:1], []Change{{Kind: TableGone, Table: "b", Rows: [2]int64{3, 0}}}},
		{"a column, a type, most rows", []Table{table("a", 49, Field{Name: "id", Type: String}), table("b", 2, id)}, []Change{
			{Kind: TypeChanged, Table: "a", Column: "id", Types: [2]Type{Integer, String}},
			{Kind: ColumnGone, Table: "a", Column: "时间"},
			{Kind: RowsHalved, Table: "a", Rows: [2]int64{100, 49}},
		}},
		{"another zone", []Table{table("a", 100, id, Field{Name: "时间", Type: Datetime, Zone: "Z"}), before[1]}, []Change{
			{Kind: TypeChanged, Table: "a", Column: "时间", Types: [2]Type{Datetime, Datetime}, Zones: [2]string{"+08:00", "Z"}},
		}},
	} {
		if got := Changes(before, c.after); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
