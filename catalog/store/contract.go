package store

import (
	"context"
	"maps"
	"path/filepath"
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
		f := &catalog.File{}
		found, err := c.one(ctx, f, `SELECT `+fileColumns+` FROM release_files WHERE id = ?`, fileID)
		if err != nil {
			return err
		}
		if !found {
			return unknownFile(fileID)
		}
		contract, err = c.fileContract(ctx, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	return contract, nil
}

func (c *conn) fileContract(ctx context.Context, f *catalog.File) (*catalog.Contract, error) {
	r := &catalog.Release{}
	if _, err := c.one(ctx, r, `SELECT `+releaseColumns+` FROM releases WHERE id = ?`, f.ReleaseID); err != nil {
		return nil, err
	}
	d, err := c.datasetRow(ctx, r.DatasetID, "")
	if err != nil {
		return nil, err
	}
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
		t := contract.Table(name)
		if t == nil {
			contract.Tables = append(contract.Tables, catalog.ContractTable{Name: name})
			t = &contract.Tables[len(contract.Tables)-1]
		}
		w.applyTo(&t.Schema)
	}
	contract.Files = nil // the file has its options
	return contract, nil
}

// promised returns the contract of the newest release; an empty one where there is
// none.
func (c *conn) promised(ctx context.Context, d *datasetRow) (*catalog.Contract, error) {
	if d.LatestNumber == 0 {
		return &catalog.Contract{Dataset: d.Slug}, nil
	}
	last, err := c.numbered(ctx, d, d.LatestNumber, "")
	if err != nil {
		return nil, err
	}
	if err := c.contents(ctx, last, tableFacts); err != nil {
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
	base := strings.TrimSuffix(f.Name, ".gz")
	if n.Title.Zh == strings.TrimSuffix(base, filepath.Ext(base)) || n.Title.Zh == strings.TrimSuffix(f.Name, filepath.Ext(f.Name)) {
		return true
	}
	return f.Report == nil || slices.ContainsFunc(f.Report.Tables, func(t catalog.TableFacts) bool { return t.Sheet == n.Title.Zh })
}

// optionsFor are the options with which a file is read first: those given; for
// what they do not say, those of the file it takes the place of, else those of
// its counterpart in the newest release.
func (t *tx) optionsFor(ctx context.Context, d *datasetRow, name string, given catalog.IngestOptions, old *catalog.File) (catalog.IngestOptions, error) {
	given.From = 0
	if old != nil {
		return given.Or(old.Options), nil
	}
	contract, err := t.promised(ctx, d)
	if err != nil {
		return given, err
	}
	return given.Or(contract.OptionsFor(name)), nil
}
