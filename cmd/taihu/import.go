package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
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

	"taihu/api"
	"taihu/api/client"
	"taihu/catalog"
)

type importCommand struct {
	Folder string `arg:"" type:"existingdir" help:"Folder of Data Packages (datapackage.json in it or below), or with an index CSV."`
	serverOptions
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
	cl, err := c.client()
	if err != nil {
		return err
	}
	items, err := findItems(c.Folder, c.Index, c.Prefix)
	if err != nil {
		return err
	}
	show := newProgress(env.Err, c.JSON)
	if err := ensureOrganization(ctx, cl, c.Organization, show); err != nil {
		return err
	}
	outcomes := c.all(ctx, cl, items, show)
	if ctx.Err() != nil {
		return fmt.Errorf("stopped after %d of %d: run it again to go on", len(outcomes), len(items))
	}
	return c.report(outcomes, env.Out)
}

// all imports the items, some at a time, and returns how each ended, in their
// order. Once ctx is done it begins no more and leaves out what it interrupted.
func (c *importCommand) all(ctx context.Context, cl *client.Client, items []importItem, show *progress) []importOutcome {
	outcomes := make([]importOutcome, len(items))
	next := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range max(c.At, 1) {
		wg.Go(func() {
			for i := range next {
				o := c.one(ctx, cl, items[i])
				if ctx.Err() != nil {
					continue
				}
				mu.Lock()
				done++
				outcomes[i] = o
				if show.terminal {
					show.now("%d/%d %-.60s", done, len(items), o.Name)
				} else {
					show.done("%d/%d %s %s", done, len(items), o.State, o.Name)
				}
				mu.Unlock()
			}
		})
	}
	for i := range items {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	show.clear()
	return slices.DeleteFunc(outcomes, func(o importOutcome) bool { return o.State == "" })
}

// one imports one item and says how it ended.
func (c *importCommand) one(ctx context.Context, cl *client.Client, it importItem) importOutcome {
	out := importOutcome{Name: it.Name, Dataset: it.Edit.Slug, State: "failed", Remark: it.Remark}
	err := func() error {
		if it.Wrong != "" {
			return errors.New(it.Wrong)
		}
		same, err := c.sameFiles(ctx, cl, it)
		if err != nil {
			return err
		}
		if same {
			out.State = "unchanged"
			return nil
		}
		if err := c.ensureDataset(ctx, cl, it); err != nil {
			return err
		}
		draft, err := cl.CreateDraft(ctx, it.Edit.Slug, api.DraftEdit{Notes: catalog.Text{Zh: "从来源导入。", En: "Imported from its source."}})
		if err != nil {
			return err
		}
		if err := c.release(ctx, cl, it, draft, &out); err != nil || out.State == "refused" {
			abandon(ctx, cl, draft.ID) // what it failed of is in the table, and a second run begins anew
			return err
		}
		return nil
	}()
	if err != nil {
		out.State, out.Code, out.Why = "failed", client.CodeOf(err), err.Error()
	}
	return out
}

func (c *importCommand) ensureDataset(ctx context.Context, cl *client.Client, it importItem) error {
	_, err := cl.Dataset(ctx, it.Edit.Slug)
	if err == nil || !isNotFound(err) {
		return err
	}
	edit := it.Edit
	edit.Organization, edit.Licence = c.Organization, cmp.Or(edit.Licence, c.Licence)
	_, err = cl.CreateDataset(ctx, edit)
	return err
}

// release fills the draft and takes it as far as the token's user may, which it
// writes into out.
func (c *importCommand) release(ctx context.Context, cl *client.Client, it importItem, draft *api.Draft, out *importOutcome) error {
	id := draft.ID
	var err error
	for _, file := range it.Files {
		if draft, err = putFile(ctx, cl, id, file); err != nil {
			return err
		}
	}
	if draft, err = c.read(ctx, cl, draft); err != nil {
		return err
	}
	if draft.State == catalog.Rejected {
		out.State = "refused"
		for _, f := range draft.Files {
			if f.Report != nil && f.Report.FirstError() != nil {
				e := f.Report.FirstError()
				out.Code, out.Why = e.Code, fmt.Sprintf("%s: %s", f.Name, e.Message.En)
			}
		}
		return nil
	}
	if len(draft.Tables) == 1 {
		words := matchWords(it.Words, draft.Tables[0].Columns)
		if len(words.Fields) > 0 {
			path := "/api/v1/drafts/" + id + "/tables/" + url.PathEscape(draft.Tables[0].Name)
			if err := cl.Do(ctx, http.MethodPut, path, words, nil); err != nil {
				return err
			}
		}
	}
	if n := len(draft.Unsettled); n > 0 {
		u := draft.Unsettled[0]
		out.State, out.Code, out.Why = "unsettled", u.Code, fmt.Sprintf("%s: %d findings have to be settled on the draft's page: %s", u.File, n, draft.URL)
		return nil
	}
	if draft, err = finish(ctx, cl, draft); err != nil {
		return err
	}
	out.State = "waiting"
	if draft.State == catalog.Published {
		out.State = "published"
	}
	return nil
}

// read waits until a draft has been checked. Files that do not show their
// encoding are read again in the one stated for such.
func (c *importCommand) read(ctx context.Context, cl *client.Client, draft *api.Draft) (*api.Draft, error) {
	draft, err := checked(ctx, cl, draft)
	if err != nil || draft.State != catalog.Rejected || c.Fallback == "" {
		return draft, err
	}
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
	return checked(ctx, cl, draft)
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
	return cl.Send(ctx, draft, &client.File{Name: filepath.Base(path), Size: info.Size(), ReaderAt: f}, func(int64) {})
}

// report prints the closing table; anything refused or failed is exit code 2,
// else anything with findings to settle is 4, else anything that waits for review is 3.
func (c *importCommand) report(outcomes []importOutcome, out io.Writer) error {
	counts := map[string]int{}
	for _, o := range outcomes {
		counts[o.State]++
	}
	if c.JSON {
		if err := printJSON(out, map[string]any{"counts": counts, "outcomes": outcomes}); err != nil {
			return err
		}
	} else {
		printOutcomes(out, outcomes, counts)
	}
	switch {
	case counts["refused"]+counts["failed"] > 0:
		return exitCode(exitRefused)
	case counts["unsettled"] > 0:
		return exitCode(exitUnsettled)
	case counts["waiting"] > 0:
		return exitCode(exitWaiting)
	}
	return nil
}

func printOutcomes(out io.Writer, outcomes []importOutcome, counts map[string]int) {
	for _, o := range outcomes {
		switch {
		case o.Why != "" && o.Code != "":
			fmt.Fprintf(out, "%-9s %s: %s (%s)\n", o.State, o.Name, o.Why, o.Code)
		case o.Why != "":
			fmt.Fprintf(out, "%-9s %s: %s\n", o.State, o.Name, o.Why)
		case o.Remark != "" && o.State != "unchanged":
			fmt.Fprintf(out, "%-9s %s: %s\n", o.State, o.Name, o.Remark)
		}
	}
	var parts []string
	for _, state := range []string{"published", "unchanged", "waiting", "refused", "failed"} {
		parts = append(parts, fmt.Sprintf("%d %s", counts[state], state))
	}
	if n := counts["unsettled"]; n > 0 {
		parts = append(parts, fmt.Sprintf("%d unsettled", n))
	}
	fmt.Fprintf(out, "%d found: %s\n", len(outcomes), strings.Join(parts, ", "))
}
