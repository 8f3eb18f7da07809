package diff

import (
	"context"
	"encoding/json"
	"strconv"

	"taihu/catalog"
	"taihu/catalog/table"
)

// Page is a page of a comparison as JSON holds it.
type Page struct {
	Summary Summary     `json:"summary"`
	Changes []RowChange `json:"changes"`
	Next    *int64      `json:"next" doc:"How many changes come before the next page; null at the end"`
}

// RowChange is a row that went through a change.
type RowChange struct {
	Change Change                     `json:"change" enum:"changed,added,removed"`
	OldRow int64                      `json:"old_row,omitempty" doc:"Its place in the old table, from 1"`
	NewRow int64                      `json:"new_row,omitempty" doc:"Its place in the new table, from 1"`
	Key    map[string]json.RawMessage `json:"key,omitempty" doc:"Values of the key"`
	Cells  []CellChange               `json:"cells" doc:"Of a changed row the cells that differ, of others all but the key's"`
}

// CellChange is one cell of a changed, added or removed row.
type CellChange struct {
	Column string          `json:"column"`
	Old    json.RawMessage `json:"old,omitempty" doc:"Missing where the row was added"`
	New    json.RawMessage `json:"new,omitempty" doc:"Missing where the row was removed"`
}

// pageMost is after how many bytes a page ends: it is held in memory.
const pageMost = 8 << 20

// Page returns a page as JSON: the summary and the rows that went through a change
// ("": any) after skip of them, at most limit, fewer where their values are long.
func (r *Result) Page(ctx context.Context, old, new Side, change Change, skip, limit int64) ([]byte, error) {
	head, err := json.Marshal(r.Summary)
	if err != nil {
		return nil, err
	}
	out := append([]byte(`{"summary":`), head...)
	out = append(out, `,"changes":[`...)
	n := int64(0)
	if r.Rows.Of(change) > skip {
		err = r.Each(ctx, old, new, change, skip, limit, func(l *List) error {
			for i := range l.Len {
				if n > 0 {
					out = append(out, ',')
				}
				out = r.appendRow(out, l, i)
				n++
				if len(out) > pageMost {
					return errEnough
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	out = append(out, `],"next":`...)
	if next := skip + n; next < r.Rows.Of(change) {
		out = strconv.AppendInt(out, next, 10)
	} else {
		out = append(out, "null"...)
	}
	return append(out, '}'), nil
}

func (r *Result) appendRow(dst []byte, l *List, i int) []byte {
	dst = append(dst, `{"change":"`...)
	dst = append(dst, l.Change...)
	dst = append(dst, '"')
	if l.OldRow != nil {
		dst = strconv.AppendInt(append(dst, `,"old_row":`...), int64(l.OldRow[i])+1, 10)
	}
	if l.NewRow != nil {
		dst = strconv.AppendInt(append(dst, `,"new_row":`...), int64(l.NewRow[i])+1, 10)
	}
	for k := range r.key {
		if k == 0 {
			dst = append(dst, `,"key":{`...)
		} else {
			dst = append(dst, ',')
		}
		dst = append(catalog.AppendJSONText(dst, r.Key[k]), ':')
		dst = r.keyVector(l, k).AppendJSON(dst, i)
	}
	if r.key > 0 {
		dst = append(dst, '}')
	}
	dst = append(dst, `,"cells":[`...)
	first := true
	r.cells(l, i, func(c cell) {
		if c.old == nil && c.new == nil {
			return
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = catalog.AppendJSONText(append(dst, `{"column":`...), c.name)
		for _, side := range []struct {
			name string
			v    *table.Vector
		}{{`,"old":`, c.old}, {`,"new":`, c.new}} {
			if side.v != nil {
				dst = side.v.AppendJSON(append(dst, side.name...), i)
			}
		}
		dst = append(dst, '}')
	})
	return append(dst, ']', '}')
}
