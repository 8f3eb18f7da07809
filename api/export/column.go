package export

import (
	"fmt"

	"taihu/catalog"
	"taihu/catalog/table"
)

// kind is a column's type as a small number, decided once.
type kind uint8

const (
	kindBoolean kind = iota
	kindInteger
	kindDecimal
	kindWide // decimal as text
	kindNumber
	kindDate
	kindTime
	kindDatetime
	kindText
	kindJSON
)

func kindOf(t catalog.Type, precision int) kind {
	switch t {
	case catalog.Boolean:
		return kindBoolean
	case catalog.Integer:
		return kindInteger
	case catalog.Decimal:
		if table.Wide(precision) {
			return kindWide
		}
		return kindDecimal
	case catalog.Number:
		return kindNumber
	case catalog.Date:
		return kindDate
	case catalog.Time:
		return kindTime
	case catalog.Datetime:
		return kindDatetime
	case catalog.JSON:
		return kindJSON
	}
	return kindText
}

// column is what an encoder knows of a column between batches.
type column struct {
	kind  kind
	scale int
	zone  string
	name  string
	// The last date written and its text: neighbours mostly share theirs.
	day     int64
	dayText []byte
}

func columnsOf(fields []catalog.Field) []column {
	cs := make([]column, len(fields))
	for i, f := range fields {
		cs[i] = column{kind: kindOf(f.Type, f.Precision), scale: f.Scale, zone: f.Zone, name: f.Name}
		if f.Zone == "" {
			cs[i].zone = catalog.DefaultZone
		}
	}
	return cs
}

// match checks that a batch has these columns.
func match(cs []column, b *table.Batch) error {
	if len(b.Columns) != len(cs) {
		return fmt.Errorf("export: batch has %d columns, file has %d", len(b.Columns), len(cs))
	}
	for i := range cs {
		v := &b.Columns[i]
		if k := kindOf(v.Type, v.Precision); k != cs[i].kind || k == kindDecimal && v.Scale != cs[i].scale {
			return fmt.Errorf("export: column %q is of another type in the batch", cs[i].name)
		}
	}
	return nil
}

// append appends the canonical text of a value that is neither null nor of kind
// text or json.
func (c *column) append(dst []byte, v *table.Vector, i int) []byte {
	switch c.kind {
	case kindBoolean:
		if v.Bool[i] {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case kindInteger:
		return catalog.AppendDecimal(dst, v.Int[i], 0)
	case kindDecimal:
		return catalog.AppendDecimal(dst, v.Int[i], c.scale)
	case kindNumber:
		return catalog.AppendNumber(dst, v.Num[i])
	case kindDate:
		return c.appendDate(dst, v.Int[i])
	case kindTime:
		return catalog.AppendTime(dst, v.Int[i])
	case kindDatetime:
		day, micros := split(v.Int[i])
		dst = c.appendDate(dst, day)
		dst = append(dst, 'T')
		dst = catalog.AppendTime(dst, micros)
		return append(dst, c.zone...)
	}
	return append(dst, v.Text[i]...)
}

// split parts local microseconds into days since 1970-01-01 and microseconds
// since midnight.
func split(micros int64) (day, rest int64) {
	day, rest = micros/86400e6, micros%86400e6
	if rest < 0 {
		day, rest = day-1, rest+86400e6
	}
	return day, rest
}

func (c *column) appendDate(dst []byte, day int64) []byte {
	if day != c.day || c.dayText == nil {
		c.day, c.dayText = day, catalog.AppendDate(c.dayText[:0], day)
	}
	return append(dst, c.dayText...)
}
