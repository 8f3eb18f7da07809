package catalog

import "time"

// Upload is a file on its way into a draft: sent in pieces, or fetched from an
// address by a job. It belongs to the draft and to who began it; when it is whole
// it becomes a file of the draft, as if it had been put there at once.
type Upload struct {
	ID        string        `json:"id"`
	ReleaseID string        `json:"release_id"`
	UserID    string        `json:"user_id"`
	Name      string        `json:"name"`
	MediaType string        `json:"media_type"`
	Options   IngestOptions `json:"options"`
	Size      int64         `json:"size"`     // -1: not known yet
	Received  int64         `json:"received"` // bytes that survive a crash
	SHA256    string        `json:"sha256"`   // of the whole file as its sender says, else of what came; may be empty
	Source    string        `json:"source"`   // the address it is fetched from; empty: it is sent
	State     UploadState   `json:"state"`
	Failure   Failure       `json:"failure"`
	CreatedAt time.Time     `json:"created_at"`
	ExpiresAt time.Time     `json:"expires_at"` // moves on while bytes come
}

// Failure is why an upload ended without a file; the zero Failure is none.
type Failure struct {
	Code    string `json:"code,omitempty"`
	Message Text   `json:"message,omitzero"`
}

// UploadState is where an upload stands.
type UploadState string

// The states of an upload.
const (
	UploadOpen   UploadState = "open"   // bytes are missing
	UploadDone   UploadState = "done"   // it is a file of its draft
	UploadFailed UploadState = "failed" // it will not become one: Failure says why
)

// Whole reports whether every byte has come.
func (u *Upload) Whole() bool { return u.Size >= 0 && u.Received == u.Size }

// UploadLife is how long an upload may stand still before it is thrown away, and
// how long one that ended can still be looked at.
const UploadLife = 24 * time.Hour
