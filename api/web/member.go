package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/store"
)

// membersPage is who has which role in an organization, and who is invited.
type membersPage struct {
	frame
	Organization *catalog.Organization
	Crumbs       []link
	Members      []memberRow
	Inherited    []memberRow
	Invitations  []invitationRow
	Roles        []choice // of the form to add a member
	InviteRoles  []choice
	Days         []choice
	Edit         bool
	Form         form   // to add a member
	Invite       form   // to invite
	Link         string // the invitation just made; on this answer alone
	LinkRole     catalog.Text
	LinkUntil    string
}

type memberRow struct {
	Login, Name string
	Role        catalog.Text
	Roles       []choice
	From        catalog.Text // organization of an inherited role
	Href        string
}

type invitationRow struct {
	ID, Note string
	Role     catalog.Text
	Made     string
	Until    string
	By       string
	State    catalog.Text
	Badge    string
	Open     bool
}

// invitationDays are the lives an invitation can be given.
var invitationDays = []int{1, 7, 30}

func roleChoices(lang, chosen string) []choice {
	var out []choice
	for _, r := range catalog.Roles {
		words := map[catalog.Role]string{
			catalog.Steward:  phrase(lang, "数据员：建数据集、上传、提交", "steward: makes datasets, uploads, submits"),
			catalog.Reviewer: phrase(lang, "审核员：还能批准、退回、发布", "reviewer: also approves, returns, publishes"),
			catalog.Admin:    phrase(lang, "管理员：还能撤回、管机构与成员", "administrator: also withdraws, looks after organization and members"),
		}[r]
		out = append(out, choice{string(r), words, string(r) == chosen})
	}
	return out
}

// members shows the page. What is typed wrong is in two forms: add and invite.
func (s *Site) showMembers(c *gin.Context, status int, actor catalog.Actor, o *catalog.Organization, add, invite form, made *madeInvitation) error {
	ctx, lang := c.Request.Context(), language(c)
	v := &membersPage{frame: s.frame(c, "organizations", phrase(lang, "成员：%s", "Members of %s", o.Name.In(lang))), Organization: o, Form: add, Invite: invite}
	v.NoIndex = true
	v.Path = "/steward/organizations/" + o.Slug + "/members" // where a refused form is shown too
	v.Crumbs = []link{{Words: phrase(lang, "机构", "Publishers"), Href: href(lang, "/organizations")}, {Words: o.Name.In(lang), Href: href(lang, "/organizations/"+o.Slug)}, {Words: phrase(lang, "成员", "Members")}}
	v.Edit = catalog.Can(actor, catalog.EditMembers, catalog.Object{OrganizationID: o.ID}) == nil
	list, err := s.Store.Memberships(ctx, actor, o.Slug)
	if err != nil {
		return err
	}
	for _, m := range list {
		v.Members = append(v.Members, memberRow{Login: m.Login, Name: m.Name, Role: m.Role.Words(), Roles: roleChoices(lang, string(m.Role))})
	}
	above, err := s.Store.InheritedMemberships(ctx, actor, o.Slug)
	if err != nil {
		return err
	}
	for _, m := range above {
		v.Inherited = append(v.Inherited, memberRow{Login: m.Login, Name: m.Name, Role: m.Role.Words(), From: m.Organization, Href: href(lang, "/organizations/"+m.Slug)})
	}
	if v.Edit {
		if err := s.fillInvitations(c, actor, v); err != nil {
			return err
		}
	}
	v.Roles, v.InviteRoles = roleChoices(lang, add.Get("role")), roleChoices(lang, invite.Get("role"))
	for _, n := range invitationDays {
		v.Days = append(v.Days, choice{strconv.Itoa(n), phrase(lang, "%d天", plural(n, "%d day", "%d days"), n), invite.Get("days") == strconv.Itoa(n)})
	}
	if made != nil {
		v.Link, v.LinkRole, v.LinkUntil, v.NoStore = made.link, made.invitation.Role.Words(), minute(made.invitation.ExpiresAt), true
	}
	return s.render(c, status, "members", v)
}

