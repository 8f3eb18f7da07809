package table_test

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/memory"
)

// exampleSchema has every column that the examples of the grammar page name.
var exampleSchema = catalog.Schema{Fields: []catalog.Field{
	{Name: "time", Type: catalog.Datetime, Zone: "+08:00"}, {Name: "date", Type: catalog.Date}, {Name: "district", Type: catalog.String},
	{Name: "name", Type: catalog.String}, {Name: "code", Type: catalog.String}, {Name: "aqi", Type: catalog.Integer}, {Name: "open", Type: catalog.Boolean},
	{Name: "a", Type: catalog.Integer}, {Name: "b", Type: catalog.Integer}, {Name: "c", Type: catalog.Integer}, {Name: "n", Type: catalog.Integer},
	{Name: "in", Type: catalog.Integer}, {Name: "PM2.5", Type: catalog.Number}, {Name: "longitude", Type: catalog.Number}, {Name: "latitude", Type: catalog.Number},
}}

// Every example of the grammar page is a query that is answered.
func TestExamplesOfTheGrammarPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "api", "web", "docs", "grammar.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := memory.NewTable(exampleSchema, [][]table.Value{make([]table.Value, len(exampleSchema.Fields))})
	tried := map[string]bool{}
	for _, line := range strings.Split(string(page), "\n") {
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(line, -1) {
			params, ok := exampleParams(line, m[1])
			if !ok || tried[m[1]] {
				continue
			}
			tried[m[1]] = true
			p, err := check(params, &exampleSchema)
			if err != nil {
				t.Errorf("`%s`: %v", m[1], err)
				continue
			}
			if err := rows.Rows(t.Context(), p, func(*table.Batch) error { return nil }); err != nil {
				t.Errorf("`%s`: %v", m[1], err)
			}
		}
	}
	if len(tried) < 35 {
		t.Errorf("only %d examples were found; has the page another form?", len(tried))
	}
}

// exampleParams reads `name=value&…`, or a bare condition: the last cell of a row
// of the table of operators.
func exampleParams(line, text string) (table.Params, bool) {
	name, _, _ := strings.Cut(text, "=")
	if slices.Contains(table.Parameters, name) && strings.Contains(text, "=") {
		values := url.Values{}
		for pair := range strings.SplitSeq(text, "&") {
			name, value, _ := strings.Cut(pair, "=")
			values.Set(name, value)
		}
		p := table.ParamsOf(values.Get)
		if p.Having != "" && p.Group == "" && p.Select == "" {
			p.Group = "district" // having alone is shown in the list of parameters
		}
		if strings.Contains(p.Sort, "count") && p.Group == "" {
			p.Group = "district"
		}
		return p, true
	}
	cells := strings.Split(line, " | ")
	if len(cells) != 3 || !strings.Contains(cells[2], "`"+text+"`") || !regexp.MustCompile(` (=|!=|<|>|<=|>=|in|is) |^(contains|starts|not) ?\(?`).MatchString(text) {
		return table.Params{}, false
	}
	return table.Params{Where: text}, true
}
