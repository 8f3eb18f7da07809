package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"taihu/api"
	"taihu/api/client"
	"taihu/api/handle"
	"taihu/catalog"
)

type importCommand struct {
	Folder       string `arg:"" type:"existingdir" help:"Folder of Data Packages (datapackage.json in it or below), or with an index CSV."`
	Server       string `env:"TAIHU_SERVER" default:"http://127.0.0.1:8080" help:"Address of the server."`
	Token        string `env:"TAIHU_TOKEN" required:"" help:"Token; make one with taihu token create."`
	Organization string `required:"" help:"Publisher's slug; made where an admin may."`
	Prefix       string `help:"Put before each dataset's slug, such as owid-."`
	Index        string `help:"Index CSV inside the folder; found where there is just one CSV at the top." placeholder:"FILE"`
	Licence      string `default:"source-terms" help:"Licence of datasets whose package states none."`
	Fallback     string `name:"fallback-encoding" placeholder:"ENCODING" help:"Encoding of files that do not show their own, such as windows-1252; without it they are refused as encoding_ambiguous."`
	At           int    `name:"parallel" default:"3" help:"Datasets on the way at a time."`
	JSON         bool   `name:"json" help:"Print the result as JSON."`
}

// importItem is one dataset to be made: found in a package or an index.
type importItem struct {
	Name  string // as in the source, for the closing table
	Edit  api.DatasetEdit
	Files []string
	Words api.TableEdit // of the one table, where there is one
	// Wrong says why the item cannot even be tried.
	Wrong string
	// Remark is told beside a success, such as a path that was wrong.
	Remark string
}

// importOutcome is how one item ended.
type importOutcome struct {
	Name    string `json:"name"`
	Dataset string `json:"dataset,omitempty"`
	State   string `json:"state"` // published, unchanged, waiting, refused, failed
	Code    string `json:"code,omitempty"`
	Why     string `json:"why,omitempty"`
	Remark  string `json:"remark,omitempty"`
}

// Run imports what is not there yet: an item whose dataset has a latest release
// with the same files is left alone, so a stopped import goes on where it was.
func (c *importCommand) Run(ctx context.Context, _ *Config, env environment, _ *slog.Logger) error {
	items, err := findItems(c.Folder, c.Index, c.Prefix)
	if err != nil {
		return err
	}
	cl := client.New(c.Server, c.Token)
	if err := c.ensureOrganization(ctx, cl); err != nil {
		return err
	}
	outcomes := make([]importOutcome, len(items))
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	next := make(chan int)
	for range max(c.At, 1) {
		wg.Go(func() {
			for i := range next {
				outcomes[i] = c.one(ctx, cl, items[i])
				mu.Lock()
				done++
				if !c.JSON {
					fmt.Fprintf(env.Err, "\r%d/%d %-60.60s", done, len(items), items[i].Name)
				}
				mu.Unlock()
			}
		})
	}
	for i := range items {
		next <- i
	}
	close(next)
	wg.Wait()
	if !c.JSON {
		fmt.Fprintf(env.Err, "\r%80s\r", "")
	}
	return c.report(outcomes, env.Out)
}

func (c *importCommand) ensureOrganization(ctx context.Context, cl *client.Client) error {
	err := cl.Do(ctx, http.MethodGet, "/api/v1/organizations/"+url.PathEscape(c.Organization), nil, nil)
	if err != nil && isNotFound(err) {
		return cl.CreateOrganization(ctx, api.OrganizationEdit{Slug: c.Organization, Name: catalog.Text{En: c.Organization}})
	}
	return err
}

// one imports one item and says how it ended.
func (c *importCommand) one(ctx context.Context, cl *client.Client, it importItem) importOutcome {
	out := importOutcome{Name: it.Name, Dataset: it.Edit.Slug, State: "failed", Remark: it.Remark}
	fail := func(err error) importOutcome {
		out.Why = err.Error()
		var p *handle.Problem
		if errors.As(err, &p) {
			out.Code = p.Code
		}
		return out
	}
	if it.Wrong != "" {
		return fail(errors.New(it.Wrong))
	}
	same, err := c.sameFiles(ctx, cl, it)
	if err != nil {
		return fail(err)
	}
	if same {
		out.State = "unchanged"
		return out
	}
	if _, err := cl.Dataset(ctx, it.Edit.Slug); err != nil {
		if !isNotFound(err) {
			return fail(err)
		}
		edit := it.Edit
		edit.Organization = c.Organization
		if edit.Licence == "" {
			edit.Licence = c.Licence
		}
		if _, err := cl.CreateDataset(ctx, edit); err != nil {
			return fail(err)
		}
	}
	draft, err := cl.CreateDraft(ctx, it.Edit.Slug, api.DraftEdit{})
	if err != nil {
		return fail(err)
	}
	for _, file := range it.Files {
		if draft, err = putFile(ctx, cl, draft.ID, file); err != nil {
			return fail(err)
		}
	}
	if draft, err = c.checked(ctx, cl, draft); err != nil {
		return fail(err)
	}
	if draft.State == catalog.Rejected {
		out.State = "refused"
		for _, f := range draft.Files {
			if f.Report != nil && f.Report.FirstError() != nil {
				e := f.Report.FirstError()
				out.Code, out.Why = e.Code, fmt.Sprintf("%s: %s", f.Name, e.Message.En)
			}
		}
		_, _ = cl.Act(ctx, draft.ID, "abandon") // what it was refused for is in the table
		return out
	}
	if len(draft.Tables) == 1 {
		words := matchWords(it.Words, draft.Tables[0].Columns)
		if len(words.Fields) > 0 {
			if err := cl.Do(ctx, http.MethodPut, "/api/v1/drafts/"+draft.ID+"/tables/"+draft.Tables[0].Name, words, nil); err != nil {
				return fail(err)
			}
		}
	}
	p := publishCommand{}
	if draft, err = p.finish(ctx, cl, draft); err != nil {
		return fail(err)
	}
	out.State = "waiting"
	if draft.State == catalog.Published {
		out.State = "published"
	}
	return out
}

