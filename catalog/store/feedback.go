package store

import (
	"context"
	"strings"

	"taihu/catalog"
)

// unseenFeedback is how many feedbacks of a dataset may wait for a steward's first
// look: a flood from many addresses must not bury what is meant.
const unseenFeedback = 500

const feedbackColumns = `f.id, f.dataset_id, f.number, f.release_number, f.table_name, f.column_name, f.row_number, f.row_key, f.message, f.contact, f.sender,
	f.state, f.due_on, f.words, f.words_why, f.reply, f.mended_by, f.closed_by, f.closed_at, f.row_version, f.created_at`

// FeedbackFilter narrows a list of feedback.
type FeedbackFilter struct {
	Dataset string                  // slug; empty: of all datasets
	Mine    bool                    // only what the actor may answer
	States  []catalog.FeedbackState // nil: any
	Overdue bool                    // only what should have been answered by now
	Due     bool                    // what is due first comes first; else the newest
	Limit   int                     // 0: 20; at most 1000
	Skip    int
}

// FeedbackRow is a feedback with what a list says of its dataset.
type FeedbackRow struct {
	catalog.Feedback
	Slug           string
	Title          catalog.Text
	OrganizationID string
	OpenAttribute  catalog.OpenAttribute
}

// SendFeedback takes what a reader says is wrong in a dataset, gives it its number
// and its deadline in working days. Who sees the dataset may. f.ReleaseNumber 0 is
// the newest release that stands. Invalid where table, column or row are not there;
// RateLimited feedback_full where too many wait unseen.
func (db *DB) SendFeedback(ctx context.Context, actor catalog.Actor, dataset string, f *catalog.Feedback) error {
	if err := f.Clean(); err != nil {
		return err
	}
	return db.update(ctx, "send feedback", func(t *tx) error {
		d, err := t.datasetForChange(ctx, actor, &catalog.Dataset{Slug: dataset}, catalog.SendFeedback)
		if err != nil {
			return err
		}
		if err := t.findPlace(ctx, d, f); err != nil {
			return err
		}
		var last, unseen int
		_, err = t.value(ctx, `SELECT COALESCE(MAX(number), 0), COALESCE(SUM(CASE WHEN state = 'open' AND words = 'unseen' THEN 1 ELSE 0 END), 0) FROM feedback WHERE dataset_id = ?`,
			[]any{d.ID}, &last, &unseen)
		if err != nil {
			return err
		}
		if unseen >= unseenFeedback {
			return catalog.Errorf(catalog.RateLimited, "feedback_full", "%d reports about this dataset wait for its steward already: try again in some days, or write to the contact on its page", unseen).
				With("retry_after", 86400).InChinese("这个数据集已有%d条纠错等数据员处理：请过几天再试，或按页面上的联系方式直接联系", unseen)
		}
		f.ID, f.DatasetID, f.Number, f.Sender, f.CreatedAt, f.RowVersion = catalog.NewID(), d.ID, last+1, actor.ID(), t.now, 1
		f.State, f.Words, f.DueOn = catalog.FeedbackOpen, catalog.WordsUnseen, db.calendar.After(t.now, db.answerDays)
		_, err = t.exec(ctx, `
			INSERT INTO feedback (id, dataset_id, number, release_number, table_name, column_name, row_number, row_key, message, contact, sender,
				state, due_on, words, words_why, reply, mended_by, closed_by, row_version, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', '', 0, '', ?, ?)`,
			f.ID, f.DatasetID, f.Number, f.ReleaseNumber, f.TableName, f.ColumnName, f.RowNumber, f.RowKey, f.Message, f.Contact, f.Sender,
			string(f.State), f.DueOn, string(f.Words), f.RowVersion, f.CreatedAt)
		if err != nil {
			return err
		}
		// Of what a stranger typed the chain keeps nothing: it can never be erased from it.
		return t.event(ctx, d.ID, actor, "feedback.sent", f.ID, facts{"number": f.Number, "release": f.ReleaseNumber, "table": f.TableName, "column": f.ColumnName, "row": f.RowNumber, "due_on": f.DueOn})
	})
}

