package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"taihu/api"
	"taihu/api/client"
	"taihu/api/handle"
	"taihu/catalog"
)

// readOptions state how files are read; publish and check share them.
type readOptions struct {
	Sheet      string   `help:"The one sheet of a workbook to read."`
	HeaderRow  int      `name:"header-row" help:"Row of the header, counted from 1; -1 where there is none."`
	HeaderRows int      `name:"header-rows" help:"Rows the header takes."`
	Totals     string   `enum:",auto,keep,drop" default:"" help:"Rows of totals: auto, keep or drop."`
	Merged     string   `enum:",fill,empty" default:"" help:"Merged cells among the data: fill or empty."`
	Path       string   `placeholder:"KEY" help:"Key of a JSON text under which its rows are, such as result.records."`
	Delimiter  string   `help:"Delimiter: one character, or tab."`
	Encoding   string   `help:"Encoding, such as utf-8 or gb18030."`
	Table      string   `help:"Name of the table."`
	Zone       string   `help:"Offset of datetimes that state none." placeholder:"+08:00"`
	Types      []string `name:"type" sep:"none" placeholder:"COLUMN=TYPE" help:"Type of a column, instead of what its values show; may be repeated."`
	NullWords  []string `name:"null" sep:"none" placeholder:"WORD" help:"Word that means null: WORD in every column, COLUMN=WORD in one; may be repeated."`
	Settle     []string `sep:"none" placeholder:"CODE:COLUMN=MEASURE" help:"Decide about a finding: CODE:COLUMN=mask, CODE:COLUMN=drop or CODE=accept,REASON; may be repeated."`
}

func (o readOptions) ingest() (catalog.IngestOptions, error) {
	in := catalog.IngestOptions{Sheet: o.Sheet, HeaderRow: o.HeaderRow, HeaderRows: o.HeaderRows, Totals: o.Totals, Merged: o.Merged, Path: o.Path, Delimiter: o.Delimiter, Encoding: o.Encoding, Table: o.Table, Zone: o.Zone}
	var err error
	if in.Types, err = catalog.ParseTypes(o.Types); err != nil {
		return in, fmt.Errorf("--type: %w", err)
	}
	if in.NullWords, err = catalog.ParseNullWords(o.NullWords); err != nil {
		return in, fmt.Errorf("--null: %w", err)
	}
	for _, text := range o.Settle {
		s, err := catalog.ParseSettlement(text)
		if err != nil {
			return in, fmt.Errorf("--settle: %w", err)
		}
		in.Settled = append(in.Settled, s)
	}
	return in, nil
}

// serverOptions name the server and who asks; publish and import share them.
type serverOptions struct {
	Server string `env:"TAIHU_SERVER" default:"http://127.0.0.1:8080" placeholder:"URL" help:"Address of the server, by default ${default}."`
	Token  string `env:"TAIHU_TOKEN" placeholder:"TOKEN" help:"Token; make one with taihu token create."`
}

// client returns a client for the server, or what is wrong with the options.
func (o serverOptions) client() (*client.Client, error) {
	u, err := url.Parse(o.Server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("--server is %q, but must be an address such as http://127.0.0.1:8080", o.Server)
	}
	if o.Token == "" {
		return nil, errors.New("there is no token: give --token or set TAIHU_TOKEN; on the server's machine taihu token create makes one")
	}
	return client.New(o.Server, o.Token), nil
}

type publishCommand struct {
	Dataset string   `arg:"" help:"The dataset's slug."`
	Files   []string `arg:"" help:"Files of the release, or addresses that the server fetches."`

	serverOptions
	Organization string `placeholder:"SLUG" help:"Publisher; needed for a new dataset, made where an admin may."`
	Title        string `help:"Title of a new dataset; by default the first file's name."`
	Licence      string `help:"Licence of a new dataset, by default taihu-open-1.0."`
	Frequency    string `help:"Update frequency of a new dataset, by default irregular."`
	Notes        string `help:"What changed in this release."`
	DataDate     string `name:"data-date" placeholder:"DATE" help:"Up to when the data speak, such as 2026-06-30."`
	readOptions
	Mode string `enum:",append,upsert" default:"" help:"append: the file's rows are added to those of the table in the newest release; upsert: they replace its rows of the same key, and others are added. Without it the file is all of the table."`
	Keep bool   `help:"Keep the tables of the newest release that no file gives."`
	JSON bool   `name:"json" help:"Print the result as JSON."`
}

