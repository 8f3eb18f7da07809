package store

import (
	"context"

	"taihu/catalog"
)

// CatalogueEntry is a dataset with the newest release that stands, as anybody may
// see it.
type CatalogueEntry struct {
	Dataset   *catalog.Dataset
	Publisher *catalog.Organization
	Release   *catalog.Release // tables have name, title and rows; no hashes and no files where the data are conditional
	Columns   int64            // of all its tables
}

// CatalogueFilter chooses a page of the catalogue.
type CatalogueFilter struct {
	After  string   // id of the dataset the page before ended with
	Skip   int      // datasets to leave out behind After
	Slugs  []string // only these; nil: all
	IDs    []string // only these; nil: all
	Newest bool     // last published first, instead of in order of id
	Bare   bool     // without tables and files
	Limit  int      // at most maxList
}

// everybodys is the condition that anybody may see a dataset and have at least a
// description of a standing release of it.
const everybodys = `d.latest_number > 0 AND d.open_attribute <> 'closed'`

// Catalogue reads a page of what anybody may see: datasets with a release that
// stands, closed ones left out. Fewer than the limit means the end.
func (db *DB) Catalogue(ctx context.Context, f CatalogueFilter) ([]CatalogueEntry, error) {
	var list []CatalogueEntry
	err := db.view(ctx, "read catalogue", func(c *conn) error {
		where, args, order := everybodys, []any{}, `d.id`
		if f.After != "" {
			where += ` AND d.id > ?`
			args = append(args, f.After)
		}
		for _, only := range []struct {
			in   string
			list []string
		}{{` AND d.slug IN (`, f.Slugs}, {` AND d.id IN (`, f.IDs}} {
			if only.list == nil {
				continue
			}
			if len(only.list) == 0 {
				return nil
			}
			where += only.in + marks(len(only.list)) + `)`
			for _, s := range only.list {
				args = append(args, s)
			}
		}
		if f.Newest {
			order = `COALESCE(d.published_at, d.created_at) DESC, d.id DESC` // as the index has it
		}
		var rows []datasetRow
		err := c.all(ctx, &rows, `SELECT `+datasetColumns+` FROM datasets d WHERE `+where+` ORDER BY `+order+` LIMIT ? OFFSET ?`,
			append(args, min(f.Limit, maxList), f.Skip)...)
		if err != nil || len(rows) == 0 {
			return err
		}
		list, err = c.catalogueOf(ctx, rows, f.Bare)
		return err
	})
	return list, err
}

// catalogueOf reads what belongs to datasets, each kind of it at once.
func (c *conn) catalogueOf(ctx context.Context, rows []datasetRow, bare bool) ([]CatalogueEntry, error) {
	list := make([]CatalogueEntry, len(rows))
	datasets, publishers, releases := []any{}, []any{}, []any{}
	at := map[string]*CatalogueEntry{} // by dataset, then by release
	for i := range rows {
		list[i].Dataset = &rows[i].Dataset
		at[rows[i].ID] = &list[i]
		datasets, publishers = append(datasets, rows[i].ID), append(publishers, rows[i].OrganizationID)
	}
	var organizations []catalog.Organization
	err := c.all(ctx, &organizations, `SELECT `+organizationColumns+` FROM organizations o WHERE o.id IN (`+marks(len(publishers))+`)`, publishers...)
	if err != nil {
		return nil, err
	}
	publisher := map[string]*catalog.Organization{}
	for i := range organizations {
		publisher[organizations[i].ID] = &organizations[i]
	}
	var latest []catalog.Release
	err = c.all(ctx, &latest, `SELECT `+releaseColumns+` FROM releases WHERE dataset_id IN (`+marks(len(datasets))+`)
		AND number = (SELECT latest_number FROM datasets d WHERE d.id = dataset_id)`, datasets...)
	if err != nil {
		return nil, err
	}
	for i := range latest {
		e := at[latest[i].DatasetID]
		e.Release, e.Publisher = &latest[i], publisher[e.Dataset.OrganizationID]
		at[latest[i].ID] = e
		releases = append(releases, latest[i].ID)
	}
	if bare {
		return list, nil
	}
	in := ` WHERE release_id IN (` + marks(len(releases)) + `) ORDER BY `
	var tables []struct {
		catalog.Table
		Columns int64
	}
	if err := c.all(ctx, &tables, `SELECT release_id, name, title, position, rows, columns FROM release_tables`+in+`position, id`, releases...); err != nil {
		return nil, err
	}
	for _, t := range tables {
		e := at[t.ReleaseID]
		e.Release.Tables = append(e.Release.Tables, t.Table)
		e.Columns += t.Columns
	}
	var files []catalog.File
	if err := c.all(ctx, &files, `SELECT release_id, name, role, media_type, blob, options, created_at FROM release_files`+in+`created_at, id`, releases...); err != nil {
		return nil, err
	}
	for _, f := range files {
		if e := at[f.ReleaseID]; e.Dataset.OpenAttribute == catalog.Unconditional {
			e.Release.Files = append(e.Release.Files, f)
		}
	}
	for i := range list {
		if list[i].Release != nil {
			withhold(list[i].Release)
		}
	}
	return list, nil
}

// CatalogueVersion rises with every change of what readers may see: of a dataset that
// has, or had, a release, and of an organization. What happens to drafts does not
// count: whoever asks again and again would learn when something is being prepared.
func (db *DB) CatalogueVersion(ctx context.Context) (int64, error) {
	var version int64
	err := db.view(ctx, "read catalogue version", func(c *conn) error {
		_, err := c.value(ctx, `SELECT version FROM catalogue_state`, nil, &version)
		return err
	})
	return version, err
}

// CatalogueSize counts the datasets of the catalogue. It looks at every one.
func (db *DB) CatalogueSize(ctx context.Context) (int, error) {
	var n int
	err := db.view(ctx, "count catalogue", func(c *conn) error {
		_, err := c.value(ctx, `SELECT COUNT(*) FROM datasets d WHERE `+everybodys, nil, &n)
		return err
	})
	return n, err
}
