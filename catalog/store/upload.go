package store

import (
	"context"

	"taihu/catalog"
)

// maxUploads is how many unfinished uploads one user may have.
const maxUploads = 200

const uploadColumns = `id, release_id, user_id, name, media_type, options, size, received, sha256, source, state, failure, created_at, expires_at`

// unknownUpload is what unknown uploads and those of others answer alike.
func unknownUpload() error {
	return unknown("unknown_upload", "there is no such upload: it has ended, it has expired, or somebody else began it").InChinese("没有这个上传：它已结束、已过期，或者是别人的")
}

// CreateUpload begins an upload into a draft; u says name, media type, options,
// size, hash and source. One with a source is fetched by a job. Who may edit the
// draft may; RateLimited too_many_uploads.
func (db *DB) CreateUpload(ctx context.Context, actor catalog.Actor, draftID string, u catalog.Upload) (*catalog.Upload, error) {
	if err := checkFileName(u.Name); err != nil {
		return nil, err
	}
	err := db.update(ctx, "begin upload", func(t *tx) error {
		r, _, err := t.draft(ctx, actor, draftID, catalog.EditDraft, t.lock())
		if err != nil {
			return err
		}
		if !editable[r.State] {
			return r.State.CheckMove(catalog.Checking)
		}
		var n int
		if _, err := t.value(ctx, `SELECT COUNT(*) FROM uploads WHERE user_id = ? AND state = 'open'`, []any{actor.ID()}, &n); err != nil {
			return err
		}
		if n >= maxUploads {
			return catalog.Errorf(catalog.RateLimited, "too_many_uploads", "you have %d unfinished uploads: end or delete some first", n).InChinese("你有%d个没传完的上传：请先传完或删掉一些", n)
		}
		u.ID, u.ReleaseID, u.UserID, u.State = catalog.NewID(), r.ID, actor.ID(), catalog.UploadOpen
		u.CreatedAt, u.ExpiresAt = t.now, t.now.Add(catalog.UploadLife)
		_, err = t.exec(ctx, `INSERT INTO uploads (`+uploadColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			u.ID, u.ReleaseID, u.UserID, u.Name, u.MediaType, js(u.Options), u.Size, u.Received, u.SHA256, u.Source, string(u.State), js(u.Failure), u.CreatedAt, u.ExpiresAt)
		if err != nil || u.Source == "" {
			return err
		}
		return t.enqueue(ctx, catalog.JobImport, catalog.ImportArgs{UploadID: u.ID})
	})
	if err != nil {
		return nil, err
	}
	return &u, nil
}

// Upload returns an upload of a draft to who began it, as long as he may edit the
// draft. NotFound unknown_upload.
func (db *DB) Upload(ctx context.Context, actor catalog.Actor, draftID, id string) (*catalog.Upload, error) {
	var u *catalog.Upload
	err := db.view(ctx, "read upload", func(c *conn) (err error) {
		u, err = c.upload(ctx, actor, draftID, id, "")
		return err
	})
	return u, err
}

func (c *conn) upload(ctx context.Context, actor catalog.Actor, draftID, id, lock string) (*catalog.Upload, error) {
	if _, _, err := c.draft(ctx, actor, draftID, catalog.EditDraft, ""); err != nil {
		return nil, err
	}
	u := &catalog.Upload{}
	found, err := c.one(ctx, u, `SELECT `+uploadColumns+` FROM uploads WHERE id = ? AND release_id = ? AND user_id = ? AND expires_at > ?`+lock, id, draftID, actor.ID(), c.clock())
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, unknownUpload()
	}
	return u, nil
}

// Uploads lists the actor's own uploads that have not expired, oldest first: of
// one draft, or of all where draftID is empty. Those that ended are among them.
func (db *DB) Uploads(ctx context.Context, actor catalog.Actor, draftID string) ([]catalog.Upload, error) {
	list := []catalog.Upload{}
	if actor.Anonymous() {
		return list, catalog.Can(actor, catalog.EditDraft, catalog.Object{})
	}
	err := db.view(ctx, "list uploads", func(c *conn) error {
		if draftID != "" {
			if _, _, err := c.draft(ctx, actor, draftID, catalog.ReadDraft, ""); err != nil {
				return err
			}
			return c.all(ctx, &list, `SELECT `+uploadColumns+` FROM uploads WHERE user_id = ? AND release_id = ? AND expires_at > ? ORDER BY id`, actor.ID(), draftID, c.clock())
		}
		return c.all(ctx, &list, `SELECT `+uploadColumns+` FROM uploads WHERE user_id = ? AND expires_at > ? ORDER BY id`, actor.ID(), c.clock())
	})
	return list, err
}

