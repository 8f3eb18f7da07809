package store

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"taihu/catalog"
)

// MaxInvitation is the longest an invitation can stand.
const MaxInvitation = 30 * 24 * time.Hour

const invitationColumns = `i.id, i.organization_id, i.role, i.note, i.hash, i.created_by, i.created_at, i.expires_at, i.used_by, i.used_at, i.revoked_at`

// NewInvitation is what Invite needs.
type NewInvitation struct {
	Role catalog.Role
	Note string        // for whom, at most 100 characters
	Life time.Duration // at most MaxInvitation
}

// Invite makes an invitation into an organization and returns its secret, which is
// kept nowhere. Who may edit the members may, signed in. Invalid: role, note or
// days.
func (db *DB) Invite(ctx context.Context, actor catalog.Actor, organization string, n NewInvitation) (secret string, i *catalog.Invitation, err error) {
	note := strings.TrimSpace(n.Note)
	switch {
	case !slices.Contains(catalog.Roles, n.Role):
		return "", nil, invalid("role", "请选择角色", "role %q is not known: use one of %v", n.Role, catalog.Roles)
	case utf8.RuneCountInString(note) > maxUserName:
		return "", nil, invalid("note", "太长：最多100个字符", "this is too long: at most %d characters", maxUserName)
	case n.Life <= 0 || n.Life > MaxInvitation:
		return "", nil, invalid("days", "有效期须是1至30天", "an invitation stands for 1 to 30 days")
	}
	secret = newSecret("thi_")
	err = db.update(ctx, "invite", func(t *tx) error {
		o, err := t.organization(ctx, organization)
		if err != nil {
			return err
		}
		if err := catalog.Can(actor, catalog.InviteMembers, catalog.Object{OrganizationID: o.ID}); err != nil {
			return err
		}
		i = &catalog.Invitation{ID: catalog.NewID(), OrganizationID: o.ID, Role: n.Role, Note: note, Hash: hashSecret(secret), CreatedBy: actor.ID(), CreatedAt: t.now, ExpiresAt: t.now.Add(n.Life)}
		_, err = t.exec(ctx, `
			INSERT INTO invitations (id, organization_id, role, note, hash, created_by, created_at, expires_at, used_by)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, '')`, i.ID, i.OrganizationID, string(i.Role), i.Note, i.Hash, i.CreatedBy, i.CreatedAt, i.ExpiresAt)
		if err != nil {
			return err
		}
		return t.event(ctx, catalog.ChainPortal, actor, "invitation.created", i.ID, facts{"organization": o.ID, "role": i.Role, "expires_at": i.ExpiresAt})
	})
	if err != nil {
		return "", nil, err
	}
	return secret, i, nil
}

// Invitations lists an organization's invitations, newest first, those that are
// over too. Who may edit its members may see them.
func (db *DB) Invitations(ctx context.Context, actor catalog.Actor, organization string) ([]catalog.Invitation, error) {
	list := []catalog.Invitation{}
	err := db.view(ctx, "list invitations", func(c *conn) error {
		o, err := c.organization(ctx, organization)
		if err != nil {
			return err
		}
		if err := catalog.Can(actor, catalog.EditMembers, catalog.Object{OrganizationID: o.ID}); err != nil {
			return err
		}
		return c.all(ctx, &list, `SELECT `+invitationColumns+` FROM invitations i WHERE i.organization_id = ? ORDER BY i.id DESC LIMIT 50`, o.ID)
	})
	return list, err
}

// RevokeInvitation ends an invitation of the organization; one that is over already
// stays as it is.
func (db *DB) RevokeInvitation(ctx context.Context, actor catalog.Actor, organization, id string) error {
	return db.update(ctx, "revoke invitation", func(t *tx) error {
		o, err := t.organization(ctx, organization)
		if err != nil {
			return err
		}
		if err := catalog.Can(actor, catalog.EditMembers, catalog.Object{OrganizationID: o.ID}); err != nil {
			return err
		}
		n, err := t.exec(ctx, `UPDATE invitations SET revoked_at = ? WHERE id = ? AND organization_id = ? AND used_at IS NULL AND revoked_at IS NULL`, t.now, id, o.ID)
		if err != nil || n == 0 {
			return err
		}
		return t.event(ctx, catalog.ChainPortal, actor, "invitation.revoked", id, facts{"organization": o.ID})
	})
}

// OpenInvitation is an invitation as who was invited sees it.
type OpenInvitation struct {
	catalog.Invitation
	Organization catalog.Organization
	Inviter      string // name of who invited; "": the portal itself
}

