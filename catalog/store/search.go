package store

import (
	"context"
	"strings"

	"taihu/catalog"
)

// SearchState says whether an answer of a search still holds.
type SearchState struct {
	// Version rises with every change of what readers may see and of the synonyms.
	Version int64
	// Synonyms is the row_version of the synonyms.
	Synonyms int64
	// Indexing: changes of the catalogue wait to be brought to the index.
	Indexing bool
}

// SearchState reads in one question what decides whether an answer holds.
func (db *DB) SearchState(ctx context.Context) (SearchState, error) {
	var s SearchState
	err := db.view(ctx, "read search state", func(c *conn) error {
		var catalogue, waiting int64
		_, err := c.value(ctx, `
			SELECT version, (SELECT row_version FROM search_synonyms),
				(SELECT COUNT(*) FROM (SELECT 1 FROM jobs WHERE kind = 'index' AND state IN ('queued', 'running') LIMIT 1) AS waiting)
			FROM catalogue_state`, nil, &catalogue, &s.Synonyms, &waiting)
		s.Version, s.Indexing = catalogue+s.Synonyms, waiting > 0
		return err
	})
	return s, err
}

// Bounds of what strangers can fill.
const (
	openRequests     = 500
	maxEmptySearches = 2000
	maxEmptySearch   = 100 // characters
)

const requestColumns = `id, wanted, purpose, contact, searched, sender, note, closed_by, closed_at, row_version, created_at`

// SendDataRequest keeps what a reader asks for. Everybody may, also without an account.
// RateLimited requests_full where too many wait.
func (db *DB) SendDataRequest(ctx context.Context, actor catalog.Actor, r *catalog.DataRequest) error {
	if err := r.Clean(); err != nil {
		return err
	}
	if err := catalog.Can(actor, catalog.SendFeedback, catalog.Object{}); err != nil {
		return err
	}
	return db.update(ctx, "send data request", func(t *tx) error {
		var open int
		if _, err := t.value(ctx, `SELECT COUNT(*) FROM data_requests WHERE closed_at IS NULL`, nil, &open); err != nil {
			return err
		}
		if open >= openRequests {
			return catalog.Errorf(catalog.RateLimited, "requests_full", "%d requests wait for a steward already: try again in some days", open).
				With("retry_after", 86400).InChinese("已有%d条需求等数据员处理：请过几天再试", open)
		}
		r.ID, r.Sender, r.CreatedAt, r.RowVersion = catalog.NewID(), actor.ID(), t.now, 1
		_, err := t.exec(ctx, `
			INSERT INTO data_requests (id, wanted, purpose, contact, searched, sender, note, closed_by, row_version, created_at)
			VALUES (?, ?, ?, ?, ?, ?, '', '', ?, ?)`,
			r.ID, r.Wanted, r.Purpose, r.Contact, r.Searched, r.Sender, r.RowVersion, r.CreatedAt)
		if err != nil {
			return err
		}
		// Of what a stranger typed the chain keeps nothing: it can never be erased from it.
		return t.event(ctx, catalog.ChainPortal, actor, "request.sent", r.ID, nil)
	})
}

// DataRequests lists what readers ask for, what is open first, the newest first; open
// counts those. Every steward may.
func (db *DB) DataRequests(ctx context.Context, actor catalog.Actor, limit int) (list []catalog.DataRequest, open int, err error) {
	if err := catalog.Can(actor, catalog.ReadRequests, catalog.Object{}); err != nil {
		return nil, 0, err
	}
	err = db.view(ctx, "list data requests", func(c *conn) error {
		if _, err := c.value(ctx, `SELECT COUNT(*) FROM data_requests WHERE closed_at IS NULL`, nil, &open); err != nil {
			return err
		}
		return c.all(ctx, &list, `SELECT `+requestColumns+` FROM data_requests ORDER BY CASE WHEN closed_at IS NULL THEN 0 ELSE 1 END, id DESC LIMIT ?`, min(limit, maxList))
	})
	return list, open, err
}

// CloseDataRequest notes what was done about a request and erases its sender's contact.
// Every steward may. NotFound unknown_request.
func (db *DB) CloseDataRequest(ctx context.Context, actor catalog.Actor, id string, rowVersion int64, note string) error {
	if err := catalog.Can(actor, catalog.ReadRequests, catalog.Object{}); err != nil {
		return err
	}
	note = catalog.PlainText(note)
	if len([]rune(note)) > catalog.RequestNote {
		return invalid("note", "备注太长", "the note is too long: at most %d characters", catalog.RequestNote)
	}
	return db.update(ctx, "close data request", func(t *tx) error {
		var r catalog.DataRequest
		found, err := t.one(ctx, &r, `SELECT `+requestColumns+` FROM data_requests WHERE id = ?`+t.lock(), id)
		if err != nil {
			return err
		}
		if !found {
			return unknown("unknown_request", "there is no request %q", id).InChinese("没有这条需求")
		}
		if err := checkVersion(rowVersion, r.RowVersion); err != nil {
			return err
		}
		_, err = t.exec(ctx, `UPDATE data_requests SET note = ?, contact = '', closed_by = ?, closed_at = ?, row_version = row_version + 1 WHERE id = ?`, note, actor.ID(), t.now, id)
		if err != nil {
			return err
		}
		return t.event(ctx, catalog.ChainPortal, actor, "request.closed", id, facts{"note": note})
	})
}

