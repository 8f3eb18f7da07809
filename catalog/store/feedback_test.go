package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// fieldOf is the field that an error names.
func fieldOf(err error) string {
	var e *catalog.Error
	if !errors.As(err, &e) {
		return ""
	}
	return fmt.Sprint(e.Fields["field"])
}

// canaries must reach nobody but the dataset's stewards, and no event.
const (
	secretMessage = "王小明说第3行不对"
	secretContact = "13800138000"
	secretKey     = "站点=王小明家"
)

func send(t *testing.T, w *storetest.World, who catalog.Actor, f catalog.Feedback) *catalog.Feedback {
	t.Helper()
	wantCode(t, w.DB.SendFeedback(t.Context(), who, "water-level", &f), "")
	return &f
}

func TestFeedbackFromSendingToMending(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		wantCode(t, db.SendFeedback(ctx, catalog.Actor{}, "water-level", &catalog.Feedback{Message: "x"}), "unknown_dataset") // nothing is published
		w.Published(t, "water-level")
		first := send(t, w, catalog.Actor{}, catalog.Feedback{TableName: "readings", ColumnName: "水位", RowNumber: 3, RowKey: secretKey, Message: "  " + secretMessage + "\r\n\x00", Contact: secretContact})
		if first.Number != 1 || first.ReleaseNumber != 1 || first.State != catalog.FeedbackOpen || first.DueOn <= catalog.DayOf(first.CreatedAt) || first.Message != secretMessage {
			t.Fatalf("it came as %+v", first)
		}
		second := send(t, w, w.Stranger, catalog.Feedback{Message: "说明里的网址打不开"})
		if second.Number != 2 || second.Sender != w.Stranger.ID() || second.TableName != "" {
			t.Fatalf("the second came as %+v", second)
		}
		for field, f := range map[string]catalog.Feedback{
			"message": {Message: " \n"}, "contact": {Message: "x", Contact: strings.Repeat("长", 201)}, "row_key": {Message: "x", TableName: "readings", RowKey: strings.Repeat("长", 301)},
			"table": {Message: "x", ColumnName: "水位"}, "row": {Message: "x", TableName: "readings", RowNumber: 4}, "column": {Message: "x", TableName: "readings", ColumnName: "没有"},
		} {
			err := db.SendFeedback(ctx, catalog.Actor{}, "water-level", &f)
			if catalog.KindOf(err) != catalog.Invalid || fieldOf(err) != field {
				t.Errorf("%+v: %v names %q, want %s", f, err, fieldOf(err), field)
			}
		}
		wantCode(t, db.SendFeedback(ctx, catalog.Actor{}, "water-level", &catalog.Feedback{Message: "x", TableName: "none"}), "unknown_table")
		wantCode(t, db.SendFeedback(ctx, catalog.Actor{}, "water-level", &catalog.Feedback{Message: "x", ReleaseNumber: 7}), "unknown_release")

		// Everybody sees that it is there, where, and until when; its words the steward alone.
		for name, who := range map[string]catalog.Actor{"nobody": {}, "a stranger": w.Stranger, "the steward": w.Steward} {
			_, f, err := db.Feedback(ctx, who, "water-level", 1)
			wantCode(t, err, "")
			own := name == "the steward"
			if f.ColumnName != "水位" || f.RowNumber != 3 || f.DueOn != first.DueOn || (f.Message == secretMessage) != own || (f.Contact == secretContact) != own || (f.RowKey == secretKey) != own {
				t.Errorf("%s sees %+v", name, f)
			}
			list, total, err := db.FeedbackList(ctx, who, store.FeedbackFilter{Dataset: "water-level"})
			wantCode(t, err, "")
			if total != 2 || len(list) != 2 || list[0].Number != 2 || list[1].Slug != "water-level" || (list[1].Message == secretMessage) != own {
				t.Errorf("%s lists %+v", name, list)
			}
		}
		if list, total, err := db.FeedbackList(ctx, w.Stranger, store.FeedbackFilter{Mine: true}); err != nil || total != 0 || len(list) != 0 {
			t.Errorf("a stranger's own are %v, %v", list, err)
		}

		// Looking at it shows its words, or says why not.
		_, err := db.ShowFeedback(ctx, w.Stranger, "water-level", 1, 0, "")
		wantCode(t, err, "not_allowed")
		_, err = db.ShowFeedback(ctx, w.Steward, "water-level", 1, 0, "含有个人信息")
		wantCode(t, err, "")
		_, f, err := db.Feedback(ctx, catalog.Actor{}, "water-level", 1)
		wantCode(t, err, "")
		if f.Words != catalog.WordsWithheld || f.Message != "" || f.WordsWhy != "含有个人信息" {
			t.Errorf("withheld it is %+v", f)
		}

		// Answers.
		mended := catalog.FeedbackAnswer{State: catalog.FeedbackMended, Reply: "已在新版更正", MendedBy: 2}
		_, err = db.AnswerFeedback(ctx, w.Steward, "water-level", 1, 0, mended)
		wantCode(t, err, "unknown_release")
		w.Published(t, "water-level")
		for _, bad := range []catalog.FeedbackAnswer{{}, {State: catalog.FeedbackOpen, Reply: "x"}, {State: catalog.FeedbackRejected}, {State: catalog.FeedbackMended, Reply: "x"}} {
			_, err = db.AnswerFeedback(ctx, w.Steward, "water-level", 1, 0, bad)
			wantCode(t, err, "invalid_field")
		}
		_, err = db.AnswerFeedback(ctx, w.Stranger, "water-level", 1, 0, mended)
		wantCode(t, err, "not_allowed")
		_, err = db.AnswerFeedback(ctx, w.Steward, "water-level", 1, 1, mended)
		wantCode(t, err, "stale_row_version") // it was looked at since
		_, err = db.AnswerFeedback(ctx, w.Steward, "water-level", 1, 2, mended)
		wantCode(t, err, "")
		_, err = db.AnswerFeedback(ctx, w.Steward, "water-level", 2, 0, catalog.FeedbackAnswer{State: catalog.FeedbackRejected, Reply: "网址是对的", Withhold: "广告"})
		wantCode(t, err, "")
		_, f, err = db.Feedback(ctx, catalog.Actor{}, "water-level", 1)
		wantCode(t, err, "")
		if f.State != catalog.FeedbackMended || f.MendedBy != 2 || f.Message != secretMessage || f.Words != catalog.WordsShown || f.ClosedAt == nil || !f.InTime() {
			t.Errorf("answered it is %+v", f)
		}
		_, f, err = db.Feedback(ctx, w.Steward, "water-level", 1)
		wantCode(t, err, "")
		if f.Contact != "" {
			t.Error("the contact outlives the answer")
		}
		// One may mend what an older release had wrong, not the other way round.
		third := send(t, w, catalog.Actor{}, catalog.Feedback{Message: "x"})
		_, err = db.AnswerFeedback(ctx, w.Steward, "water-level", third.Number, 0, catalog.FeedbackAnswer{State: catalog.FeedbackMended, Reply: "x", MendedBy: 1})
		wantCode(t, err, "invalid_field")

		_, total, err := db.FeedbackList(ctx, w.Steward, store.FeedbackFilter{Mine: true, States: []catalog.FeedbackState{catalog.FeedbackOpen}, Due: true})
		if err != nil || total != 1 {
			t.Errorf("%d are open, %v", total, err)
		}
		_, _, err = db.Feedback(ctx, catalog.Actor{}, "water-level", 9)
		wantCode(t, err, "unknown_feedback")
		events, err := db.Events(ctx, w.Dataset.ID)
		wantCode(t, err, "")
		all, err := json.Marshal(events)
		wantCode(t, err, "")
		told := string(all)
		for _, verb := range []string{"feedback.sent", "feedback.looked_at", "feedback.answered"} {
			if !strings.Contains(told, verb) {
				t.Errorf("no event says %s", verb)
			}
		}
		for _, secret := range []string{secretMessage, secretContact, secretKey} {
			if strings.Contains(told, secret) {
				t.Errorf("an event keeps %q for ever", secret)
			}
		}
		if err := db.CheckEvents(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestFeedbackOfClosedDatasetsIsTheirs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		w, ctx := storetest.NewWorld(t, db), t.Context()
		w.Published(t, "water-level")
		send(t, w, catalog.Actor{}, catalog.Feedback{Message: "x"})
		d, err := db.Dataset(ctx, w.Steward, "water-level")
		wantCode(t, err, "")
		d.OpenAttribute = catalog.Closed
		wantCode(t, db.UpdateDataset(ctx, w.Steward, d), "")
		for _, who := range []catalog.Actor{{}, w.Stranger} {
			wantCode(t, db.SendFeedback(ctx, who, "water-level", &catalog.Feedback{Message: "x"}), "unknown_dataset")
			_, _, err := db.Feedback(ctx, who, "water-level", 1)
			wantCode(t, err, "unknown_dataset")
			if _, total, err := db.FeedbackList(ctx, who, store.FeedbackFilter{}); err != nil || total != 0 {
				t.Errorf("%d are listed, %v", total, err)
			}
		}
	})
}

