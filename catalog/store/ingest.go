package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"taihu/catalog"
	"taihu/catalog/failpoint"
)

// IngestOutcome is what the check of a file came to. The blobs of its tables are
// stored already.
type IngestOutcome struct {
	Contract   *catalog.Contract // to which it was held; nil: to none
	Report     catalog.Report
	Tables     []catalog.Table // empty where refused or an attachment
	Attachment bool
}

// FinishIngest notes the outcome of reading a file with the given bytes and
// options, puts its tables in the place of those it gave before, and moves the
// draft on where no file is pending. Where the file is gone, was changed since
// or was finished already, nothing happens: an ingest job may run twice and late. Where
// the contract is another by now, it is read again.
func (db *DB) FinishIngest(ctx context.Context, fileID, blobSHA string, options catalog.IngestOptions, o IngestOutcome) error {
	err := db.update(ctx, "finish ingest", func(t *tx) error {
		f, r, d, err := t.pendingFile(ctx, fileID)
		if err != nil || f == nil {
			return err
		}
		if f.Blob.SHA256 != blobSHA || js(f.Options) != js(options) {
			return nil
		}
		if f.Options.Mode != "" && o.Report.Accepted && o.Report.Base != d.LatestNumber {
			return t.enqueue(ctx, catalog.JobIngest, catalog.IngestArgs{FileID: f.ID}) // another release came meanwhile
		}
		if o.Contract != nil {
			now, err := t.draftContract(ctx, r, d)
			if err != nil {
				return err
			}
			if js(now) != js(o.Contract) {
				return t.enqueue(ctx, catalog.JobIngest, catalog.IngestArgs{FileID: f.ID})
			}
		}
		if err := t.finishFile(ctx, f, r, d, o); err != nil {
			return err
		}
		return failpoint.Hit("ingest.before_commit")
	})
	if err != nil {
		return err
	}
	return failpoint.Hit("ingest.after_commit")
}

// pendingFile locks a file that waits for its check, with draft and dataset; nil
// where nothing waits.
func (t *tx) pendingFile(ctx context.Context, fileID string) (*catalog.File, *catalog.Release, *datasetRow, error) {
	var draftID string
	found, err := t.value(ctx, `SELECT release_id FROM release_files WHERE id = ?`, []any{fileID}, &draftID)
	if err != nil || !found {
		return nil, nil, nil, err
	}
	r, d, err := t.draft(ctx, catalog.SystemActor, draftID, catalog.EditDraft, t.lock())
	if err != nil {
		return nil, nil, nil, err
	}
	f := &catalog.File{}
	found, err = t.one(ctx, f, `SELECT `+fileColumns+` FROM release_files WHERE id = ?`+t.lock(), fileID)
	if err != nil || !found || f.State != catalog.FilePending || r.State != catalog.Checking {
		return nil, nil, nil, err
	}
	return f, r, d, nil
}

func (t *tx) finishFile(ctx context.Context, f *catalog.File, r *catalog.Release, d *datasetRow, o IngestOutcome) error {
	f.State, f.Role = catalog.FileRefused, catalog.Source
	if o.Report.Accepted {
		f.State = catalog.FileAccepted
	}
	if o.Attachment {
		f.Role = catalog.Attachment
	}
	if o.Report.Findings == nil {
		o.Report.Findings = []catalog.Finding{}
	}
	_, err := t.exec(ctx, `UPDATE release_files SET state = ?, role = ?, report = ? WHERE id = ?`, string(f.State), string(f.Role), js(o.Report), f.ID)
	if err != nil {
		return err
	}
	var before []catalog.Table // what this file gave last time: words set since are kept
	if err := t.all(ctx, &before, `SELECT `+tableFacts+` FROM release_tables WHERE file_id = ?`, f.ID); err != nil {
		return err
	}
	if err := t.deleteTables(ctx, f.ID); err != nil {
		return err
	}
	if f.State == catalog.FileAccepted && len(o.Tables) > 0 {
		if err := t.insertTables(ctx, f, d, o.Tables, before); err != nil {
			return err
		}
		if err := t.orderTables(ctx, r.ID); err != nil {
			return err
		}
	}
	if err := t.settle(ctx, r); err != nil {
		return err
	}
	return t.event(ctx, d.ID, catalog.SystemActor, "file.checked", r.ID,
		facts{"name": f.Name, "sha256": f.Blob.SHA256, "accepted": o.Report.Accepted, "tables": len(o.Tables), "draft": r.State})
}