// ingest is how the files are read.
func (p *publishCommand) ingest() (catalog.IngestOptions, error) {
	o, err := p.readOptions.ingest()
	o.Mode = catalog.Mode(p.Mode)
	return o, err
}

// publishResult is what --json prints.
type publishResult struct {
	Dataset string           `json:"dataset"`
	Draft   string           `json:"draft"`
	State   catalog.State    `json:"state"`
	Release int              `json:"release,omitempty"`
	URL     string           `json:"url"`
	Reports []catalog.Report `json:"reports"`
	// Unsettled are findings that keep the draft from being handed in.
	Unsettled []catalog.UnsettledPlace `json:"unsettled,omitempty"`
}

// Run uploads the files as a draft, waits for its check, and takes it as far as
// the token's user may. The exit code says how far that was.
func (p *publishCommand) Run(ctx context.Context, _ *Config, env environment, _ *slog.Logger) error {
	c, err := p.client()
	if err != nil {
		return err
	}
	if err := p.checkFiles(); err != nil {
		return err
	}
	if _, err := p.ingest(); err != nil {
		return err // before a gigabyte travels
	}
	show := newProgress(env.Err, p.JSON)
	if err := p.ensureDataset(ctx, c, show); err != nil {
		return err
	}
	files, err := p.open(show)
	if err != nil {
		return err
	}
	defer closeAll(files)
	draft, err := p.begin(ctx, c, files, show)
	if err != nil {
		return err
	}
	id := draft.ID
	for _, f := range files {
		if draft, err = p.send(ctx, c, draft, f, show); err != nil {
			show.clear()
			if !errors.Is(err, client.ErrInterrupted) {
				abandon(ctx, c, id)
			}
			return fmt.Errorf("%s: %w", f.from, err)
		}
	}
	show.now("checking …")
	if draft, err = checked(ctx, c, draft); err != nil {
		show.clear()
		return fmt.Errorf("while the server checks draft %s: %w", id, err)
	}
	show.clear()
	if draft.State == catalog.Ready && p.Keep {
		var now api.Draft
		if err := c.Do(ctx, http.MethodPost, "/api/v1/drafts/"+id+"/keep", nil, &now); err != nil {
			return fmt.Errorf("keep the other tables in draft %s: %w", id, err)
		}
		draft = &now
	}
	if draft.State == catalog.Ready {
		tellMissed(ctx, c, draft, show)
		if len(draft.Unsettled) == 0 {
			if draft, err = finish(ctx, c, draft); client.CodeOf(err) == "major_change" {
				abandon(ctx, c, id) // with notes the same command begins anew
				return fmt.Errorf("the files are accepted, but nothing is published: give --notes. %w", err)
			}
			if err != nil {
				return fmt.Errorf("the files are accepted, but draft %s is not published: %w", id, err)
			}
		}
	}
	return p.report(draft, env.Out)
}

// distinctNames refuses two files of one name: the second would take the place
// of the first.
func distinctNames(files []string) error {
	there := map[string]string{}
	for _, file := range files {
		name := nameOf(file)
		if other, twice := there[name]; twice {
			return fmt.Errorf("%s and %s have the same name, and a release holds one file of a name: rename one", other, file)
		}
		there[name] = file
	}
	return nil
}

// abandon gives up a draft that could not be filled; ctx may be done already.
func abandon(ctx context.Context, c *client.Client, draft string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_, _ = c.Act(ctx, draft, "abandon") // told is why the upload failed
}

