package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"taihu/catalog"
)

// Bounds of passwords. One hash takes 19 MiB and some 30 ms (OWASP's first
// recommendation for argon2id), so only a few are computed at once.
const (
	minPassword    = 10   // characters
	maxPassword    = 1024 // bytes; refused before hashing
	maxUserName    = 100  // characters
	parallelHashes = 4
)

var hashParams = &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

var loginForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._@-]{0,63}$`)

// NewUser is what CreateUser needs.
type NewUser struct {
	Login     string // a-z, 0-9 and . _ @ -, unique
	Name      string // empty: the login
	Password  string // at least 10 characters, at most 1024 bytes; empty: cannot sign in, only use tokens
	SiteAdmin bool
}

const userColumns = `id, login, name, password_hash, site_admin, disabled, row_version, created_at`

// CreateUser makes an account. Invalid: login or password; Conflict login_taken.
// Only who administers the portal may.
func (db *DB) CreateUser(ctx context.Context, actor catalog.Actor, n NewUser) (*catalog.User, error) {
	if err := catalog.Can(actor, catalog.AdministerPortal, catalog.Object{}); err != nil {
		return nil, err
	}
	u, err := db.newUser(ctx, n)
	if err != nil {
		return nil, err
	}
	err = db.update(ctx, "create user", func(t *tx) error { return t.insertUser(ctx, actor, u) })
	if err != nil {
		return nil, err
	}
	return u, nil
}

// newUser makes the row of an account: it checks login and name and hashes the
// password.
func (db *DB) newUser(ctx context.Context, n NewUser) (*catalog.User, error) {
	if !loginForm.MatchString(n.Login) {
		return nil, invalid("login", "登录名须由1至64个小写字母、数字或 . _ @ - 组成", "%q cannot be a login: use 1 to 64 of the characters a-z, 0-9 and . _ @ -", n.Login)
	}
	u := &catalog.User{ID: catalog.NewID(), Login: n.Login, Name: strings.TrimSpace(n.Name), SiteAdmin: n.SiteAdmin, RowVersion: 1}
	if u.Name == "" {
		u.Name = u.Login
	}
	if utf8.RuneCountInString(u.Name) > maxUserName {
		return nil, invalid("name", "姓名过长：最多100个字符", "the name is too long: at most %d characters", maxUserName)
	}
	if n.Password != "" {
		var err error
		if u.PasswordHash, err = db.hash(ctx, n.Password); err != nil {
			return nil, err
		}
	}
	return u, nil
}

func (t *tx) insertUser(ctx context.Context, actor catalog.Actor, u *catalog.User) error {
	u.CreatedAt = t.now
	_, err := t.exec(ctx, `INSERT INTO users (`+userColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
		u.ID, u.Login, u.Name, u.PasswordHash, u.SiteAdmin, u.Disabled, u.RowVersion, u.CreatedAt)
	if isUnique(err) {
		return catalog.Errorf(catalog.Conflict, "login_taken", "there is a user %q already", u.Login).InChinese("登录名“%s”已被使用", u.Login)
	}
	if err != nil {
		return err
	}
	return t.event(ctx, catalog.ChainPortal, actor, "user.created", u.ID, facts{"login": u.Login, "site_admin": u.SiteAdmin})
}

// EnsureAdmin makes the user admin with a fresh password where there is no user
// at all; created tells whether it did. The password is kept nowhere.
func (db *DB) EnsureAdmin(ctx context.Context) (password string, created bool, err error) {
	n, err := db.CountUsers(ctx)
	if err != nil || n > 0 {
		return "", false, err
	}
	password = strings.ToLower(rand.Text())[:20]
	u := &catalog.User{ID: catalog.NewID(), Login: "admin", Name: "admin", SiteAdmin: true, RowVersion: 1}
	if u.PasswordHash, err = db.hash(ctx, password); err != nil {
		return "", false, err
	}
	err = db.update(ctx, "make the first user", func(t *tx) error { return t.insertUser(ctx, catalog.SystemActor, u) })
	if catalog.KindOf(err) == catalog.Conflict { // another process was faster
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	return password, true, nil
}

// hash hashes a password when a seat is free, after checking its length.
func (db *DB) hash(ctx context.Context, password string) (string, error) {
	if err := checkPassword(password); err != nil {
		return "", err
	}
	select {
	case db.hashing <- struct{}{}:
		defer func() { <-db.hashing }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	h, err := argon2id.CreateHash(password, hashParams)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return h, nil
}

func checkPassword(password string) error {
	switch {
	case len(password) > maxPassword:
		return invalid("password", "密码过长：最多1024字节", "the password is too long: at most %d bytes", maxPassword)
	case utf8.RuneCountInString(password) < minPassword:
		return invalid("password", "密码过短：至少10个字符", "the password is too short: at least %d characters", minPassword)
	}
	return nil
}

// dummyHash is compared where the login is unknown, so that the time taken does
// not tell.
var dummyHash = sync.OnceValues(func() (string, error) { return argon2id.CreateHash("nobody has this", hashParams) })

// matches compares a password with a hash when a seat is free.
func (db *DB) matches(ctx context.Context, password, hash string) (bool, error) {
	select {
	case db.hashing <- struct{}{}:
		defer func() { <-db.hashing }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	known := hash != ""
	if !known {
		var err error
		if hash, err = dummyHash(); err != nil {
			return false, fmt.Errorf("hash password: %w", err)
		}
	}
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("compare password: %w", err)
	}
	return ok && known, nil
}

// SetPassword changes a password and signs the user out everywhere. A user may
// change his own; who administers the portal, any.
func (db *DB) SetPassword(ctx context.Context, actor catalog.Actor, login, password string) error {
	hash, err := db.hash(ctx, password)
	if err != nil {
		return err
	}
	return db.update(ctx, "set password", func(t *tx) error {
		u, err := t.userFor(ctx, actor, login)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE users SET password_hash = ?, row_version = row_version + 1 WHERE id = ?`, hash, u.ID); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `DELETE FROM sessions WHERE user_id = ?`, u.ID); err != nil {
			return err
		}
		return t.event(ctx, catalog.ChainPortal, actor, "user.password_set", u.ID, nil)
	})
}