// NoteEmptySearch counts a search that found nothing. text is folded; one too long to
// be a search is not kept. Where there are too many, the rarest go.
func (db *DB) NoteEmptySearch(ctx context.Context, text, lang string) error {
	text = strings.Join(strings.Fields(catalog.PlainText(text)), " ")
	if text == "" || len([]rune(text)) > maxEmptySearch {
		return nil
	}
	return db.update(ctx, "note empty search", func(t *tx) error {
		var times int64
		_, err := t.value(ctx, `
			INSERT INTO empty_searches (text, lang, times, first_at, last_at) VALUES (?, ?, 1, ?, ?)
			ON CONFLICT (text, lang) DO UPDATE SET times = empty_searches.times + 1, last_at = excluded.last_at
			RETURNING times`, []any{text, lang, t.now, t.now}, &times)
		if err != nil || times > 1 {
			return err
		}
		var n int64
		if _, err := t.value(ctx, `SELECT COUNT(*) FROM empty_searches`, nil, &n); err != nil || n <= maxEmptySearches {
			return err
		}
		_, err = t.exec(ctx, `
			DELETE FROM empty_searches WHERE (text, lang) IN (
				SELECT text, lang FROM empty_searches WHERE last_at < ? ORDER BY times, last_at LIMIT ?)`, t.now, n-maxEmptySearches)
		return err
	})
}

// EmptySearches lists searches that found nothing, the most frequent first, or those of
// late. Every steward may.
func (db *DB) EmptySearches(ctx context.Context, actor catalog.Actor, late bool, limit int) (list []catalog.EmptySearch, total int, err error) {
	if err := catalog.Can(actor, catalog.ReadRequests, catalog.Object{}); err != nil {
		return nil, 0, err
	}
	order := "times DESC, last_at DESC"
	if late {
		order = "last_at DESC"
	}
	err = db.view(ctx, "list empty searches", func(c *conn) error {
		if _, err := c.value(ctx, `SELECT COUNT(*) FROM empty_searches`, nil, &total); err != nil {
			return err
		}
		return c.all(ctx, &list, `SELECT text, lang, times, first_at, last_at FROM empty_searches ORDER BY `+order+`, text, lang LIMIT ?`, min(limit, maxList))
	})
	return list, total, err
}

// Synonyms reads the text of synonyms.
func (db *DB) Synonyms(ctx context.Context) (catalog.Synonyms, error) {
	var s catalog.Synonyms
	err := db.view(ctx, "read synonyms", func(c *conn) (err error) {
		s, err = c.synonyms(ctx, "")
		return err
	})
	return s, err
}

func (c *conn) synonyms(ctx context.Context, lock string) (s catalog.Synonyms, err error) {
	_, err = c.one(ctx, &s, `SELECT text, changed_by, changed_at, row_version FROM search_synonyms`+lock)
	return s, err
}

// SetSynonyms replaces the text of synonyms; who administers the portal may. It is no
// change of the catalogue: nothing is indexed anew.
func (db *DB) SetSynonyms(ctx context.Context, actor catalog.Actor, rowVersion int64, text string) (catalog.Synonyms, error) {
	var s catalog.Synonyms
	if err := catalog.Can(actor, catalog.AdministerPortal, catalog.Object{}); err != nil {
		return s, err
	}
	text = catalog.PlainText(text)
	if len(text) > catalog.MaxSynonyms {
		return s, invalid("synonyms", "太长了：最多64 KB", "the synonyms are too long: at most %d bytes", catalog.MaxSynonyms)
	}
	err := db.update(ctx, "change synonyms", func(t *tx) error {
		old, err := t.synonyms(ctx, t.lock())
		if err != nil {
			return err
		}
		if err := checkVersion(rowVersion, old.RowVersion); err != nil {
			return err
		}
		s = catalog.Synonyms{Text: text, ChangedBy: actor.ID(), ChangedAt: &t.now, RowVersion: old.RowVersion + 1}
		if _, err := t.exec(ctx, `UPDATE search_synonyms SET text = ?, changed_by = ?, changed_at = ?, row_version = ?`, s.Text, s.ChangedBy, s.ChangedAt, s.RowVersion); err != nil {
			return err
		}
		return t.event(ctx, catalog.ChainPortal, actor, "synonyms.changed", "", facts{"row_version": s.RowVersion, "text": s.Text})
	})
	return s, err
}
