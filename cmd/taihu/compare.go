package main

import (
	"context"
	"fmt"
	"strings"

	"taihu/api"
	"taihu/api/client"
	"taihu/catalog"
)

// tellMissed says what readers of the newest release would miss in the draft. It
// helps, and decides nothing: where the releases cannot be read it says nothing.
func tellMissed(ctx context.Context, c *client.Client, draft *api.Draft, show *progress) {
	latest, err := c.Release(ctx, draft.Dataset, "latest")
	if err != nil {
		return
	}
	if list := missed(latest.Tables, draft.Tables); len(list) > 0 {
		show.done("unlike release %d: %s", latest.Number, strings.Join(list, "; "))
	}
}

// otherThan is b where it differs from a, else empty.
func otherThan(a, b string) string {
	if a == b {
		return ""
	}
	return b
}

// missed says in sentences what readers of a release would miss in a draft.
func missed(before, after []api.Table) []string {
	var out []string
	for _, c := range catalog.Changes(tablesOf(before), tablesOf(after)) {
		switch c.Kind {
		case catalog.TableGone:
			out = append(out, fmt.Sprintf("table %s is gone (it had %d rows)", c.Table, c.Rows[0]))
		case catalog.ColumnGone:
			out = append(out, fmt.Sprintf("table %s lacks the column %s", c.Table, c.Column))
		case catalog.TypeChanged:
			out = append(out, fmt.Sprintf("in table %s the column %s was %s and is %s", c.Table, c.Column, c.Types[0]+zoned(c.Zones[0]), c.Types[1]+zoned(c.Zones[1])))
		case catalog.KeyChanged:
			out = append(out, fmt.Sprintf("the key of table %s is no longer %s", c.Table, c.Column))
		case catalog.RowsHalved:
			out = append(out, fmt.Sprintf("table %s went from %d rows to %d", c.Table, c.Rows[0], c.Rows[1]))
		}
	}
	return out
}

func zoned(zone string) catalog.Type {
	if zone == "" {
		return ""
	}
	return catalog.Type(" " + zone)
}

// tablesOf takes from the API's tables what a comparison needs.
func tablesOf(list []api.Table) []catalog.Table {
	out := make([]catalog.Table, len(list))
	for i, t := range list {
		out[i] = catalog.Table{Name: t.Name, Rows: t.Rows, Schema: catalog.Schema{Key: t.Key}}
		for _, c := range t.Columns {
			out[i].Schema.Fields = append(out[i].Schema.Fields, catalog.Field{Name: c.Name, Type: c.Type, Zone: c.Zone})
		}
	}
	return out
}