func (s *Site) fillInvitations(c *gin.Context, actor catalog.Actor, v *membersPage) error {
	ctx := c.Request.Context()
	list, err := s.Store.Invitations(ctx, actor, v.Organization.Slug)
	if err != nil {
		return err
	}
	ids := map[string]bool{}
	for _, i := range list {
		ids[i.CreatedBy], ids[i.UsedBy] = true, true
	}
	var all []string
	for id := range ids {
		all = append(all, id)
	}
	names, err := s.Store.UserNames(ctx, all...)
	if err != nil {
		return err
	}
	now := s.Clock()
	for _, i := range list {
		r := invitationRow{ID: i.ID, Note: i.Note, Role: i.Role.Words(), Made: minute(i.CreatedAt), Until: minute(i.ExpiresAt), By: names[i.CreatedBy], Open: i.Open(now), State: catalog.Text{Zh: "等待接受", En: "open"}, Badge: "lake"}
		switch {
		case i.UsedAt != nil:
			r.State, r.Badge = catalog.Text{Zh: "已接受：" + names[i.UsedBy], En: "accepted by " + names[i.UsedBy]}, "ok"
		case i.RevokedAt != nil:
			r.State, r.Badge = catalog.Text{Zh: "已收回", En: "taken back"}, "bad"
		case !r.Open:
			r.State, r.Badge = catalog.Text{Zh: "已过期", En: "expired"}, ""
		}
		v.Invitations = append(v.Invitations, r)
	}
	return nil
}

func newMemberForm() form { return newForm(url.Values{"role": {string(catalog.Steward)}}) }

func newInviteForm() form {
	return newForm(url.Values{"role": {string(catalog.Steward)}, "days": {"7"}})
}

func (s *Site) members(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	o, err := s.Store.Organization(c.Request.Context(), c.Param("slug"))
	if err != nil {
		return err
	}
	return s.showMembers(c, http.StatusOK, actor, o, newMemberForm(), newInviteForm(), nil)
}

// setMember gives a role to a person who has an account, or another one.
func (s *Site) setMember(c *gin.Context) error {
	actor, o, err := s.ownOrganization(c, catalog.EditMembers)
	if err != nil {
		return err
	}
	f, err := postedForm(c)
	if err != nil {
		return err
	}
	err = s.Store.SetMembership(c.Request.Context(), actor, strings.ToLower(strings.TrimSpace(f.Get("login"))), o.Slug, catalog.Role(f.Get("role")))
	if err == nil {
		return seeOther(c, "/steward/organizations/"+o.Slug+"/members?done=member-set")
	}
	if catalog.CodeOf(err) == "unknown_user" {
		f.refuse("login", sentence(language(c), err))
	} else if !refuseField(&f, language(c), err) {
		return err
	}
	return s.showMembers(c, http.StatusUnprocessableEntity, actor, o, f, newInviteForm(), nil)
}

func (s *Site) removeMember(c *gin.Context) error {
	actor, o, err := s.ownOrganization(c, catalog.EditMembers)
	if err != nil {
		return err
	}
	login := c.PostForm("login")
	if err := s.Store.RemoveMembership(c.Request.Context(), actor, login, o.Slug); err != nil {
		return err
	}
	if login == actor.User.Login && !actor.IsSiteAdmin() { // the page may be closed to him now
		return seeOther(c, "/organizations/"+o.Slug+"?done=member-removed")
	}
	return seeOther(c, "/steward/organizations/"+o.Slug+"/members?done=member-removed")
}

// madeInvitation is an invitation with its link, which is shown once.
type madeInvitation struct {
	link       string
	invitation *catalog.Invitation
}

// invite answers with the page that shows the link: the portal sends no mail, and
// keeps only the hash of what is in it.
func (s *Site) invite(c *gin.Context) error {
	actor, o, err := s.ownOrganization(c, catalog.EditMembers)
	if err != nil {
		return err
	}
	f, err := postedForm(c)
	if err != nil {
		return err
	}
	days, err := strconv.Atoi(f.Get("days"))
	if err != nil || !slices.Contains(invitationDays, days) {
		days = 0 // refused below
	}
	secret, i, err := s.Store.Invite(c.Request.Context(), actor, o.Slug, store.NewInvitation{Role: catalog.Role(f.Get("role")), Note: f.Get("note"), Life: time.Duration(days) * 24 * time.Hour})
	if err != nil {
		if !refuseField(&f, language(c), err) {
			return err
		}
		return s.showMembers(c, http.StatusUnprocessableEntity, actor, o, newMemberForm(), f, nil)
	}
	return s.showMembers(c, http.StatusOK, actor, o, newMemberForm(), newInviteForm(), &madeInvitation{s.absolute(href(language(c), InvitationPath(secret))), i})
}

