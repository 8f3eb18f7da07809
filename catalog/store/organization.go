package store

import (
	"context"
	"slices"

	"taihu/catalog"
)

// OrganizationRow is an organization in a list.
type OrganizationRow struct {
	catalog.Organization
	Datasets int `json:"datasets"` // of its own, published and not closed
}

const organizationColumns = `o.id, o.slug, o.parent_id, o.name, o.description, o.category, o.code, o.region, o.phone, o.mail, o.two_persons, o.row_version, o.created_at, o.updated_at`

// CreateOrganization makes an organization and fills in id, times and row_version.
// At the top only who administers the portal may, below another its admin.
// Conflict slug_taken.
func (db *DB) CreateOrganization(ctx context.Context, actor catalog.Actor, o *catalog.Organization) error {
	if err := o.Check(); err != nil {
		return err
	}
	return db.update(ctx, "create organization", func(t *tx) error {
		if err := t.mayPlace(ctx, actor, o.ParentID); err != nil {
			return err
		}
		return t.insertOrganization(ctx, actor, o)
	})
}

func (t *tx) insertOrganization(ctx context.Context, actor catalog.Actor, o *catalog.Organization) error {
	t.catalogue = true
	o.ID, o.RowVersion, o.CreatedAt, o.UpdatedAt = catalog.NewID(), 1, t.now, t.now
	_, err := t.exec(ctx, `
		INSERT INTO organizations (id, slug, parent_id, name, description, category, code, region, phone, mail, two_persons, row_version, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		o.ID, o.Slug, orNull(o.ParentID), js(o.Name), js(o.Description), o.Category, o.Code, o.Region, o.Phone, o.Mail, o.TwoPersons, o.RowVersion, o.CreatedAt, o.UpdatedAt)
	if isUnique(err) {
		return slugTaken(o.Slug)
	}
	if err != nil {
		return err
	}
	return t.event(ctx, catalog.ChainPortal, actor, "organization.created", o.ID, facts{"slug": o.Slug})
}

// UpdateOrganization changes everything but id and slug of the organization
// with o.Slug, comparing o.RowVersion where it is not 0.
func (db *DB) UpdateOrganization(ctx context.Context, actor catalog.Actor, o *catalog.Organization) error {
	if err := o.Check(); err != nil {
		return err
	}
	return db.update(ctx, "change organization", func(t *tx) error {
		old, err := t.organization(ctx, o.Slug)
		if err != nil {
			return err
		}
		if err := catalog.Can(actor, catalog.EditOrganization, catalog.Object{OrganizationID: old.ID}); err != nil {
			return err
		}
		if err := checkVersion(o.RowVersion, old.RowVersion); err != nil {
			return err
		}
		if o.TwoPersons != old.TwoPersons { // whom the rule binds does not lift it
			above := catalog.Can(actor, catalog.AdministerPortal, catalog.Object{})
			if old.ParentID != "" {
				above = catalog.Can(actor, catalog.EditOrganization, catalog.Object{OrganizationID: old.ParentID})
			}
			if above != nil {
				return above
			}
		}
		if o.ParentID != old.ParentID {
			if err := t.mayPlace(ctx, actor, o.ParentID); err != nil {
				return err
			}
			if err := t.refuseLoop(ctx, old.ID, o.ParentID); err != nil {
				return err
			}
		}
		if err := t.changeOrganization(ctx, actor, old, o); err != nil {
			return err
		}
		return t.reindexBelow(ctx, old.ID)
	})
}

func (t *tx) changeOrganization(ctx context.Context, actor catalog.Actor, old, o *catalog.Organization) error {
	t.catalogue = true
	n, err := t.exec(ctx, `
		UPDATE organizations SET parent_id = ?, name = ?, description = ?, category = ?, code = ?, region = ?, phone = ?, mail = ?, two_persons = ?,
			row_version = row_version + 1, updated_at = ?
		WHERE id = ? AND row_version = ?`,
		orNull(o.ParentID), js(o.Name), js(o.Description), o.Category, o.Code, o.Region, o.Phone, o.Mail, o.TwoPersons, t.now, old.ID, old.RowVersion)
	if err != nil {
		return err
	}
	if n == 0 {
		return stale(old.RowVersion)
	}
	o.ID, o.RowVersion, o.CreatedAt, o.UpdatedAt = old.ID, old.RowVersion+1, old.CreatedAt, t.now
	return t.event(ctx, catalog.ChainPortal, actor, "organization.changed", o.ID, facts{"two_persons": o.TwoPersons})
}

// mayPlace asks whether the actor may put an organization below parentID.
func (t *tx) mayPlace(ctx context.Context, actor catalog.Actor, parentID string) error {
	if parentID == "" {
		return catalog.Can(actor, catalog.AdministerPortal, catalog.Object{})
	}
	var id string
	found, err := t.value(ctx, `SELECT id FROM organizations WHERE id = ?`, []any{parentID}, &id)
	if err != nil {
		return err
	}
	if !found {
		return invalid("parent_id", "没有这个上级机构", "there is no parent organization with this id")
	}
	return catalog.Can(actor, catalog.EditOrganization, catalog.Object{OrganizationID: parentID})
}

// refuseLoop returns Invalid where parentID lies below id or is it.
func (t *tx) refuseLoop(ctx context.Context, id, parentID string) error {
	path, err := t.path(ctx, parentID)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(path, func(o catalog.Organization) bool { return o.ID == id }) {
		return invalid("parent_id", "机构不能隶属于自己的下级", "an organization cannot lie below itself")
	}
	return nil
}

// reindexBelow enqueues the index job of every published dataset of an
// organization and those below it: the publisher's words stand in their documents.
func (t *tx) reindexBelow(ctx context.Context, id string) error {
	ids, err := t.publishedBelow(ctx, id)
	if err != nil {
		return err
	}
	for _, dataset := range ids {
		if err := t.reindex(ctx, dataset); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) publishedBelow(ctx context.Context, id string) ([]string, error) {
	var rows []struct{ ID string }
	err := c.all(ctx, &rows, `
		WITH RECURSIVE below (id) AS (
			SELECT id FROM organizations WHERE id = ?
			UNION
			SELECT o.id FROM organizations o JOIN below b ON o.parent_id = b.id
		)
		SELECT d.id FROM datasets d JOIN below b ON b.id = d.organization_id WHERE d.last_number > 0 ORDER BY d.id`, id)
	ids := make([]string, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids, err
}

// Organization returns an organization or NotFound unknown_organization. All
// may see it.
func (db *DB) Organization(ctx context.Context, slug string) (*catalog.Organization, error) {
	var o *catalog.Organization
	err := db.view(ctx, "read organization", func(c *conn) (err error) {
		o, err = c.organization(ctx, slug)
		return err
	})
	return o, err
}

func (c *conn) organization(ctx context.Context, slug string) (*catalog.Organization, error) {
	o := &catalog.Organization{}
	found, err := c.one(ctx, o, `SELECT `+organizationColumns+` FROM organizations o WHERE o.slug = ?`, slug)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, unknown("unknown_organization", "there is no organization %q", slug).With("organization", slug).InChinese("没有机构“%s”", slug)
	}
	return o, nil
}

// Organizations returns every organization in the order of their slugs.
func (db *DB) Organizations(ctx context.Context) ([]catalog.Organization, error) {
	list := []catalog.Organization{}
	err := db.view(ctx, "list organizations", func(c *conn) error {
		return c.all(ctx, &list, `SELECT `+organizationColumns+` FROM organizations o ORDER BY o.slug`)
	})
	return list, err
}

// CountedOrganizations returns every organization, in the order of their slugs, with
// what it has in the catalogue: 60 ms where there are 100,000 datasets.
func (db *DB) CountedOrganizations(ctx context.Context) ([]OrganizationRow, error) {
	list := []OrganizationRow{}
	err := db.view(ctx, "count organizations", func(c *conn) error {
		return c.all(ctx, &list, `
			SELECT `+organizationColumns+`,
				(SELECT COUNT(*) FROM datasets d WHERE d.organization_id = o.id AND d.latest_number > 0 AND d.open_attribute <> 'closed') AS datasets
			FROM organizations o ORDER BY o.slug`)
	})
	return list, err
}

// OrganizationPath returns an organization (by id) and those above it, the top
// one first.
func (db *DB) OrganizationPath(ctx context.Context, id string) ([]catalog.Organization, error) {
	var path []catalog.Organization
	err := db.view(ctx, "read organization path", func(c *conn) (err error) {
		path, err = c.path(ctx, id)
		return err
	})
	return path, err
}

func (c *conn) path(ctx context.Context, id string) ([]catalog.Organization, error) {
	path := []catalog.Organization{}
	err := c.all(ctx, &path, `
		WITH RECURSIVE above (id, depth) AS (
			SELECT id, 0 FROM organizations WHERE id = ?
			UNION ALL
			SELECT p.parent_id, a.depth + 1 FROM above a JOIN organizations p ON p.id = a.id
			WHERE p.parent_id IS NOT NULL AND a.depth < 50
		)
		SELECT `+organizationColumns+` FROM above a JOIN organizations o ON o.id = a.id ORDER BY a.depth DESC`, id)
	return path, err
}

func slugTaken(slug string) error {
	return catalog.Errorf(catalog.Conflict, "slug_taken", "the address %q is taken: choose another", slug).With("slug", slug).InChinese("地址“%s”已被使用，请换一个", slug)
}