// Invitation returns the invitation that a secret opens: NotFound
// unknown_invitation, or Gone invitation_over where it was used, revoked, has
// expired, or who invited may no longer do so.
func (db *DB) Invitation(ctx context.Context, secret string) (*OpenInvitation, error) {
	var i *OpenInvitation
	now := db.clock()
	err := db.view(ctx, "read invitation", func(c *conn) (err error) {
		i, err = c.invitation(ctx, secret, now)
		return err
	})
	return i, err
}

func (c *conn) invitation(ctx context.Context, secret string, now time.Time) (*OpenInvitation, error) {
	i := &OpenInvitation{}
	found, err := c.one(ctx, &i.Invitation, `SELECT `+invitationColumns+` FROM invitations i WHERE i.hash = ?`, hashSecret(secret))
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, unknown("unknown_invitation", "there is no such invitation: was the link copied whole?").InChinese("没有这份邀请：链接是否复制完整？")
	}
	if !i.Open(now) {
		return nil, invitationOver()
	}
	if _, err := c.one(ctx, &i.Organization, `SELECT `+organizationColumns+` FROM organizations o WHERE o.id = ?`, i.OrganizationID); err != nil {
		return nil, err
	}
	if i.CreatedBy == catalog.SystemActor.ID() {
		return i, nil
	}
	inviter, err := c.actor(ctx, i.CreatedBy)
	if err == nil {
		i.Inviter = inviter.User.Name
		err = catalog.Can(inviter, catalog.InviteMembers, catalog.Object{OrganizationID: i.OrganizationID})
	}
	switch catalog.KindOf(err) {
	case catalog.Unauthenticated, catalog.Forbidden: // disabled, or no longer an admin there
		return nil, invitationOver()
	}
	return i, err
}

func invitationOver() error {
	return catalog.Errorf(catalog.Gone, "invitation_over", "this invitation was used, has expired or was taken back: ask for another").
		InChinese("这份邀请已经用过、过期或被收回：请对方再发一份")
}

// AcceptInvitation gives the actor, who is signed in, the role of an invitation.
// Conflict already_member where he has it or more; then the invitation stands.
func (db *DB) AcceptInvitation(ctx context.Context, actor catalog.Actor, secret string) error {
	if actor.User == nil {
		return notSignedIn()
	}
	if err := catalog.Can(actor, catalog.EditAccount, catalog.Object{UserID: actor.User.ID}); err != nil {
		return err
	}
	return db.update(ctx, "accept invitation", func(t *tx) error { return t.accept(ctx, actor, secret) })
}

// accept uses an invitation up for the actor's user.
func (t *tx) accept(ctx context.Context, actor catalog.Actor, secret string) error {
	i, err := t.invitation(ctx, secret, t.now)
	if err != nil {
		return err
	}
	var has catalog.Role
	if _, err := t.value(ctx, `SELECT role FROM memberships WHERE user_id = ? AND organization_id = ?`, []any{actor.ID(), i.OrganizationID}, &has); err != nil {
		return err
	}
	if rank(has) >= rank(i.Role) {
		return catalog.Errorf(catalog.Conflict, "already_member", "you have this role there already, or one with more rights").InChinese("你在那里已有这个角色，或权限更大的角色")
	}
	n, err := t.exec(ctx, `UPDATE invitations SET used_by = ?, used_at = ? WHERE id = ? AND used_at IS NULL AND revoked_at IS NULL`, actor.ID(), t.now, i.ID)
	if err != nil {
		return err
	}
	if n == 0 { // another was faster
		return invitationOver()
	}
	if err := t.event(ctx, catalog.ChainPortal, actor, "invitation.accepted", i.ID, facts{"organization": i.OrganizationID, "role": i.Role, "invited_by": i.CreatedBy}); err != nil {
		return err
	}
	return t.setMembership(ctx, actor, actor.ID(), i.OrganizationID, i.Role)
}

// Join makes an account for who was invited and gives it the role. The account has
// a password and no other rights. Errors are those of CreateUser and Invitation.
func (db *DB) Join(ctx context.Context, secret string, n NewUser) (*catalog.User, error) {
	if _, err := db.Invitation(ctx, secret); err != nil { // before a password is hashed for anybody
		return nil, err
	}
	if n.Password == "" {
		return nil, checkPassword("")
	}
	n.SiteAdmin = false
	u, err := db.newUser(ctx, n)
	if err != nil {
		return nil, err
	}
	err = db.update(ctx, "join by invitation", func(t *tx) error {
		himself := catalog.Actor{User: u}
		if err := t.insertUser(ctx, himself, u); err != nil {
			return err
		}
		return t.accept(ctx, himself, secret)
	})
	if err != nil {
		return nil, err
	}
	return u, nil
}