// refuseCrashed refuses a file the check of which was given up, in the words of
// a report: the draft must not wait for ever.
func (t *tx) refuseCrashed(ctx context.Context, fileID, why string) error {
	f, r, d, err := t.pendingFile(ctx, fileID)
	if err != nil || f == nil {
		return err
	}
	report := catalog.Report{File: f.Name, Findings: []catalog.Finding{{
		Severity: catalog.Fatal, Code: "check_failed", Value: why,
		Message: catalog.Text{Zh: "检查程序两次未能读完此文件", En: "The check could not finish reading this file, twice"},
		Hint:    catalog.Text{Zh: "请确认文件完好后重新上传，或另存为CSV再上传", En: "Make sure that the file is whole and upload it again, or save it as CSV and upload that"},
	}}}
	return t.finishFile(ctx, f, r, d, IngestOutcome{Report: report})
}

// deleteTables takes the tables of a file out of its draft.
func (t *tx) deleteTables(ctx context.Context, fileID string) error {
	_, err := t.exec(ctx, `DELETE FROM release_tables WHERE file_id = ?`, fileID)
	return err
}

// insertTables adds the tables of a file, under names that are free in the
// draft, with the field ids and words of the same columns in the release before.
func (t *tx) insertTables(ctx context.Context, f *catalog.File, d *datasetRow, tables, before []catalog.Table) error {
	var present, last []catalog.Table
	if err := t.all(ctx, &present, `SELECT `+tableFacts+` FROM release_tables WHERE release_id = ?`, f.ReleaseID); err != nil {
		return err
	}
	err := t.all(ctx, &last, `
		SELECT `+tableFacts+` FROM release_tables
		WHERE release_id = (SELECT id FROM releases WHERE dataset_id = ? AND number = ?)`, d.ID, d.LastNumber)
	if err != nil {
		return err
	}
	typed, err := t.draftWords(ctx, f.ReleaseID)
	if err != nil {
		return err
	}
	var lastFiles []catalog.File
	err = t.all(ctx, &lastFiles, `
		SELECT `+fileColumns+` FROM release_files
		WHERE release_id = (SELECT id FROM releases WHERE dataset_id = ? AND number = ?)`, d.ID, d.LastNumber)
	if err != nil {
		return err
	}
	var original []catalog.Table
	if d.LastNumber == 0 && d.CopiedFrom != "" {
		if original, err = t.dictionaryOf(ctx, d); err != nil {
			return err
		}
	}
	files := append(lastFiles, *f)
	taken, position := map[string]bool{}, 0
	for _, p := range present {
		taken[p.Name] = true
		position = max(position, p.Position)
	}
	for i := range tables {
		n := tables[i] // a copy: a verb that is tried again begins anew
		n.Name = freeName(n.Name, taken)
		taken[n.Name] = true
		if err := catalog.CheckTableName(n.Name); err != nil {
			return err
		}
		position++
		n.ID, n.ReleaseID, n.FileID, n.Position, n.CreatedAt = catalog.NewID(), f.ReleaseID, f.ID, position, t.now
		if n.SourceSHA256 == "" {
			n.SourceSHA256 = f.Blob.SHA256
		}
		n.Schema.Fields = append([]catalog.Field{}, n.Schema.Fields...)
		proposed := takeUnits(n.Schema.Fields)
		said := typed[n.Name]
		done := said.typed(&n)
		for _, from := range [][]catalog.Table{before, last, namedLike(original, n.Name)} {
			i := slices.IndexFunc(from, func(old catalog.Table) bool { return old.Name == n.Name })
			if i < 0 {
				continue
			}
			carry(&n, &from[i], done, said.Key != nil)
			if said.Title == nil && !ownTitle(&from[i], files) {
				n.Title = from[i].Title
			}
		}
		for j := range n.Schema.Fields {
			if f := &n.Schema.Fields[j]; !done[f.Name] { // a unit that was cleared stays so
				f.Unit = cmp.Or(f.Unit, proposed[j])
			}
		}
		for j := range n.Schema.Fields {
			if n.Schema.Fields[j].ID == "" {
				n.Schema.Fields[j].ID = catalog.NewID()
			}
		}
		if err := t.insertTable(ctx, &n); err != nil {
			return err
		}
	}
	return nil
}

