package download

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/table"
	"taihu/catalog/table/diff"
	"taihu/catalog/table/pool"
)

// Comparison makes a Request one for what changed from another table to its own: in a
// format the list of all changes, without one a page of them as JSON (diff.Page).
type Comparison struct {
	Release *catalog.Release
	Table   *catalog.Table
	Key     []string    // of columns; none: whole rows
	Strict  bool        // the reader named the key
	Equal   bool        // the tables are known to hold the same
	Change  diff.Change // only rows that went through it; "": all
	// Skip and Limit choose the page.
	Skip, Limit int64
}

// WholeRows is the key of a reader who wants rows compared as a whole where a key is
// declared.
const WholeRows = "*"

// CompareParams are what a reader asks of a comparison, as texts.
type CompareParams struct {
	Table  string // "": the first one that changed
	Key    string // columns; "": the declared ones, WholeRows: none
	Change string // "": all
}

// Compare makes the request for the comparison of two releases, for the caller to
// complete with format, page, publisher and client; nil where no table is in both, or
// the one that is named is not. Errors: NotFound unknown_table; Invalid bad_key,
// bad_parameter.
func Compare(d *catalog.Dataset, old, now *catalog.Release, p CompareParams) ([]diff.Tables, *Request, error) {
	pairs := diff.Pair(old.Tables, now.Tables)
	change := diff.Change(p.Change)
	if change != "" && !slices.Contains(diff.Changes, change) {
		return nil, nil, catalog.Errorf(catalog.Invalid, "bad_parameter", "change is changed, added or removed, not %q", p.Change).
			With("parameter", "change").InChinese("change只能是changed、added或removed，不能是“%s”", p.Change)
	}
	at := -1
	for i, pair := range pairs {
		switch {
		case p.Table != "":
			if pair.Name == p.Table {
				at = i
			}
		case pair.Change == diff.Changed && (at < 0 || pairs[at].Change != diff.Changed), pair.Change == diff.Same && at < 0:
			at = i
		}
	}
	if at < 0 && p.Table != "" {
		names := make([]string, len(pairs))
		for i, pair := range pairs {
			names[i] = pair.Name
		}
		return nil, nil, catalog.Errorf(catalog.NotFound, "unknown_table", "there is no table %q in either release; there are %s", p.Table, strings.Join(names, ", ")).
			With("table", p.Table).With("tables", names).InChinese("两版都没有表“%s”；有：%s", p.Table, strings.Join(names, "、"))
	}
	if at < 0 || pairs[at].Old == nil || pairs[at].New == nil {
		return pairs, nil, nil
	}
	pair := pairs[at]
	c := &Comparison{Release: old, Table: pair.Old, Equal: pair.Change == diff.Same, Change: change}
	switch p.Key {
	case "":
		c.Key = pair.New.Schema.Key
	case WholeRows:
	default:
		names, err := table.ParseNames("key", p.Key)
		if err != nil {
			return nil, nil, err
		}
		for i, name := range names { // one spelling, so that equal questions have equal keys
			if k := pair.New.Schema.Index(name); k >= 0 {
				names[i] = pair.New.Schema.Fields[k].Name
			}
		}
		c.Key, c.Strict = names, true
	}
	return pairs, &Request{Dataset: d, Release: now, Table: pair.New, Diff: c}, nil
}

// Ref names a release in an address: its number, or the id of a draft.
func Ref(r *catalog.Release) string {
	if r.Number > 0 {
		return strconv.Itoa(r.Number)
	}
	return r.ID
}

// Range is the two releases of a comparison in an address, such as 3...4.
func (r *Request) Range() string { return Ref(r.Diff.Release) + "..." + Ref(r.Release) }

// DiffQuery is the query part of the comparison's address beside its table.
func (r *Request) DiffQuery() url.Values {
	q := url.Values{}
	switch {
	case r.Diff.Strict:
		q.Set("key", table.FormatNames(r.Diff.Key))
	case len(r.Diff.Key) == 0 && len(r.Table.Schema.Key) > 0:
		q.Set("key", WholeRows)
	}
	if r.Diff.Change != "" {
		q.Set("change", string(r.Diff.Change))
	}
	return q
}

// keyParts are what the bytes of a comparison depend on beside what those of an export
// do: the words of columns stand in a page.
func (c *Comparison) keyParts(now *catalog.Table) []any {
	return []any{"diff", diff.Version, c.Table.TableSHA256, c.Table.Schema, now.Schema, c.Key, c.Strict, c.Equal, c.Change, c.Skip, c.Limit}
}

// work asks a query child for what the request is about.
func (e *Exporter) work(ctx context.Context, r *Request, meta json.RawMessage, w io.Writer) (pool.Result, error) {
	if c := r.Diff; c != nil {
		return e.Pool.Diff(ctx, c.Table, r.Table, pool.DiffOptions{Key: c.Key, Strict: c.Strict, Equal: c.Equal, Change: c.Change,
			Format: r.Format, Meta: meta, Skip: c.Skip, Limit: c.Limit, Client: r.Client}, w)
	}
	return e.Pool.Export(ctx, r.Table, r.Params, pool.ExportOptions{Format: r.Format, Meta: meta, Client: r.Client}, w)
}

// Page returns a page of a comparison, kept or made, as JSON. spend is called before
// it is made.
func (e *Exporter) Page(ctx context.Context, r *Request, spend func() error) (json.RawMessage, error) {
	key := e.Key(r)
	kept, err := e.Stored(ctx, key)
	if err != nil {
		return nil, err
	}
	if kept != nil {
		if text, err := e.read(ctx, kept); err == nil {
			return text, nil
		} else if catalog.KindOf(err) != catalog.NotFound { // forgotten between the two: make it again
			return nil, err
		}
	}
	if !e.UnderWay(key) {
		if err := spend(); err != nil {
			return nil, err
		}
	}
	var buf bytes.Buffer
	if _, err := e.Stream(ctx, r, &buf); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func (e *Exporter) read(ctx context.Context, x *store.Export) ([]byte, error) {
	f, err := e.Blobs.Open(ctx, x.Blob.SHA256)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("read kept comparison: %w", err)
	}
	return text, nil
}
