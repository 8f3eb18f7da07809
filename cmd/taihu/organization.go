package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"taihu/catalog"
	"taihu/catalog/ingest"
)

type organizationCommand struct {
	Import organizationImport `cmd:"" help:"Make and change organizations by a list (XLSX or CSV), whole or not at all."`
	List   organizationTree   `cmd:"" help:"List the organizations as a tree."`
}

type organizationImport struct {
	File   string `arg:"" type:"existingfile" help:"The list, with a header."`
	DryRun bool   `name:"dry-run" help:"Only say what would be done."`
	JSON   bool   `name:"json" help:"Print the plan as JSON."`
}

// Run says what is wrong with the list, by row and column (exit code 2), or what
// it changes, and does it.
func (o organizationImport) Run(ctx context.Context, cfg *Config, env environment, log *slog.Logger) error {
	return withStore(ctx, cfg, log, func(p *portal) error {
		f, err := os.Open(o.File)
		if err != nil {
			return err
		}
		defer f.Close()
		list, problems, err := readOrganizations(ctx, cfg, "", filepath.Base(o.File), f)
		if err != nil {
			return err
		}
		plan := &catalog.OrganizationPlan{Changes: []catalog.OrganizationChange{}, Problems: problems}
		switch {
		case len(problems) > 0:
		case o.DryRun:
			plan, err = p.store.PlanOrganizations(ctx, catalog.SystemActor, list)
		default:
			plan, err = p.store.ImportOrganizations(ctx, catalog.SystemActor, list, "")
		}
		if err != nil {
			return err
		}
		if o.JSON {
			err = printJSON(env.Out, plan)
		} else {
			o.print(env.Out, list, plan)
		}
		if err == nil && len(plan.Problems) > 0 {
			return exitCode(exitRefused)
		}
		return err
	})
}

func (o organizationImport) print(out io.Writer, list *catalog.OrganizationList, plan *catalog.OrganizationPlan) {
	if len(list.Ignored) > 0 {
		fmt.Fprintf(out, "columns not read: %s\n", strings.Join(list.Ignored, ", "))
	}
	for _, p := range plan.Problems {
		fmt.Fprintf(out, "%s%s\n", placeOf(p), p.What.En)
	}
	for _, c := range plan.Changes {
		verb := "changes"
		if c.New {
			verb = "makes"
		}
		fmt.Fprintf(out, "row %d %s %s %s: %s\n", c.Row, verb, c.After.Slug, c.After.Name.In("zh"), strings.Join(c.Fields, ", "))
	}
	made, changed := plan.Count()
	done := "%d made, %d changed, %d as they were\n"
	switch {
	case len(plan.Problems) > 0:
		fmt.Fprintf(out, "%d problems; nothing was changed\n", len(plan.Problems))
		return
	case o.DryRun:
		done = "would make %d, change %d and leave %d as they are\n"
	}
	fmt.Fprintf(out, done, made, changed, plan.Same)
}

// placeOf is where in a list a problem is, to stand before its sentence.
func placeOf(p catalog.LineProblem) string {
	var b strings.Builder
	if p.Row > 0 {
		fmt.Fprintf(&b, "row %d, ", p.Row)
	}
	if p.Column != "" {
		fmt.Fprintf(&b, "%s, ", p.Column)
	}
	if p.Value != "" {
		fmt.Fprintf(&b, "%q, ", p.Value)
	}
	if b.Len() == 0 {
		return ""
	}
	return strings.TrimSuffix(b.String(), ", ") + ": "
}

// listSeconds is the longest that reading a list of organizations may take.
const listSeconds = 60

// readOrganizations reads a list of organizations in a child, as uploads are read.
func readOrganizations(ctx context.Context, cfg *Config, temp, name string, r io.Reader) (*catalog.OrganizationList, []catalog.LineProblem, error) {
	folder, err := os.MkdirTemp(temp, "organizations-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "list")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	_, err = io.Copy(f, r)
	if err2 := f.Close(); err == nil {
		err = err2
	}
	if err != nil {
		return nil, nil, err
	}
	limits := ingestLimits(cfg)
	limits.Wall = min(limits.Wall, listSeconds*time.Second)
	return ingest.ReadOrganizations(ctx, ingestSpec(cfg, folder), limits, path, name, folder)
}

type organizationTree struct{}

// Run prints a line for each organization, below the one above it: slug, name,
// category.
func (organizationTree) Run(ctx context.Context, cfg *Config, env environment, log *slog.Logger) error {
	return withStore(ctx, cfg, log, func(p *portal) error {
		all, err := p.store.Organizations(ctx)
		if err != nil {
			return err
		}
		var below func(parent, indent string)
		below = func(parent, indent string) {
			for _, o := range all {
				if o.ParentID == parent {
					fmt.Fprintf(env.Out, "%s%s\t%s\t%s\n", indent, o.Slug, o.Name.In("zh"), o.Category)
					below(o.ID, indent+"  ")
				}
			}
		}
		below("", "")
		return nil
	})
}
