package store

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"taihu/catalog"
)

// TableWords is what a steward says about a table of a draft.
type TableWords struct {
	// RowVersion is the draft's as it was read; 0: any.
	RowVersion int64 `json:"-"`

	Title  *catalog.Text         `json:"title,omitempty"`  // nil: unchanged
	Key    *[]string             `json:"key,omitempty"`    // catalog.Schema.Key; nil: unchanged
	Fields map[string]FieldWords `json:"fields,omitempty"` // by column name; columns left out are unchanged
}

// FieldWords is what a steward says about a column. All of it is set, but for
// rules that are nil.
type FieldWords struct {
	Label       catalog.Text   `json:"label,omitzero"`
	Unit        string         `json:"unit,omitempty"`
	Description catalog.Text   `json:"description,omitzero"`
	Codes       []catalog.Code `json:"codes,omitempty"`
	Latin       string         `json:"latin,omitempty"`
	Rules       *catalog.Rules `json:"rules,omitempty"` // nil: unchanged
}

// Bounds of a column's words, in characters.
const (
	maxLabel    = 300
	maxUnit     = 100
	maxAbout    = 4000
	maxCodes    = 5000
	maxCodeWord = 500
)

// clean brings words into the form in which they are kept; Invalid invalid_field
// names the column where one is too long.
func (w *FieldWords) clean(column string) error {
	for _, x := range []struct {
		name  string
		value *string
		most  int
	}{
		{"label_zh", &w.Label.Zh, maxLabel}, {"label_en", &w.Label.En, maxLabel}, {"unit", &w.Unit, maxUnit},
		{"description_zh", &w.Description.Zh, maxAbout}, {"description_en", &w.Description.En, maxAbout},
	} {
		*x.value = catalog.PlainText(*x.value)
		if x.most != maxAbout { // one line
			*x.value = strings.ReplaceAll(*x.value, "\n", " ")
		}
		if utf8.RuneCountInString(*x.value) > x.most {
			return catalog.Errorf(catalog.Invalid, "invalid_field", "%s of the column %q is too long: at most %d characters", x.name, column, x.most).
				With("field", x.name).With("column", column).InChinese("列“%s”的%s太长：最多%d个字符", column, x.name, x.most)
		}
	}
	if len(w.Codes) > maxCodes || slices.ContainsFunc(w.Codes, func(c catalog.Code) bool {
		return len([]rune(c.Value)) > maxCodeWord || len([]rune(c.Label.Zh)) > maxCodeWord || len([]rune(c.Label.En)) > maxCodeWord
	}) {
		return catalog.Errorf(catalog.Invalid, "invalid_field", "the column %q has more than %d codes, or one of more than %d characters", column, maxCodes, maxCodeWord).
			With("field", "codes").With("column", column).InChinese("列“%s”的代码超过%d个，或有一个超过%d个字符", column, maxCodes, maxCodeWord)
	}
	return nil
}

