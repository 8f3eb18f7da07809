package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"taihu/api/web"
	"taihu/catalog"
	"taihu/catalog/blob"
	"taihu/catalog/store"
)

// The commands on the server's machine. They act as the portal itself.

type migrateCommand struct {
	Down bool `help:"Undo the newest group of migrations instead."`
}

func (m migrateCommand) Run(ctx context.Context, cfg *Config, env environment, log *slog.Logger) error {
	p, err := openStore(ctx, cfg, log)
	if err != nil {
		return err
	}
	return errors.Join(m.migrate(ctx, p, env.Out), p.close())
}

func (m migrateCommand) migrate(ctx context.Context, p *portal, out io.Writer) error {
	before, err := p.store.Pending(ctx)
	if err != nil {
		return err
	}
	if m.Down {
		err = p.store.MigrateDown(ctx)
	} else {
		err = p.store.Migrate(ctx)
	}
	if err != nil {
		return err
	}
	after, err := p.store.Pending(ctx)
	switch n := len(after) - len(before); {
	case err != nil:
		return err
	case n < 0:
		fmt.Fprintf(out, "applied %d migrations: %s\n", -n, strings.Join(before, ", "))
	case n > 0:
		fmt.Fprintf(out, "undid %d migrations: %s\n", n, strings.Join(after[:n], ", "))
	default:
		fmt.Fprintln(out, "nothing to do: the database is at this version's tables")
	}
	return nil
}

// withStore opens the database of a portal that is there for one command. It
// makes none: a command run beside the wrong folder would talk to an empty one.
func withStore(ctx context.Context, cfg *Config, log *slog.Logger, f func(*portal) error) error {
	if file, ok := strings.CutPrefix(cfg.dsn(), "sqlite:"); ok {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("there is no portal in %s: name its folder with --data, or start it once with taihu serve", filepath.Dir(file))
		}
	}
	p, err := openStore(ctx, cfg, log)
	if err != nil {
		return err
	}
	if err := p.migrated(ctx); err != nil {
		return errors.Join(err, p.close())
	}
	return errors.Join(f(p), p.close())
}

type userCommand struct {
	Add      userAdd      `cmd:"" help:"Make a user and print a fresh password."`
	Password userPassword `cmd:"" help:"Set a fresh password and print it."`
	Role     userRole     `cmd:"" help:"Give a role in an organization, or take it with none."`
	Invite   userInvite   `cmd:"" help:"Print a link by which one person joins an organization."`
	List     userList     `cmd:"" help:"List the users."`
}

type userAdd struct {
	Login string `arg:"" help:"Name to sign in with."`
	Name  string `help:"Name as shown."`
	Admin bool   `help:"May do everything."`
}

func (u userAdd) Run(ctx context.Context, cfg *Config, env environment, log *slog.Logger) error {
	return withStore(ctx, cfg, log, func(p *portal) error {
		password := catalog.NewPassword()
		if _, err := p.store.CreateUser(ctx, catalog.SystemActor, newUser(u.Login, u.Name, password, u.Admin)); err != nil {
			return err
		}
		fmt.Fprintln(env.Out, password)
		return nil
	})
}

type userPassword struct {
	Login string `arg:"" help:"Whose."`
}

func (u userPassword) Run(ctx context.Context, cfg *Config, env environment, log *slog.Logger) error {
	return withStore(ctx, cfg, log, func(p *portal) error {
		password := catalog.NewPassword()
		if err := p.store.SetPassword(ctx, catalog.SystemActor, u.Login, password); err != nil {
			return err
		}
		fmt.Fprintln(env.Out, password)
		return nil
	})
}

type userRole struct {
	Login        string `arg:"" help:"Whose."`
	Organization string `arg:"" help:"Slug of the organization."`
	Role         string `arg:"" enum:"steward,reviewer,admin,none" help:"steward, reviewer, admin or none."`
}

func (u userRole) Run(ctx context.Context, cfg *Config, env environment, log *slog.Logger) error {
	return withStore(ctx, cfg, log, func(p *portal) error {
		if u.Role == "none" {
			if err := p.store.RemoveMembership(ctx, catalog.SystemActor, u.Login, u.Organization); err != nil {
				return err
			}
			fmt.Fprintf(env.Out, "%s has no role in %s now\n", u.Login, u.Organization)
			return nil
		}
		if err := p.store.SetMembership(ctx, catalog.SystemActor, u.Login, u.Organization, catalog.Role(u.Role)); err != nil {
			return err
		}
		fmt.Fprintf(env.Out, "%s is %s of %s\n", u.Login, u.Role, u.Organization)
		return nil
	})
}