// ChangePassword is SetPassword for the actor himself, who gives the one he has:
// a browser left open is not enough. Invalid: current or password.
func (db *DB) ChangePassword(ctx context.Context, actor catalog.Actor, current, password string) error {
	if actor.User == nil {
		return notSignedIn()
	}
	if err := catalog.Can(actor, catalog.EditAccount, catalog.Object{UserID: actor.User.ID}); err != nil {
		return err
	}
	u, err := db.UserByLogin(ctx, actor.User.Login)
	if err != nil {
		return err
	}
	ok := false
	if len(current) <= maxPassword {
		if ok, err = db.matches(ctx, current, u.PasswordHash); err != nil {
			return err
		}
	}
	if !ok {
		return invalid("current", "现在的密码不对", "this is not your present password")
	}
	return db.SetPassword(ctx, actor, u.Login, password)
}

// SetUser changes name, site-admin right and disabled of a user (found by
// u.Login); a disabled one is signed out and his tokens end working. Only who
// administers the portal may, and not disable or demote himself.
func (db *DB) SetUser(ctx context.Context, actor catalog.Actor, u *catalog.User) error {
	if err := catalog.Can(actor, catalog.AdministerPortal, catalog.Object{}); err != nil {
		return err
	}
	return db.update(ctx, "change user", func(t *tx) error {
		old, err := t.user(ctx, u.Login)
		if err != nil {
			return err
		}
		if err := checkVersion(u.RowVersion, old.RowVersion); err != nil {
			return err
		}
		if old.ID == actor.ID() && (u.Disabled || !u.SiteAdmin) {
			return catalog.Errorf(catalog.Conflict, "own_account", "you cannot take your own rights away: another administrator can").InChinese("不能停用自己或取消自己的管理权限")
		}
		_, err = t.exec(ctx, `UPDATE users SET name = ?, site_admin = ?, disabled = ?, row_version = row_version + 1 WHERE id = ?`, u.Name, u.SiteAdmin, u.Disabled, old.ID)
		if err != nil {
			return err
		}
		if u.Disabled {
			if _, err := t.exec(ctx, `DELETE FROM sessions WHERE user_id = ?`, old.ID); err != nil {
				return err
			}
		}
		u.ID, u.RowVersion, u.CreatedAt = old.ID, old.RowVersion+1, old.CreatedAt
		return t.event(ctx, catalog.ChainPortal, actor, "user.changed", old.ID, facts{"site_admin": u.SiteAdmin, "disabled": u.Disabled})
	})
}

