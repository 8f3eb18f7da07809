package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"taihu/catalog"
)

const (
	// hashesLooked is by how many of its smallest hashes a column can be found, and
	// hashesAsked how many of its own a column looks for: a small one in a large one
	// would not be met by as few.
	hashesLooked = 32
	hashesAsked  = 256
	// What a look for columns that join may cost: hits of hashes that are counted,
	// and columns whose sketches are compared.
	hitsCounted    = 20_000
	joinCandidates = 150
	// leastShare is from which share of either column values are worth a join.
	leastShare = 0.02
)

// MostJoins is how many columns Joins returns.
const MostJoins = 20

// JoinColumn is a column that can be joined with others, and those.
type JoinColumn struct {
	Dataset *catalog.Dataset
	Release *catalog.Release
	Table   *catalog.Table
	Field   *catalog.Field
	// Compared is whether its values were looked at: those of the types that name
	// things, of open datasets, without personal information. Distinct is how many
	// different ones there are.
	Compared bool
	Distinct int64
	Joins    []Join
}

// Join is a column of another dataset that shares values with it.
type Join struct {
	Slug     string
	Title    catalog.Text
	Number   int // of the release, the newest that stands
	Table    string
	Rows     int64
	Column   string
	Type     catalog.Type
	Distinct int64
	SameName bool // but for case and signs
	catalog.Estimate
}

// rank is how much a join promises: the larger share, less where it is of few values,
// as three codes are soon the same by chance, and more where the names agree.
func (j *Join) rank() float64 {
	r := max(j.Of, j.In) * float64(j.Shared) / float64(j.Shared+3)
	if j.SameName {
		r += 0.25
	}
	return r
}

// comparable is the condition that a column takes part: of the newest standing
// release of a dataset that is open to all.
const comparable = `r.state = 'published' AND r.number = d.latest_number AND d.open_attribute = 'unconditional'`

// sketchRow is a row of column_sketches.
type sketchRow struct {
	TableID        string
	Position       int
	Name           string
	NameKey        string
	Type           string
	DistinctValues int64
	Dense          bool
	Hashes         []byte
}

func (s *sketchRow) sketch() *catalog.ColumnSketch {
	k := &catalog.ColumnSketch{Column: s.Name, Type: catalog.Type(s.Type), Distinct: s.DistinctValues, Dense: s.Dense}
	for b := s.Hashes; len(b) >= 8; b = b[8:] {
		k.Hashes = append(k.Hashes, binary.BigEndian.Uint64(b))
	}
	return k
}

const sketchColumns = `s.table_id, s.position, s.name, s.name_key, s.type, s.distinct_values, s.dense, s.hashes`

