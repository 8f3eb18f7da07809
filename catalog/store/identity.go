package store

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"taihu/catalog"
)

// IdentityRow is one identity of a user.
type IdentityRow struct {
	Issuer    string    `json:"issuer"`
	Subject   string    `json:"subject"`
	CreatedAt time.Time `json:"created_at"`
}

// signInTries is how many others may take the next free login first.
const signInTries = 20

// SignInWith signs in whom an OpenID provider confirmed, and returns the secret of
// a new session. The account is the one the identity belongs to. Else a new one is
// made, which has no rights; but where byMail is set, a verified mail address that
// is the login of an account without other identities and without the portal's
// administration leads to that one. Forbidden account_disabled.
func (db *DB) SignInWith(ctx context.Context, i *catalog.Identity, byMail bool) (secret string, u *catalog.User, err error) {
	if i.Issuer == "" || i.Subject == "" {
		return "", nil, notSignedIn()
	}
	secret = newSecret("ths_")
	for attempt := 0; ; attempt++ {
		err = db.update(ctx, "sign in with an identity", func(t *tx) (err error) {
			if u, err = t.userOf(ctx, i, byMail); err != nil {
				return err
			}
			if u.Disabled {
				return catalog.Errorf(catalog.Forbidden, "account_disabled", "this account is disabled: ask the portal's administrator").InChinese("这个账号已停用：请联系网站管理员")
			}
			return t.insertSession(ctx, secret, u.ID, u.PasswordHash)
		})
		// First sign-ins at once: another one made the account, or took the login.
		if code := catalog.CodeOf(err); attempt < signInTries && (code == "already_exists" || code == "login_taken") {
			continue
		}
		break
	}
	if err != nil {
		return "", nil, err
	}
	return secret, u, nil
}

// userOf finds or makes the user of an identity.
func (t *tx) userOf(ctx context.Context, i *catalog.Identity, byMail bool) (*catalog.User, error) {
	u := &catalog.User{}
	found, err := t.one(ctx, u, `
		SELECT u.id, u.login, u.name, u.password_hash, u.site_admin, u.disabled, u.row_version, u.created_at
		FROM identities i JOIN users u ON u.id = i.user_id WHERE i.issuer = ? AND i.subject = ?`, i.Issuer, i.Subject)
	if err != nil || found {
		return u, err
	}
	if mail := strings.ToLower(i.Mail); byMail && i.MailVerified && mail != "" {
		found, err := t.one(ctx, u, `
			SELECT `+userColumns+` FROM users
			WHERE login = ? AND NOT site_admin AND NOT EXISTS (SELECT 1 FROM identities x WHERE x.user_id = users.id)`, mail)
		if err != nil {
			return nil, err
		}
		if found {
			return u, t.link(ctx, catalog.Actor{User: u}, u.ID, i, "mail")
		}
	}
	login, err := t.freeLogin(ctx, i)
	if err != nil {
		return nil, err
	}
	u = &catalog.User{ID: catalog.NewID(), Login: login, Name: cut(strings.TrimSpace(i.Name), maxUserName), RowVersion: 1}
	if u.Name == "" {
		u.Name = login
	}
	himself := catalog.Actor{User: u}
	if err := t.insertUser(ctx, himself, u); err != nil {
		return nil, err
	}
	return u, t.link(ctx, himself, u.ID, i, "new account")
}

func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most])
}

// freeLogin makes a login of what the provider calls somebody, with a number behind
// it where another has it.
func (t *tx) freeLogin(ctx context.Context, i *catalog.Identity) (string, error) {
	local, _, _ := strings.Cut(i.Mail, "@")
	base := ""
	for _, name := range []string{i.Login, local, "user"} {
		base = strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._@-", r) {
				return r
			}
			return -1
		}, strings.ToLower(name))
		base = strings.TrimLeft(base, "._@-")
		if base = base[:min(len(base), 58)]; base != "" {
			break
		}
	}
	var taken []struct{ Login string }
	if err := t.all(ctx, &taken, `SELECT login FROM users WHERE login = ? OR login LIKE ? ESCAPE '\'`, base, strings.NewReplacer("_", `\_`).Replace(base)+"-%"); err != nil {
		return "", err
	}
	has := map[string]bool{}
	for _, x := range taken {
		has[x.Login] = true
	}
	login := base
	for n := 2; has[login]; n++ {
		login = base + "-" + strconv.Itoa(n)
	}
	return login, nil
}

