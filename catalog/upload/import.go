package upload

import (
	"context"
	"errors"
	"path"

	"taihu/catalog"
	"taihu/catalog/fetch"
)

// Import begins an upload whose bytes a job fetches from an address. Invalid
// invalid_address.
func (r *Receiver) Import(ctx context.Context, actor catalog.Actor, draftID, address, name string, o catalog.IngestOptions) (*catalog.Upload, error) {
	source, err := fetch.Clean(address)
	if err != nil {
		return nil, err
	}
	if name == "" {
		name = fetch.Name(source)
	}
	return r.Create(ctx, actor, draftID, catalog.Upload{Name: name, Options: o, Size: -1, Source: source})
}

// Fetch is the handler of a JobImport: it fetches the file and makes it one of
// the draft, or says why not. A source that may do better later is asked again.
func (r *Receiver) Fetch(ctx context.Context, c *fetch.Client, j *catalog.Job, uploadID string) error {
	u, err := r.store.UploadForImport(ctx, uploadID)
	if catalog.KindOf(err) == catalog.NotFound {
		return nil // deleted, or done already
	}
	if err != nil {
		return err
	}
	work, cancel := context.WithCancel(ctx)
	defer cancel()
	release, err := r.take(ctx, u.ID, cancel) // who deletes it ends the work
	if err != nil {
		return err
	}
	defer release()
	err = r.fetch(work, c, u)
	var known *catalog.Error
	switch {
	case err == nil || work.Err() != nil && ctx.Err() == nil || catalog.CodeOf(err) == "unknown_upload":
		return nil // done, or deleted meanwhile
	case ctx.Err() != nil:
		return err
	case !errors.As(err, &known) || known.Kind == catalog.Unavailable || known.Code == "upload_busy": // ours to mend, not the source's
		if j.Attempt < j.MaxAttempts {
			return err
		}
		why := catalog.Failure{Code: "internal", Message: catalog.Text{Zh: "本站出了问题", En: "something went wrong on our side"}}
		return errors.Join(err, r.fail(context.WithoutCancel(ctx), u, why))
	case fetch.Temporary(err) && j.Attempt < j.MaxAttempts:
		return err
	}
	return r.fail(context.WithoutCancel(ctx), u, catalog.Failure{Code: known.Code, Message: catalog.Text{Zh: known.Zh, En: known.Message}})
}

func (r *Receiver) fetch(ctx context.Context, c *fetch.Client, u *catalog.Upload) error {
	actor, err := r.store.ActorOf(ctx, u.UserID) // with the rights of now
	if err != nil {
		return err
	}
	if _, err := r.store.Upload(ctx, actor, u.ReleaseID, u.ID); err != nil {
		return err
	}
	f, err := c.Get(ctx, u.Source)
	if err != nil {
		return err
	}
	defer func() { _ = f.Body.Close() }()
	if u.Name == fetch.Name(u.Source) && path.Ext(u.Name) == "" && path.Ext(f.Name) != "" {
		u.Name = f.Name // …/download?id=7 names nothing
	}
	if f.MediaType == "text/plain" { // what servers say of any text
		f.MediaType = ""
	}
	u.MediaType, u.Size = MediaType(f.MediaType, u.Name), f.Size
	if u.Received > 0 { // an earlier attempt: the source may have changed since
		if err := r.store.Received(ctx, u, 0); err != nil {
			return err
		}
	}
	if err := r.room(ctx, max(u.Size, 0)); err != nil {
		return err
	}
	if err := r.write(ctx, u, Piece{Body: f.Body}); err != nil {
		return err
	}
	switch {
	case u.Received == 0: // an earlier file of this name must not be lost to a slip of the source
		return catalog.Errorf(catalog.Unprocessable, "import_failed", "the address gives an empty file").InChinese("这个地址给出的文件是空的")
	case u.Size >= 0 && !u.Whole():
		return catalog.Errorf(catalog.Unprocessable, "import_failed", "the address gives fewer bytes than it said").InChinese("这个地址给出的字节比说好的少")
	}
	u.Size = u.Received
	if err := r.store.Received(ctx, u, u.Received); err != nil {
		return err
	}
	return r.finish(context.WithoutCancel(ctx), actor, u)
}
