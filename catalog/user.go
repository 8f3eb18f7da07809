package catalog

import (
	"crypto/rand"
	"time"
)

// Role is what a member may do in an organization and those below it.
type Role string

// The roles, each including the ones before it.
const (
	Steward  Role = "steward"  // makes datasets and drafts, submits
	Reviewer Role = "reviewer" // approves and returns
	Admin    Role = "admin"    // and withdraws, edits the organization and its members
)

// Roles lists the roles from least to most.
var Roles = []Role{Steward, Reviewer, Admin}

// Words are a role in words.
func (r Role) Words() Text {
	switch r {
	case Steward:
		return Text{Zh: "数据员", En: "steward"}
	case Reviewer:
		return Text{Zh: "审核员", En: "reviewer"}
	case Admin:
		return Text{Zh: "管理员", En: "administrator"}
	}
	return Text{}
}

// User is a person with an account.
type User struct {
	ID           string    `json:"id"`
	Login        string    `json:"login"`
	Name         string    `json:"name"`
	PasswordHash string    `json:"-"` // argon2id
	SiteAdmin    bool      `json:"site_admin"`
	Disabled     bool      `json:"disabled,omitempty"`
	RowVersion   int64     `json:"row_version"`
	CreatedAt    time.Time `json:"created_at"`
}

// Membership gives a user a role in an organization.
type Membership struct {
	UserID         string    `json:"user_id"`
	OrganizationID string    `json:"organization_id"`
	Role           Role      `json:"role"`
	CreatedAt      time.Time `json:"created_at"`
}

// Scope is how far a token's user lets it act for him.
type Scope string

// The scopes.
const (
	ReadScope Scope = "read" // reads what its user may read, and changes nothing
	FullScope Scope = "full" // does what its user may do, but for his account
)

// Scopes lists the scopes from least to most.
var Scopes = []Scope{ReadScope, FullScope}

// Words are a scope in words.
func (s Scope) Words() Text {
	switch s {
	case ReadScope:
		return Text{Zh: "只读", En: "read"}
	case FullScope:
		return Text{Zh: "全部权限", En: "full"}
	}
	return Text{}
}

// Token lets a program act for its user. Only the hash of the secret is kept.
type Token struct {
	ID         string     `json:"id"`
	UserID     string     `json:"user_id"`
	Name       string     `json:"name"`
	Scope      Scope      `json:"scope"`
	Hash       string     `json:"-"` // sha256 of the secret, hex
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty"`
	RevokedAt  *time.Time `json:"revoked_at,omitempty"`
}

// Invitation lets whoever holds its secret take a role in an organization, once.
// Only the hash of the secret is kept.
type Invitation struct {
	ID             string     `json:"id"`
	OrganizationID string     `json:"organization_id"`
	Role           Role       `json:"role"`
	Note           string     `json:"note"` // for whom
	Hash           string     `json:"-"`
	CreatedBy      string     `json:"created_by"`
	CreatedAt      time.Time  `json:"created_at"`
	ExpiresAt      time.Time  `json:"expires_at"`
	UsedBy         string     `json:"used_by,omitempty"`
	UsedAt         *time.Time `json:"used_at,omitempty"`
	RevokedAt      *time.Time `json:"revoked_at,omitempty"`
}

// Open reports whether the invitation can still be accepted.
func (i *Invitation) Open(now time.Time) bool {
	return i.UsedAt == nil && i.RevokedAt == nil && i.ExpiresAt.After(now)
}

// Identity is whom an OpenID provider says somebody is. Issuer and Subject alone
// tell people apart; the rest are words about him that may change.
type Identity struct {
	Issuer       string
	Subject      string
	Login        string // the name he has there
	Name         string
	Mail         string
	MailVerified bool
}

// Session is one signed-in browser. Only the hash of its id is kept.
type Session struct {
	Hash      string
	UserID    string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// Actor is who asks. The zero Actor is anonymous. The store loads it with every
// organization in which a membership gives a role, inheritance applied.
type Actor struct {
	User *User
	// Roles maps organization ids to the highest role held there, inherited
	// roles included.
	Roles map[string]Role
	// Scope is that of the token by which the actor is known; "": not by a token.
	Scope Scope
	// System marks the portal itself: jobs, demo, commands on the server's machine.
	System bool
}

// SystemActor is the portal itself.
var SystemActor = Actor{System: true}

// ID returns what events record as the doer: the user's id, "system" or "".
func (a Actor) ID() string {
	switch {
	case a.User != nil:
		return a.User.ID
	case a.System:
		return "system"
	}
	return ""
}

// Anonymous reports whether nobody is signed in.
func (a Actor) Anonymous() bool { return a.User == nil && !a.System }

// IsSiteAdmin reports whether the actor may do everything.
func (a Actor) IsSiteAdmin() bool { return a.System || a.User != nil && a.User.SiteAdmin }

// NewPassword returns a fresh random password of 100 bits, easy to read aloud:
// five groups of four without look-alikes.
func NewPassword() string {
	const letters = "abcdefghijkmnpqrstuvwxyz23456789" // 32 of them
	b := make([]byte, 20)
	_, _ = rand.Read(b)
	var s []byte
	for i, c := range b {
		if i > 0 && i%4 == 0 {
			s = append(s, '-')
		}
		s = append(s, letters[c&31])
	}
	return string(s)
}
