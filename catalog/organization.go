package catalog

import (
	"time"
	"unicode/utf8"
)

// Organization publishes datasets. Organizations form a tree; roles are
// inherited downwards.
type Organization struct {
	ID          string `json:"id"`
	Slug        string `json:"slug"`
	ParentID    string `json:"parent_id,omitempty"` // empty at the top
	Name        Text   `json:"name"`
	Description Text   `json:"description"`
	Category    string `json:"category,omitempty"` // 市级机关, 街道 …, in the publishers' own words
	Code        string `json:"code,omitempty"`     // 统一社会信用代码 or a local code
	Region      string `json:"region,omitempty"`
	Phone       string `json:"phone,omitempty"`
	Mail        string `json:"mail,omitempty"`
	// TwoPersons: here and below, who submitted a draft never approves it.
	TwoPersons bool      `json:"two_persons,omitempty"`
	RowVersion int64     `json:"row_version"`
	CreatedAt  time.Time `json:"created_at"`
	UpdatedAt  time.Time `json:"updated_at"`
}

// Bounds of what an organization says of itself, in characters.
const (
	maxOrganizationWords       = 200
	maxOrganizationDescription = 5000
)

// Check returns Invalid naming the first field that is missing or too long.
func (o *Organization) Check() error {
	if err := CheckSlug(o.Slug); err != nil {
		return err
	}
	if o.Name.IsZero() {
		return Errorf(Invalid, "invalid_field", "the name is missing: give it in Chinese, English or both").With("field", "name").
			InChinese("缺少名称：请填中文、英文或两者")
	}
	for _, f := range []struct {
		name, value string
		most        int
	}{
		{"name", o.Name.Zh, maxOrganizationWords}, {"name_en", o.Name.En, maxOrganizationWords}, {"category", o.Category, maxOrganizationWords}, {"code", o.Code, maxOrganizationWords},
		{"region", o.Region, maxOrganizationWords}, {"phone", o.Phone, maxOrganizationWords}, {"mail", o.Mail, maxOrganizationWords},
		{"description", o.Description.Zh, maxOrganizationDescription}, {"description_en", o.Description.En, maxOrganizationDescription},
	} {
		if utf8.RuneCountInString(f.value) > f.most {
			return Errorf(Invalid, "invalid_field", "this is too long: at most %d characters", f.most).With("field", f.name).InChinese("太长：最多%d个字符", f.most)
		}
	}
	return nil
}