type userInvite struct {
	Organization string `arg:"" help:"Slug of the organization."`
	Role         string `arg:"" enum:"steward,reviewer,admin" help:"steward, reviewer or admin."`
	Note         string `help:"For whom; its administrators see it."`
	Days         int    `default:"7" help:"Days until the link ends, at most 30."`
}

// Run prints the link alone; it is shown this once.
func (u userInvite) Run(ctx context.Context, cfg *Config, env environment, log *slog.Logger) error {
	return withStore(ctx, cfg, log, func(p *portal) error {
		secret, _, err := p.store.Invite(ctx, catalog.SystemActor, u.Organization, store.NewInvitation{Role: catalog.Role(u.Role), Note: u.Note, Life: time.Duration(u.Days) * 24 * time.Hour})
		if err != nil {
			return err
		}
		fmt.Fprintln(env.Out, cfg.baseURL(cfg.Listen)+web.InvitationPath(secret))
		return nil
	})
}

type userList struct{}

// Run prints a line for each user: login, name, roles.
func (userList) Run(ctx context.Context, cfg *Config, env environment, log *slog.Logger) error {
	return withStore(ctx, cfg, log, func(p *portal) error {
		users, err := p.store.Users(ctx, catalog.SystemActor)
		if err != nil {
			return err
		}
		organizations, err := p.store.Organizations(ctx)
		if err != nil {
			return err
		}
		roles := map[string][]string{}
		for _, u := range users {
			if u.SiteAdmin {
				roles[u.Login] = append(roles[u.Login], "site admin")
			}
		}
		for _, o := range organizations {
			members, err := p.store.Memberships(ctx, catalog.SystemActor, o.Slug)
			if err != nil {
				return err
			}
			for _, m := range members {
				roles[m.Login] = append(roles[m.Login], string(m.Role)+" of "+o.Slug)
			}
		}
		for _, u := range users {
			fmt.Fprintf(env.Out, "%s\t%s\t%s\n", u.Login, u.Name, cmp.Or(strings.Join(roles[u.Login], ", "), "no role"))
		}
		return nil
	})
}

type tokenCommand struct {
	Create tokenCreate `cmd:"" help:"Make a token and print it alone."`
	List   tokenList   `cmd:"" help:"List a user's tokens."`
	Revoke tokenRevoke `cmd:"" help:"Revoke a token."`
}

type tokenCreate struct {
	User  string `required:"" help:"Whom the token acts for."`
	Name  string `required:"" help:"What it is for."`
	Scope string `default:"full" enum:"read,full" help:"read: reads what the user may read; full: does what he may do."`
	Days  *int   `placeholder:"N" help:"Days until it expires; without it never."`
}

func (t tokenCreate) Run(ctx context.Context, cfg *Config, env environment, log *slog.Logger) error {
	return withStore(ctx, cfg, log, func(p *portal) error {
		var expires *time.Time
		if t.Days != nil {
			if *t.Days < 1 {
				return fmt.Errorf("--days is %d, but must be at least 1; leave it out for a token that never expires", *t.Days)
			}
			at := catalog.Now().AddDate(0, 0, *t.Days)
			expires = &at
		}
		secret, _, err := p.store.CreateToken(ctx, catalog.SystemActor, t.User, store.NewToken{Name: t.Name, Scope: catalog.Scope(t.Scope), Expires: expires})
		if err != nil {
			return err
		}
		fmt.Fprintln(env.Out, secret)
		return nil
	})
}

type tokenList struct {
	User string `required:"" help:"Whose."`
}