// UploadForImport returns an upload that a job is to fetch; NotFound
// unknown_upload where it was deleted or has ended.
func (db *DB) UploadForImport(ctx context.Context, id string) (*catalog.Upload, error) {
	u := &catalog.Upload{}
	err := db.view(ctx, "read upload", func(c *conn) error {
		found, err := c.one(ctx, u, `SELECT `+uploadColumns+` FROM uploads WHERE id = ? AND state = 'open'`, id)
		if err == nil && !found {
			err = unknownUpload()
		}
		return err
	})
	return u, err
}

// Received notes how many bytes of an open upload are durable, and its size,
// which may have become known; it lives on from now.
func (db *DB) Received(ctx context.Context, u *catalog.Upload, received int64) error {
	return db.update(ctx, "note bytes received", func(t *tx) error {
		expires := t.now.Add(catalog.UploadLife)
		n, err := t.exec(ctx, `UPDATE uploads SET received = ?, size = ?, expires_at = ? WHERE id = ? AND state = 'open'`, received, u.Size, expires, u.ID)
		if err == nil && n == 0 {
			return unknownUpload()
		}
		if err == nil {
			u.Received, u.ExpiresAt = received, expires
		}
		return err
	})
}

// FinishUpload makes a whole upload a file of its draft, exactly as PutFile does,
// in one transaction. Done before, it changes nothing.
func (db *DB) FinishUpload(ctx context.Context, actor catalog.Actor, u *catalog.Upload, b catalog.Blob) error {
	_, err := db.edit(ctx, actor, u.ReleaseID, 0, "file.put", func(t *tx, r *catalog.Release, d *datasetRow) (facts, error) {
		now, err := t.upload(ctx, actor, r.ID, u.ID, t.lock())
		if err != nil || now.State == catalog.UploadDone {
			return nil, err
		}
		if err := checkFileName(u.Name); err != nil { // of an import it may be another than at the beginning
			return nil, err
		}
		if _, err := t.exec(ctx, `UPDATE uploads SET state = 'done', name = ?, media_type = ?, sha256 = ?, expires_at = ? WHERE id = ?`, u.Name, u.MediaType, b.SHA256, t.now.Add(catalog.UploadLife), u.ID); err != nil {
			return nil, err
		}
		_, said, err := t.putFile(ctx, actor, d, r, Upload{Name: u.Name, MediaType: u.MediaType, Blob: b, Options: u.Options})
		return said, err
	})
	if err == nil {
		u.State, u.SHA256 = catalog.UploadDone, b.SHA256
	}
	return err
}

// FailUpload ends an upload without a file.
func (db *DB) FailUpload(ctx context.Context, u *catalog.Upload, why catalog.Failure) error {
	err := db.update(ctx, "end upload", func(t *tx) error {
		_, err := t.exec(ctx, `UPDATE uploads SET state = 'failed', failure = ?, expires_at = ? WHERE id = ? AND state = 'open'`, js(why), t.now.Add(catalog.UploadLife), u.ID)
		return err
	})
	if err == nil {
		u.State, u.Failure = catalog.UploadFailed, why
	}
	return err
}

// DeleteUpload forgets an upload of the actor's.
func (db *DB) DeleteUpload(ctx context.Context, actor catalog.Actor, draftID, id string) error {
	return db.update(ctx, "delete upload", func(t *tx) error {
		if _, err := t.upload(ctx, actor, draftID, id, t.lock()); err != nil {
			return err
		}
		_, err := t.exec(ctx, `DELETE FROM uploads WHERE id = ?`, id)
		return err
	})
}

// ExpireUploads forgets the uploads whose time is over, and those of drafts that
// will take no file any more. It returns the ids of the open ones, whose bytes are
// needed.
func (db *DB) ExpireUploads(ctx context.Context) (keep []string, err error) {
	err = db.update(ctx, "expire uploads", func(t *tx) error {
		keep = nil
		_, err := t.exec(ctx, `DELETE FROM uploads WHERE expires_at <= ? OR state = 'open' AND release_id IN (SELECT id FROM releases WHERE state IN ('published', 'withdrawn', 'abandoned'))`, t.now)
		if err != nil {
			return err
		}
		var list []catalog.Upload
		if err := t.all(ctx, &list, `SELECT id FROM uploads WHERE state = 'open' ORDER BY id`); err != nil {
			return err
		}
		for _, u := range list {
			keep = append(keep, u.ID)
		}
		return nil
	})
	return keep, err
}

// UploadsDue is how many bytes open uploads still wait for, of a known size.
func (db *DB) UploadsDue(ctx context.Context) (bytes int64, err error) {
	err = db.view(ctx, "sum uploads", func(c *conn) error {
		_, err := c.value(ctx, `SELECT CAST(COALESCE(SUM(size - received), 0) AS BIGINT) FROM uploads WHERE state = 'open' AND size >= 0`, nil, &bytes)
		return err
	})
	return bytes, err
}
