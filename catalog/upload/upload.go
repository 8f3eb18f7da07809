// Package upload receives files in pieces: whatever is cut when, a sender goes on
// after the last byte that was acknowledged, also when this process was killed.
//
// The bytes of an unfinished upload lie in a folder beside the blobs, one file
// each; the store knows how many of them are durable. A whole one is linked into
// the blob store, not copied, and becomes a file of its draft by the same verb as
// one that came in one piece. It knows nothing of HTTP or of the tus protocol.
package upload

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // the tus protocol asks for it: against accidents on the way, not against people
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"log/slog"
	"mime"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"taihu/catalog"
	"taihu/catalog/blob"
	"taihu/catalog/failpoint"
	"taihu/catalog/store"
)

const (
	// Step is how many bytes are received before they are made durable and noted:
	// at most so many are sent again after a crash in the middle of a piece.
	Step = 2 << 20
	// margin is room on the disk that no upload may take.
	margin = 64 << 20
	// takeOver is how long a sender waits for an older connection of the same
	// upload to let go.
	takeOver = 10 * time.Second
	// linkEnd ends the name of the second link by which a whole upload is moved.
	linkEnd = ".whole"
)

// Receiver receives uploads. Make one with Open.
type Receiver struct {
	store  *store.DB
	blobs  blob.Store
	most   int64
	log    *slog.Logger
	folder string
	mu     sync.Mutex
	held   map[string]*hold
}

// hold is a connection that writes to an upload.
type hold struct {
	stop func()
	done chan struct{}
}

// Sum is the checksum of one piece; the zero Sum is none.
type Sum struct {
	Algorithm string // one of Algorithms
	Value     []byte
}

// Algorithms are those of Sum, the best first.
var Algorithms = []string{"sha256", "sha1"}

// new returns the hash of an algorithm, or nil.
func (s Sum) new() hash.Hash {
	switch s.Algorithm {
	case "sha256":
		return sha256.New()
	case "sha1":
		return sha1.New() //nolint:gosec // see the import
	}
	return nil
}

// ErrChecksum is the error of a piece whose bytes do not have their Sum. None of
// them was kept.
var ErrChecksum = errors.New("the bytes do not have the checksum that was sent with them")

// Open makes the folder of unfinished uploads where it is missing. It must lie on
// the file system of the blobs for a whole upload to be moved there.
// A file may have most bytes.
func Open(folder string, db *store.DB, blobs blob.Store, most int64, log *slog.Logger) (*Receiver, error) {
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, fmt.Errorf("folder of uploads: %w", err)
	}
	return &Receiver{store: db, blobs: blobs, most: most, log: log, folder: folder, held: map[string]*hold{}}, nil
}

// Create begins an upload. TooLarge and Full come before a byte is sent.
func (r *Receiver) Create(ctx context.Context, actor catalog.Actor, draftID string, u catalog.Upload) (*catalog.Upload, error) {
	if u.Size > r.most {
		return nil, TooLarge(r.most)
	}
	if err := r.room(ctx, max(u.Size, 0)); err != nil {
		return nil, err
	}
	made, err := r.store.CreateUpload(ctx, actor, draftID, u)
	if err == nil && made.Whole() { // an empty file
		err = r.finish(context.WithoutCancel(ctx), actor, made)
	}
	return made, err
}

// TooLarge is what a file of more than limit bytes answers.
func TooLarge(limit int64) error {
	return catalog.Errorf(catalog.TooLarge, "too_large", "a file may have at most %d bytes here", limit).With("limit", limit).
		InChinese("文件最大%d字节", limit)
}

// room is Full where the disk has no place for so many bytes beside what open
// uploads still wait for.
func (r *Receiver) room(ctx context.Context, size int64) error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(r.folder, &s); err != nil {
		return fmt.Errorf("look at the disk of uploads: %w", err)
	}
	due, err := r.store.UploadsDue(ctx)
	if err != nil {
		return err
	}
	if int64(s.Bavail)*s.Bsize-due-margin < size { //nolint:gosec // no disk has 2^63 blocks
		return full(nil)
	}
	return nil
}

func full(cause error) error {
	return catalog.Errorf(catalog.Full, "storage_full", "the portal's disk is full: its operator has to make room").
		InChinese("存储空间已满，请联系管理员").Because(cause)
}

