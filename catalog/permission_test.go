package catalog

import (
	"strings"
	"testing"
)

// The whole permission table: one line per action and open attribute of the dataset
// (any: the same for each), one column per actor. What each may do is y, else the
// first letters of the answer: f(orbidden), u(nauthenticated), n(ot found). The
// actors: nobody, a user without roles, steward, reviewer and admin of another
// organization, steward, reviewer and admin of this one, the site admin, and tokens
// of both scopes of this admin and of the site admin. The account is that of "user".
// That a role held above is a role here, and one held below is none, is shown by
// TestRightsInTheTree on the databases, in every state.
const permissions = `
                            nobody user o:steward o:reviewer o:admin steward reviewer admin site admin:read admin:full site:read site:full
read dataset/unconditional  y      y    y         y          y       y       y        y     y    y          y          y         y
read dataset/conditional    y      y    y         y          y       y       y        y     y    y          y          y         y
read dataset/closed         n      n    n         n          n       y       y        y     y    y          y          y         y
read data/unconditional     y      y    y         y          y       y       y        y     y    y          y          y         y
read data/conditional       f      f    f         f          f       y       y        y     y    y          y          y         y
read data/closed            n      n    n         n          n       y       y        y     y    y          y          y         y
read draft/any              u      n    n         n          n       y       y        y     y    y          y          y         y
create dataset/any          u      f    f         f          f       y       y        y     y    f          y          f         y
edit dataset/any            u      f    f         f          f       y       y        y     y    f          y          f         y
edit draft/any              u      f    f         f          f       y       y        y     y    f          y          f         y
review draft/any            u      f    f         f          f       f       y        y     y    f          y          f         y
withdraw release/any        u      f    f         f          f       f       f        y     y    f          y          f         y
send feedback/unconditional y      y    y         y          y       y       y        y     y    f          y          f         y
send feedback/conditional   y      y    y         y          y       y       y        y     y    f          y          f         y
send feedback/closed        n      n    n         n          n       y       y        y     y    f          y          f         y
answer feedback/any         u      f    f         f          f       y       y        y     y    f          y          f         y
read requests/any           u      f    y         y          y       y       y        y     y    f          y          f         y
edit organization/any       u      f    f         f          f       f       f        y     y    f          y          f         y
edit members/any            u      f    f         f          f       f       f        y     y    f          y          f         y
invite members/any          u      f    f         f          f       f       f        y     y    f          f          f         f
edit account/any            u      y    f         f          f       f       f        f     y    f          f          f         f
administer portal/any       u      f    f         f          f       f       f        f     y    f          f          f         y
`

func TestCan(t *testing.T) {
	actor := func(organization string, role Role) Actor {
		a := Actor{User: &User{ID: "u" + string(role)}}
		if role != "" {
			a.Roles = map[string]Role{organization: role}
		}
		return a
	}
	admin, site := actor("own", Admin), Actor{User: &User{ID: "s", SiteAdmin: true}}
	scoped := func(a Actor, s Scope) Actor { a.Scope = s; return a }
	actors := map[string]Actor{
		"nobody": {}, "user": actor("", ""), "o:steward": actor("other", Steward), "o:reviewer": actor("other", Reviewer), "o:admin": actor("other", Admin),
		"steward": actor("own", Steward), "reviewer": actor("own", Reviewer), "admin": admin, "site": site,
		"admin:read": scoped(admin, ReadScope), "admin:full": scoped(admin, FullScope), "site:read": scoped(site, ReadScope), "site:full": scoped(site, FullScope),
	}
	letters := map[Kind]string{"": "y", Forbidden: "f", Unauthenticated: "u", NotFound: "n"}
	lines := strings.Split(strings.TrimSpace(permissions), "\n")
	names := strings.Fields(lines[0])
	if len(names) != len(actors) {
		t.Fatalf("the table has %d actors of %d", len(names), len(actors))
	}
	seen := map[Action][]OpenAttribute{}
	for _, line := range lines[1:] {
		what, rest, _ := strings.Cut(line, "/")
		cells := strings.Fields(rest)
		action, opens := Action(what), []OpenAttribute{OpenAttribute(cells[0])}
		if cells[0] == "any" {
			opens = OpenAttributes
		}
		if len(cells) != len(names)+1 {
			t.Fatalf("%s has %d cells", line, len(cells))
		}
		for _, open := range opens {
			seen[action] = append(seen[action], open)
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
	}
	for _, a := range Actions {
		if len(seen[a]) != len(OpenAttributes) {
			t.Errorf("of %q the table has the datasets that are %v", a, seen[a])
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
