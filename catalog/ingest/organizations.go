package ingest

import (
	"context"
	"fmt"

	"taihu/catalog"
	"taihu/catalog/child"
)

// ReadOrganizations reads a list of organizations from a file in a child process.
// The problems are why it cannot be read as one: of the file, or of its headers.
// out is a folder for what reading needs; spec is as for Child.
func ReadOrganizations(ctx context.Context, spec child.Spec, limits Limits, path, name, out string) (*catalog.OrganizationList, []catalog.LineProblem, error) {
	result, err := ChildVerdict(ctx, spec, Request{Path: path, Name: name, OutDir: out, Limits: limits, Rows: catalog.MaxOrganizationLines + 1})
	if err != nil {
		return nil, nil, fmt.Errorf("read organizations from %s: %w", name, err)
	}
	list, problems := OrganizationsOf(&result)
	return list, problems, nil
}

// OrganizationsOf understands rows that were read as a list of organizations.
func OrganizationsOf(r *Result) (*catalog.OrganizationList, []catalog.LineProblem) {
	if r.Rows == nil {
		var problems []catalog.LineProblem
		for _, f := range r.Report.Findings {
			if f.Severity == catalog.Fatal || r.Attachment {
				what := catalog.Text{Zh: f.Message.Zh + f.Hint.Zh, En: f.Message.En + " " + f.Hint.En}
				problems = append(problems, catalog.LineProblem{Row: f.Row, Column: f.Column, Value: f.Value, What: what})
			}
		}
		return &catalog.OrganizationList{}, problems
	}
	list, fields, problems := catalog.NewOrganizationList(r.Rows.Columns)
	for _, row := range r.Rows.Rows {
		list.Add(row.Number, fields, row.Cells)
	}
	return list, problems
}
