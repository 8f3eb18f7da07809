package download

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"taihu/catalog"
	"taihu/catalog/blob"
	"taihu/catalog/store"
)

// Piece is one large file of a pack: a whole table to be encoded, or stored bytes.
type Piece struct {
	Export *Request     // nil: Blob
	Blob   catalog.Blob // of an uploaded file
}

// Of is where the bytes of a piece lie.
func (e *Exporter) Of(p Piece) blob.Store {
	if p.Export != nil {
		return e.Blobs
	}
	return e.Files
}

// Packed is a piece that lies ready.
type Packed struct {
	Blob  catalog.Blob `json:"blob"`
	CRC32 uint32       `json:"crc32"`
}

// packType is the media type of a kept pack, which is never sent.
const packType = "application/vnd.taihu.pack+json"

// Pack has every piece lie ready and knows its length, hash and CRC-32, which
// archives are made of. The answer is kept under key, so that the bytes are read
// for their CRC once; key must say all that the pieces depend on. Who asks at
// the same time waits for the same work.
func (e *Exporter) Pack(ctx context.Context, key string, pieces []Piece) ([]Packed, error) {
	for {
		if list, err := e.storedPack(ctx, key, pieces); list != nil || err != nil {
			return list, err
		}
		e.mu.Lock()
		busy := e.packs[key]
		if busy == nil {
			if e.packs == nil {
				e.packs = map[string]chan struct{}{}
			}
			mine := make(chan struct{})
			e.packs[key] = mine
			e.mu.Unlock()
			list, err := e.pack(ctx, key, pieces)
			e.mu.Lock()
			delete(e.packs, key)
			e.mu.Unlock()
			close(mine)
			return list, err
		}
		e.mu.Unlock()
		select {
		case <-busy: // kept now, or the work was given up and is ours
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// storedPack is the kept answer, or nil where there is none or some of its bytes
// are gone.
func (e *Exporter) storedPack(ctx context.Context, key string, pieces []Piece) ([]Packed, error) {
	x, err := e.Stored(ctx, key)
	if x == nil || err != nil {
		return nil, err
	}
	f, err := e.Blobs.Open(ctx, x.Blob.SHA256)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list := []Packed{}
	if err := json.NewDecoder(f).Decode(&list); err != nil || len(list) != len(pieces) {
		return nil, fmt.Errorf("kept pack %s cannot be read: %w", key, err)
	}
	for i, p := range list {
		// What was encoded may have been forgotten since.
		if _, err := e.Of(pieces[i]).Stat(ctx, p.Blob.SHA256); catalog.KindOf(err) == catalog.NotFound {
			return nil, e.Store.DeleteExport(ctx, key)
		} else if err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (e *Exporter) pack(ctx context.Context, key string, pieces []Piece) ([]Packed, error) {
	list := make([]Packed, len(pieces))
	for i, p := range pieces {
		b := p.Blob
		if p.Export != nil {
			x, err := e.Build(ctx, p.Export)
			if err != nil {
				return nil, err
			}
			b = x.Blob
		}
		sum, size, err := e.crc32(ctx, e.Of(p), b.SHA256)
		if err != nil {
			return nil, err
		}
		list[i] = Packed{Blob: catalog.Blob{SHA256: b.SHA256, Size: size}, CRC32: sum}
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	b, err := e.Blobs.Put(ctx, bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("keep pack: %w", err)
	}
	return list, e.Store.PutExport(ctx, &store.Export{Key: key, Blob: b, MediaType: packType})
}

func (e *Exporter) crc32(ctx context.Context, blobs blob.Store, sha256 string) (sum uint32, size int64, err error) {
	f, err := blobs.Open(ctx, sha256)
	if err != nil {
		// Bytes that are promised and gone are our fault, not an unknown address.
		return 0, 0, fmt.Errorf("open stored bytes %s: %s", sha256, err.Error())
	}
	defer f.Close()
	h := crc32.NewIEEE()
	buf := make([]byte, 1<<20)
	for {
		n, err := f.Read(buf)
		_, _ = h.Write(buf[:n]) // never fails
		size += int64(n)
		if errors.Is(err, io.EOF) {
			return h.Sum32(), size, nil
		}
		if err == nil {
			err = context.Cause(ctx)
		}
		if err != nil {
			return 0, 0, fmt.Errorf("read stored bytes %s: %w", sha256, err)
		}
	}
}
