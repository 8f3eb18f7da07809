package store

import (
	"context"
	"errors"
	"slices"
	"strings"

	"taihu/catalog"
)

// datasetRow is a dataset and what only the store needs of it.
type datasetRow struct {
	catalog.Dataset
	TitleKey     string
	LastNumber   int    // highest number ever given; 0: never published
	CopiedFrom   string // id of the dataset whose dictionary the first release takes over
	ChangeNumber int64  // version of the search document
}

const datasetColumns = `d.id, d.slug, d.organization_id, d.title, d.title_key, d.description, d.themes, d.keywords, d.region, d.licence,
	d.open_attribute, d.conditions, d.frequency, d.spatial, d.temporal_start, d.temporal_end, d.language, d.contact, d.source_note,
	d.identifiers, d.security_level, d.simulated, d.row_version, d.created_at, d.catalogue_at, d.latest_number, d.last_number,
	d.published_at, d.change_number, d.copied_from`

// titleKey is what a search for a part of the title looks at.
func titleKey(d *catalog.Dataset) string {
	return strings.ToLower(d.Title.Zh + "\n" + d.Title.En + "\n" + d.Slug)
}

// CreateDataset makes a dataset in d.OrganizationID and fills in id, times and
// row_version. Its stewards may. Conflict slug_taken, also by an old slug.
func (db *DB) CreateDataset(ctx context.Context, actor catalog.Actor, d *catalog.Dataset) error {
	return db.createDataset(ctx, actor, "", d)
}

// CopyDataset is CreateDataset for a copy of the dataset called from, which the actor
// must be able to see: its first release takes over the words and codes of the columns,
// and the keys, of the latest release there. Nothing else of it is looked at: d says
// what the copy's description is.
func (db *DB) CopyDataset(ctx context.Context, actor catalog.Actor, from string, d *catalog.Dataset) error {
	return db.createDataset(ctx, actor, from, d)
}

func (db *DB) createDataset(ctx context.Context, actor catalog.Actor, from string, d *catalog.Dataset) error {
	if err := d.Check(); err != nil {
		return err
	}
	return db.update(ctx, "create dataset", func(t *tx) error {
		said := facts{"slug": d.Slug, "organization": d.OrganizationID}
		copied := ""
		if from != "" {
			original, err := t.datasetFor(ctx, actor, from)
			if err != nil {
				return err
			}
			copied, said["copied_from"] = original.ID, original.Slug
		}
		if err := t.mayOwn(ctx, actor, d.OrganizationID); err != nil {
			return err
		}
		d.ID, d.RowVersion, d.CreatedAt, d.CatalogueAt, d.PublishedAt, d.LatestNumber = catalog.NewID(), 1, t.now, t.now, nil, 0
		d.Themes, d.Keywords, d.Identifiers = list(d.Themes), list(d.Keywords), list(d.Identifiers)
		_, err := t.exec(ctx, `
			INSERT INTO datasets (id, slug, organization_id, title, title_key, description, themes, keywords, region, licence,
				open_attribute, conditions, frequency, spatial, temporal_start, temporal_end, language, contact, source_note,
				identifiers, security_level, simulated, row_version, created_at, catalogue_at, latest_number, last_number, change_number, copied_from)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, 0, 0, 1, ?)`,
			d.ID, d.Slug, d.OrganizationID, js(d.Title), titleKey(d), js(d.Description), js(d.Themes), js(d.Keywords), d.Region, d.Licence,
			string(d.OpenAttribute), js(d.Conditions), string(d.Frequency), d.Spatial, d.TemporalStart, d.TemporalEnd, d.Language, js(d.Contact), js(d.SourceNote),
			js(d.Identifiers), d.SecurityLevel, d.Simulated, d.CreatedAt, d.CatalogueAt, copied)
		if isUnique(err) {
			return slugTaken(d.Slug)
		}
		if err != nil {
			return err
		}
		if err := t.takeSlug(ctx, d.ID, d.Slug); err != nil {
			return err
		}
		return t.event(ctx, d.ID, actor, "dataset.created", d.ID, said)
	})
}

