package store

import (
	"context"
	"maps"
	"slices"
	"strings"

	"taihu/catalog"
)

// DatasetContract returns the contract that the newest release of a dataset
// amounts to, with how its files were read and what was decided about them, for
// those who may edit its drafts.
func (db *DB) DatasetContract(ctx context.Context, actor catalog.Actor, dataset string) (*catalog.Contract, error) {
	var contract *catalog.Contract
	err := db.view(ctx, "read contract", func(c *conn) error {
		d, err := c.datasetFor(ctx, actor, dataset)
		if err != nil {
			return err
		}
		if err := catalog.Can(actor, catalog.EditDraft, catalog.ObjectOf(&d.Dataset)); err != nil {
			return err
		}
		contract, err = c.promised(ctx, d)
		return err
	})
	return contract, err
}

// FileContract returns what the tables of a draft's file are held to: what the
// newest release promises, with what was typed about the draft's tables in its
// place.
func (db *DB) FileContract(ctx context.Context, fileID string) (*catalog.Contract, error) {
	var contract *catalog.Contract
	err := db.view(ctx, "read contract", func(c *conn) error {
		_, r, d, err := c.fileByID(ctx, fileID)
		if err != nil {
			return err
		}
		contract, err = c.draftContract(ctx, r, d)
		return err
	})
	if err != nil {
		return nil, err
	}
	return contract, nil
}

func (c *conn) draftContract(ctx context.Context, r *catalog.Release, d *datasetRow) (*catalog.Contract, error) {
	contract, err := c.promised(ctx, d)
	if err != nil {
		return nil, err
	}
	typed, err := c.draftWords(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(typed)) {
		w := typed[name]
		t := catalog.ContractTable{Name: name}
		if of := contract.Table(name); of != nil {
			t.Schema = catalog.Schema{Key: of.Schema.Key, Fields: slices.Clone(of.Schema.Fields)}
		}
		w.applyTo(&t.Schema)
		contract.Tables = append([]catalog.ContractTable{t}, slices.DeleteFunc(contract.Tables, func(o catalog.ContractTable) bool { return o.Name == name })...)
	}
	contract.Files = nil // the file has its options
	return contract, nil
}

// promised returns the contract of the newest release; an empty one where there is
// none.
func (c *conn) promised(ctx context.Context, d *datasetRow) (*catalog.Contract, error) {
	if d.LatestNumber == 0 {
		contract := &catalog.Contract{Dataset: d.Slug}
		if d.LastNumber == 0 && d.CopiedFrom != "" {
			original, err := c.dictionaryOf(ctx, d)
			if err != nil {
				return nil, err
			}
			for _, n := range namedLike(original, catalog.EveryTable) {
				contract.Tables = append(contract.Tables, catalog.ContractTable{Name: n.Name, Schema: n.Schema})
			}
		}
		return contract, nil
	}
	last, err := c.latest(ctx, d)
	if err != nil {
		return nil, err
	}
	return last.Promises(d.Slug), nil
}

// draftWords returns what was typed about the tables of a draft, by table.
func (c *conn) draftWords(ctx context.Context, draftID string) (map[string]TableWords, error) {
	var rows []struct {
		TableName string
		Words     TableWords
	}
	if err := c.all(ctx, &rows, `SELECT table_name, words FROM draft_words WHERE release_id = ?`, draftID); err != nil {
		return nil, err
	}
	words := map[string]TableWords{}
	for _, row := range rows {
		words[row.TableName] = row.Words
	}
	return words, nil
}

// noteWords adds what was typed now to what was typed about a table before.
func (t *tx) noteWords(ctx context.Context, draftID, table string, w TableWords) error {
	all, err := t.draftWords(ctx, draftID)
	if err != nil {
		return err
	}
	n, noted := all[table]
	if w.Title != nil {
		n.Title = w.Title
	}
	if w.Key != nil {
		n.Key = w.Key
	}
	if n.Fields == nil {
		n.Fields = map[string]FieldWords{}
	}
	for name, f := range w.Fields {
		if f.Rules == nil {
			f.Rules = n.Fields[name].Rules
		}
		n.Fields[name] = f
	}
	if noted {
		_, err = t.exec(ctx, `UPDATE draft_words SET words = ? WHERE release_id = ? AND table_name = ?`, js(n), draftID, table)
	} else {
		_, err = t.exec(ctx, `INSERT INTO draft_words (release_id, table_name, words) VALUES (?, ?, ?)`, draftID, table, js(n))
	}
	return err
}

// applyTo sets the key and the words of the columns that were typed. A column of
// the words that the schema lacks is added, so that a contract asks for it; one
// about which only words were typed asks for nothing.
func (w *TableWords) applyTo(s *catalog.Schema) {
	if w.Key != nil {
		s.Key = *w.Key
	}
	for _, name := range slices.Sorted(maps.Keys(w.Fields)) {
		f := w.Fields[name]
		i := slices.IndexFunc(s.Fields, func(x catalog.Field) bool { return x.Name == name })
		if i < 0 {
			s.Fields = append(s.Fields, catalog.Field{Name: name})
			i = len(s.Fields) - 1
		}
		f.applyTo(&s.Fields[i])
	}
}