// KeepTable takes a table over into a draft from the newest release that
// stands, with its source file; no byte is copied. Conflict table_exists or
// file_exists where the draft has another of that name.
func (db *DB) KeepTable(ctx context.Context, actor catalog.Actor, draftID, table string) error {
	_, err := db.edit(ctx, actor, draftID, 0, "table.kept", func(t *tx, r *catalog.Release, d *datasetRow) (facts, error) {
		if d.LatestNumber == 0 {
			return nil, noLatest(d)
		}
		last, err := t.numbered(ctx, d, d.LatestNumber, "")
		if err != nil {
			return nil, err
		}
		if err := t.contents(ctx, last, tableColumns); err != nil {
			return nil, err
		}
		n, err := last.Table(table)
		if err != nil {
			return nil, err
		}
		if err := t.contents(ctx, r, tableFacts); err != nil {
			return nil, err
		}
		for _, f := range r.Files {
			if f.Options.Mode != "" && f.Options.Mode != catalog.KeptFile && f.Options.Table == n.Name {
				return nil, tableExists(n.Name)
			}
		}
		position := 0
		for _, present := range r.Tables {
			position = max(position, present.Position)
			if present.Name != n.Name {
				continue
			}
			if present.TableSHA256 == n.TableSHA256 {
				return nil, nil // kept already
			}
			return nil, tableExists(n.Name)
		}
		fileID, err := t.keepSource(ctx, last, r, n.FileID)
		if err != nil {
			return nil, err
		}
		kept := *n
		kept.ID, kept.ReleaseID, kept.FileID, kept.Position = catalog.NewID(), r.ID, fileID, position+1
		if err := t.insertTable(ctx, &kept); err != nil {
			return nil, err
		}
		_, err = t.exec(ctx, `INSERT INTO table_sketches (table_id, columns_key, rows, sketch) SELECT ?, columns_key, rows, sketch FROM table_sketches WHERE table_id = ?`, kept.ID, n.ID)
		if err == nil {
			err = t.copySketches(ctx, n.ID, kept.ID)
		}
		return facts{"table": n.Name, "from": last.Number, "table_sha256": n.TableSHA256}, err
	})
	return err
}

func tableExists(name string) error {
	return catalog.Errorf(catalog.Conflict, "table_exists", "the draft has another table %q already: remove its file first", name).
		With("table", name).InChinese("草稿中已有另一个数据表“%s”，请先移除其文件", name)
}

// KeepTables takes over every table of the newest release that the draft lacks,
// and returns their names.
func (db *DB) KeepTables(ctx context.Context, actor catalog.Actor, draftID string) ([]string, error) {
	r, err := db.Draft(ctx, actor, draftID)
	if err != nil {
		return nil, err
	}
	d, err := db.DatasetByID(ctx, actor, r.DatasetID)
	if err != nil {
		return nil, err
	}
	if d.LatestNumber == 0 {
		return nil, nil
	}
	_, last, err := db.Release(ctx, actor, d.Slug, d.LatestNumber)
	if err != nil {
		return nil, err
	}
	var kept []string
	for _, t := range last.Tables {
		there := slices.ContainsFunc(r.Tables, func(have catalog.Table) bool { return have.Name == t.Name }) ||
			slices.ContainsFunc(r.Files, func(f catalog.File) bool { return f.Options.Table == t.Name })
		if there {
			continue
		}
		if err := db.KeepTable(ctx, actor, draftID, t.Name); err != nil {
			return kept, err
		}
		kept = append(kept, t.Name)
	}
	return kept, nil
}

// keepSource gives the draft the source file of a kept table, once.
func (t *tx) keepSource(ctx context.Context, last, r *catalog.Release, fileID string) (string, error) {
	i := slices.IndexFunc(last.Files, func(f catalog.File) bool { return f.ID == fileID })
	if i < 0 {
		return "", unknownFile(fileID)
	}
	f := last.Files[i]
	if f.Options.Mode != "" {
		f.Options.Mode = catalog.KeptFile
	}
	for _, present := range r.Files {
		if present.Name != f.Name {
			continue
		}
		if present.Blob == f.Blob && js(present.Options) == js(f.Options) && present.State == catalog.FileAccepted {
			return present.ID, nil
		}
		return "", catalog.Errorf(catalog.Conflict, "file_exists", "the draft has another file %q already, the name of the kept table's source", f.Name).
			InChinese("草稿中已有另一个同名文件“%s”", f.Name)
	}
	f.ID, f.ReleaseID, f.CreatedAt = catalog.NewID(), r.ID, t.now
	return f.ID, t.insertFile(ctx, &f)
}