// list makes no list an empty one, so that JSON shows [].
func list(l []string) []string {
	if l == nil {
		return []string{}
	}
	return l
}

// mayOwn asks whether the actor may make datasets in an organization.
func (t *tx) mayOwn(ctx context.Context, actor catalog.Actor, organizationID string) error {
	if err := catalog.Can(actor, catalog.CreateDataset, catalog.Object{OrganizationID: organizationID}); err != nil {
		return err
	}
	var id string
	found, err := t.value(ctx, `SELECT id FROM organizations WHERE id = ?`, []any{organizationID}, &id)
	if err == nil && !found {
		return invalid("organization", "没有这个机构", "there is no organization with this id")
	}
	return err
}

// takeSlug notes that a slug belongs to a dataset for ever.
func (t *tx) takeSlug(ctx context.Context, id, slug string) error {
	_, err := t.exec(ctx, `INSERT INTO dataset_slugs (slug, dataset_id, created_at) VALUES (?, ?, ?)`, slug, id, t.now)
	if isUnique(err) {
		return slugTaken(slug)
	}
	return err
}

// UpdateDataset changes everything of the dataset with d.ID (or, where that is
// empty, d.Slug) but its slug, releases and times, comparing d.RowVersion where
// it is not 0. It sets the catalogue date. Its stewards may.
func (db *DB) UpdateDataset(ctx context.Context, actor catalog.Actor, d *catalog.Dataset) error {
	return db.update(ctx, "change dataset", func(t *tx) error { return t.updateDataset(ctx, actor, d) })
}

// MostDatasets is how many datasets one UpdateDatasets changes.
const MostDatasets = 200

// UpdateDatasets is UpdateDataset for several at once, all or none. Its error names
// the one it is about in the field dataset.
func (db *DB) UpdateDatasets(ctx context.Context, actor catalog.Actor, list []*catalog.Dataset) error {
	if len(list) > MostDatasets {
		return catalog.Errorf(catalog.TooLarge, "too_many_datasets", "at most %d datasets are changed at once", MostDatasets).InChinese("一次最多改%d个数据集", MostDatasets)
	}
	// In one order everywhere, so that two of them never wait for each other.
	list = slices.SortedFunc(slices.Values(list), func(a, b *catalog.Dataset) int { return strings.Compare(a.ID, b.ID) })
	return db.update(ctx, "change datasets", func(t *tx) error {
		for _, d := range list {
			changed := *d // a verb that is tried again begins anew
			if err := t.updateDataset(ctx, actor, &changed); err != nil {
				var e *catalog.Error
				if errors.As(err, &e) {
					return e.With("dataset", d.Slug)
				}
				return err
			}
		}
		return nil
	})
}

func (t *tx) updateDataset(ctx context.Context, actor catalog.Actor, d *catalog.Dataset) error {
	old, err := t.datasetForChange(ctx, actor, d, catalog.EditDataset)
	if err != nil {
		return err
	}
	d.ID, d.Slug = old.ID, old.Slug
	if d.OrganizationID == "" {
		d.OrganizationID = old.OrganizationID
	}
	if err := d.Check(); err != nil {
		return err
	}
	if err := checkVersion(d.RowVersion, old.RowVersion); err != nil {
		return err
	}
	if d.OrganizationID != old.OrganizationID {
		if err := t.mayOwn(ctx, actor, d.OrganizationID); err != nil {
			return err
		}
	}
	d.Themes, d.Keywords, d.Identifiers = list(d.Themes), list(d.Keywords), list(d.Identifiers)
	_, err = t.exec(ctx, `
			UPDATE datasets SET organization_id = ?, title = ?, title_key = ?, description = ?, themes = ?, keywords = ?, region = ?,
				licence = ?, open_attribute = ?, conditions = ?, frequency = ?, spatial = ?, temporal_start = ?, temporal_end = ?,
				language = ?, contact = ?, source_note = ?, identifiers = ?, security_level = ?, simulated = ?, catalogue_at = ?,
				row_version = row_version + 1
			WHERE id = ?`,
		d.OrganizationID, js(d.Title), titleKey(d), js(d.Description), js(d.Themes), js(d.Keywords), d.Region,
		d.Licence, string(d.OpenAttribute), js(d.Conditions), string(d.Frequency), d.Spatial, d.TemporalStart, d.TemporalEnd,
		d.Language, js(d.Contact), js(d.SourceNote), js(d.Identifiers), d.SecurityLevel, d.Simulated, t.now, d.ID)
	if err != nil {
		return err
	}
	d.RowVersion, d.CreatedAt, d.CatalogueAt, d.PublishedAt, d.LatestNumber = old.RowVersion+1, old.CreatedAt, t.now, old.PublishedAt, old.LatestNumber
	if err := t.reindexIfPublished(ctx, old); err != nil {
		return err
	}
	return t.event(ctx, d.ID, actor, "dataset.changed", d.ID, facts{"open_attribute": d.OpenAttribute, "organization": d.OrganizationID})
}