// Status returns an upload of the actor's. Another connection that is sending to
// it is stopped first, so that the number of bytes holds; bytes that came whole
// before a crash become the file now.
func (r *Receiver) Status(ctx context.Context, actor catalog.Actor, draftID, id string) (*catalog.Upload, error) {
	u, err := r.store.Upload(ctx, actor, draftID, id)
	if err != nil || u.State != catalog.UploadOpen || u.Source != "" { // imports are the job's
		return u, err
	}
	release, err := r.take(ctx, id, func() {})
	if err != nil {
		return nil, err
	}
	defer release()
	if u, err = r.store.Upload(ctx, actor, draftID, id); err != nil || u.State != catalog.UploadOpen || !u.Whole() {
		return u, err
	}
	return u, r.finish(context.WithoutCancel(ctx), actor, u)
}

// take makes the caller the only writer of an upload: another one is told to
// stop, and waited for. stop will be called when the caller is to stop.
func (r *Receiver) take(ctx context.Context, id string, stop func()) (release func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, takeOver)
	defer cancel()
	for {
		r.mu.Lock()
		h := r.held[id]
		if h == nil {
			mine := &hold{stop: stop, done: make(chan struct{})}
			r.held[id] = mine
			r.mu.Unlock()
			return func() {
				r.mu.Lock()
				delete(r.held, id)
				r.mu.Unlock()
				close(mine.done)
			}, nil
		}
		r.mu.Unlock()
		h.stop()
		select {
		case <-h.done:
		case <-ctx.Done():
			return nil, busy()
		}
	}
}

func busy() error {
	return catalog.Errorf(catalog.Conflict, "upload_busy", "another connection is sending to this upload: ask again in a moment").InChinese("另一个连接正在传这个文件：请稍后再试")
}

// MediaType is what a sender says of a file, where he said it on purpose, else
// what its name says.
func MediaType(said, name string) string {
	media, _, err := mime.ParseMediaType(said)
	if err != nil || media == "application/x-www-form-urlencoded" { // what curl -T and -d send unasked
		media = mime.TypeByExtension(path.Ext(name))
	}
	if media == "" {
		return "application/octet-stream"
	}
	return media
}

// Piece is a run of bytes of an upload.
type Piece struct {
	Offset int64
	Length int64 // -1: unknown
	Sum    Sum
	Body   io.Reader
	// Stop makes a Read of Body that waits return; it may be called at any time.
	Stop func()
}

// Append adds bytes to an upload and returns it as it then stands, also with an
// error: what came before the connection broke is kept. Conflict wrong_offset
// where the piece does not begin where the upload ends, ErrChecksum where its
// bytes were changed on the way. With the last byte it becomes a file.
func (r *Receiver) Append(ctx context.Context, actor catalog.Actor, draftID, id string, p Piece) (*catalog.Upload, error) {
	if _, err := r.store.Upload(ctx, actor, draftID, id); err != nil { // before a stranger stops anybody
		return nil, err
	}
	var stopped sync.Once
	gone := make(chan struct{})
	release, err := r.take(ctx, id, func() { stopped.Do(func() { close(gone); p.Stop() }) })
	if err != nil {
		return nil, err
	}
	defer release()
	// What has come is kept also where the sender is gone.
	ctx = context.WithoutCancel(ctx)
	u, err := r.store.Upload(ctx, actor, draftID, id)
	if err != nil {
		return nil, err
	}
	switch {
	case u.State == catalog.UploadFailed:
		return u, failed(u)
	case u.Source != "":
		return u, busy()
	case p.Offset != u.Received:
		return u, catalog.Errorf(catalog.Conflict, "wrong_offset", "the upload stands at byte %d, not at %d: go on from there", u.Received, p.Offset).With("offset", u.Received).
			InChinese("已收到%d字节，不是%d：请从那里继续", u.Received, p.Offset)
	case u.State == catalog.UploadDone:
		return u, nil
	case p.Length > u.Size-u.Received:
		return u, catalog.Errorf(catalog.TooLarge, "too_many_bytes", "the upload was begun for %d bytes, and these are more", u.Size).With("limit", u.Size).
			InChinese("这个上传说好是%d字节，现在超过了", u.Size)
	}
	if err := r.write(ctx, u, p); err != nil {
		select {
		case <-gone:
			return u, catalog.Errorf(catalog.Conflict, "upload_taken_over", "another connection goes on with this upload").InChinese("另一个连接接手了这个上传")
		default:
		}
		return u, err
	}
	if u.Whole() {
		return u, r.finish(ctx, actor, u)
	}
	return u, nil
}

