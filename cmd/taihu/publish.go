package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"taihu/api"
	"taihu/api/client"
	"taihu/catalog"
)

// readOptions state how files are read; publish and check share them.
type readOptions struct {
	Sheet     string `help:"The one sheet of a workbook to read."`
	HeaderRow int    `name:"header-row" help:"Row of the header, counted from 1; -1 where there is none."`
	Delimiter string `help:"Delimiter: one character, or tab."`
	Encoding  string `help:"Encoding, such as utf-8 or gb18030."`
	Table     string `help:"Name of the table."`
	Zone      string `help:"Offset of datetimes that state none." placeholder:"+08:00"`
}

func (o readOptions) ingest() catalog.IngestOptions {
	return catalog.IngestOptions{Sheet: o.Sheet, HeaderRow: o.HeaderRow, Delimiter: o.Delimiter, Encoding: o.Encoding, Table: o.Table, Zone: o.Zone}
}

func (o readOptions) values() url.Values {
	v := url.Values{}
	for k, s := range map[string]string{"sheet": o.Sheet, "delimiter": o.Delimiter, "encoding": o.Encoding, "table": o.Table, "zone": o.Zone} {
		if s != "" {
			v.Set(k, s)
		}
	}
	if o.HeaderRow != 0 {
		v.Set("header_row", strconv.Itoa(o.HeaderRow))
	}
	return v
}

type publishCommand struct {
	Dataset string   `arg:"" help:"The dataset's slug."`
	Files   []string `arg:"" type:"existingfile" help:"Files of the release."`

	Server string `env:"TAIHU_SERVER" default:"http://127.0.0.1:8080" help:"Address of the server."`
	Token  string `env:"TAIHU_TOKEN" required:"" help:"Token; make one with taihu token create."`

	Organization string `help:"Publisher's slug; needed for a new dataset, made where an admin may."`
	Title        string `help:"Title of a new dataset."`
	Licence      string `default:"taihu-open-1.0" help:"Licence of a new dataset."`
	Frequency    string `default:"irregular" help:"Update frequency of a new dataset."`
	Notes        string `help:"What changed in this release."`
	DataDate     string `name:"data-date" help:"Up to when the data speak."`
	readOptions
	JSON bool `name:"json" help:"Print the result as JSON."`
}

// publishResult is what --json prints.
type publishResult struct {
	Dataset string           `json:"dataset"`
	Draft   string           `json:"draft"`
	State   catalog.State    `json:"state"`
	Release int              `json:"release,omitempty"`
	URL     string           `json:"url"`
	Reports []catalog.Report `json:"reports"`
}

func (p *publishCommand) Run(ctx context.Context, _ *Config, env environment, _ *slog.Logger) error {
	c := client.New(p.Server, p.Token)
	if err := p.ensureDataset(ctx, c); err != nil {
		return err
	}
	draft, err := c.CreateDraft(ctx, p.Dataset, api.DraftEdit{Notes: catalog.Text{Zh: p.Notes}, DataDate: p.DataDate})
	if err != nil {
		return err
	}
	for _, file := range p.Files {
		if draft, err = p.upload(ctx, c, draft.ID, file, env.Err); err != nil {
			return err
		}
	}
	for draft.State == catalog.Checking || draft.State == catalog.Uploading {
		if !p.JSON {
			fmt.Fprintf(env.Err, "\rchecking …   ")
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("stopped while the server checks; the draft is %s", draft.URL)
		case <-time.After(300 * time.Millisecond):
		}
		if draft, err = c.Draft(ctx, draft.ID); err != nil {
			return err
		}
	}
	if !p.JSON {
		fmt.Fprint(env.Err, "\r             \r")
	}
	if draft.State == catalog.Ready {
		if draft, err = p.finish(ctx, c, draft); err != nil {
			return err
		}
	}
	return p.report(draft, env.Out)
}

// finish hands the draft in and, where the token's user may, approves and
// publishes it. One who may not leaves it waiting for review.
func (p *publishCommand) finish(ctx context.Context, c *client.Client, draft *api.Draft) (*api.Draft, error) {
	id := draft.ID
	draft, err := c.Act(ctx, id, "submit")
	if err != nil {
		return nil, err
	}
	approved, err := c.Act(ctx, id, "approve")
	switch code := client.CodeOf(err); {
	case code == "not_allowed" || code == "own_draft":
		return draft, nil
	case err != nil:
		return nil, err
	}
	_ = approved
	return c.Act(ctx, id, "publish")
}