// checked waits until a draft's files have been checked.
func checked(ctx context.Context, c *client.Client, draft *api.Draft) (*api.Draft, error) {
	for draft.State == catalog.Checking || draft.State == catalog.Uploading {
		select {
		case <-ctx.Done():
			return nil, errors.New("stopped; the check goes on")
		case <-time.After(150 * time.Millisecond):
		}
		var err error
		if draft, err = c.Draft(ctx, draft.ID); err != nil {
			return nil, err
		}
	}
	return draft, nil
}

// finish hands the draft in and, where the token's user may, approves and
// publishes it. One who may not leaves it waiting for review.
func finish(ctx context.Context, c *client.Client, draft *api.Draft) (*api.Draft, error) {
	id := draft.ID
	draft, err := c.Act(ctx, id, "submit")
	if err != nil {
		return nil, err
	}
	switch _, err := c.Act(ctx, id, "approve"); {
	case client.CodeOf(err) == "not_allowed" || client.CodeOf(err) == "own_draft":
		return draft, nil
	case err != nil:
		return nil, err
	}
	return c.Act(ctx, id, "publish")
}

// ensureDataset makes the dataset where it is missing. Where it is there, it
// says which of the options for a new one went unused.
func (p *publishCommand) ensureDataset(ctx context.Context, c *client.Client, show *progress) error {
	there, err := c.Dataset(ctx, p.Dataset)
	if err == nil {
		var unused []string
		for _, o := range [][2]string{{"--organization", otherThan(there.Organization.Slug, p.Organization)}, {"--title", p.Title}, {"--licence", p.Licence}, {"--frequency", p.Frequency}} {
			if o[1] != "" {
				unused = append(unused, o[0])
			}
		}
		if len(unused) > 0 {
			show.done("%s is there already: %s not used, as for a new dataset only", p.Dataset, strings.Join(unused, ", "))
		}
		return nil
	}
	if client.CodeOf(err) == "not_taihu" || !isNotFound(err) {
		return err
	}
	if p.Organization == "" {
		return fmt.Errorf("there is no dataset %q; to make it give --organization (and --title)", p.Dataset)
	}
	if err := ensureOrganization(ctx, c, p.Organization, show); err != nil {
		return err
	}
	title := cmp.Or(p.Title, strings.TrimSuffix(nameOf(p.Files[0]), filepath.Ext(nameOf(p.Files[0]))))
	_, err = c.CreateDataset(ctx, api.DatasetEdit{Slug: p.Dataset, Organization: p.Organization, Title: titleOf(title, p.Dataset),
		Licence: cmp.Or(p.Licence, "taihu-open-1.0"), OpenAttribute: catalog.Unconditional, Frequency: catalog.Frequency(cmp.Or(p.Frequency, "irregular"))})
	if err != nil {
		return fmt.Errorf("dataset %s does not exist and cannot be made: %w", p.Dataset, err)
	}
	show.done("made the dataset %s: %s", p.Dataset, title)
	return nil
}

// ensureOrganization makes the organization where it is missing, named by its
// slug until somebody names it better.
func ensureOrganization(ctx context.Context, c *client.Client, slug string, show *progress) error {
	err := c.Do(ctx, http.MethodGet, "/api/v1/organizations/"+url.PathEscape(slug), nil, nil)
	if err == nil || client.CodeOf(err) == "not_taihu" || !isNotFound(err) {
		return err
	}
	if err := c.CreateOrganization(ctx, api.OrganizationEdit{Slug: slug, Name: catalog.Text{Zh: slug}}); err != nil {
		return fmt.Errorf("organization %s does not exist and cannot be made: %w", slug, err)
	}
	show.done("made the organization %s, which was not there before", slug)
	return nil
}