// checked waits until a draft has been checked. Files that do not show their
// encoding are read again in the one stated for such.
func (c *importCommand) checked(ctx context.Context, cl *client.Client, draft *api.Draft) (*api.Draft, error) {
	tried := false
	for {
		for draft.State == catalog.Checking {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(150 * time.Millisecond):
			}
			var err error
			if draft, err = cl.Draft(ctx, draft.ID); err != nil {
				return nil, err
			}
		}
		if draft.State != catalog.Rejected || c.Fallback == "" || tried {
			return draft, nil
		}
		tried = true
		for _, f := range draft.Files {
			if f.Report == nil || f.Report.FirstError() == nil || f.Report.FirstError().Code != "encoding_ambiguous" {
				continue
			}
			o := f.Options
			o.Encoding = c.Fallback
			path := "/api/v1/drafts/" + draft.ID + "/files/" + url.PathEscape(f.Name) + "/options"
			if err := cl.Do(ctx, http.MethodPut, path, o, draft); err != nil {
				return nil, err
			}
		}
	}
}

// matchWords keeps the words whose field is a column of the table; descriptors
// differ from their files in blanks, and name columns that are not there.
func matchWords(words api.TableEdit, columns []api.Column) api.TableEdit {
	plain := func(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
	byName := map[string]string{}
	for _, c := range columns {
		byName[plain(c.Name)] = c.Name
	}
	out := api.TableEdit{Title: words.Title, Fields: map[string]api.FieldEdit{}}
	for name, w := range words.Fields {
		if column, ok := byName[plain(name)]; ok {
			out.Fields[column] = w
		}
	}
	return out
}

// sameFiles reports whether the latest release has exactly the item's files.
func (c *importCommand) sameFiles(ctx context.Context, cl *client.Client, it importItem) (bool, error) {
	r, err := cl.Release(ctx, it.Edit.Slug, "latest")
	if err != nil {
		if isNotFound(err) {
			return false, nil
		}
		return false, err
	}
	if len(r.Files) != len(it.Files) {
		return false, nil
	}
	for _, file := range it.Files {
		sum, err := hashFile(file)
		if err != nil {
			return false, err
		}
		if !slices.ContainsFunc(r.Files, func(f api.File) bool { return f.SHA256 == sum }) {
			return false, nil
		}
	}
	return true, nil
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func putFile(ctx context.Context, cl *client.Client, draft, path string) (*api.Draft, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return cl.PutFile(ctx, draft, filepath.Base(path), nil, f, info.Size())
}

// report prints the closing table; anything refused or failed is exit code 2.
func (c *importCommand) report(outcomes []importOutcome, out io.Writer) error {
	counts := map[string]int{}
	for _, o := range outcomes {
		counts[o.State]++
	}
	bad := counts["refused"] + counts["failed"]
	if c.JSON {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(map[string]any{"counts": counts, "outcomes": outcomes}); err != nil {
			return err
		}
	} else {
		for _, o := range outcomes {
			if o.State == "refused" || o.State == "failed" {
				fmt.Fprintf(out, "%-8s %-60s %s", o.State, o.Name, o.Why)
				if o.Code != "" {
					fmt.Fprintf(out, " (%s)", o.Code)
				}
				fmt.Fprintln(out)
			}
		}
		var parts []string
		for _, state := range []string{"published", "unchanged", "waiting", "refused", "failed"} {
			parts = append(parts, fmt.Sprintf("%d %s", counts[state], state))
		}
		fmt.Fprintf(out, "%d found: %s\n", len(outcomes), strings.Join(parts, ", "))
	}
	if bad > 0 {
		return exitCode(exitRefused)
	}
	return nil
}
