package api

import (
	"reflect"
	"time"

	"taihu/api/handle"
	"taihu/catalog"
	"taihu/indexer"
)

var (
	problemType = reflect.TypeFor[handle.Problem]()
	rowsType    = reflect.TypeFor[RowsAnswer]()
)

// The wire types: what the JSON API answers, apart from the nouns so that either
// can grow without the other. Dates are RFC 3339 in UTC.

// OrganizationRef names a publisher.
type OrganizationRef struct {
	Slug string       `json:"slug" example:"cgj"`
	Name catalog.Text `json:"name"`
}

// NamedCode is a code of a fixed list and its words.
type NamedCode struct {
	Code string       `json:"code"`
	Name catalog.Text `json:"name"`
	URL  string       `json:"url,omitempty"`
}

// Dataset is a dataset with its latest release in short.
type Dataset struct {
	Slug          string                `json:"slug"`
	Title         catalog.Text          `json:"title"`
	Description   catalog.Text          `json:"description" doc:"Markdown"`
	Organization  OrganizationRef       `json:"organization"`
	Themes        []NamedCode           `json:"themes"`
	Keywords      []string              `json:"keywords"`
	Region        string                `json:"region,omitempty"`
	Licence       NamedCode             `json:"licence"`
	OpenAttribute catalog.OpenAttribute `json:"open_attribute" enum:"unconditional,conditional,closed"`
	Conditions    *catalog.Text         `json:"conditions,omitempty"`
	Frequency     catalog.Frequency     `json:"frequency"`
	CatalogueDate time.Time             `json:"catalogue_date" doc:"When these metadata last changed"`
	Spatial       string                `json:"spatial,omitempty"`
	TemporalStart string                `json:"temporal_start,omitempty"`
	TemporalEnd   string                `json:"temporal_end,omitempty"`
	Language      string                `json:"language,omitempty"`
	Contact       catalog.Contact       `json:"contact"`
	SourceNote    *catalog.Text         `json:"source_note,omitempty"`
	Identifiers   []string              `json:"identifiers"`
	SecurityLevel string                `json:"security_level,omitempty"`
	Simulated     bool                  `json:"simulated,omitempty" doc:"Sample data, not real"`
	Latest        *ReleaseRef           `json:"latest" doc:"The newest release that stands; null where there is none"`
	RowVersion    int64                 `json:"row_version" doc:"Send it back as If-Match when changing the dataset"`
	PublishedAt   *time.Time            `json:"published_at,omitempty" doc:"The last publication"`
	NextDue       string                `json:"next_due,omitempty" doc:"The last day on which the next release is in time, by frequency and last publication; missing where nothing is promised"`
	DaysLate      int                   `json:"days_late,omitempty" doc:"By how many days it is late now"`
	DownloadCount *int64                `json:"download_count,omitempty" doc:"How often its tables and files were downloaded, within a minute or so; not in lists"`
	URL           string                `json:"url"`
}

// ReleaseRef names a release.
type ReleaseRef struct {
	Number int    `json:"number"`
	URL    string `json:"url"`
}

// Release is one immutable publication, or a tombstone of one.
type Release struct {
	Number       int           `json:"number"`
	State        catalog.State `json:"state" enum:"published,withdrawn"`
	Version      string        `json:"version,omitempty"`
	Notes        catalog.Text  `json:"notes"`
	DataDate     string        `json:"data_date,omitempty" doc:"Up to when the data speak"`
	PublishedAt  *time.Time    `json:"published_at"`
	Corrects     int           `json:"corrects,omitempty" doc:"Number of an earlier release that this one corrects"`
	CorrectedBy  int           `json:"corrected_by,omitempty" doc:"Number of the newest release that corrects this one"`
	WithdrawnAt  *time.Time    `json:"withdrawn_at,omitempty"`
	WithdrawnWhy string        `json:"withdrawn_why,omitempty"`
	Tables       []Table       `json:"tables"`
	Files        []File        `json:"files"`
	Withheld     int           `json:"withheld_files,omitempty" doc:"How many originals are not published, because something of them was masked or left out"`
	URL          string        `json:"url"`
}

// Table is a table of a release in short.
type Table struct {
	Name          string            `json:"name"`
	Title         catalog.Text      `json:"title"`
	Rows          int64             `json:"rows"`
	Columns       []Column          `json:"columns"`
	Key           []string          `json:"key,omitempty" doc:"Columns that, as declared, tell the rows apart"`
	SourceSHA256  string            `json:"source_sha256,omitempty"`
	TableSHA256   string            `json:"table_sha256,omitempty"`
	ContentSHA256 string            `json:"content_sha256,omitempty"`
	Downloads     map[string]string `json:"downloads,omitempty" doc:"Address by format"`
}

// Column is one column of a table.
type Column struct {
	Name        string         `json:"name"`
	Header      string         `json:"header,omitempty"`
	Latin       string         `json:"latin,omitempty"`
	Type        catalog.Type   `json:"type" enum:"boolean,integer,decimal,number,date,time,datetime,text,json"`
	Precision   int            `json:"precision,omitempty"`
	Scale       int            `json:"scale,omitempty"`
	Zone        string         `json:"zone,omitempty"`
	Label       catalog.Text   `json:"label"`
	Unit        string         `json:"unit,omitempty"`
	Description catalog.Text   `json:"description"`
	Codes       []catalog.Code `json:"codes,omitempty"`
	Rules       catalog.Rules  `json:"rules,omitzero" doc:"What the dataset's contract asks of the values"`
}