// report prints how it ended. Only a published release is exit code 0.
func (p *publishCommand) report(draft *api.Draft, out io.Writer) error {
	server := strings.TrimRight(p.Server, "/")
	result := publishResult{Dataset: p.Dataset, Draft: draft.ID, State: draft.State, Release: draft.Number, URL: draft.URL, Reports: []catalog.Report{}, Unsettled: draft.Unsettled}
	if draft.Number > 0 {
		result.URL = fmt.Sprintf("%s/datasets/%s/releases/%d", server, p.Dataset, draft.Number)
	}
	for _, f := range draft.Files {
		if f.Report != nil {
			result.Reports = append(result.Reports, *f.Report)
		}
	}
	if p.JSON {
		if err := printJSON(out, result); err != nil {
			return err
		}
	} else {
		for i := range result.Reports {
			printReport(out, &result.Reports[i])
		}
		switch draft.State {
		case catalog.Ready:
			printUnsettled(out, draft.Unsettled)
			fmt.Fprintf(out, "nothing was published; settle these with --settle or on the draft's page: %s\n", result.URL)
		case catalog.Published:
			fmt.Fprintf(out, "published release %d: %s\n", draft.Number, result.URL)
			for _, t := range draft.Tables {
				fmt.Fprintf(out, "  %s/data/%s/%d/%s.csv\n", server, p.Dataset, draft.Number, url.PathEscape(t.Name))
			}
		case catalog.InReview:
			fmt.Fprintf(out, "handed in, waiting for review: %s\n", result.URL)
		case catalog.Rejected:
			fmt.Fprintf(out, "nothing was published; mend what is refused and publish again. The draft: %s\n", result.URL)
		default:
			fmt.Fprintf(out, "%s: %s\n", strings.ToLower(draft.State.Words().En), result.URL)
		}
	}
	switch {
	case draft.State == catalog.Published:
		return nil
	case draft.State == catalog.InReview:
		return exitCode(exitWaiting)
	case draft.State == catalog.Ready && len(draft.Unsettled) > 0:
		return exitCode(exitUnsettled)
	}
	return exitCode(exitRefused)
}

// printUnsettled lists the findings to settle, each as --settle names it.
func printUnsettled(out io.Writer, list []catalog.UnsettledPlace) {
	for _, u := range list {
		place := u.Code
		if u.Column != "" {
			place += ":" + u.Column
		}
		fmt.Fprintf(out, "  to settle: %s (%s), by", place, u.File)
		for i, m := range u.Measures {
			if i > 0 {
				fmt.Fprint(out, " or")
			}
			fmt.Fprintf(out, " %s", m)
		}
		fmt.Fprintln(out)
	}
}

// printJSON prints what --json promises.
func printJSON(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func isNotFound(err error) bool {
	var p *handle.Problem
	return errors.As(err, &p) && p.Status == http.StatusNotFound
}

// printReport shows a report on a terminal: what was read, then each finding
// with its place, value and mend.
func printReport(out io.Writer, r *catalog.Report) {
	word := "accepted"
	if !r.Accepted {
		word = "refused"
	}
	fmt.Fprintf(out, "%s: %s", r.File, word)
	if r.Format != "" {
		fmt.Fprintf(out, " as %s", r.Format)
	}
	if r.Encoding != "" {
		fmt.Fprintf(out, ", %s", r.Encoding)
	}
	fmt.Fprintln(out)
	for _, t := range r.Tables {
		fmt.Fprintf(out, "  table %s: %d rows × %d columns\n", t.Name, t.Rows, t.Columns)
	}
	for i := range r.Findings {
		printFinding(out, &r.Findings[i], len(r.Tables) > 1)
	}
}

func printFinding(out io.Writer, f *catalog.Finding, several bool) {
	fmt.Fprintf(out, "  %s %s", f.Severity, f.Code)
	if several && f.Table != "" {
		fmt.Fprintf(out, ", table %s", f.Table)
	}
	if f.Row > 0 {
		fmt.Fprintf(out, ", row %d", f.Row)
	}
	if f.Column != "" {
		fmt.Fprintf(out, ", column %s", f.Column)
	}
	if f.Value != "" {
		fmt.Fprintf(out, ", value %q", f.Value)
	}
	fmt.Fprintf(out, ": %s", f.Message.In("en"))
	if f.Count > 1 {
		fmt.Fprintf(out, " (%d places)", f.Count)
	}
	fmt.Fprintln(out)
	if !f.Hint.IsZero() {
		fmt.Fprintf(out, "    → %s\n", f.Hint.In("en"))
	}
}
