package store

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"taihu/catalog"
)

// TokenPrefix begins every token's secret, so that leaked ones can be found.
const TokenPrefix = "tht_"

// touchEvery is how exactly a token's last use is kept.
const touchEvery = time.Minute

const tokenColumns = `id, user_id, name, scope, hash, created_at, expires_at, last_used_at, revoked_at`

// maxTokenName is how many characters a token's name may have.
const maxTokenName = 100

// NewToken is what CreateToken needs.
type NewToken struct {
	Name    string // what it is for
	Scope   catalog.Scope
	Expires *time.Time // nil: never
}

// CreateToken makes a token for a user and returns its secret, which is kept
// nowhere. A user may make his own, signed in; who administers the portal,
// anybody's. Invalid: name, scope or expires.
func (db *DB) CreateToken(ctx context.Context, actor catalog.Actor, login string, n NewToken) (secret string, k *catalog.Token, err error) {
	name, expires := strings.TrimSpace(n.Name), n.Expires
	switch {
	case name == "":
		return "", nil, invalid("name", "请给令牌起个名字", "a token needs a name that says what it is for")
	case utf8.RuneCountInString(name) > maxTokenName:
		return "", nil, invalid("name", "名字过长：最多100个字符", "the name is too long: at most %d characters", maxTokenName)
	case !slices.Contains(catalog.Scopes, n.Scope):
		return "", nil, invalid("scope", "范围须是read或full", "the scope is read or full, not %q", n.Scope)
	}
	secret = newSecret(TokenPrefix)
	err = db.update(ctx, "create token", func(t *tx) error {
		u, err := t.userFor(ctx, actor, login)
		if err != nil {
			return err
		}
		if expires != nil && !expires.After(t.now) {
			return invalid("expires", "到期时间已经过去", "the token would have expired already")
		}
		k = &catalog.Token{ID: catalog.NewID(), UserID: u.ID, Name: name, Scope: n.Scope, Hash: hashSecret(secret), CreatedAt: t.now, ExpiresAt: expires}
		_, err = t.exec(ctx, `INSERT INTO tokens (`+tokenColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			k.ID, k.UserID, k.Name, k.Scope, k.Hash, k.CreatedAt, k.ExpiresAt, k.LastUsedAt, k.RevokedAt)
		if err != nil {
			return err
		}
		return t.event(ctx, catalog.ChainPortal, actor, "token.created", k.ID, facts{"user": u.ID, "name": name, "scope": string(n.Scope)})
	})
	if err != nil {
		return "", nil, err
	}
	return secret, k, nil
}

// Tokens lists a user's tokens, newest first, the revoked ones too. A user may
// see his own; who administers the portal, anybody's.
func (db *DB) Tokens(ctx context.Context, actor catalog.Actor, login string) ([]catalog.Token, error) {
	list := []catalog.Token{}
	err := db.view(ctx, "list tokens", func(c *conn) error {
		u, err := c.userFor(ctx, actor, login)
		if err != nil {
			return err
		}
		return c.all(ctx, &list, `SELECT `+tokenColumns+` FROM tokens WHERE user_id = ? ORDER BY id DESC`, u.ID)
	})
	return list, err
}

// RevokeToken ends a token for ever; revoking it again changes nothing. Another
// user's token is NotFound, but for who administers the portal.
func (db *DB) RevokeToken(ctx context.Context, actor catalog.Actor, id string) error {
	return db.update(ctx, "revoke token", func(t *tx) error {
		var userID string
		found, err := t.value(ctx, `SELECT user_id FROM tokens WHERE id = ?`, []any{id}, &userID)
		if err != nil {
			return err
		}
		if !found || userID != actor.ID() && !actor.IsSiteAdmin() {
			return unknown("unknown_token", "there is no such token").InChinese("没有这个令牌")
		}
		if err := catalog.Can(actor, catalog.EditAccount, catalog.Object{UserID: userID}); err != nil {
			return err
		}
		n, err := t.exec(ctx, `UPDATE tokens SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL`, t.now, id)
		if err != nil || n == 0 {
			return err
		}
		return t.event(ctx, catalog.ChainPortal, actor, "token.revoked", id, nil)
	})
}

// ActorByToken returns the actor a token's secret stands for, or Unauthenticated.
func (db *DB) ActorByToken(ctx context.Context, secret string) (catalog.Actor, error) {
	if !strings.HasPrefix(secret, TokenPrefix) {
		return catalog.Actor{}, notSignedIn()
	}
	var a catalog.Actor
	k := &catalog.Token{}
	now := db.clock()
	err := db.view(ctx, "read token", func(c *conn) error {
		found, err := c.one(ctx, k, `SELECT `+tokenColumns+` FROM tokens WHERE hash = ?`, hashSecret(secret))
		if err != nil {
			return err
		}
		if !found || k.RevokedAt != nil || k.ExpiresAt != nil && !k.ExpiresAt.After(now) {
			return notSignedIn()
		}
		a, err = c.actor(ctx, k.UserID)
		a.Scope = k.Scope
		return err
	})
	if err != nil {
		return catalog.Actor{}, err
	}
	if k.LastUsedAt == nil || now.Sub(*k.LastUsedAt) >= touchEvery {
		err := db.update(ctx, "touch token", func(t *tx) error {
			_, err := t.exec(ctx, `UPDATE tokens SET last_used_at = ? WHERE id = ?`, t.now, k.ID)
			return err
		})
		if err != nil { // who asks must not suffer for it
			db.log.WarnContext(ctx, "the last use of a token was not noted", "token_id", k.ID, "error", err)
		}
	}
	return a, nil
}
