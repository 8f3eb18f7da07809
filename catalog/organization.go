package catalog

import "time"

// Organization publishes datasets. Organizations form a tree; roles are
// inherited downwards.
type Organization struct {
	ID          string    `json:"id"`
	Slug        string    `json:"slug"`
	ParentID    string    `json:"parent_id,omitempty"` // empty at the top
	Name        Text      `json:"name"`
	Description Text      `json:"description"`
	Code        string    `json:"code,omitempty"` // 统一社会信用代码 or a local code
	Region      string    `json:"region,omitempty"`
	Phone       string    `json:"phone,omitempty"`
	Mail        string    `json:"mail,omitempty"`
	RowVersion  int64     `json:"row_version"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
}
