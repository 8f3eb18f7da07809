package standards

import (
	"taihu/api/export"
	"taihu/catalog"
)

// Column is a column of a published table.
type Column struct {
	Slug   string
	Number int // of the release
	Table  string
	Name   string
	Type   catalog.Type
}

// Join is SQL for DuckDB that joins two tables by a column each, over their Parquet.
// Columns of different types are equal where their texts are.
func (p Portal) Join(a, b Column) string {
	parquet, _ := export.FormatByName("parquet")
	left, right := "a."+sqlName(a.Name), "b."+sqlName(b.Name)
	if a.Type != b.Type {
		left, right = left+"::VARCHAR", right+"::VARCHAR"
	}
	from := func(c Column) string {
		return "read_parquet(" + sqlText(p.table(c.Slug, c.Number, c.Table, parquet)) + ")"
	}
	return "SELECT *\nFROM " + from(a) + " AS a\nJOIN " + from(b) + " AS b\n  ON " + left + " = " + right + ";"
}