func (w *FieldWords) applyTo(f *catalog.Field) {
	f.Label, f.Unit, f.Description, f.Codes, f.Latin = w.Label, w.Unit, w.Description, w.Codes, w.Latin
	if w.Rules != nil {
		f.Rules = *w.Rules
	}
}

// typed gives a table that was read what was typed about it in its draft, as far
// as it has the columns, and returns which columns have their words by that.
func (w *TableWords) typed(n *catalog.Table) map[string]bool {
	if w.Title != nil {
		n.Title = *w.Title
	}
	if w.Key != nil && n.Schema.CheckKey(*w.Key) == nil {
		n.Schema.Key = *w.Key
	}
	done := map[string]bool{}
	for i := range n.Schema.Fields {
		f := &n.Schema.Fields[i]
		if words, ok := w.Fields[f.Name]; ok {
			words.applyTo(f)
			done[f.Name] = true
		}
	}
	return done
}

// ownTitle reports whether a table's title is the one the file gave it, not one
// that somebody typed.
func ownTitle(n *catalog.Table, files []catalog.File) bool {
	if n.Title.En != "" {
		return false
	}
	i := slices.IndexFunc(files, func(f catalog.File) bool { return f.ID == n.FileID })
	if i < 0 {
		return true
	}
	f := &files[i]
	return strings.HasPrefix(f.Name, n.Title.Zh) || f.Report == nil ||
		slices.ContainsFunc(f.Report.Tables, func(t catalog.TableFacts) bool { return t.Sheet == n.Title.Zh || t.Title == n.Title.Zh })
}

// optionsFor are the options with which a file is read first: those given; for
// what they do not say, those of the file it takes the place of, else those of
// its counterpart in the newest release.
func (t *tx) optionsFor(ctx context.Context, d *datasetRow, r *catalog.Release, name string, given catalog.IngestOptions, old *catalog.File) (catalog.IngestOptions, error) {
	given.From = 0
	if old != nil {
		return given.Or(old.Options), nil
	}
	contract, err := t.promised(ctx, d)
	if err != nil {
		return given, err
	}
	from := contract.OptionsFor(name)
	if from.From == 0 && r.LikeNumber > 0 {
		var present int
		if _, err := t.value(ctx, `SELECT COUNT(*) FROM release_files WHERE release_id = ?`, []any{r.ID}, &present); err != nil {
			return given, err
		}
		if present == 0 { // monthly files are called differently each month, and are the same table
			from = contract.OnlyOptions()
		}
	}
	given = given.Or(from)
	if given.Mode != "" && given.Table == "" && len(contract.Tables) == 1 {
		given.Table = contract.Tables[0].Name
	}
	return given, nil
}

// checkMode sees that a file which adds rows to a table is the only one of the
// draft that gives it.
func (t *tx) checkMode(ctx context.Context, r *catalog.Release, name string, o *catalog.IngestOptions) error {
	if o.Mode == "" {
		return nil
	}
	if err := o.Mode.Check(); err != nil {
		return err
	}
	if o.Table == "" {
		return catalog.Errorf(catalog.Invalid, "no_table", "state the table to which the rows are added").With("field", "table").InChinese("请写明行加在哪张表上")
	}
	if err := t.contents(ctx, r, tableFacts); err != nil {
		return err
	}
	for _, n := range r.Tables {
		i := slices.IndexFunc(r.Files, func(f catalog.File) bool { return f.ID == n.FileID })
		if n.Name == o.Table && (i < 0 || r.Files[i].Name != name) {
			return tableExists(o.Table)
		}
	}
	for _, f := range r.Files {
		if f.Name != name && f.Options.Mode != "" && f.Options.Table == o.Table {
			return tableExists(o.Table)
		}
	}
	return nil
}

// keptFile refuses to read a file again that only added rows to a kept table.
func keptFile(f *catalog.File) error {
	return catalog.Errorf(catalog.Conflict, "kept_file", "%s only added rows to a table that is kept as it is, and cannot be read alone: remove it and upload the whole table, or add rows in a new file", f.Name).
		With("file", f.Name).InChinese("%s只是给沿用的表追加过行，不能单独重读：请去掉它并上传整张表，或用新文件追加", f.Name)
}

// BaseTable returns the table of the newest release to which a file's rows are
// added, with its parts and its sketch, and the number of that release; nil where
// there is none of its name.
func (db *DB) BaseTable(ctx context.Context, f *catalog.File) (release int, t *catalog.Table, err error) {
	err = db.view(ctx, "read base table", func(c *conn) error {
		release, t = 0, nil
		_, _, d, err := c.fileByID(ctx, f.ID)
		if err != nil || d.LatestNumber == 0 {
			return err
		}
		last, err := c.latest(ctx, d)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(last.Tables, func(n catalog.Table) bool { return n.Name == f.Options.Table })
		if i < 0 {
			return nil
		}
		release, t = last.Number, &last.Tables[i]
		var row struct{ Sketch catalog.Sketch }
		_, err = c.one(ctx, &row, `SELECT sketch FROM table_sketches WHERE table_id = ?`, t.ID)
		t.Sketch = row.Sketch
		return err
	})
	return release, t, err
}