// File is a file of a release.
type File struct {
	Name      string           `json:"name"`
	Role      catalog.FileRole `json:"role" enum:"source,attachment"`
	MediaType string           `json:"media_type"`
	Bytes     int64            `json:"bytes"`
	SHA256    string           `json:"sha256"`
	URL       string           `json:"url,omitempty"`
}

// Draft is a release in the making.
type Draft struct {
	ID         string                   `json:"id"`
	Dataset    string                   `json:"dataset"`
	State      catalog.State            `json:"state"`
	Number     int                      `json:"number,omitempty" doc:"Once published"`
	Version    string                   `json:"version,omitempty"`
	Notes      catalog.Text             `json:"notes"`
	DataDate   string                   `json:"data_date,omitempty"`
	Comment    string                   `json:"comment,omitempty" doc:"The reviewer's, where it was returned; the portal's, where it could not be published at its time"`
	Remarks    []catalog.Remark         `json:"remarks,omitempty" doc:"The reviewer's about single tables and columns, where it was returned"`
	Corrects   int                      `json:"corrects,omitempty" doc:"The release that this one corrects"`
	PublishAt  *time.Time               `json:"publish_at,omitempty" doc:"Where it is scheduled"`
	Tables     []Table                  `json:"tables"`
	Files      []DraftFile              `json:"files"`
	Unsettled  []catalog.UnsettledPlace `json:"unsettled" doc:"Findings that have to be settled before it can be submitted"`
	RowVersion int64                    `json:"row_version"`
	URL        string                   `json:"url"`
}

// DraftFile is an uploaded file with what its check found.
type DraftFile struct {
	File
	State    catalog.FileState     `json:"state" enum:"pending,accepted,refused"`
	Withheld bool                  `json:"withheld,omitempty" doc:"Its original is not published: something of it is masked or left out"`
	Options  catalog.IngestOptions `json:"options"`
	Report   *catalog.Report       `json:"report,omitempty"`
}

// DatasetList is a page of a search.
type DatasetList struct {
	Total    int                             `json:"total"`
	Datasets []Dataset                       `json:"datasets"`
	Facets   map[string][]indexer.FacetCount `json:"facets,omitempty" doc:"Counts of each facet under the other filters"`
	Next     string                          `json:"next,omitempty" doc:"The address of the next page"`
	Spelling string                          `json:"spelling,omitempty" doc:"The text as it was found, where nothing has it as it was written"`
	Degraded bool                            `json:"degraded,omitempty" doc:"The search engine is away: titles only, without facets"`
}

// ReleaseList is a dataset's releases.
type ReleaseList struct {
	Releases []Release `json:"releases" doc:"Newest first; withdrawn ones keep their place"`
}

// OrganizationList is all publishers.
type OrganizationList struct {
	Organizations []Organization `json:"organizations" doc:"Parents before those below them"`
}

// TableQuery is a query too long for an address.
type TableQuery struct {
	Where  string `json:"where,omitempty" doc:"Condition; see /docs/grammar"`
	Q      string `json:"q,omitempty"`
	Bbox   string `json:"bbox,omitempty"`
	Near   string `json:"near,omitempty"`
	Group  string `json:"group,omitempty"`
	Select string `json:"select,omitempty"`
	Having string `json:"having,omitempty"`
	Sort   string `json:"sort,omitempty"`
	Limit  int    `json:"limit,omitempty" minimum:"1" maximum:"10000"`
	Cursor string `json:"cursor,omitempty"`
	Count  bool   `json:"count,omitempty"`
}

// Withdrawal says why a release is withdrawn.
type Withdrawal struct {
	Reason string `json:"reason" minLength:"1" maxLength:"2000" doc:"Shown to readers for ever"`
}

// PublishTime is when a draft is to be published.
type PublishTime struct {
	PublishAt time.Time `json:"publish_at" doc:"RFC 3339, to come" example:"2027-01-15T09:00:00+08:00"`
}

// Settling is what a steward decided about findings of a file.
type Settling struct {
	Decisions []FindingDecision `json:"decisions" maxItems:"1000"`
}

// FindingDecision settles one finding.
type FindingDecision struct {
	Code    string `json:"code" doc:"Of the finding" example:"personal_mobile"`
	Table   string `json:"table,omitempty" doc:"As the finding names it"`
	Column  string `json:"column,omitempty"`
	Measure string `json:"measure" enum:"mask,drop,accept,none" doc:"none takes a decision back"`
	Reason  string `json:"reason,omitempty" maxLength:"1000" doc:"Required to accept; kept with the release"`
}

// ReviewComment says what a steward should change.
type ReviewComment struct {
	Comment string           `json:"comment" minLength:"1" maxLength:"4000" doc:"What to change"`
	Remarks []catalog.Remark `json:"remarks,omitempty" doc:"About single tables and columns"`
}