// RenameDataset gives a dataset another slug; the old one leads to it for ever.
func (db *DB) RenameDataset(ctx context.Context, actor catalog.Actor, slug, newSlug string) (*catalog.Dataset, error) {
	if err := catalog.CheckSlug(newSlug); err != nil {
		return nil, err
	}
	var renamed *catalog.Dataset
	err := db.update(ctx, "rename dataset", func(t *tx) error {
		d, err := t.datasetForChange(ctx, actor, &catalog.Dataset{Slug: slug}, catalog.EditDataset)
		if err != nil {
			return err
		}
		renamed = &d.Dataset
		if d.Slug == newSlug {
			return nil
		}
		var owner string
		found, err := t.value(ctx, `SELECT dataset_id FROM dataset_slugs WHERE slug = ?`, []any{newSlug}, &owner)
		switch {
		case err != nil:
			return err
		case found && owner != d.ID:
			return slugTaken(newSlug)
		case !found:
			if err := t.takeSlug(ctx, d.ID, newSlug); err != nil {
				return err
			}
		}
		was := d.Slug
		d.Slug = newSlug
		_, err = t.exec(ctx, `UPDATE datasets SET slug = ?, title_key = ?, catalogue_at = ?, row_version = row_version + 1 WHERE id = ?`,
			newSlug, titleKey(&d.Dataset), t.now, d.ID)
		if err != nil {
			return err
		}
		d.RowVersion++
		d.CatalogueAt = t.now
		if err := t.reindexIfPublished(ctx, d); err != nil {
			return err
		}
		return t.event(ctx, d.ID, actor, "dataset.renamed", d.ID, facts{"from": was, "to": newSlug})
	})
	if err != nil {
		return nil, err
	}
	return renamed, nil
}

// datasetForChange locks the dataset with the id or else the slug of which, and
// asks whether the actor may see it and do action to it.
func (t *tx) datasetForChange(ctx context.Context, actor catalog.Actor, which *catalog.Dataset, action catalog.Action) (*datasetRow, error) {
	id, name := which.ID, which.ID
	if id == "" {
		name = which.Slug
		if _, err := t.value(ctx, `SELECT dataset_id FROM dataset_slugs WHERE slug = ?`, []any{which.Slug}, &id); err != nil {
			return nil, err
		}
	}
	d, err := t.datasetRow(ctx, id, t.lock())
	if err != nil {
		return nil, err
	}
	if d == nil || !visible(actor, d) {
		return nil, t.unknownDataset(ctx, name)
	}
	return d, catalog.Can(actor, action, catalog.ObjectOf(&d.Dataset))
}

// datasetRow returns a dataset by id or nil.
func (c *conn) datasetRow(ctx context.Context, id, lock string) (*datasetRow, error) {
	d := &datasetRow{}
	found, err := c.one(ctx, d, `SELECT `+datasetColumns+` FROM datasets d WHERE d.id = ?`+lock, id)
	if err != nil || !found {
		return nil, err
	}
	return d, nil
}

// visible reports whether the actor may know that the dataset exists: closed
// ones and those never published are known to their organization only.
func visible(actor catalog.Actor, d *datasetRow) bool {
	o := catalog.ObjectOf(&d.Dataset)
	if catalog.Can(actor, catalog.ReadDataset, o) != nil {
		return false
	}
	return d.LastNumber > 0 || catalog.Can(actor, catalog.ReadDraft, o) == nil
}