func (p *publishCommand) ensureDataset(ctx context.Context, c *client.Client) error {
	_, err := c.Dataset(ctx, p.Dataset)
	if err == nil || client.CodeOf(err) == "not_taihu" || !isNotFound(err) {
		return err
	}
	if p.Organization == "" {
		return fmt.Errorf("there is no dataset %q; to make it give --organization (and --title)", p.Dataset)
	}
	var org api.Organization
	if err := c.Do(ctx, "GET", "/api/v1/organizations/"+url.PathEscape(p.Organization), nil, &org); err != nil {
		if !isNotFound(err) {
			return err
		}
		if err := c.CreateOrganization(ctx, api.OrganizationEdit{Slug: p.Organization, Name: catalog.Text{Zh: p.Organization}}); err != nil {
			return fmt.Errorf("organization %s does not exist and cannot be made: %w", p.Organization, err)
		}
	}
	title := p.Title
	if title == "" {
		title = strings.TrimSuffix(filepath.Base(p.Files[0]), filepath.Ext(p.Files[0]))
	}
	_, err = c.CreateDataset(ctx, api.DatasetEdit{Slug: p.Dataset, Organization: p.Organization, Title: catalog.Text{Zh: title}, Licence: p.Licence,
		OpenAttribute: catalog.Unconditional, Frequency: catalog.Frequency(p.Frequency)})
	return err
}

func (p *publishCommand) upload(ctx context.Context, c *client.Client, draft, file string, progress io.Writer) (*api.Draft, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var body io.Reader = f
	if !p.JSON {
		body = &progressReader{r: f, out: progress, name: filepath.Base(file), size: info.Size()}
	}
	d, err := c.PutFile(ctx, draft, filepath.Base(file), p.values(), body, info.Size())
	if !p.JSON {
		fmt.Fprintln(progress)
	}
	return d, err
}

// report prints how it ended. Only a published release is exit code 0.
func (p *publishCommand) report(draft *api.Draft, out io.Writer) error {
	result := publishResult{Dataset: p.Dataset, Draft: draft.ID, State: draft.State, Release: draft.Number, URL: draft.URL, Reports: []catalog.Report{}}
	if draft.Number > 0 {
		result.URL = fmt.Sprintf("%s/datasets/%s/releases/%d", strings.TrimRight(p.Server, "/"), p.Dataset, draft.Number)
	}
	for _, f := range draft.Files {
		if f.Report != nil {
			result.Reports = append(result.Reports, *f.Report)
		}
	}
	if p.JSON {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(result); err != nil {
			return err
		}
	} else {
		for i := range result.Reports {
			printReport(out, &result.Reports[i])
		}
		switch draft.State {
		case catalog.Published:
			fmt.Fprintf(out, "published release %d: %s\n", draft.Number, result.URL)
		case catalog.InReview:
			fmt.Fprintf(out, "waiting for review: %s\n", result.URL)
		default:
			fmt.Fprintf(out, "%s: %s\n", strings.ToLower(draft.State.Words().En), result.URL)
		}
	}
	switch draft.State {
	case catalog.Published:
		return nil
	case catalog.InReview:
		return exitCode(exitWaiting)
	}
	return exitCode(exitRefused)
}

func isNotFound(err error) bool {
	p, ok := err.(interface{ GetStatus() int })
	return ok && p.GetStatus() == 404
}

// progressReader draws a bar while it is read.
type progressReader struct {
	r    io.Reader
	out  io.Writer
	name string
	size int64
	done int64
	last time.Time
}

func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.done += int64(n)
	if now := time.Now(); now.Sub(p.last) > 100*time.Millisecond || err != nil {
		p.last = now
		share := 1.0
		if p.size > 0 {
			share = float64(p.done) / float64(p.size)
		}
		const width = 30
		full := min(int(share*width), width)
		fmt.Fprintf(p.out, "\r%s [%s%s] %3.0f%%", p.name, strings.Repeat("#", full), strings.Repeat(".", width-full), share*100)
	}
	return n, err
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
	for _, f := range r.Findings {
		fmt.Fprintf(out, "  %s %s", f.Severity, f.Code)
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
}