func failed(u *catalog.Upload) error {
	return catalog.Errorf(catalog.Gone, "upload_failed", "this upload has failed and takes no more bytes: %s", u.Failure.Message.In("en")).With("failure", u.Failure.Code).
		InChinese("这个上传已失败：%s", u.Failure.Message.In("zh"))
}

// write appends what p gives to the file, in steps that are synced and noted. A
// piece with a checksum is noted only when it was found good.
func (r *Receiver) write(ctx context.Context, u *catalog.Upload, p Piece) error {
	f, err := r.open(u)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	sum := p.Sum.new()
	var w io.Writer = f
	if sum != nil {
		w = io.MultiWriter(f, sum)
	}
	start, at, end := u.Received, u.Received, u.Size
	if end < 0 {
		end = r.most
	}
	for {
		n, err := io.Copy(w, io.LimitReader(p.Body, min(Step, end-at)))
		at += n
		broken := err
		if err == nil && at == end {
			broken = beyond(p.Body)
		}
		ended := broken != nil || n == 0 || at == end
		if isWriting(broken) {
			return storing(broken)
		}
		if sum == nil || ended {
			if sum != nil && (broken != nil || !bytes.Equal(sum.Sum(nil), p.Sum.Value)) {
				if err := f.Truncate(start); err != nil {
					return storing(err)
				}
				if broken != nil {
					return brokenOff(broken)
				}
				return ErrChecksum
			}
			if err := r.keep(ctx, f, u, at); err != nil {
				return err
			}
		}
		if broken != nil {
			return brokenOff(broken)
		}
		if ended {
			return nil
		}
	}
}

// keep makes the bytes up to at durable and notes it. A disk that fails to sync
// has lost bytes it took: then the upload is over, never tried again as if well.
func (r *Receiver) keep(ctx context.Context, f *os.File, u *catalog.Upload, at int64) error {
	if at == u.Received {
		return nil
	}
	if err := f.Sync(); err != nil {
		_ = r.fail(ctx, u, catalog.Failure{Code: "storage_failed", Message: catalog.Text{Zh: "磁盘写入失败", En: "the disk failed"}})
		return storing(err)
	}
	if err := failpoint.Hit("upload.before_note"); err != nil {
		return err
	}
	return r.store.Received(ctx, u, at)
}

// beyond is nil where r ends here, else an error: more came than was announced.
func beyond(r io.Reader) error {
	var one [1]byte
	if n, err := io.ReadFull(r, one[:]); n == 0 && errors.Is(err, io.EOF) || n == 0 && err != nil {
		return nil //nolint:nilerr // every byte is here
	}
	return catalog.Errorf(catalog.TooLarge, "too_many_bytes", "more bytes came than the upload was begun for").InChinese("收到的字节比说好的多")
}

func isWriting(err error) bool {
	var e *fs.PathError
	return errors.As(err, &e)
}

func storing(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return full(err)
	}
	return fmt.Errorf("keep upload: %w", err)
}

func brokenOff(err error) error {
	if catalog.KindOf(err) != "" {
		return err
	}
	return catalog.Errorf(catalog.Invalid, "broken_upload", "the upload broke off: what came is kept, go on from there").InChinese("上传中断：已收到的部分保留，可以接着传").Because(err)
}

