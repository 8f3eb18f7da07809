package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"taihu/catalog"
	"taihu/catalog/store"
)

// Feedback is what a reader says is wrong in a dataset, and what became of it.
type Feedback struct {
	Number    int                   `json:"number" doc:"1, 2, … within the dataset"`
	Dataset   string                `json:"dataset"`
	Release   int                   `json:"release,omitempty" doc:"The release the reader saw"`
	Table     string                `json:"table,omitempty"`
	Column    string                `json:"column,omitempty"`
	Row       int64                 `json:"row,omitempty" doc:"1-based place of the row in that release"`
	RowKey    string                `json:"row_key,omitempty" doc:"The row in words; shown together with the message"`
	Message   string                `json:"message,omitempty" doc:"The reader's words, once a steward has looked at them"`
	Words     catalog.FeedbackWords `json:"words" enum:"unseen,shown,withheld" doc:"Whether message and row_key are public"`
	WordsWhy  string                `json:"words_why,omitempty" doc:"Why they are withheld"`
	State     catalog.FeedbackState `json:"state" enum:"open,answered,mended,rejected"`
	DueOn     string                `json:"due_on" doc:"The last day to answer in time, counted in working days"`
	Overdue   bool                  `json:"overdue,omitempty"`
	Reply     string                `json:"reply,omitempty"`
	MendedBy  *ReleaseRef           `json:"mended_by,omitempty" doc:"The release that mends it"`
	CreatedAt time.Time             `json:"created_at"`
	ClosedAt  *time.Time            `json:"closed_at,omitempty" doc:"When it was first answered"`
	Contact   string                `json:"contact,omitempty" doc:"For the dataset's stewards alone; erased with the answer"`
	URL       string                `json:"url"`

	RowVersion int64 `json:"row_version"`
}

// FeedbackList is a page of a dataset's feedback.
type FeedbackList struct {
	Total    int        `json:"total"`
	Feedback []Feedback `json:"feedback" doc:"Newest first"`
	Next     string     `json:"next,omitempty" doc:"The address of the next page"`
}

// FeedbackEdit is what a reader sends.
type FeedbackEdit struct {
	Release int    `json:"release,omitempty" minimum:"0" doc:"Number of the release; by default the latest"`
	Table   string `json:"table,omitempty" maxLength:"64"`
	Column  string `json:"column,omitempty" maxLength:"500"`
	Row     int64  `json:"row,omitempty" minimum:"0"`
	RowKey  string `json:"row_key,omitempty" maxLength:"300" doc:"The row in words, such as the values of its key"`
	Message string `json:"message" minLength:"1" maxLength:"2000" doc:"What is wrong and what would be right. Plain text"`
	Contact string `json:"contact,omitempty" maxLength:"200" doc:"Never public"`
}

// FeedbackAnswer is what a steward answers.
type FeedbackAnswer struct {
	State    string `json:"state" enum:"answered,mended,rejected"`
	Reply    string `json:"reply" minLength:"1" maxLength:"4000" doc:"Public"`
	Release  int    `json:"release,omitempty" minimum:"0" doc:"The release that mends it; required where mended"`
	Withhold string `json:"withhold,omitempty" maxLength:"500" doc:"Why the reader's words are kept back; public. Without it they are shown"`
}

// FeedbackLook is what a steward decides about a reader's words before he answers.
type FeedbackLook struct {
	Withhold string `json:"withhold,omitempty" maxLength:"500" doc:"Why they are kept back; public. Without it they are shown"`
}

// FeedbackPath names a feedback.
type FeedbackPath struct {
	Slug   string `path:"slug" doc:"The dataset" example:"parking-spaces"`
	Number int    `path:"number" minimum:"1" doc:"Of the report" example:"1"`
}

func (a *API) wireFeedback(slug string, f *catalog.Feedback) Feedback {
	w := Feedback{
		Number: f.Number, Dataset: slug, Release: f.ReleaseNumber, Table: f.TableName, Column: f.ColumnName, Row: f.RowNumber, RowKey: f.RowKey, Message: f.Message,
		Words: f.Words, WordsWhy: f.WordsWhy, State: f.State, DueOn: f.DueOn, Overdue: f.Overdue(a.Clock()), Reply: f.Reply, CreatedAt: f.CreatedAt, ClosedAt: f.ClosedAt,
		Contact: f.Contact, URL: a.BaseURL + "/datasets/" + slug + "/feedback/" + strconv.Itoa(f.Number), RowVersion: f.RowVersion,
	}
	if f.MendedBy > 0 {
		w.MendedBy = &ReleaseRef{Number: f.MendedBy, URL: a.releaseURL(slug, f.MendedBy)}
	}
	return w
}

type feedbackListInput struct {
	DatasetPath
	State  string `query:"state" enum:"open,answered,mended,rejected" doc:"Only those in this state"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"Reports in one answer"`
	Cursor string `query:"cursor" doc:"The next of the answer before"`
}

