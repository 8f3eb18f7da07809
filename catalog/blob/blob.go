// Package blob keeps content-addressed bytes: put once, hashed while written,
// read by their sha256, never changed.
//
// It knows nothing of what the bytes mean nor of who may read them; callers ask
// catalog.Can first. Directory is the store on a local disk; blobtest is the
// suite that every store passes.
package blob

import (
	"context"
	"io"

	"taihu/catalog"
)

// Store keeps blobs. Unknown ones are catalog.NotFound.
type Store interface {
	// Put stores what r gives and returns its hash and size. When it returns nil
	// the bytes are durable. Putting the same bytes again changes nothing.
	Put(ctx context.Context, r io.Reader) (catalog.Blob, error)
	// PutFile stores the file at path, which it may move away or leave.
	PutFile(ctx context.Context, path string) (catalog.Blob, error)
	// Open reads a blob.
	Open(ctx context.Context, sha256 string) (Reader, error)
	// Stat returns the size of a blob without reading it.
	Stat(ctx context.Context, sha256 string) (catalog.Blob, error)
	// Local returns the path of a local file with the blob's bytes for a child
	// process to read. release must be called when it is no longer needed.
	Local(ctx context.Context, sha256 string) (path string, release func(), err error)
	// Check reads the blob and returns an error where its bytes do not have
	// their hash.
	Check(ctx context.Context, sha256 string) error
	// List calls f for every blob, in order of hash.
	List(ctx context.Context, f func(catalog.Blob) error) error
	// Delete removes a blob; an unknown one is no error.
	Delete(ctx context.Context, sha256 string) error
}

// Reader reads one blob.
type Reader interface {
	io.ReadSeekCloser
	io.ReaderAt
	Size() int64
}
