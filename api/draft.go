package api

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/upload"
)

// DraftPath names a draft. It is exported because huma reads embedded parameters
// of exported types only.
type DraftPath struct {
	ID string `path:"id" format:"uuid" doc:"The draft"`
}

type draftOutput struct {
	Status   int
	Location string `header:"Location"`
	ETag     string `header:"ETag"`
	Body     Draft
}

func (a *API) draftAnswer(ctx context.Context, actor catalog.Actor, status int, r *catalog.Release) (*draftOutput, error) {
	d, err := a.Store.DatasetByID(ctx, actor, r.DatasetID)
	if err != nil {
		return nil, err
	}
	out := &draftOutput{Status: status, ETag: rowVersionTag(r.RowVersion), Body: a.wireDraft(d.Slug, r)}
	if status == http.StatusCreated {
		out.Location = a.BaseURL + "/api/v1/drafts/" + r.ID
	}
	return out, nil
}

// DraftEdit is what a steward states about a draft.
type DraftEdit struct {
	Version  string       `json:"version,omitempty" maxLength:"60"`
	Notes    catalog.Text `json:"notes,omitempty" doc:"What changed"`
	DataDate string       `json:"data_date,omitempty" doc:"Up to when the data speak: ISO date, month or year"`
	Corrects int          `json:"corrects,omitempty" minimum:"0" doc:"Number of the release that this one corrects"`
	Like     bool         `json:"like_latest,omitempty" doc:"Begin like the latest release: its notes, where none are given, and its files' way of being read. The draft holds no data all the same"`
}

// TableEdit is what a steward states about a table.
type TableEdit struct {
	Title  *catalog.Text        `json:"title,omitempty"`
	Key    *[]string            `json:"key,omitempty" doc:"Columns that tell the rows apart, by which releases are compared; [] declares none"`
	Fields map[string]FieldEdit `json:"fields,omitempty" doc:"By column name"`
}

// FieldEdit is what a steward states about a column.
type FieldEdit struct {
	Label       catalog.Text   `json:"label,omitempty"`
	Unit        string         `json:"unit,omitempty"`
	Description catalog.Text   `json:"description,omitempty"`
	Codes       []catalog.Code `json:"codes,omitempty"`
	Latin       string         `json:"latin,omitempty"`
	Rules       *catalog.Rules `json:"rules,omitempty" doc:"What the dataset's contract asks of its values; without it unchanged"`
}

func (e DraftEdit) edit() store.DraftEdit {
	return store.DraftEdit{Version: e.Version, Notes: e.Notes, DataDate: e.DataDate, Corrects: e.Corrects, Like: e.Like}
}

