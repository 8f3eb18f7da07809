package client

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"taihu/api"
)

// ErrDamaged is in the error of a file that is not what its manifest says.
var ErrDamaged = errors.New("not what the manifest says")

// Download is a file to fetch.
type Download struct {
	Path string // of the server, such as /data/air-hourly/3/readings.csv?where=…
	File string // where to; until it is whole it is File.part
	// Progress is told how many bytes are there, of how many (-1: unknown).
	Progress func(done, all int64)
	// Retries is how often a transfer may break, or the server be busy, without a byte
	// having come [5].
	Retries int
}

// partial says what a .part file is the beginning of.
type partial struct {
	Path string `json:"path"`
	ETag string `json:"etag"`
}

// errChanged: the server has other bytes than those fetched so far.
var errChanged = errors.New("the bytes changed")

// Download fetches a file, goes on where an earlier try ended, and holds it to
// its manifest before it takes its name. What does not agree is ErrDamaged, and
// the file is removed.
func (c *Client) Download(ctx context.Context, d Download) (*api.Manifest, error) {
	if d.Retries <= 0 {
		d.Retries = 5
	}
	part, note := d.File+".part", d.File+".part.json"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var begun partial
	if b, err := os.ReadFile(note); err != nil || json.Unmarshal(b, &begun) != nil || begun.Path != c.Server+d.Path {
		begun = partial{Path: c.Server + d.Path}
	}
	for failures := 0; ; {
		before, err := f.Seek(0, io.SeekEnd)
		if err != nil {
			return nil, err
		}
		if begun.ETag == "" && before > 0 { // of something else
			before = 0
		}
		err = c.fetch(ctx, d, f, before, &begun, note)
		if err == nil {
			break
		}
		after, _ := f.Seek(0, io.SeekEnd)
		if errors.Is(err, errChanged) || after > before {
			failures = 0
		}
		var later *busy
		again := errors.As(err, &later)
		if failures++; failures > d.Retries || ctx.Err() != nil || CodeOf(err) != "" && !again {
			return nil, err
		}
		wait := time.Duration(failures) * 300 * time.Millisecond
		if again {
			wait = later.after
		}
		if err := sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
	var m manifest
	for tries := 0; ; tries++ {
		if m, err = c.Manifest(ctx, d.Path); err == nil {
			break
		}
		var later *busy
		if !errors.As(err, &later) || tries >= d.Retries {
			return nil, fmt.Errorf("read manifest: %w", err)
		}
		if err := sleep(ctx, later.after); err != nil {
			return nil, err
		}
	}
	if err := m.hold(f); err != nil {
		return nil, errors.Join(err, os.Remove(part), os.Remove(note))
	}
	if err := errors.Join(f.Sync(), os.Rename(part, d.File)); err != nil {
		return nil, err
	}
	return m.Manifest, os.Remove(note)
}

// busy is an error of a server that wants to be asked again later: too many
// requests, or no room.
type busy struct {
	error
	after time.Duration
}

func (b *busy) Unwrap() error { return b.error }

// longestWait bounds what a server can make its client wait.
const longestWait = 2 * time.Minute

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// fetch gets the bytes from an offset on, or all where the server's have changed.
func (c *Client) fetch(ctx context.Context, d Download, f *os.File, at int64, begun *partial, note string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Server+d.Path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept-Encoding", "identity") // ranges are of the bytes as they are kept
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if at > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", at))
		req.Header.Set("If-Range", begun.ETag)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return fmt.Errorf("the server %s does not answer: %w", c.Server, err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		at = 0
	case http.StatusPartialContent:
	case http.StatusRequestedRangeNotSatisfiable:
		if all, ok := strings.CutPrefix(resp.Header.Get("Content-Range"), "bytes */"); ok && all == fmt.Sprint(at) {
			return nil // it was whole already
		}
		begun.ETag = ""
		return errors.Join(errChanged, f.Truncate(0))
	default:
		return problem(resp)
	}
	if err := f.Truncate(at); err != nil {
		return err
	}
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		return err
	}
	begun.ETag = resp.Header.Get("ETag")
	b, err := json.Marshal(begun)
	if err != nil {
		return err
	}
	if err := os.WriteFile(note, b, 0o644); err != nil {
		return err
	}
	all := int64(-1)
	if resp.ContentLength >= 0 {
		all = at + resp.ContentLength
	}
	_, err = io.Copy(&counted{f, at, all, d.Progress}, resp.Body)
	return err
}

// counted tells how far a file is.
type counted struct {
	w         io.Writer
	done, all int64
	tell      func(done, all int64)
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.done += int64(n)
	if c.tell != nil {
		c.tell(c.done, c.all)
	}
	return n, err
}

// manifest is a manifest that files can be held to.
type manifest struct{ *api.Manifest }

// Manifest reads the manifest of a download, which the server makes first where it
// has none.
func (c *Client) Manifest(ctx context.Context, path string) (manifest, error) {
	m := manifest{&api.Manifest{}}
	path, query, _ := strings.Cut(path, "?")
	if path += ".manifest.json"; query != "" {
		path += "?" + query
	}
	return m, c.send(ctx, http.MethodGet, path, nil, -1, "", m.Manifest)
}

// Verify holds a file to a manifest: its size and its hash. What does not agree is
// ErrDamaged and says how.
func Verify(file string, m *api.Manifest) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return manifest{m}.hold(f)
}

func (m manifest) hold(f *os.File) error {
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	h := sha256.New()
	head := sha256.New() // of as many bytes as the manifest has
	if _, err := io.Copy(io.MultiWriter(h, &limited{head, m.Bytes}), f); err != nil {
		return err
	}
	sum := hex.EncodeToString(h.Sum(nil))
	switch {
	case size < m.Bytes:
		return fmt.Errorf("%w: it has %d of %d bytes, so it was cut", ErrDamaged, size, m.Bytes)
	case size > m.Bytes && hex.EncodeToString(head.Sum(nil)) == m.SHA256:
		return fmt.Errorf("%w: %d bytes follow behind the end", ErrDamaged, size-m.Bytes)
	case size > m.Bytes:
		return fmt.Errorf("%w: it has %d bytes, not %d", ErrDamaged, size, m.Bytes)
	case sum != m.SHA256:
		return fmt.Errorf("%w: it has the right size, but other bytes (sha256 %s, not %s)", ErrDamaged, sum, m.SHA256)
	}
	return nil
}

// limited passes the first n bytes on.
type limited struct {
	w io.Writer
	n int64
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(int64(len(p)), l.n)
	l.n -= n
	_, err := l.w.Write(p[:n])
	return len(p), err
}

// DataPath is the address of a table as a file on a server; query may be nil.
func DataPath(dataset, release, file string, query url.Values) string {
	p := "/data/" + url.PathEscape(dataset) + "/" + url.PathEscape(release) + "/" + url.PathEscape(file)
	if len(query) > 0 {
		p += "?" + query.Encode()
	}
	return p
}