// findPlace fills in the release a feedback is about and checks that table, column
// and row are there.
func (t *tx) findPlace(ctx context.Context, d *datasetRow, f *catalog.Feedback) error {
	if f.ReleaseNumber == 0 {
		f.ReleaseNumber = d.LatestNumber
	}
	if f.ReleaseNumber == 0 {
		if f.TableName != "" {
			return noLatest(d)
		}
		return nil
	}
	r, err := t.numbered(ctx, d, f.ReleaseNumber, "")
	if err != nil || f.TableName == "" {
		return err
	}
	if err := t.contents(ctx, r, tableFacts); err != nil {
		return err
	}
	n, err := r.Table(f.TableName)
	if err != nil {
		return err
	}
	if f.ColumnName != "" {
		i := n.Schema.Index(f.ColumnName)
		if i < 0 {
			return catalog.Errorf(catalog.Invalid, "unknown_column", "there is no column %q in %s; it has %s", f.ColumnName, n.Name, strings.Join(n.Schema.Names(), ", ")).
				With("field", "column").With("column", f.ColumnName).With("columns", n.Schema.Names()).InChinese("表%s没有名为“%s”的列", n.Name, f.ColumnName)
		}
		f.ColumnName = n.Schema.Fields[i].Name
	}
	if f.RowNumber > n.Rows {
		return invalid("row", "这张表没有这么多行", "table %s of release %d has %d rows", n.Name, r.Number, n.Rows)
	}
	return nil
}

// FeedbackList lists feedback about datasets that the actor may know of; total counts
// it all. What is not for the actor (words no steward looked at, contacts) is empty.
func (db *DB) FeedbackList(ctx context.Context, actor catalog.Actor, f FeedbackFilter) (list []FeedbackRow, total int, err error) {
	limit := f.Limit
	if limit <= 0 {
		limit = defaultList
	}
	err = db.view(ctx, "list feedback", func(c *conn) error {
		where, args, err := c.datasetWhere(ctx, actor, DatasetFilter{Mine: f.Mine})
		if err != nil {
			return err
		}
		if f.Dataset != "" {
			d, err := c.datasetFor(ctx, actor, f.Dataset)
			if err != nil {
				return err
			}
			where += " AND d.id = ?"
			args = append(args, d.ID)
		}
		if f.States != nil {
			where += " AND f.state IN (" + marks(len(f.States)) + ")"
			for _, s := range f.States {
				args = append(args, string(s))
			}
		}
		if f.Overdue {
			where += " AND f.state = 'open' AND f.due_on < ?"
			args = append(args, catalog.DayOf(db.clock()))
		}
		if _, err := c.value(ctx, `SELECT COUNT(*) FROM feedback f JOIN datasets d ON d.id = f.dataset_id WHERE `+where, args, &total); err != nil {
			return err
		}
		order := "f.id DESC"
		if f.Due {
			order = "f.due_on, f.id"
		}
		list = []FeedbackRow{}
		err = c.all(ctx, &list, `SELECT `+feedbackColumns+`, d.slug, d.title, d.organization_id, d.open_attribute FROM feedback f JOIN datasets d ON d.id = f.dataset_id
			WHERE `+where+` ORDER BY `+order+` LIMIT ? OFFSET ?`, append(args, min(limit, maxList), max(f.Skip, 0))...)
		if err != nil {
			return err
		}
		for i := range list {
			hideFeedback(actor, catalog.Object{OrganizationID: list[i].OrganizationID, OpenAttribute: list[i].OpenAttribute}, &list[i].Feedback)
		}
		return nil
	})
	return list, total, err
}