func (a *API) draftRoutes() {
	register(a, huma.Operation{OperationID: "get-contract", Method: http.MethodGet, Path: "/api/v1/datasets/{slug}/contract", Tags: []string{"stewards"},
		Summary: "A dataset's contract", Description: "What the newest release promises of its tables (columns, types, key, rules) and how its files were read. The next release is checked against it; taihu check --contract does so anywhere.", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			Slug string `path:"slug" doc:"The dataset" example:"parking-spaces"`
		}) (*struct{ Body *catalog.Contract }, error) {
			c, err := a.Store.DatasetContract(ctx, actor, in.Slug)
			return &struct{ Body *catalog.Contract }{c}, err
		})

	register(a, huma.Operation{OperationID: "create-draft", Method: http.MethodPost, Path: "/api/v1/datasets/{slug}/releases", Tags: []string{"stewards"},
		DefaultStatus: http.StatusCreated, Summary: "Begin a release", Description: "The draft starts empty: it holds exactly what is given to it.", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			Slug string    `path:"slug" doc:"The dataset" example:"parking-spaces"`
			Body DraftEdit `required:"false"`
		}) (*draftOutput, error) {
			r, err := a.Store.CreateDraft(ctx, actor, in.Slug, in.Body.edit())
			if err != nil {
				return nil, err
			}
			return a.draftAnswer(ctx, actor, http.StatusCreated, r)
		})

	register(a, huma.Operation{OperationID: "get-draft", Method: http.MethodGet, Path: "/api/v1/drafts/{id}", Tags: []string{"stewards"},
		Summary: "A draft with its files, reports and tables", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *DraftPath) (*draftOutput, error) {
			r, err := a.Store.Draft(ctx, actor, in.ID)
			if err != nil {
				return nil, err
			}
			return a.draftAnswer(ctx, actor, http.StatusOK, r)
		})

	register(a, huma.Operation{OperationID: "put-file", Method: http.MethodPut, Path: "/api/v1/drafts/{id}/files/{name}", Tags: []string{"stewards"},
		DefaultStatus: http.StatusAccepted, Summary: "Upload a file into a draft",
		Description: "The body is the file. A file of the same name is replaced. It is checked in the background: poll the draft.",
		Security:    bearer, MaxBodyBytes: -1, BodyReadTimeout: -1,
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}},
		a.putFile)

	register(a, huma.Operation{OperationID: "remove-file", Method: http.MethodDelete, Path: "/api/v1/drafts/{id}/files/{name}", Tags: []string{"stewards"}, Summary: "Take a file out of a draft", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			DraftPath
			Name string `path:"name" doc:"The file" example:"readings.csv"`
		}) (*draftOutput, error) {
			if err := a.Store.RemoveFile(ctx, actor, in.ID, in.Name); err != nil {
				return nil, err
			}
			return a.draftNow(ctx, actor, in.ID)
		})

	register(a, huma.Operation{OperationID: "set-file-options", Method: http.MethodPut, Path: "/api/v1/drafts/{id}/files/{name}/options", Tags: []string{"stewards"},
		Summary: "State how a file is read", Description: "Sheet, header row, delimiter, encoding, types. Decisions about findings stay where settled is not given. The file is checked again without a new upload.", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			DraftPath
			Name string `path:"name" doc:"The file" example:"readings.csv"`
			Body catalog.IngestOptions
		}) (*draftOutput, error) {
			if _, err := a.Store.SetFileOptions(ctx, actor, in.ID, in.Name, in.Body); err != nil {
				return nil, err
			}
			return a.draftNow(ctx, actor, in.ID)
		})

	register(a, huma.Operation{OperationID: "settle-findings", Method: http.MethodPost, Path: "/api/v1/drafts/{id}/files/{name}/settle", Tags: []string{"stewards"},
		Summary: "Decide about findings of a file", Description: "Mask, drop, or accept with a reason. What masks or drops has the file read again without a new upload, and keeps its original from being published.", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			DraftPath
			Name string `path:"name" doc:"The file" example:"readings.csv"`
			Body Settling
		}) (*draftOutput, error) {
			decisions := make([]catalog.Settlement, len(in.Body.Decisions))
			for i, d := range in.Body.Decisions {
				decisions[i] = catalog.Settlement{Code: d.Code, Table: d.Table, Column: d.Column, Measure: catalog.Measure(d.Measure), Reason: d.Reason}
				if d.Measure == "none" {
					decisions[i].Measure = ""
				}
			}
			if _, err := a.Store.SettleFindings(ctx, actor, in.ID, in.Name, decisions); err != nil {
				return nil, err
			}
			return a.draftNow(ctx, actor, in.ID)
		})

	register(a, huma.Operation{OperationID: "keep-tables", Method: http.MethodPost, Path: "/api/v1/drafts/{id}/keep", Tags: []string{"stewards"},
		Summary: "Keep every table of the latest release that the draft lacks", Description: "So that a release can replace one of ten tables and keep nine.", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct{ DraftPath }) (*draftOutput, error) {
			if _, err := a.Store.KeepTables(ctx, actor, in.ID); err != nil {
				return nil, err
			}
			return a.draftNow(ctx, actor, in.ID)
		})

	register(a, huma.Operation{OperationID: "keep-table", Method: http.MethodPost, Path: "/api/v1/drafts/{id}/keep/{table}", Tags: []string{"stewards"},
		Summary: "Keep a table of the latest release", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			DraftPath
			Table string `path:"table" doc:"The table" example:"readings"`
		}) (*draftOutput, error) {
			if err := a.Store.KeepTable(ctx, actor, in.ID, in.Table); err != nil {
				return nil, err
			}
			return a.draftNow(ctx, actor, in.ID)
		})

	register(a, huma.Operation{OperationID: "describe-table", Method: http.MethodPut, Path: "/api/v1/drafts/{id}/tables/{table}", Tags: []string{"stewards"},
		Summary: "Describe a table of a draft", Description: "Title, key and, by column name, label, unit, description, codes, Latin name and rules. Columns not named stay as they are. Where the key or a rule changes, the file is checked again without a new upload.", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			DraftPath
			Table   string `path:"table" doc:"The table" example:"readings"`
			IfMatch string `header:"If-Match" doc:"ETag of the draft as read; without it any"`
			Body    TableEdit
		}) (*draftOutput, error) {
			version, err := parseIfMatch(in.IfMatch, 0)
			if err != nil {
				return nil, err
			}
			words := store.TableWords{RowVersion: version, Title: in.Body.Title, Key: in.Body.Key, Fields: map[string]store.FieldWords{}}
			for name, f := range in.Body.Fields {
				words.Fields[name] = store.FieldWords{Label: f.Label, Unit: f.Unit, Description: f.Description, Codes: f.Codes, Latin: f.Latin, Rules: f.Rules}
			}
			if err := a.Store.DescribeTable(ctx, actor, in.ID, in.Table, words); err != nil {
				return nil, err
			}
			return a.draftNow(ctx, actor, in.ID)
		})

	type verb func(context.Context, catalog.Actor, string, int64) (*catalog.Release, error)
	for _, v := range []struct {
		name, summary string
		do            verb
	}{
		{"submit", "Hand a draft in for review", a.Store.Submit},
		{"take-back", "Take a draft back from review", a.Store.TakeBack},
		{"approve", "Approve a draft", a.Store.Approve},
		{"publish", "Publish an approved draft", a.Store.Publish},
		{"unschedule", "Take back the time of a scheduled draft", a.Store.Unschedule},
		{"abandon", "Give a draft up", a.Store.Abandon},
	} {
		register(a, huma.Operation{OperationID: v.name + "-draft", Method: http.MethodPost, Path: "/api/v1/drafts/{id}/" + v.name, Tags: []string{"stewards"}, Summary: v.summary, Security: bearer},
			func(ctx context.Context, actor catalog.Actor, in *struct {
				DraftPath
				IfMatch string `header:"If-Match" doc:"ETag of the draft as read; without it any"`
			}) (*draftOutput, error) {
				version, err := parseIfMatch(in.IfMatch, 0)
				if err != nil {
					return nil, err
				}
				r, err := v.do(ctx, actor, in.ID, version)
				if err != nil {
					return nil, err
				}
				return a.draftAnswer(ctx, actor, http.StatusOK, r)
			})
	}
	register(a, huma.Operation{OperationID: "schedule-draft", Method: http.MethodPost, Path: "/api/v1/drafts/{id}/schedule", Tags: []string{"stewards"}, Summary: "Have an approved draft published at a time to come",
		Description: "By the portal's clock and never before that time, within seconds after it.", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			DraftPath
			IfMatch string `header:"If-Match" doc:"ETag of the draft as read; without it any"`
			Body    PublishTime
		}) (*draftOutput, error) {
			version, err := parseIfMatch(in.IfMatch, 0)
			if err != nil {
				return nil, err
			}
			r, err := a.Store.Schedule(ctx, actor, in.ID, in.Body.PublishAt, version)
			if err != nil {
				return nil, err
			}
			return a.draftAnswer(ctx, actor, http.StatusOK, r)
		})
	register(a, huma.Operation{OperationID: "return-draft", Method: http.MethodPost, Path: "/api/v1/drafts/{id}/return", Tags: []string{"stewards"}, Summary: "Return a draft to its steward", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			DraftPath
			IfMatch string `header:"If-Match" doc:"ETag of the draft as read; without it any"`
			Body    ReviewComment
		}) (*draftOutput, error) {
			version, err := parseIfMatch(in.IfMatch, 0)
			if err != nil {
				return nil, err
			}
			r, err := a.Store.Return(ctx, actor, in.ID, in.Body.Comment, in.Body.Remarks, version)
			if err != nil {
				return nil, err
			}
			return a.draftAnswer(ctx, actor, http.StatusOK, r)
		})
}

