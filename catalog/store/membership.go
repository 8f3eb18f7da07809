package store

import (
	"context"
	"slices"

	"taihu/catalog"
)

// MembershipRow is a membership with the words to show.
type MembershipRow struct {
	catalog.Membership
	Login string `json:"login"`
	Name  string `json:"name"`
}

// SetMembership gives a user a role in an organization and all below it, in the
// place of the one he held there. Only who may edit the organization's members.
func (db *DB) SetMembership(ctx context.Context, actor catalog.Actor, login, organization string, role catalog.Role) error {
	if !slices.Contains(catalog.Roles, role) {
		return invalid("role", "", "role %q is not known: use one of %v", role, catalog.Roles)
	}
	return db.update(ctx, "set membership", func(t *tx) error {
		o, u, err := t.memberOf(ctx, actor, login, organization)
		if err != nil {
			return err
		}
		return t.setMembership(ctx, actor, u.ID, o.ID, role)
	})
}

func (t *tx) setMembership(ctx context.Context, actor catalog.Actor, userID, organizationID string, role catalog.Role) error {
	_, err := t.exec(ctx, `
		INSERT INTO memberships (user_id, organization_id, role, created_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (user_id, organization_id) DO UPDATE SET role = excluded.role`, userID, organizationID, string(role), t.now)
	if err != nil {
		return err
	}
	return t.event(ctx, catalog.ChainPortal, actor, "membership.set", organizationID, facts{"user": userID, "role": role})
}

// RemoveMembership takes a role away; one never held is no error.
func (db *DB) RemoveMembership(ctx context.Context, actor catalog.Actor, login, organization string) error {
	return db.update(ctx, "remove membership", func(t *tx) error {
		o, u, err := t.memberOf(ctx, actor, login, organization)
		if err != nil {
			return err
		}
		n, err := t.exec(ctx, `DELETE FROM memberships WHERE user_id = ? AND organization_id = ?`, u.ID, o.ID)
		if err != nil || n == 0 {
			return err
		}
		return t.event(ctx, catalog.ChainPortal, actor, "membership.removed", o.ID, facts{"user": u.ID})
	})
}

func (c *conn) memberOf(ctx context.Context, actor catalog.Actor, login, organization string) (*catalog.Organization, *catalog.User, error) {
	o, err := c.organization(ctx, organization)
	if err != nil {
		return nil, nil, err
	}
	if err := catalog.Can(actor, catalog.EditMembers, catalog.Object{OrganizationID: o.ID}); err != nil {
		return nil, nil, err
	}
	u, err := c.user(ctx, login)
	return o, u, err
}

// Memberships lists who holds a role given in this very organization, by login.
// Its members may see it.
func (db *DB) Memberships(ctx context.Context, actor catalog.Actor, organization string) ([]MembershipRow, error) {
	list := []MembershipRow{}
	err := db.view(ctx, "list members", func(c *conn) error {
		o, err := c.membersOf(ctx, actor, organization)
		if err != nil {
			return err
		}
		return c.all(ctx, &list, `
			SELECT m.user_id, m.organization_id, m.role, m.created_at, u.login, u.name
			FROM memberships m JOIN users u ON u.id = m.user_id
			WHERE m.organization_id = ? ORDER BY u.login`, o.ID)
	})
	return list, err
}

// membersOf returns an organization where the actor may see its members.
func (c *conn) membersOf(ctx context.Context, actor catalog.Actor, organization string) (*catalog.Organization, error) {
	o, err := c.organization(ctx, organization)
	if err != nil {
		return nil, err
	}
	if _, member := actor.Roles[o.ID]; member {
		return o, nil
	}
	return o, catalog.Can(actor, catalog.EditMembers, catalog.Object{OrganizationID: o.ID})
}

// InheritedRow is a membership of an organization above.
type InheritedRow struct {
	MembershipRow
	Slug         string       `json:"slug"` // of the organization in which it was given
	Organization catalog.Text `json:"organization"`
}

// InheritedMemberships lists who holds a role in an organization by one given above
// it, the nearest first. Its members may see it.
func (db *DB) InheritedMemberships(ctx context.Context, actor catalog.Actor, organization string) ([]InheritedRow, error) {
	list := []InheritedRow{}
	err := db.view(ctx, "list inherited members", func(c *conn) error {
		o, err := c.membersOf(ctx, actor, organization)
		if err != nil {
			return err
		}
		return c.all(ctx, &list, `
			WITH RECURSIVE above (id, depth) AS (
				SELECT parent_id, 1 FROM organizations WHERE id = ?
				UNION ALL
				SELECT o.parent_id, a.depth + 1 FROM above a JOIN organizations o ON o.id = a.id WHERE a.depth < 50
			)
			SELECT m.user_id, m.organization_id, m.role, m.created_at, u.login, u.name, o.slug, o.name AS organization
			FROM above a JOIN organizations o ON o.id = a.id JOIN memberships m ON m.organization_id = a.id JOIN users u ON u.id = m.user_id
			ORDER BY a.depth, u.login`, o.ID)
	})
	return list, err
}

// approvers counts the members, the given user left out, who may approve in an
// organization: reviewers and admins of it or of one above it.
func (c *conn) approvers(ctx context.Context, organizationID, without string) (int, error) {
	var n int
	_, err := c.value(ctx, `
		WITH RECURSIVE above (id, parent_id) AS (
			SELECT id, parent_id FROM organizations WHERE id = ?
			UNION
			SELECT o.id, o.parent_id FROM organizations o JOIN above a ON o.id = a.parent_id
		)
		SELECT COUNT(DISTINCT u.id)
		FROM above a JOIN memberships m ON m.organization_id = a.id JOIN users u ON u.id = m.user_id
		WHERE m.role IN ('reviewer', 'admin') AND NOT u.disabled AND u.id <> ?`, []any{organizationID, without}, &n)
	return n, err
}