// Feedback returns one feedback of a dataset as the actor may see it. NotFound
// unknown_dataset, unknown_feedback.
func (db *DB) Feedback(ctx context.Context, actor catalog.Actor, dataset string, number int) (*catalog.Dataset, *catalog.Feedback, error) {
	var d *datasetRow
	var f *catalog.Feedback
	err := db.view(ctx, "read feedback", func(c *conn) (err error) {
		if d, err = c.datasetFor(ctx, actor, dataset); err != nil {
			return err
		}
		if f, err = c.feedback(ctx, d, number, ""); err != nil {
			return err
		}
		hideFeedback(actor, catalog.ObjectOf(&d.Dataset), f)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	return &d.Dataset, f, nil
}

func (c *conn) feedback(ctx context.Context, d *datasetRow, number int, lock string) (*catalog.Feedback, error) {
	f := &catalog.Feedback{}
	found, err := c.one(ctx, f, `SELECT `+feedbackColumns+` FROM feedback f WHERE f.dataset_id = ? AND f.number = ?`+lock, d.ID, number)
	if err == nil && !found {
		return nil, unknown("unknown_feedback", "there is no report number %d about %s", number, d.Slug).InChinese("数据集%s没有第%d条纠错", d.Slug, number)
	}
	return f, err
}

// hideFeedback takes out what the actor may not see.
func hideFeedback(actor catalog.Actor, o catalog.Object, f *catalog.Feedback) {
	if catalog.Can(actor, catalog.AnswerFeedback, o) == nil {
		return
	}
	f.Contact, f.Sender, f.ClosedBy = "", "", ""
	if f.Words != catalog.WordsShown {
		f.Message, f.RowKey = "", ""
	}
}

// AnswerFeedback answers a feedback, or changes the answer: its state, the reply and
// the release that mends it (published, not older than the one it is about). With it
// the words become public, or are withheld for a reason, and the sender's contact is
// erased. The dataset's stewards may.
func (db *DB) AnswerFeedback(ctx context.Context, actor catalog.Actor, dataset string, number int, rowVersion int64, a catalog.FeedbackAnswer) (*catalog.Feedback, error) {
	if err := a.Clean(); err != nil {
		return nil, err
	}
	return db.changeFeedback(ctx, actor, dataset, number, rowVersion, "feedback.answered", func(t *tx, d *datasetRow, f *catalog.Feedback) (facts, error) {
		if a.State == catalog.FeedbackMended {
			r, err := t.numbered(ctx, d, a.MendedBy, "")
			if err != nil {
				return nil, err
			}
			if r.State != catalog.Published || r.Number < f.ReleaseNumber {
				return nil, invalid("release", "须是已发布、且不早于纠错所指的一版", "release %d does not stand, or is older than the one the report is about", r.Number)
			}
		}
		f.State, f.Reply, f.MendedBy, f.Contact = a.State, a.Reply, a.MendedBy, ""
		f.Words, f.WordsWhy = catalog.WordsShown, a.Withhold
		if a.Withhold != "" {
			f.Words = catalog.WordsWithheld
		}
		if f.ClosedAt == nil {
			f.ClosedBy, f.ClosedAt = actor.ID(), &t.now
		}
		return facts{"number": f.Number, "state": f.State, "reply": f.Reply, "mended_by": f.MendedBy, "words": f.Words, "words_why": f.WordsWhy}, nil
	})
}

// ShowFeedback makes a reader's words public before they are answered, or withholds
// them for a reason. The dataset's stewards may.
func (db *DB) ShowFeedback(ctx context.Context, actor catalog.Actor, dataset string, number int, rowVersion int64, withhold string) (*catalog.Feedback, error) {
	withhold = catalog.PlainText(withhold)
	if len([]rune(withhold)) > catalog.FeedbackWhy {
		return nil, invalid("withhold", "缘由太长", "the reason is too long: at most %d characters", catalog.FeedbackWhy)
	}
	return db.changeFeedback(ctx, actor, dataset, number, rowVersion, "feedback.looked_at", func(_ *tx, _ *datasetRow, f *catalog.Feedback) (facts, error) {
		f.Words, f.WordsWhy = catalog.WordsShown, withhold
		if withhold != "" {
			f.Words = catalog.WordsWithheld
		}
		return facts{"number": f.Number, "words": f.Words, "words_why": f.WordsWhy}, nil
	})
}

func (db *DB) changeFeedback(ctx context.Context, actor catalog.Actor, dataset string, number int, rowVersion int64, verb string, change func(t *tx, d *datasetRow, f *catalog.Feedback) (facts, error)) (*catalog.Feedback, error) {
	var f *catalog.Feedback
	err := db.update(ctx, verb, func(t *tx) error {
		d, err := t.datasetForChange(ctx, actor, &catalog.Dataset{Slug: dataset}, catalog.AnswerFeedback)
		if err != nil {
			return err
		}
		if f, err = t.feedback(ctx, d, number, t.lock()); err != nil {
			return err
		}
		if err := checkVersion(rowVersion, f.RowVersion); err != nil {
			return err
		}
		said, err := change(t, d, f)
		if err != nil {
			return err
		}
		f.RowVersion++
		_, err = t.exec(ctx, `
			UPDATE feedback SET contact = ?, state = ?, words = ?, words_why = ?, reply = ?, mended_by = ?, closed_by = ?, closed_at = ?, row_version = ? WHERE id = ?`,
			f.Contact, string(f.State), string(f.Words), f.WordsWhy, f.Reply, f.MendedBy, f.ClosedBy, f.ClosedAt, f.RowVersion, f.ID)
		if err != nil {
			return err
		}
		return t.event(ctx, d.ID, actor, verb, f.ID, said)
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}
