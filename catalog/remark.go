package catalog

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Remark is what a reviewer says about one table or column of a draft that is
// returned.
type Remark struct {
	Table  string `json:"table"`
	Column string `json:"column,omitempty"` // empty: the table as a whole
	Text   string `json:"text" maxLength:"2000"`
}

const (
	maxRemarks = 500
	maxRemark  = 2000 // characters
)

// CheckRemarks trims remarks, leaves out the empty ones, and returns Invalid where
// one is about what the draft does not have.
func (r *Release) CheckRemarks(list []Remark) ([]Remark, error) {
	out := []Remark{}
	for _, m := range list {
		if m.Text = strings.TrimSpace(m.Text); m.Text == "" {
			continue
		}
		if len(out) == maxRemarks || utf8.RuneCountInString(m.Text) > maxRemark {
			return nil, Errorf(Invalid, "invalid_field", "there are at most %d remarks of at most %d characters", maxRemarks, maxRemark).With("field", "remarks").
				InChinese("最多%d条意见，每条最多%d字", maxRemarks, maxRemark)
		}
		t, err := r.Table(m.Table)
		if err != nil {
			return nil, Errorf(Invalid, "unknown_table", "a remark is about the table %q, which the draft lacks", m.Table).With("table", m.Table).InChinese("意见说到的表“%s”不在草稿里", m.Table)
		}
		if m.Column != "" && !slices.Contains(t.Schema.Names(), m.Column) {
			return nil, Errorf(Invalid, "unknown_column", "a remark is about the column %q, which %s lacks", m.Column, m.Table).With("column", m.Column).With("columns", t.Schema.Names()).
				InChinese("意见说到的列“%s”不在表%s里", m.Column, m.Table)
		}
		out = append(out, m)
	}
	return out, nil
}
