package catalog

import "slices"

// Action is something an actor may or may not do.
type Action string

// The actions and the least role each needs.
const (
	ReadDataset      Action = "read dataset"      // see that it exists: page, schema
	ReadData         Action = "read data"         // rows, profiles, bytes of published releases
	ReadDraft        Action = "read draft"        // drafts of the dataset, reports, bytes
	CreateDataset    Action = "create dataset"    // in the organization
	EditDataset      Action = "edit dataset"      //
	EditDraft        Action = "edit draft"        // upload, change options, submit, take back, abandon
	ReviewDraft      Action = "review draft"      // approve, return, publish
	WithdrawRelease  Action = "withdraw release"  // and restore
	SendFeedback     Action = "send feedback"     // whoever sees the dataset, also without an account
	AnswerFeedback   Action = "answer feedback"   // and see its sender's words and contact
	ReadRequests     Action = "read requests"     // what readers ask for and search in vain, and close it: stewards of any organization
	EditOrganization Action = "edit organization" //
	EditMembers      Action = "edit members"      //
	InviteMembers    Action = "invite members"    // by a link that makes an account
	EditAccount      Action = "edit account"      // password and tokens: one's own
	AdministerPortal Action = "administer portal" // users, top-level organizations, settings
)

// Actions lists every action.
var Actions = []Action{ReadDataset, ReadData, ReadDraft, CreateDataset, EditDataset, EditDraft, ReviewDraft, WithdrawRelease, SendFeedback, AnswerFeedback, ReadRequests, EditOrganization, EditMembers, InviteMembers, EditAccount, AdministerPortal}

var leastRole = map[Action]Role{
	ReadDraft: Steward, CreateDataset: Steward, EditDataset: Steward, EditDraft: Steward, AnswerFeedback: Steward,
	ReviewDraft: Reviewer, WithdrawRelease: Admin, EditOrganization: Admin, EditMembers: Admin, InviteMembers: Admin,
}

// Object is what the action is done to. OrganizationID is that of the dataset
// or draft, or the organization itself.
type Object struct {
	OrganizationID string
	OpenAttribute  OpenAttribute // of the dataset, for ReadDataset and ReadData
	UserID         string        // of the account, for EditAccount
}

// ObjectOf makes the Object of a dataset.
func ObjectOf(d *Dataset) Object {
	return Object{OrganizationID: d.OrganizationID, OpenAttribute: d.OpenAttribute}
}

// Can returns nil where the actor may do it, else Unauthenticated, Forbidden or,
// where even the existence is secret, NotFound. It is the only place that decides.
func Can(a Actor, action Action, o Object) error {
	if err := inScope(a.Scope, action); err != nil {
		return err
	}
	if a.IsSiteAdmin() || action == EditAccount && o.UserID != "" && o.UserID == a.ID() {
		return nil
	}
	role, member := a.Roles[o.OrganizationID]
	switch action {
	case ReadDataset, SendFeedback:
		if o.OpenAttribute != Closed || member {
			return nil
		}
		return hidden()
	case ReadData:
		switch {
		case member, o.OpenAttribute == Unconditional:
			return nil
		case o.OpenAttribute == Closed:
			return hidden()
		}
		return Errorf(Forbidden, "conditional_data", "this dataset is open on conditions: its page says how to apply").
			InChinese("这是有条件开放的数据集：申请办法见数据集页面")
	case ReadRequests: // they belong to no organization, and no role is less than a steward's
		if len(a.Roles) > 0 {
			return nil
		}
	}
	least, known := leastRole[action]
	if known && member && slices.Index(Roles, role) >= slices.Index(Roles, least) {
		return nil
	}
	if a.Anonymous() {
		return Errorf(Unauthenticated, "sign_in_required", "sign in or send a token to %s", action).InChinese("请先登录")
	}
	if action == ReadDraft {
		return hidden()
	}
	e := Errorf(Forbidden, "not_allowed", "you may not %s here", action).InChinese("你没有这项权限")
	if known {
		e = e.With("role_needed", string(least))
	}
	return e
}

// inScope refuses a token what its scope does not cover, whatever its user may
// do. No token makes tokens or sets passwords, nor links by which accounts are
// made: what leaked could not be revoked.
func inScope(s Scope, action Action) error {
	reads := action == ReadDataset || action == ReadData || action == ReadDraft
	switch {
	case s == "" || reads:
		return nil
	case s == ReadScope:
		return Errorf(Forbidden, "read_only_key", "this key only reads: to %s, use one of scope full", action).
			InChinese("这个密钥只能读取：请改用全部权限的密钥").With("scope", string(s))
	case action == EditAccount:
		return Errorf(Forbidden, "session_needed", "keys and passwords are not changed with a key: sign in to do so").
			InChinese("密钥不能用来管理密钥和密码：请登录后操作")
	case action == InviteMembers:
		return Errorf(Forbidden, "session_needed", "nobody is invited with a key: sign in to do so").
			InChinese("密钥不能用来邀请成员：请登录后操作")
	}
	return nil
}

// hidden is what an unknown name answers, so that a secret one cannot be told
// from it.
func hidden() error {
	return Errorf(NotFound, "not_found", "there is nothing at this address").InChinese("这个地址没有内容")
}
