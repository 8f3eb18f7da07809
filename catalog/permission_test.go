package catalog

import (
	"strings"
	"testing"
)

// The whole permission table: one line per action, one column per actor. What
// each may do is y, else the first letters of the answer: f(orbidden),
// u(nauthenticated), n(ot found). The actors: nobody, a user without roles, an
// admin of another organization, steward, reviewer, admin, site admin, and the last
// one's tokens of both scopes. The account is that of "user".
const permissions = `
                              nobody user other steward reviewer admin site site:read site:full
read dataset/unconditional    y      y    y     y       y        y     y    y         y
read dataset/conditional      y      y    y     y       y        y     y    y         y
read dataset/closed           n      n    n     y       y        y     y    y         y
read data/unconditional       y      y    y     y       y        y     y    y         y
read data/conditional         f      f    f     y       y        y     y    y         y
read data/closed              n      n    n     y       y        y     y    y         y
read draft/unconditional      u      n    n     y       y        y     y    y         y
create dataset/unconditional  u      f    f     y       y        y     y    f         y
edit dataset/unconditional    u      f    f     y       y        y     y    f         y
edit draft/unconditional      u      f    f     y       y        y     y    f         y
review draft/unconditional    u      f    f     f       y        y     y    f         y
withdraw release/closed       u      f    f     f       f        y     y    f         y
edit organization/closed      u      f    f     f       f        y     y    f         y
edit members/closed           u      f    f     f       f        y     y    f         y
invite members/closed         u      f    f     f       f        y     y    f         f
edit account/closed           u      y    f     f       f        f     y    f         f
administer portal/closed      u      f    f     f       f        f     y    f         y
`

func TestCan(t *testing.T) {
	actor := func(organization string, role Role) Actor {
		a := Actor{User: &User{ID: "u" + string(role)}}
		if role != "" {
			a.Roles = map[string]Role{organization: role}
		}
		return a
	}
	actors := map[string]Actor{
		"nobody": {}, "user": actor("", ""), "other": actor("other", Admin), "steward": actor("own", Steward),
		"reviewer": actor("own", Reviewer), "admin": actor("own", Admin), "site": {User: &User{ID: "s", SiteAdmin: true}},
		"site:read": {User: &User{ID: "s", SiteAdmin: true}, Scope: ReadScope}, "site:full": {User: &User{ID: "s", SiteAdmin: true}, Scope: FullScope},
	}
	letters := map[Kind]string{"": "y", Forbidden: "f", Unauthenticated: "u", NotFound: "n"}
	lines := strings.Split(strings.TrimSpace(permissions), "\n")
	names := strings.Fields(lines[0])
	seen := map[Action]bool{}
	for _, line := range lines[1:] {
		what, rest, _ := strings.Cut(line, "/")
		cells := strings.Fields(rest)
		action, open := Action(what), OpenAttribute(cells[0])
		seen[action] = true
		for i, want := range cells[1:] {
			err := Can(actors[names[i]], action, Object{OrganizationID: "own", OpenAttribute: open, UserID: "u"})
			if got := letters[KindOf(err)]; got != want {
				t.Errorf("%s may %s (%s): got %s (%v), want %s", names[i], action, open, got, err, want)
			}
		}
		if err := Can(SystemActor, action, Object{OrganizationID: "own", OpenAttribute: open}); err != nil {
			t.Errorf("the portal itself may not %s: %v", action, err)
		}
	}
	for _, a := range Actions {
		if !seen[a] {
			t.Errorf("the table has no line for %q", a)
		}
	}
}

// What is hidden must read as what does not exist.
func TestHiddenThingsDoNotTellThatTheyExist(t *testing.T) {
	closed := Can(Actor{}, ReadDataset, Object{OrganizationID: "own", OpenAttribute: Closed})
	draft := Can(Actor{User: &User{ID: "u"}}, ReadDraft, Object{OrganizationID: "own"})
	if closed.Error() != draft.Error() || CodeOf(closed) != CodeOf(draft) {
		t.Errorf("%v and %v differ", closed, draft)
	}
}