// Users lists every user by login. Only who administers the portal may.
func (db *DB) Users(ctx context.Context, actor catalog.Actor) ([]catalog.User, error) {
	if err := catalog.Can(actor, catalog.AdministerPortal, catalog.Object{}); err != nil {
		return nil, err
	}
	list := []catalog.User{}
	err := db.view(ctx, "list users", func(c *conn) error {
		return c.all(ctx, &list, `SELECT `+userColumns+` FROM users ORDER BY login`)
	})
	return list, err
}

// UserByLogin returns a user or NotFound unknown_user. The caller decides who
// may see it.
func (db *DB) UserByLogin(ctx context.Context, login string) (*catalog.User, error) {
	var u *catalog.User
	err := db.view(ctx, "read user", func(c *conn) (err error) {
		u, err = c.user(ctx, login)
		return err
	})
	return u, err
}

// UserNames returns the shown name of each user id, for events and releases.
// Unknown ids are left out.
func (db *DB) UserNames(ctx context.Context, ids ...string) (map[string]string, error) {
	names := map[string]string{}
	if len(ids) == 0 {
		return names, nil
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	err := db.view(ctx, "read names", func(c *conn) error {
		var rows []struct{ ID, Name string }
		err := c.all(ctx, &rows, `SELECT id, name FROM users WHERE id IN (`+marks(len(ids))+`)`, args...)
		for _, r := range rows {
			names[r.ID] = r.Name
		}
		return err
	})
	return names, err
}

// CountUsers returns how many users there are.
func (db *DB) CountUsers(ctx context.Context) (int, error) {
	var n int
	err := db.view(ctx, "count users", func(c *conn) error {
		_, err := c.value(ctx, `SELECT COUNT(*) FROM users`, nil, &n)
		return err
	})
	return n, err
}

func (c *conn) user(ctx context.Context, login string) (*catalog.User, error) {
	u := &catalog.User{}
	found, err := c.one(ctx, u, `SELECT `+userColumns+` FROM users WHERE login = ?`, login)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, unknown("unknown_user", "there is no user %q", login).InChinese("没有用户“%s”", login)
	}
	return u, nil
}

// userFor returns the user called login where it is the actor himself or the
// actor administers the portal.
func (c *conn) userFor(ctx context.Context, actor catalog.Actor, login string) (*catalog.User, error) {
	var account catalog.Object // nobody's, where it is not the actor's
	if actor.User != nil && actor.User.Login == login {
		account.UserID = actor.User.ID
	}
	if err := catalog.Can(actor, catalog.EditAccount, account); err != nil {
		return nil, err
	}
	return c.user(ctx, login)
}

// ActorOf returns the actor that a user is, with all roles; Unauthenticated
// where he is unknown or disabled.
func (db *DB) ActorOf(ctx context.Context, userID string) (catalog.Actor, error) {
	var a catalog.Actor
	err := db.view(ctx, "read actor", func(c *conn) (err error) {
		a, err = c.actor(ctx, userID)
		return err
	})
	return a, err
}

func (c *conn) actor(ctx context.Context, userID string) (catalog.Actor, error) {
	u := &catalog.User{}
	found, err := c.one(ctx, u, `SELECT `+userColumns+` FROM users WHERE id = ?`, userID)
	if err != nil {
		return catalog.Actor{}, err
	}
	if !found || u.Disabled {
		return catalog.Actor{}, notSignedIn()
	}
	var held []struct {
		ID   string
		Role catalog.Role
	}
	err = c.all(ctx, &held, `
		WITH RECURSIVE held (id, role) AS (
			SELECT organization_id, role FROM memberships WHERE user_id = ?
			UNION
			SELECT o.id, h.role FROM organizations o JOIN held h ON o.parent_id = h.id
		)
		SELECT id, role FROM held`, userID)
	if err != nil {
		return catalog.Actor{}, err
	}
	a := catalog.Actor{User: u, Roles: make(map[string]catalog.Role, len(held))}
	for _, h := range held {
		if higher(h.Role, a.Roles[h.ID]) {
			a.Roles[h.ID] = h.Role
		}
	}
	return a, nil
}