func (t tokenList) Run(ctx context.Context, cfg *Config, env environment, log *slog.Logger) error {
	return withStore(ctx, cfg, log, func(p *portal) error {
		tokens, err := p.store.Tokens(ctx, catalog.SystemActor, t.User)
		for _, k := range tokens {
			state := "valid"
			if k.ExpiresAt != nil {
				state = "valid until " + k.ExpiresAt.Format(time.DateOnly)
			}
			switch {
			case k.RevokedAt != nil:
				state = "revoked"
			case k.ExpiresAt != nil && k.ExpiresAt.Before(catalog.Now()):
				state = "expired"
			}
			used := "never used"
			if k.LastUsedAt != nil {
				used = "used " + k.LastUsedAt.Format(time.RFC3339)
			}
			fmt.Fprintf(env.Out, "%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, k.Scope, state, used)
		}
		return err
	})
}

type tokenRevoke struct {
	ID string `arg:"" help:"Id of the token, from taihu token list."`
}

func (t tokenRevoke) Run(ctx context.Context, cfg *Config, env environment, log *slog.Logger) error {
	return withStore(ctx, cfg, log, func(p *portal) error {
		if err := p.store.RevokeToken(ctx, catalog.SystemActor, t.ID); err != nil {
			return err
		}
		fmt.Fprintf(env.Out, "revoked %s\n", t.ID)
		return nil
	})
}

type fsckCommand struct {
	JSON  bool `name:"json" help:"Print the result as JSON."`
	Quick bool `help:"Do not read the bytes of each blob."`
}

// fsckResult is what --json prints.
type fsckResult struct {
	Blobs      int      `json:"blobs"`
	Bytes      int64    `json:"bytes"`
	References int      `json:"references"`
	Orphans    int      `json:"orphans"` // blobs that nothing refers to: no fault
	Problems   []string `json:"problems"`
}

// Run checks that every referenced blob is there with its size and hash, and
// that no event chain is broken. A problem is exit code 1.
func (f fsckCommand) Run(ctx context.Context, cfg *Config, env environment, log *slog.Logger) error {
	return withStore(ctx, cfg, log, func(p *portal) error {
		result, err := p.fsck(ctx, f.Quick)
		if err != nil {
			return err
		}
		if f.JSON {
			if err := json.NewEncoder(env.Out).Encode(result); err != nil {
				return err
			}
		} else {
			for _, s := range result.Problems {
				fmt.Fprintln(env.Out, s)
			}
			fmt.Fprintf(env.Out, "%d blobs (%d bytes), %d references, %d orphans, %d problems\n", result.Blobs, result.Bytes, result.References, result.Orphans, len(result.Problems))
		}
		if len(result.Problems) > 0 {
			return exitCode(1)
		}
		return nil
	})
}

func (p *portal) fsck(ctx context.Context, quick bool) (*fsckResult, error) {
	result := &fsckResult{Problems: []string{}}
	err := result.check(ctx, p.blobs, quick, func(f func(catalog.Blob, string) error) error { return p.store.ReferencedBlobs(ctx, f) })
	if err != nil {
		return nil, err
	}
	err = result.check(ctx, p.exports, quick, func(f func(catalog.Blob, string) error) error {
		return p.store.Exports(ctx, func(e store.Export) error { return f(e.Blob, "export "+e.Key) })
	})
	if err != nil {
		return nil, err
	}
	if err := p.store.CheckEvents(ctx); err != nil {
		result.Problems = append(result.Problems, err.Error())
	}
	slices.Sort(result.Problems)
	return result, nil
}

// check holds a store of blobs to the references into it.
func (r *fsckResult) check(ctx context.Context, blobs blob.Store, quick bool, references func(func(catalog.Blob, string) error) error) error {
	referenced := map[string]bool{}
	err := references(func(b catalog.Blob, what string) error {
		r.References++
		there, err := blobs.Stat(ctx, b.SHA256)
		switch {
		case catalog.KindOf(err) == catalog.NotFound:
			if !referenced[b.SHA256] {
				r.Problems = append(r.Problems, fmt.Sprintf("blob %s of %s is missing", b.SHA256, what))
			}
		case err != nil:
			return err
		case there.Size != b.Size:
			r.Problems = append(r.Problems, fmt.Sprintf("blob %s of %s has %d bytes, not %d", b.SHA256, what, there.Size, b.Size))
		}
		referenced[b.SHA256] = true
		return nil
	})
	if err != nil {
		return err
	}
	return blobs.List(ctx, func(b catalog.Blob) error {
		r.Blobs++
		r.Bytes += b.Size
		if !referenced[b.SHA256] {
			r.Orphans++
		}
		if quick {
			return nil
		}
		if err := blobs.Check(ctx, b.SHA256); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.Problems = append(r.Problems, fmt.Sprintf("blob %s: %v", b.SHA256, err))
		}
		return nil
	})
}

type versionCommand struct{}

func (versionCommand) Run(_ context.Context, _ *Config, env environment, _ *slog.Logger) error {
	fmt.Fprintln(env.Out, "taihu "+version())
	return nil
}

// version is the module version or commit the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return "dev-" + strings.TrimSpace(s.Value[:min(12, len(s.Value))])
		}
	}
	return info.Main.Version
}