// insertSketches keeps the sketches of a table's columns.
func (t *tx) insertSketches(ctx context.Context, tableID string, list []catalog.ColumnSketch) error {
	for i, k := range list {
		hashes := make([]byte, 0, 8*len(k.Hashes))
		for _, h := range k.Hashes {
			hashes = binary.BigEndian.AppendUint64(hashes, h)
		}
		_, err := t.exec(ctx, `INSERT INTO column_sketches (table_id, position, name, name_key, type, distinct_values, dense, hashes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			tableID, i, k.Column, catalog.ColumnKey(k.Column), string(k.Type), k.Distinct, k.Dense, hashes)
		if err != nil {
			return err
		}
	}
	return nil
}

// copySketches gives a kept table the sketches of the one that it is.
func (t *tx) copySketches(ctx context.Context, from, to string) error {
	_, err := t.exec(ctx, `
		INSERT INTO column_sketches (table_id, position, name, name_key, type, distinct_values, dense, hashes)
		SELECT ?, position, name, name_key, type, distinct_values, dense, hashes FROM column_sketches WHERE table_id = ?`, to, from)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, `UPDATE release_tables SET sketched = (SELECT f.sketched FROM release_tables f WHERE f.id = ?) WHERE id = ?`, from, to)
	return err
}

// relink makes the columns of a release, and of no other of its dataset, those that
// are found by their hashes; none where releaseID is empty.
func (t *tx) relink(ctx context.Context, datasetID, releaseID string) error {
	_, err := t.exec(ctx, `
		DELETE FROM column_hashes WHERE table_id IN (
			SELECT n.id FROM release_tables n JOIN releases r ON r.id = n.release_id WHERE r.dataset_id = ?)`, datasetID)
	if err != nil || releaseID == "" {
		return err
	}
	var rows []sketchRow
	err = t.all(ctx, &rows, `
		SELECT `+sketchColumns+` FROM column_sketches s JOIN release_tables n ON n.id = s.table_id
		WHERE n.release_id = ? AND NOT s.dense`, releaseID)
	if err != nil {
		return err
	}
	const each = 300 // rows of one statement
	args := make([]any, 0, 3*each)
	flush := func() error {
		if len(args) == 0 {
			return nil
		}
		_, err := t.exec(ctx, `INSERT INTO column_hashes (hash, table_id, position) VALUES `+strings.TrimSuffix(strings.Repeat(`(?, ?, ?), `, len(args)/3), `, `), args...)
		args = args[:0]
		return err
	}
	for i := range rows {
		for _, h := range lowest(rows[i].sketch(), hashesLooked) {
			if args = append(args, h, rows[i].TableID, rows[i].Position); len(args) == cap(args) {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}

// lowest is the smallest hashes of a sketch as the database keeps them.
func lowest(k *catalog.ColumnSketch, n int) []any {
	out := make([]any, 0, n)
	for _, h := range k.Hashes[:min(n, len(k.Hashes))] {
		out = append(out, int64(h))
	}
	return out
}

// Joins returns what shares values with a column of the newest release of a dataset:
// columns of other datasets that are open to all, the most promising first, at most
// MostJoins. Invalid unknown_column; the errors of Release.
func (db *DB) Joins(ctx context.Context, actor catalog.Actor, dataset, table, column string) (*JoinColumn, error) {
	j, err := db.joinColumn(ctx, actor, dataset, table, column)
	if err != nil || j.Dataset.OpenAttribute != catalog.Unconditional {
		return j, err
	}
	err = db.view(ctx, "find columns that join", func(c *conn) error {
		var own sketchRow
		found, err := c.one(ctx, &own, `SELECT `+sketchColumns+` FROM column_sketches s WHERE s.table_id = ? AND s.name = ?`, j.Table.ID, j.Field.Name)
		if err != nil || !found {
			return err
		}
		mine := own.sketch()
		j.Compared, j.Distinct = true, mine.Distinct
		candidates, err := c.joinCandidates(ctx, j.Dataset.ID, &own, mine)
		if err != nil {
			return err
		}
		j.Joins, err = c.compareAll(ctx, mine, own.NameKey, candidates)
		return err
	})
	return j, err
}

// joinColumn finds the column that is asked about.
func (db *DB) joinColumn(ctx context.Context, actor catalog.Actor, dataset, table, column string) (*JoinColumn, error) {
	d, r, err := db.ReleaseFacts(ctx, actor, dataset, 0)
	if err != nil {
		return nil, err
	}
	if err := catalog.Can(actor, catalog.ReadData, catalog.ObjectOf(d)); err != nil {
		return nil, err
	}
	n, err := r.Table(table)
	if err != nil {
		return nil, err
	}
	i := n.Schema.Index(column)
	if i < 0 {
		return nil, n.Schema.CheckKey([]string{column}) // which says that there is no such column
	}
	return &JoinColumn{Dataset: d, Release: r, Table: n, Field: &n.Schema.Fields[i], Joins: []Join{}}, nil
}

// columnPlace names a column.
type columnPlace struct {
	TableID  string
	Position int
}

// joinCandidates are the columns of other datasets that have a hash in common with
// one, those with most first, and those of its name.
func (c *conn) joinCandidates(ctx context.Context, datasetID string, own *sketchRow, mine *catalog.ColumnSketch) ([]columnPlace, error) {
	var candidates []columnPlace
	if !mine.Dense {
		hashes := lowest(mine, hashesAsked)
		err := c.all(ctx, &candidates, `
			SELECT h.table_id, h.position FROM (SELECT table_id, position FROM column_hashes WHERE hash IN (`+marks(len(hashes))+`) LIMIT ?) h
			JOIN release_tables n ON n.id = h.table_id JOIN releases r ON r.id = n.release_id JOIN datasets d ON d.id = r.dataset_id
			WHERE `+comparable+` AND d.id <> ?
			GROUP BY h.table_id, h.position ORDER BY COUNT(*) DESC, h.table_id, h.position LIMIT ?`, append(hashes, hitsCounted, datasetID, joinCandidates)...)
		if err != nil {
			return nil, err
		}
	}
	var named []columnPlace
	err := c.all(ctx, &named, `
		SELECT s.table_id, s.position FROM column_sketches s
		JOIN release_tables n ON n.id = s.table_id JOIN releases r ON r.id = n.release_id JOIN datasets d ON d.id = r.dataset_id
		WHERE s.name_key = ? AND `+comparable+` AND d.id <> ? ORDER BY s.table_id, s.position LIMIT ?`, own.NameKey, datasetID, joinCandidates)
	for _, p := range named {
		if !slices.Contains(candidates, p) {
			candidates = append(candidates, p)
		}
	}
	return candidates, err
}

// compareAll compares a column with others and returns the best.
func (c *conn) compareAll(ctx context.Context, mine *catalog.ColumnSketch, nameKey string, candidates []columnPlace) ([]Join, error) {
	joins := []Join{}
	tables := map[string]bool{}
	for _, p := range candidates {
		tables[p.TableID] = true
	}
	for id := range tables {
		var at struct {
			Slug   string
			Title  catalog.Text
			Number int
			Name   string
			Rows   int64
		}
		_, err := c.one(ctx, &at, `
			SELECT d.slug, d.title, r.number, n.name, n.rows FROM release_tables n
			JOIN releases r ON r.id = n.release_id JOIN datasets d ON d.id = r.dataset_id WHERE n.id = ?`, id)
		if err != nil {
			return nil, err
		}
		for _, p := range candidates {
			if p.TableID != id {
				continue
			}
			var s sketchRow
			found, err := c.one(ctx, &s, `SELECT `+sketchColumns+` FROM column_sketches s WHERE s.table_id = ? AND s.position = ?`, p.TableID, p.Position)
			if err != nil {
				return nil, err
			}
			other := s.sketch()
			if !found || !mine.Type.Joins(other.Type) {
				continue
			}
			j := Join{Slug: at.Slug, Title: at.Title, Number: at.Number, Table: at.Name, Rows: at.Rows, Column: s.Name, Type: other.Type, Distinct: other.Distinct,
				SameName: s.NameKey == nameKey, Estimate: mine.Overlap(other)}
			if max(j.Of, j.In) >= leastShare {
				joins = append(joins, j)
			}
		}
	}
	slices.SortFunc(joins, func(a, b Join) int {
		return cmp.Or(cmp.Compare(b.rank(), a.rank()), cmp.Compare(a.Slug, b.Slug), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Column, b.Column))
	})
	return joins[:min(len(joins), MostJoins)], nil
}

// Joined returns two columns whose values are to be compared one by one, of the
// newest releases of datasets that are open to all; one.Joins holds what their
// sketches show. Unprocessable not_compared where one is never compared: conditional
// ones, types that name nothing, few values, personal information.
func (db *DB) Joined(ctx context.Context, actor catalog.Actor, dataset, table, column, otherDataset, otherTable, otherColumn string) (one, other *JoinColumn, err error) {
	if one, err = db.joinColumn(ctx, actor, dataset, table, column); err != nil {
		return nil, nil, err
	}
	if other, err = db.joinColumn(ctx, actor, otherDataset, otherTable, otherColumn); err != nil {
		return nil, nil, err
	}
	var sketches []*sketchRow
	err = db.view(ctx, "compare two columns", func(c *conn) error {
		sketches = nil
		for _, j := range []*JoinColumn{one, other} {
			s := &sketchRow{}
			found := false
			if j.Dataset.OpenAttribute == catalog.Unconditional {
				var err error
				if found, err = c.one(ctx, s, `SELECT `+sketchColumns+` FROM column_sketches s WHERE s.table_id = ? AND s.name = ?`, j.Table.ID, j.Field.Name); err != nil {
					return err
				}
			}
			if !found {
				return catalog.Errorf(catalog.Unprocessable, "not_compared", "the values of %s in %s are not compared with others: only texts, integers and dates of three values or more are, of open datasets, without personal information", j.Field.Name, j.Dataset.Slug).
					With("dataset", j.Dataset.Slug).With("column", j.Field.Name).InChinese("%s的列“%s”不与别的列比较：只比较无条件开放数据集里至少有三个不同值的文本、整数与日期列，且不含个人信息", j.Dataset.Slug, j.Field.Name)
			}
			sketches = append(sketches, s)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	mine, theirs := sketches[0].sketch(), sketches[1].sketch()
	if !mine.Type.Joins(theirs.Type) {
		return nil, nil, catalog.Errorf(catalog.Unprocessable, "not_compared", "a value of type %s never equals one of type %s", mine.Type, theirs.Type).
			InChinese("类型%s与%s的值不会相等", mine.Type, theirs.Type)
	}
	one.Compared, one.Distinct = true, mine.Distinct
	other.Compared, other.Distinct = true, theirs.Distinct
	one.Joins = []Join{{Slug: other.Dataset.Slug, Title: other.Dataset.Title, Number: other.Release.Number, Table: other.Table.Name, Rows: other.Table.Rows,
		Column: other.Field.Name, Type: other.Field.Type, Distinct: theirs.Distinct, SameName: sketches[0].NameKey == sketches[1].NameKey, Estimate: mine.Overlap(theirs)}}
	return one, other, nil
}

// Unsketched is a table whose sketches were never made, and its columns that must
// have none.
type Unsketched struct {
	Table    catalog.Table
	Personal []string
}

// UnsketchedTables returns tables of newest standing releases that are open to all
// and have no sketches yet, in order of id, behind the id after.
func (db *DB) UnsketchedTables(ctx context.Context, after string, limit int) ([]Unsketched, error) {
	var list []Unsketched
	err := db.view(ctx, "find tables without sketches", func(c *conn) error {
		list = nil
		var ids []struct{ ID string }
		err := c.all(ctx, &ids, `
			SELECT n.id FROM release_tables n JOIN releases r ON r.id = n.release_id JOIN datasets d ON d.id = r.dataset_id
			WHERE NOT n.sketched AND n.id > ? AND `+comparable+` ORDER BY n.id LIMIT ?`, after, limit)
		for _, row := range ids {
			u := Unsketched{}
			if _, err := c.one(ctx, &u.Table, `SELECT `+tableFacts+` FROM release_tables WHERE id = ?`, row.ID); err != nil {
				return err
			}
			f := &catalog.File{}
			if _, err := c.one(ctx, f, `SELECT `+fileColumns+` FROM release_files WHERE id = ?`, u.Table.FileID); err != nil {
				return err
			}
			u.Personal = f.PersonalColumns()
			list = append(list, u)
		}
		return err
	})
	return list, err
}

// SaveSketches keeps the sketches of a table that had none. Nothing happens where it
// has some by now, or is gone.
func (db *DB) SaveSketches(ctx context.Context, tableID string, sketches []catalog.ColumnSketch) error {
	return db.update(ctx, "save sketches", func(t *tx) error {
		n, err := t.exec(ctx, `UPDATE release_tables SET sketched = TRUE WHERE id = ? AND NOT sketched`, tableID)
		if err != nil || n == 0 {
			return err
		}
		if err := t.insertSketches(ctx, tableID, sketches); err != nil {
			return err
		}
		var datasetID, latest string
		found, err := t.value(ctx, `
			SELECT d.id, l.id FROM release_tables n JOIN releases r ON r.id = n.release_id JOIN datasets d ON d.id = r.dataset_id
			JOIN releases l ON l.dataset_id = d.id AND l.number = d.latest_number WHERE n.id = ?`, []any{tableID}, &datasetID, &latest)
		if err != nil || !found {
			return err
		}
		return t.relink(ctx, datasetID, latest)
	})
}