// higher reports whether role a includes more than b.
func higher(a, b catalog.Role) bool { return rank(a) > rank(b) }

func rank(r catalog.Role) int {
	for i, x := range catalog.Roles {
		if x == r {
			return i + 1
		}
	}
	return 0
}

func notSignedIn() error {
	return catalog.Errorf(catalog.Unauthenticated, "sign_in_required", "the session or token is unknown, expired or revoked: sign in again").
		InChinese("登录已失效，请重新登录")
}

// newSecret returns 32 random bytes in base64url behind a prefix.
func newSecret(prefix string) string {
	var b [32]byte
	_, _ = rand.Read(b[:])
	return prefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// hashSecret is what is kept of a secret. The secret has 256 bits of its own, so
// a plain hash does.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// sessionLife is how long a sign-in lasts.
const sessionLife = 14 * 24 * time.Hour

// SignIn returns the secret of a new session (for the cookie) or Unauthenticated
// wrong_password, which does not tell whether the login exists.
func (db *DB) SignIn(ctx context.Context, login, password string) (secret string, u *catalog.User, err error) {
	if len(password) > maxPassword {
		return "", nil, wrongPassword()
	}
	var hash string
	u, err = db.UserByLogin(ctx, login)
	switch {
	case err == nil:
		hash = u.PasswordHash
	case catalog.KindOf(err) != catalog.NotFound:
		return "", nil, err
	}
	ok, err := db.matches(ctx, password, hash)
	if err != nil {
		return "", nil, err
	}
	if !ok || u.Disabled {
		return "", nil, wrongPassword()
	}
	secret = newSecret("ths_")
	err = db.update(ctx, "sign in", func(t *tx) error { return t.insertSession(ctx, secret, u.ID, hash) })
	if err != nil {
		return "", nil, err
	}
	return secret, u, nil
}

// insertSession begins a session, where the user still has that password: it may
// have been changed while it was compared.
func (t *tx) insertSession(ctx context.Context, secret, userID, passwordHash string) error {
	if _, err := t.exec(ctx, `DELETE FROM sessions WHERE expires_at < ?`, t.now); err != nil {
		return err
	}
	n, err := t.exec(ctx, `
		INSERT INTO sessions (hash, user_id, created_at, expires_at)
		SELECT ?, id, CAST(? AS `+t.timeType()+`), CAST(? AS `+t.timeType()+`) FROM users WHERE id = ? AND password_hash = ? AND NOT disabled`,
		hashSecret(secret), t.now, t.now.Add(sessionLife), userID, passwordHash)
	if err == nil && n == 0 {
		return wrongPassword()
	}
	return err
}

func wrongPassword() error {
	return catalog.Errorf(catalog.Unauthenticated, "wrong_password", "login or password is wrong").InChinese("登录名或密码不正确")
}

// timeType is the type of times where PostgreSQL cannot infer it.
func (c *conn) timeType() string {
	if c.postgres {
		return "TIMESTAMPTZ"
	}
	return "TEXT"
}

// SignOut ends a session; an unknown one is no error.
func (db *DB) SignOut(ctx context.Context, secret string) error {
	return db.update(ctx, "sign out", func(t *tx) error {
		_, err := t.exec(ctx, `DELETE FROM sessions WHERE hash = ?`, hashSecret(secret))
		return err
	})
}

// ActorBySession returns who is signed in with a session's secret, or
// Unauthenticated.
func (db *DB) ActorBySession(ctx context.Context, secret string) (catalog.Actor, error) {
	var a catalog.Actor
	err := db.view(ctx, "read session", func(c *conn) error {
		var userID string
		found, err := c.value(ctx, `SELECT user_id FROM sessions WHERE hash = ? AND expires_at > ?`, []any{hashSecret(secret), db.clock()}, &userID)
		if err != nil {
			return err
		}
		if !found {
			return notSignedIn()
		}
		a, err = c.actor(ctx, userID)
		return err
	})
	return a, err
}