func TestFeedbackIsDueInWorkingDays(t *testing.T) {
	now := time.Date(2026, 2, 12, 1, 0, 0, 0, time.UTC)
	calendar, err := catalog.NewCalendar("off\t2026-02-24\t2026-02-24\tours")
	if err != nil {
		t.Fatal(err)
	}
	db := storetest.Open(t, "sqlite:"+filepath.Join(t.TempDir(), "a.db"), store.Options{Clock: func() time.Time { return now }, Calendar: calendar, AnswerDays: 3})
	w, ctx := storetest.NewWorld(t, db), t.Context()
	w.Published(t, "water-level")
	// Friday 13 and Saturday 14 are worked, then comes the festival until 23, then our own day.
	if f := send(t, w, catalog.Actor{}, catalog.Feedback{Message: "x"}); f.DueOn != "2026-02-25" {
		t.Errorf("due on %s", f.DueOn)
	}
	for day, want := range map[string]int{"2026-02-25": 0, "2026-02-26": 1} {
		if now, err = time.ParseInLocation("2006-01-02 15:04", day+" 00:01", catalog.Zone); err != nil {
			t.Fatal(err)
		}
		_, total, err := db.FeedbackList(ctx, w.Steward, store.FeedbackFilter{Mine: true, Overdue: true})
		if err != nil || total != want {
			t.Errorf("on %s %d are overdue, want %d: %v", day, total, want, err)
		}
	}
}

func TestAFloodOfFeedbackIsDammed(t *testing.T) {
	if testing.Short() {
		t.Skip("500 transactions")
	}
	w, ctx := storetest.NewWorld(t, storetest.SQLite(t)), t.Context()
	w.Published(t, "water-level")
	for range 500 {
		send(t, w, catalog.Actor{}, catalog.Feedback{Message: "x"})
	}
	wantCode(t, w.DB.SendFeedback(ctx, catalog.Actor{}, "water-level", &catalog.Feedback{Message: "x"}), "feedback_full")
	_, err := w.DB.ShowFeedback(ctx, w.Steward, "water-level", 1, 0, "")
	wantCode(t, err, "")
	send(t, w, catalog.Actor{}, catalog.Feedback{Message: "x"}) // who is looked at makes room
}