// DescribeTable sets the words of a draft's table and of its columns.
func (db *DB) DescribeTable(ctx context.Context, actor catalog.Actor, draftID, table string, w TableWords) error {
	_, err := db.edit(ctx, actor, draftID, w.RowVersion, "table.described", func(t *tx, r *catalog.Release, _ *datasetRow) (facts, error) {
		n, err := t.draftTable(ctx, r, table)
		if err != nil {
			return nil, err
		}
		if w.Title != nil {
			n.Title = *w.Title
		}
		asked := js(catalog.ContractTable{Schema: n.Schema}.Asked())
		if w.Key != nil {
			if err := n.Schema.CheckKey(*w.Key); err != nil {
				return nil, err
			}
			n.Schema.Key = *w.Key
		}
		clean := map[string]FieldWords{}
		for name, words := range w.Fields {
			i := slices.IndexFunc(n.Schema.Fields, func(f catalog.Field) bool { return f.Name == name })
			if i < 0 {
				return nil, catalog.Errorf(catalog.Invalid, "unknown_column", "there is no column %q in %s; it has %s", name, table, strings.Join(n.Schema.Names(), ", ")).
					With("column", name).With("columns", n.Schema.Names())
			}
			if err := words.clean(name); err != nil {
				return nil, err
			}
			if err := checkLatin(&n.Schema, i, words.Latin); err != nil {
				return nil, err
			}
			f := &n.Schema.Fields[i]
			words.applyTo(f)
			if err := f.Rules.Check(f); err != nil {
				return nil, err
			}
			clean[name] = words
		}
		if err := t.noteWords(ctx, r.ID, table, TableWords{Title: w.Title, Key: w.Key, Fields: clean}); err != nil {
			return nil, err
		}
		_, err = t.exec(ctx, `UPDATE release_tables SET title = ?, schema = ? WHERE id = ?`, js(n.Title), js(n.Schema), n.ID)
		if err == nil && js(catalog.ContractTable{Schema: n.Schema}.Asked()) != asked {
			err = t.checkAgain(ctx, r, n) // the rows have not been held to this yet
		}
		return facts{"table": table}, err
	})
	return err
}

// checkAgain has the file of a draft's table read again.
func (t *tx) checkAgain(ctx context.Context, r *catalog.Release, n *catalog.Table) error {
	i := slices.IndexFunc(r.Files, func(f catalog.File) bool { return f.ID == n.FileID })
	if i < 0 {
		return unknownFile(n.FileID)
	}
	return t.readAgain(ctx, &r.Files[i])
}

// checkLatin returns Invalid where a Latin name is that of another column.
func checkLatin(s *catalog.Schema, column int, latin string) error {
	if latin == "" {
		return nil
	}
	for i, f := range s.Fields {
		if i != column && (strings.EqualFold(f.Name, latin) || strings.EqualFold(f.Latin, latin)) || strings.EqualFold(latin, catalog.RowNumber) {
			return invalid("latin", "", "the Latin name %q belongs to another column", latin)
		}
	}
	return nil
}

// SetSample sets the sample of a draft's table that is shown where the dataset
// is conditional: a JSON array of at most catalog.SampleRows row objects; empty
// removes it.
func (db *DB) SetSample(ctx context.Context, actor catalog.Actor, draftID, table string, rows []byte) error {
	if len(rows) > 0 {
		var objects []map[string]json.RawMessage
		if err := json.Unmarshal(rows, &objects); err != nil || len(objects) > catalog.SampleRows {
			return invalid("sample", "样例须为至多20行的JSON数组", "a sample is a JSON array of at most %d row objects", catalog.SampleRows)
		}
	}
	_, err := db.edit(ctx, actor, draftID, 0, "table.sample_set", func(t *tx, r *catalog.Release, _ *datasetRow) (facts, error) {
		n, err := t.draftTable(ctx, r, table)
		if err != nil {
			return nil, err
		}
		_, err = t.exec(ctx, `UPDATE release_tables SET sample = ? WHERE id = ?`, rows, n.ID)
		return facts{"table": table, "bytes": len(rows)}, err
	})
	return err
}

func (t *tx) draftTable(ctx context.Context, r *catalog.Release, name string) (*catalog.Table, error) {
	if err := t.contents(ctx, r, tableFacts); err != nil {
		return nil, err
	}
	return r.Table(name)
}