func (s *Site) revokeInvitation(c *gin.Context) error {
	actor, o, err := s.ownOrganization(c, catalog.EditMembers)
	if err != nil {
		return err
	}
	if err := s.Store.RevokeInvitation(c.Request.Context(), actor, o.Slug, c.Param("id")); err != nil {
		return err
	}
	return seeOther(c, "/steward/organizations/"+o.Slug+"/members?done=invitation-revoked")
}

// refuseField notes an error that is about a field of the form; false: it is about
// none, and goes to the error page.
func refuseField(f *form, lang string, err error) bool {
	var e *catalog.Error
	if !errors.As(err, &e) || e.Kind != catalog.Invalid && e.Kind != catalog.Conflict {
		return false
	}
	field, _ := e.Fields["field"].(string)
	if e.Code == "login_taken" {
		field = "login"
	}
	if field == "" {
		f.General = sentence(lang, err)
	} else {
		f.refuse(field, sentence(lang, err))
	}
	return true
}

// invitationPage is what a link opens: who invites, into what, and the way in.
type invitationPage struct {
	frame
	Key        string
	Invitation *store.OpenInvitation
	Role       catalog.Text
	RoleDoes   string
	Until      string
	Form       form
	SignIn     string // where who has an account signs in
	// OpenID is the name of the provider by which one can sign in too; "": none.
	OpenID, OpenIDHref string
}

// InvitationPath is where an invitation is opened. The secret is in the query,
// which no log of ours holds, and the page sends it on to nobody.
func InvitationPath(secret string) string {
	return withQuery("/invitation", url.Values{"key": {secret}})
}

func (s *Site) invitation(c *gin.Context) error {
	return s.showInvitation(c, http.StatusOK, c.Query("key"), newForm(nil))
}

func (s *Site) showInvitation(c *gin.Context, status int, key string, f form) error {
	lang := language(c)
	i, err := s.Store.Invitation(c.Request.Context(), key)
	if err != nil {
		return err
	}
	v := &invitationPage{frame: s.frame(c, "", phrase(lang, "邀请你加入%s", "Invitation to %s", i.Organization.Name.In(lang))), Key: key, Invitation: i, Role: i.Role.Words(), Until: minute(i.ExpiresAt), Form: f}
	v.NoIndex, v.NoStore = true, true
	v.Path = InvitationPath(key)
	for _, r := range roleChoices(lang, string(i.Role)) {
		if r.Chosen {
			v.RoleDoes = r.Words
		}
	}
	v.SignIn = href(lang, withQuery("/sign-in", url.Values{"back": {href(lang, v.Path)}}))
	if s.OpenID != nil {
		v.OpenID, v.OpenIDHref = s.OpenIDName, href(lang, withQuery("/sign-in/openid", url.Values{"back": {href(lang, v.Path)}}))
	}
	c.Header("Referrer-Policy", "no-referrer")
	return s.render(c, status, "invitation", v)
}

// accept takes an invitation: as who is signed in, or by making an account.
func (s *Site) accept(c *gin.Context) error {
	if err := c.Request.ParseForm(); err != nil {
		return badForm(err)
	}
	typed := c.Request.PostForm
	key, lang, ctx := typed.Get("key"), language(c), c.Request.Context()
	actor := handle.Actor(c)
	if actor.User != nil {
		if err := s.Store.AcceptInvitation(ctx, actor, key); err != nil {
			f := newForm(nil)
			if !refuseField(&f, lang, err) {
				return err
			}
			return s.showInvitation(c, http.StatusConflict, key, f)
		}
		return seeOther(c, "/steward?done=joined")
	}
	f := newForm(url.Values{"login": {typed.Get("login")}, "name": {typed.Get("name")}}) // passwords are not shown again
	if typed.Get("password") != typed.Get("again") {
		f.refuse("again", phrase(lang, "两次输入的密码不一样。", "The two passwords differ."))
		return s.showInvitation(c, http.StatusUnprocessableEntity, key, f)
	}
	login := strings.ToLower(strings.TrimSpace(typed.Get("login")))
	if _, err := s.Store.Join(ctx, key, store.NewUser{Login: login, Name: typed.Get("name"), Password: typed.Get("password")}); err != nil {
		if !refuseField(&f, lang, err) {
			return err
		}
		return s.showInvitation(c, http.StatusUnprocessableEntity, key, f)
	}
	secret, _, err := s.Store.SignIn(ctx, login, typed.Get("password"))
	if err != nil {
		return err
	}
	s.keepSession(c, secret)
	return seeOther(c, "/steward?done=joined")
}
