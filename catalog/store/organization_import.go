package store

import (
	"context"

	"taihu/catalog"
)

// PlanOrganizations says what taking a list of organizations would do, and changes
// nothing. Only who administers the portal may.
func (db *DB) PlanOrganizations(ctx context.Context, actor catalog.Actor, l *catalog.OrganizationList) (*catalog.OrganizationPlan, error) {
	if err := catalog.Can(actor, catalog.AdministerPortal, catalog.Object{}); err != nil {
		return nil, err
	}
	var plan *catalog.OrganizationPlan
	err := db.view(ctx, "plan organizations", func(c *conn) error {
		existing, err := c.everyOrganization(ctx, "")
		plan = l.Plan(existing)
		return err
	})
	return plan, err
}

// ImportOrganizations takes a list of organizations, whole or not at all: a plan
// with problems comes back and nothing is done. Where digest is not empty, a plan
// of another digest is PreconditionFailed: what was shown is no longer what would
// be done. Only who administers the portal may.
func (db *DB) ImportOrganizations(ctx context.Context, actor catalog.Actor, l *catalog.OrganizationList, digest string) (*catalog.OrganizationPlan, error) {
	if err := catalog.Can(actor, catalog.AdministerPortal, catalog.Object{}); err != nil {
		return nil, err
	}
	var plan *catalog.OrganizationPlan
	err := db.update(ctx, "import organizations", func(t *tx) error {
		existing, err := t.everyOrganization(ctx, t.lock())
		if err != nil {
			return err
		}
		plan = l.Plan(existing)
		if len(plan.Problems) > 0 {
			return nil
		}
		if digest != "" && digest != plan.Digest() {
			return catalog.Errorf(catalog.PreconditionFailed, "plan_changed", "organizations were changed meanwhile: look at the preview again").
				InChinese("机构在此期间有改动：请重新看一遍预览")
		}
		return t.carryOut(ctx, actor, plan, existing)
	})
	return plan, err
}

func (c *conn) everyOrganization(ctx context.Context, lock string) ([]catalog.Organization, error) {
	list := []catalog.Organization{}
	err := c.all(ctx, &list, `SELECT `+organizationColumns+` FROM organizations o ORDER BY o.slug`+lock)
	return list, err
}

// carryOut makes and changes what a plan says, those above first.
func (t *tx) carryOut(ctx context.Context, actor catalog.Actor, plan *catalog.OrganizationPlan, existing []catalog.Organization) error {
	ids, old := map[string]string{}, map[string]*catalog.Organization{}
	for i := range existing {
		ids[existing[i].Slug], old[existing[i].Slug] = existing[i].ID, &existing[i]
	}
	var datasets []string
	seen := map[string]bool{}
	for i := range plan.Changes {
		c := &plan.Changes[i]
		o := c.After
		o.ParentID = ids[c.Parent]
		var err error
		if c.New {
			err = t.insertOrganization(ctx, actor, &o)
		} else {
			err = t.changeOrganization(ctx, actor, old[o.Slug], &o)
		}
		if err != nil {
			return err
		}
		ids[o.Slug] = o.ID
	}
	// The publisher's words stand in the documents of the search.
	for _, c := range plan.Changes {
		if c.New {
			continue
		}
		below, err := t.publishedBelow(ctx, ids[c.After.Slug])
		if err != nil {
			return err
		}
		for _, d := range below {
			if !seen[d] {
				seen[d] = true
				datasets = append(datasets, d)
			}
		}
	}
	for _, d := range datasets {
		if err := t.reindex(ctx, d); err != nil {
			return err
		}
	}
	made, changed := plan.Count()
	if made+changed == 0 {
		return nil
	}
	return t.event(ctx, catalog.ChainPortal, actor, "organizations.imported", "", facts{"made": made, "changed": changed})
}