// Dataset returns a dataset by its slug or one it had before; then Slug differs
// from what was asked for and readers are sent there for good (301). NotFound
// unknown_dataset names near slugs.
func (db *DB) Dataset(ctx context.Context, actor catalog.Actor, slug string) (*catalog.Dataset, error) {
	var d *datasetRow
	err := db.view(ctx, "read dataset", func(c *conn) (err error) {
		d, err = c.datasetFor(ctx, actor, slug)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &d.Dataset, nil
}

// datasetFor returns the dataset called slug where the actor may know of it.
func (c *conn) datasetFor(ctx context.Context, actor catalog.Actor, slug string) (*datasetRow, error) {
	d := &datasetRow{}
	found, err := c.one(ctx, d, `
		SELECT `+datasetColumns+` FROM datasets d JOIN dataset_slugs s ON s.dataset_id = d.id WHERE s.slug = ?`, slug)
	if err != nil {
		return nil, err
	}
	if !found || !visible(actor, d) {
		return nil, c.unknownDataset(ctx, slug)
	}
	return d, nil
}

// DatasetByID returns a dataset by its id, or NotFound unknown_dataset.
func (db *DB) DatasetByID(ctx context.Context, actor catalog.Actor, id string) (*catalog.Dataset, error) {
	var d *datasetRow
	err := db.view(ctx, "read dataset", func(c *conn) (err error) {
		if d, err = c.datasetRow(ctx, id, ""); err != nil {
			return err
		}
		if d == nil || !visible(actor, d) {
			return c.unknownDataset(ctx, id)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &d.Dataset, nil
}

// unknownDataset is NotFound naming the public slugs nearest to slug.
func (c *conn) unknownDataset(ctx context.Context, slug string) error {
	shown := strings.ToValidUTF8(slug[:min(len(slug), 80)], "")
	e := unknown("unknown_dataset", "there is no dataset %q", shown).With("dataset", shown).InChinese("没有数据集“%s”", shown)
	start := slug[:min(2, len(slug))]
	if catalog.CheckSlug(slug) != nil {
		return e
	}
	var rows []struct{ Slug string }
	err := c.all(ctx, &rows, `
		SELECT slug FROM datasets
		WHERE last_number > 0 AND open_attribute <> 'closed' AND slug >= ? AND slug < ? ORDER BY slug LIMIT 1000`, start, start+"~")
	if err != nil {
		return err
	}
	best, near := len(slug)/3+2, []string{}
	for _, r := range rows {
		switch n := distance(slug, r.Slug); {
		case n < best:
			best, near = n, []string{r.Slug}
		case n == best && len(near) > 0 && len(near) < 3:
			near = append(near, r.Slug)
		}
	}
	if len(near) > 0 {
		e.Message += "; did you mean " + strings.Join(near, ", ") + "?"
		e.Zh += "，是否指" + strings.Join(near, "、") + "？"
		e = e.With("nearest", near)
	}
	return e
}

// distance is the number of characters to change, add or take away (Levenshtein)
// between two ASCII words.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := previous
			if a[i] != b[j] {
				cost++
			}
			previous = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// reindexIfPublished enqueues the index job of a dataset that has, or had, a
// release.
func (t *tx) reindexIfPublished(ctx context.Context, d *datasetRow) error {
	if d.LastNumber == 0 {
		return nil
	}
	return t.reindex(ctx, d.ID)
}

// reindex gives the dataset's document a newer version and enqueues its index job.
func (t *tx) reindex(ctx context.Context, id string) error {
	t.catalogue = true
	if _, err := t.exec(ctx, `UPDATE datasets SET change_number = change_number + 1 WHERE id = ?`, id); err != nil {
		return err
	}
	return t.enqueueOnce(ctx, catalog.JobIndex, catalog.IndexArgs{DatasetID: id})
}

// organizationsOf returns the ids of the organizations the actor belongs to.
func organizationsOf(actor catalog.Actor) []string {
	ids := make([]string, 0, len(actor.Roles))
	for id := range actor.Roles {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