// link notes that an identity is a user's.
func (t *tx) link(ctx context.Context, actor catalog.Actor, userID string, i *catalog.Identity, how string) error {
	_, err := t.exec(ctx, `INSERT INTO identities (issuer, subject, user_id, created_at) VALUES (?, ?, ?, ?)`, i.Issuer, i.Subject, userID, t.now)
	if err != nil {
		return err
	}
	return t.event(ctx, catalog.ChainPortal, actor, "identity.linked", userID, facts{"issuer": i.Issuer, "how": how})
}

// LinkIdentity adds an identity to the actor's own account; one that he has already
// stays. Conflict identity_taken where it is another's.
func (db *DB) LinkIdentity(ctx context.Context, actor catalog.Actor, i *catalog.Identity) error {
	if actor.User == nil {
		return notSignedIn()
	}
	if err := catalog.Can(actor, catalog.EditAccount, catalog.Object{UserID: actor.User.ID}); err != nil {
		return err
	}
	return db.update(ctx, "link identity", func(t *tx) error {
		var owner string
		found, err := t.value(ctx, `SELECT user_id FROM identities WHERE issuer = ? AND subject = ?`, []any{i.Issuer, i.Subject}, &owner)
		switch {
		case err != nil:
			return err
		case found && owner == actor.ID():
			return nil
		case found:
			return catalog.Errorf(catalog.Conflict, "identity_taken", "this identity belongs to another account already: sign in with it, or ask the administrator").InChinese("这个身份已属于另一个账号：用它登录，或联系网站管理员")
		}
		return t.link(ctx, actor, actor.ID(), i, "account page")
	})
}

// Identities lists a user's identities, oldest first. A user may see his own; who
// administers the portal, anybody's.
func (db *DB) Identities(ctx context.Context, actor catalog.Actor, login string) ([]IdentityRow, error) {
	list := []IdentityRow{}
	err := db.view(ctx, "list identities", func(c *conn) error {
		u, err := c.userFor(ctx, actor, login)
		if err != nil {
			return err
		}
		return c.all(ctx, &list, `SELECT issuer, subject, created_at FROM identities WHERE user_id = ? ORDER BY created_at, issuer, subject`, u.ID)
	})
	return list, err
}

// UnlinkIdentity takes an identity off the account of the user called login; one
// he does not have is no error. Conflict last_sign_in where no password and no
// other identity would be left to sign in with.
func (db *DB) UnlinkIdentity(ctx context.Context, actor catalog.Actor, login, issuer, subject string) error {
	return db.update(ctx, "unlink identity", func(t *tx) error {
		u, err := t.userFor(ctx, actor, login)
		if err != nil {
			return err
		}
		n, err := t.exec(ctx, `DELETE FROM identities WHERE issuer = ? AND subject = ? AND user_id = ?`, issuer, subject, u.ID)
		if err != nil || n == 0 {
			return err
		}
		var left int
		if _, err := t.value(ctx, `SELECT COUNT(*) FROM identities WHERE user_id = ?`, []any{u.ID}, &left); err != nil {
			return err
		}
		if left == 0 && u.PasswordHash == "" {
			return catalog.Errorf(catalog.Conflict, "last_sign_in", "without it there would be no way to sign in: ask for a password first").InChinese("去掉它就无法登录了：请先请管理员设一个密码")
		}
		return t.event(ctx, catalog.ChainPortal, actor, "identity.unlinked", u.ID, facts{"issuer": issuer})
	})
}
