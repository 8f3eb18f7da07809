package web

import (
	"slices"
	"testing"

	"taihu/catalog"
)

func TestFindingsOfOneKindAreShownTogether(t *testing.T) {
	var findings []catalog.Finding
	for row := int64(2); row < 12; row++ {
		findings = append(findings, catalog.Finding{Severity: catalog.Fatal, Code: "type_mismatch", Column: "容量", Row: row, Value: []string{"约50", "不限"}[row%2], Message: catalog.Text{Zh: "不是整数"}})
	}
	findings[9].Count = 31 // the last one listed stands for those that are not
	findings = append(findings, catalog.Finding{Severity: catalog.Note, Code: "other", Message: catalog.Text{Zh: "别的"}})
	got := grouped(findings)
	if len(got) != 2 {
		t.Fatalf("%d groups, want 2: %+v", len(got), got)
	}
	if want := []int64{2, 3, 4, 5, 6, 7}; !slices.Equal(got[0].Rows, want) {
		t.Errorf("rows %v, want %v", got[0].Rows, want)
	}
	if got[0].Rest != 3+31 || !slices.Equal(got[0].Values, []string{"约50", "不限"}) {
		t.Errorf("rest %d, values %q", got[0].Rest, got[0].Values)
	}
	if got[1].Rest != 0 || got[1].Rows != nil {
		t.Errorf("a finding without a place: %+v", got[1])
	}
}

func TestFixedTypesOfARefusedFileCanBeChanged(t *testing.T) {
	v := &draftPage{}
	f := &catalog.File{Name: "a.csv", State: catalog.FileRefused, Options: catalog.IngestOptions{Types: map[string]catalog.Type{"容量": catalog.Integer}}, Report: &catalog.Report{}}
	w := v.fileView("zh", f, 0)
	if len(w.Decisions) != 1 || w.Decisions[0].Column != "容量" || !slices.ContainsFunc(w.Decisions[0].Types, func(c choice) bool { return c.Value == "integer" && c.Chosen }) {
		t.Errorf("decisions %+v", w.Decisions)
	}
}