// dictionaryOf is the tables of the latest release of the dataset that d was copied
// from, without the ids of their columns: those belong to that dataset. One that was
// closed since gives its words to its own organization only.
func (c *conn) dictionaryOf(ctx context.Context, d *datasetRow) ([]catalog.Table, error) {
	var tables []catalog.Table
	err := c.all(ctx, &tables, `
		SELECT `+tableFacts+` FROM release_tables
		WHERE release_id = (SELECT r.id FROM releases r JOIN datasets d ON d.id = r.dataset_id AND d.latest_number = r.number WHERE d.id = ? AND (d.open_attribute <> 'closed' OR d.organization_id = ?))`, d.CopiedFrom, d.OrganizationID)
	for i := range tables {
		for j := range tables[i].Schema.Fields {
			tables[i].Schema.Fields[j].ID = ""
		}
	}
	return tables, err
}

// namedLike gives the only table of a copied dictionary the name of the table that
// takes it over: files of another dataset are called differently.
func namedLike(tables []catalog.Table, name string) []catalog.Table {
	if len(tables) != 1 {
		return tables
	}
	only := tables[0]
	only.Name = name
	return []catalog.Table{only}
}

// orderTables puts the tables of a draft in the order of its files. Files are
// checked side by side, so the smallest would come first otherwise, and a table
// that was mended last: readers see the first table before they choose another.
func (t *tx) orderTables(ctx context.Context, draftID string) error {
	var tables []struct {
		ID       string
		Position int
	}
	err := t.all(ctx, &tables, `
		SELECT n.id, n.position FROM release_tables n JOIN release_files f ON f.id = n.file_id
		WHERE n.release_id = ? ORDER BY f.created_at, f.id, n.position, n.id`, draftID)
	if err != nil {
		return err
	}
	for i, n := range tables {
		if n.Position == i+1 {
			continue
		}
		if _, err := t.exec(ctx, `UPDATE release_tables SET position = ? WHERE id = ?`, i+1, n.ID); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) insertTable(ctx context.Context, n *catalog.Table) error {
	var profile any
	if n.Profile != nil {
		profile = js(n.Profile)
	}
	_, err := t.exec(ctx, `INSERT INTO release_tables (`+tableColumns+`, columns, sketched) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		n.ID, n.ReleaseID, n.Name, js(n.Title), n.Position, js(n.Schema), n.Rows, js(n.Parts), js(n.TextBlob), n.FileID,
		n.SourceSHA256, n.TableSHA256, n.ContentSHA256, n.CreatedAt, profile, n.Sample, len(n.Schema.Fields), n.ColumnSketches != nil)
	if err != nil {
		return err
	}
	if err := t.insertSketches(ctx, n.ID, n.ColumnSketches); err != nil || len(n.Sketch) == 0 {
		return err
	}
	_, err = t.exec(ctx, `INSERT INTO table_sketches (table_id, columns_key, rows, sketch) VALUES (?, ?, ?, ?)`, n.ID, catalog.ColumnsKey(&n.Schema), n.Rows, js(n.Sketch))
	return err
}

// freeName returns name, or name-2, name-3, … where it is taken.
func freeName(name string, taken map[string]bool) string {
	if name == "" {
		name = "main"
	}
	if !taken[name] {
		return name
	}
	for n := 2; ; n++ {
		end := fmt.Sprintf("-%d", n)
		if try := name[:min(len(name), 64-len(end))] + end; !taken[try] {
			return try
		}
	}
}

// takeUnits takes the units that ingest read from the file out of the fields: one
// that a steward stated goes before them.
func takeUnits(fields []catalog.Field) []string {
	units := make([]string, len(fields))
	for i := range fields {
		units[i], fields[i].Unit = fields[i].Unit, ""
	}
	return units
}

// carry gives a table the key, and its columns the id, the words and the rules,
// that the same table had, where it has none and nothing was typed about them.
func carry(n, old *catalog.Table, typed map[string]bool, keyTyped bool) {
	if !keyTyped && len(n.Schema.Key) == 0 && n.Schema.CheckKey(old.Schema.Key) == nil {
		n.Schema.Key = old.Schema.Key
	}
	byName := map[string]catalog.Field{}
	for _, f := range old.Schema.Fields {
		byName[f.Name] = f
	}
	for i := range n.Schema.Fields {
		f := &n.Schema.Fields[i]
		was, ok := byName[f.Name]
		if !ok {
			continue
		}
		if was.ID != "" {
			f.ID = was.ID
		}
		if typed[f.Name] {
			continue
		}
		if f.Label.IsZero() {
			f.Label = was.Label
		}
		if f.Description.IsZero() {
			f.Description = was.Description
		}
		if f.Unit == "" {
			f.Unit = was.Unit
		}
		if f.Latin == "" {
			f.Latin = was.Latin
		}
		if len(f.Codes) == 0 {
			f.Codes = was.Codes
		}
		if f.Rules.IsZero() {
			f.Rules = was.Rules
		}
	}
}

// Twins returns, for each table that a file gave, the tables of the same content:
// in the latest releases of other datasets, closed ones only where they are of the
// same organization, and in other files of the same draft.
func (db *DB) Twins(ctx context.Context, f *catalog.File, tables []catalog.Table) ([]catalog.Twin, error) {
	var list []catalog.Twin
	err := db.view(ctx, "find twins", func(c *conn) error {
		list = nil
		for _, t := range tables {
			if t.Rows == 0 {
				continue
			}
			var twins []struct {
				Slug  string
				Title catalog.Text
				Name  string
			}
			err := c.all(ctx, &twins, `
				SELECT d.slug, d.title, n.name FROM release_tables n
				JOIN releases r ON r.id = n.release_id
				JOIN datasets d ON d.id = r.dataset_id
				JOIN releases mine ON mine.id = ?
				JOIN datasets my ON my.id = mine.dataset_id
				WHERE n.content_sha256 = ? AND n.file_id <> ? AND (
					r.id = mine.id
					OR d.id <> my.id AND r.state = 'published' AND r.number = d.latest_number
						AND (d.open_attribute <> 'closed' OR d.organization_id = my.organization_id))
				ORDER BY d.slug, n.name LIMIT 5`, f.ReleaseID, t.ContentSHA256, f.ID)
			if err != nil {
				return err
			}
			for _, x := range twins {
				list = append(list, catalog.Twin{Table: t.Name, Dataset: x.Slug, Title: x.Title, Other: x.Name})
			}
		}
		return nil
	})
	return list, err
}

// Wholes returns, for each table that a file gave, the larger tables with the
// same columns in the latest releases of other datasets of which it seems to be a
// part. Closed ones are told only where they are of the same organization.
func (db *DB) Wholes(ctx context.Context, f *catalog.File, tables []catalog.Table) ([]catalog.Twin, error) {
	var list []catalog.Twin
	err := db.view(ctx, "find wholes", func(c *conn) error {
		list = nil
		for _, t := range tables {
			var larger []struct {
				Slug   string
				Title  catalog.Text
				Name   string
				Sketch catalog.Sketch
			}
			err := c.all(ctx, &larger, `
				SELECT d.slug, d.title, n.name, s.sketch FROM table_sketches s
				JOIN release_tables n ON n.id = s.table_id
				JOIN releases r ON r.id = n.release_id
				JOIN datasets d ON d.id = r.dataset_id
				JOIN releases mine ON mine.id = ?
				JOIN datasets my ON my.id = mine.dataset_id
				WHERE s.columns_key = ? AND s.rows > ? AND d.id <> my.id AND r.state = 'published' AND r.number = d.latest_number
					AND (d.open_attribute <> 'closed' OR d.organization_id = my.organization_id)
				ORDER BY s.rows DESC, d.slug LIMIT 50`, f.ReleaseID, catalog.ColumnsKey(&t.Schema), t.Rows)
			if err != nil {
				return err
			}
			for _, x := range larger {
				if t.Sketch.PartOf(x.Sketch) {
					list = append(list, catalog.Twin{Table: t.Name, Dataset: x.Slug, Title: x.Title, Other: x.Name})
					break
				}
			}
		}
		return nil
	})
	return list, err
}