func (a *API) listFeedback(ctx context.Context, actor catalog.Actor, in *feedbackListInput) (*struct{ Body FeedbackList }, error) {
	d, err := a.Store.Dataset(ctx, actor, in.Slug)
	if err != nil {
		return nil, err
	}
	if err := current(ctx, d, in.Slug); err != nil {
		return nil, err
	}
	f := store.FeedbackFilter{Dataset: d.Slug, Limit: in.Limit}
	if in.State != "" {
		f.States = []catalog.FeedbackState{catalog.FeedbackState(in.State)}
	}
	if in.Cursor != "" {
		if f.Skip, err = strconv.Atoi(in.Cursor); err != nil || f.Skip < 1 {
			return nil, catalog.Errorf(catalog.Invalid, "bad_cursor", "cursor is not one this list gave: start again without it").With("parameter", "cursor")
		}
	}
	list, total, err := a.Store.FeedbackList(ctx, actor, f)
	if err != nil {
		return nil, err
	}
	out := &struct{ Body FeedbackList }{FeedbackList{Total: total, Feedback: []Feedback{}}}
	for i := range list {
		out.Body.Feedback = append(out.Body.Feedback, a.wireFeedback(d.Slug, &list[i].Feedback))
	}
	if next := f.Skip + len(list); len(list) > 0 && next < total {
		out.Body.Next = a.BaseURL + "/api/v1/datasets/" + d.Slug + "/feedback?cursor=" + strconv.Itoa(next) + "&limit=" + strconv.Itoa(in.Limit)
		if in.State != "" {
			out.Body.Next += "&state=" + in.State
		}
	}
	return out, nil
}

func (a *API) feedbackRoutes() {
	type output struct {
		Status   int
		Location string `header:"Location"`
		ETag     string `header:"ETag"`
		Body     Feedback
	}
	answer := func(status int, slug string, f *catalog.Feedback) *output {
		return &output{Status: status, ETag: rowVersionTag(f.RowVersion), Body: a.wireFeedback(slug, f)}
	}
	register(a, huma.Operation{OperationID: "list-feedback", Method: http.MethodGet, Path: "/api/v1/datasets/{slug}/feedback", Tags: []string{"feedback"},
		Summary: "What readers say is wrong, and what was answered", Description: "Newest first. The reader's words are there once a steward has looked at them."}, a.listFeedback)
	register(a, huma.Operation{OperationID: "get-feedback", Method: http.MethodGet, Path: "/api/v1/datasets/{slug}/feedback/{number}", Tags: []string{"feedback"}, Summary: "One report of an error"},
		func(ctx context.Context, actor catalog.Actor, in *FeedbackPath) (*output, error) {
			d, f, err := a.Store.Feedback(ctx, actor, in.Slug, in.Number)
			if err != nil {
				return nil, err
			}
			if err := current(ctx, d, in.Slug); err != nil {
				return nil, err
			}
			return answer(http.StatusOK, d.Slug, f), nil
		})
	register(a, huma.Operation{OperationID: "send-feedback", Method: http.MethodPost, Path: "/api/v1/datasets/{slug}/feedback", Tags: []string{"feedback"}, DefaultStatus: http.StatusCreated, MaxBodyBytes: 64 << 10,
		Summary: "Report an error in a dataset, a column or a row", Description: "No account is needed. It is public at once that there is a report, what it is about and until when it is answered; its words once a steward has looked at them, the contact never."},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			DatasetPath
			Body FeedbackEdit
		}) (*output, error) {
			f := &catalog.Feedback{ReleaseNumber: in.Body.Release, TableName: in.Body.Table, ColumnName: in.Body.Column, RowNumber: in.Body.Row, RowKey: in.Body.RowKey, Message: in.Body.Message, Contact: in.Body.Contact}
			if err := f.Clean(); err != nil {
				return nil, err
			}
			if err := sendFeedback(ctx); err != nil {
				return nil, err
			}
			if err := a.Store.SendFeedback(ctx, actor, in.Slug, f); err != nil {
				return nil, err
			}
			d, f, err := a.Store.Feedback(ctx, actor, in.Slug, f.Number)
			if err != nil {
				return nil, err
			}
			out := answer(http.StatusCreated, d.Slug, f)
			out.Location = a.BaseURL + "/api/v1/datasets/" + d.Slug + "/feedback/" + strconv.Itoa(f.Number)
			return out, nil
		})
	register(a, huma.Operation{OperationID: "look-at-feedback", Method: http.MethodPost, Path: "/api/v1/datasets/{slug}/feedback/{number}/show", Tags: []string{"stewards"},
		Summary: "Make a reader's words public, or withhold them for a reason", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			FeedbackPath
			IfMatch string       `header:"If-Match" doc:"ETag of the report as read; without it any"`
			Body    FeedbackLook `required:"false"`
		}) (*output, error) {
			version, err := parseIfMatch(in.IfMatch, 0)
			if err != nil {
				return nil, err
			}
			f, err := a.Store.ShowFeedback(ctx, actor, in.Slug, in.Number, version, in.Body.Withhold)
			if err != nil {
				return nil, err
			}
			return answer(http.StatusOK, in.Slug, f), nil
		})
	register(a, huma.Operation{OperationID: "answer-feedback", Method: http.MethodPost, Path: "/api/v1/datasets/{slug}/feedback/{number}/answer", Tags: []string{"stewards"},
		Summary: "Answer a report of an error", Description: "In public, with the release that mends it where one does. An answer can be changed; with the first the sender's contact is erased.", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			FeedbackPath
			IfMatch string `header:"If-Match" doc:"ETag of the report as read; without it any"`
			Body    FeedbackAnswer
		}) (*output, error) {
			version, err := parseIfMatch(in.IfMatch, 0)
			if err != nil {
				return nil, err
			}
			f, err := a.Store.AnswerFeedback(ctx, actor, in.Slug, in.Number, version, catalog.FeedbackAnswer{
				State: catalog.FeedbackState(in.Body.State), Reply: in.Body.Reply, MendedBy: in.Body.Release, Withhold: in.Body.Withhold})
			if err != nil {
				return nil, err
			}
			return answer(http.StatusOK, in.Slug, f), nil
		})
}