// open opens the file of an upload, cut to the bytes that were noted, for one
// process alone. What is shorter than that was lost with its disk.
func (r *Receiver) open(u *catalog.Upload) (*os.File, error) {
	f, err := os.OpenFile(r.path(u.ID), os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o640)
	if err != nil {
		return nil, storing(err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil:
		err = busy()
	case info.Size() < u.Received:
		err = catalog.Errorf(catalog.Gone, "upload_failed", "the bytes of this upload are lost: begin it again").InChinese("这个上传的数据已丢失：请重新上传")
	default:
		if u.Received == 0 {
			err = blob.SyncPath(r.folder)
		}
		if err == nil {
			err = f.Truncate(u.Received)
		}
		if err == nil {
			_, err = f.Seek(u.Received, io.SeekStart)
		}
	}
	if err != nil {
		_ = f.Close()
		if catalog.KindOf(err) == "" {
			err = storing(err)
		}
		return nil, err
	}
	return f, nil
}

func (r *Receiver) path(id string) string { return filepath.Join(r.folder, id) }

// finish makes a whole upload a file of its draft. A second link goes to the blob
// store, so that a crash on the way finds the bytes in their place still.
func (r *Receiver) finish(ctx context.Context, actor catalog.Actor, u *catalog.Upload) error {
	if err := failpoint.Hit("upload.before_link"); err != nil {
		return err
	}
	b, err := r.settle(ctx, u)
	if err != nil {
		return err
	}
	if u.SHA256 != "" && u.SHA256 != b.SHA256 {
		why := catalog.Failure{Code: "wrong_sha256", Message: catalog.Text{Zh: "收到的文件与上传开始时所说的SHA-256不同：请重新上传", En: "the file that came does not have the SHA-256 the upload was begun with: send it again"}}
		if err := r.fail(ctx, u, why); err != nil {
			return err
		}
		return failed(u)
	}
	if err := failpoint.Hit("upload.before_finish"); err != nil {
		return err
	}
	if err := r.store.FinishUpload(ctx, actor, u, b); err != nil {
		return err
	}
	if err := failpoint.Hit("upload.after_finish"); err != nil {
		return err
	}
	r.drop(u.ID)
	return nil
}

func (r *Receiver) settle(ctx context.Context, u *catalog.Upload) (catalog.Blob, error) {
	if u.Size == 0 {
		return r.blobs.Put(ctx, strings.NewReader(""))
	}
	link := r.path(u.ID) + linkEnd
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return catalog.Blob{}, storing(err)
	}
	if err := os.Link(r.path(u.ID), link); err != nil { // a file system without links
		f, err := os.Open(r.path(u.ID))
		if err != nil {
			return catalog.Blob{}, storing(err)
		}
		defer func() { _ = f.Close() }()
		return r.blobs.Put(ctx, f)
	}
	return r.blobs.PutFile(ctx, link)
}

// fail ends an upload and drops its bytes.
func (r *Receiver) fail(ctx context.Context, u *catalog.Upload, why catalog.Failure) error {
	if err := r.store.FailUpload(ctx, u, why); err != nil {
		return err
	}
	r.drop(u.ID)
	return nil
}

// drop removes the bytes of an upload that ended; what cannot be removed now goes
// with the next sweep.
func (r *Receiver) drop(id string) {
	for _, file := range []string{r.path(id), r.path(id) + linkEnd} {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			r.log.Warn("bytes of an upload that ended could not be removed", "upload_id", id, "error", err)
		}
	}
}

// Delete forgets an upload of the actor's and its bytes. A connection that is
// sending to it is stopped.
func (r *Receiver) Delete(ctx context.Context, actor catalog.Actor, draftID, id string) error {
	if _, err := r.store.Upload(ctx, actor, draftID, id); err != nil {
		return err
	}
	release, err := r.take(ctx, id, func() {})
	if err != nil {
		return err
	}
	defer release()
	if err := r.store.DeleteUpload(ctx, actor, draftID, id); err != nil {
		return err
	}
	r.drop(id)
	return nil
}

var idForm = regexp.MustCompile(`^[0-9a-f-]{36}(\` + linkEnd + `)?$`)

// Sweep forgets uploads whose time is over, and removes bytes that belong to none.
func (r *Receiver) Sweep(ctx context.Context) error {
	// Listed before the store is asked: what begins in between is not in the list.
	entries, err := os.ReadDir(r.folder)
	if err != nil {
		return fmt.Errorf("sweep uploads: %w", err)
	}
	open, err := r.store.ExpireUploads(ctx)
	if err != nil {
		return err
	}
	keep := map[string]bool{}
	for _, id := range open {
		keep[id] = true
	}
	for _, e := range entries {
		id := strings.TrimSuffix(e.Name(), linkEnd)
		if !idForm.MatchString(e.Name()) || keep[id] {
			continue
		}
		r.mu.Lock()
		_, busy := r.held[id]
		r.mu.Unlock()
		if !busy {
			r.drop(id)
		}
	}
	return nil
}