func (a *API) draftNow(ctx context.Context, actor catalog.Actor, id string) (*draftOutput, error) {
	r, err := a.Store.Draft(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	return a.draftAnswer(ctx, actor, http.StatusOK, r)
}

type putFileInput struct {
	DraftPath
	Name       string `path:"name" maxLength:"255" doc:"As readers will see it" example:"readings.csv"`
	Sheet      string `query:"sheet" doc:"The one sheet to read"`
	HeaderRow  string `query:"header_row" doc:"1-based row of the header, the first where it takes several; -1: none; without it found out"`
	HeaderRows string `query:"header_rows" doc:"How many rows the header takes; without it found out"`
	Totals     string `query:"totals" enum:",auto,keep,drop" doc:"Rows of totals: auto (those below the data are left out), keep or drop (those within too)"`
	Merged     string `query:"merged" enum:",fill,empty" doc:"Merged cells among the data: fill (downwards) or empty"`
	Path       string `query:"path" doc:"Key of a JSON text under which its rows are, such as result.records; without it found out"`
	Delimiter  string `query:"delimiter" doc:"One character, or tab"`
	Encoding   string `query:"encoding" doc:"Such as utf-8 or gb18030; without it found out"`
	Table      string `query:"table" doc:"Name of the table"`
	Zone       string `query:"zone" doc:"Offset of datetimes that state none, such as +08:00"`
	Types      string `query:"types" doc:"Types of columns, one a line (%0A): COLUMN=TYPE"`
	NullWords  string `query:"null_words" doc:"Words that mean null, one a line (%0A): WORD for every column, COLUMN=WORD for one"`
	Mode       string `query:"mode" enum:",append,upsert" doc:"append: the rows stand after those of the table in the newest release; upsert: they take the place of its rows of the same key, the others are added; without it the file is all of the table"`
	Settle     string `query:"settle" doc:"Decisions about findings, one a line (%0A): CODE:COLUMN=mask, CODE:COLUMN=drop or CODE=accept,REASON"`
	Type       string `header:"Content-Type" hidden:"true"`

	query  func(name string) string
	body   io.Reader
	length int64
}

// Resolve keeps the body for streaming: huma would read it whole.
func (in *putFileInput) Resolve(ctx huma.Context) []error {
	in.query = ctx.Query
	in.body = ctx.BodyReader()
	in.length, _ = strconv.ParseInt(ctx.Header("Content-Length"), 10, 64)
	return nil
}

func (a *API) putFile(ctx context.Context, actor catalog.Actor, in *putFileInput) (*draftOutput, error) {
	// Ask before a gigabyte travels for nothing.
	draft, err := a.Store.Draft(ctx, actor, in.ID)
	if err != nil {
		return nil, err
	}
	d, err := a.Store.DatasetByID(ctx, actor, draft.DatasetID)
	if err != nil {
		return nil, err
	}
	if err := catalog.Can(actor, catalog.EditDraft, catalog.ObjectOf(d)); err != nil {
		return nil, err
	}
	if in.length > a.MaxUpload {
		return nil, upload.TooLarge(a.MaxUpload)
	}
	options, err := catalog.ReadOptions(in.query)
	if err != nil {
		return nil, err
	}
	limited := &limitedReader{r: in.body, left: a.MaxUpload, limit: a.MaxUpload}
	b, err := a.Blobs.Put(ctx, limited)
	if err != nil {
		return nil, err
	}
	_, err = a.Store.PutFile(ctx, actor, in.ID, store.Upload{Name: in.Name, MediaType: upload.MediaType(in.Type, in.Name), Blob: b, Options: options})
	if err != nil {
		return nil, err
	}
	out, err := a.draftNow(ctx, actor, in.ID)
	if err == nil {
		out.Status = http.StatusAccepted
		out.Location = a.BaseURL + "/api/v1/drafts/" + in.ID
	}
	return out, err
}

// limitedReader fails with TooLarge, where io.LimitReader would cut silently.
type limitedReader struct {
	r           io.Reader
	left, limit int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, upload.TooLarge(l.limit)
	}
	return n, err
}
