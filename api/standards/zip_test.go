package standards

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"time"
)

// held is a member's bytes in memory.
type held struct{ *bytes.Reader }

func (held) Close() error { return nil }

func TestArchiveReadsBackFromAnyPlace(t *testing.T) {
	contents := []string{"# 说明\n", "", strings.Repeat("a,b\n1,2\n", 500), "x"}
	names := []string{"README.md", "empty", "data/readings.csv", `files/说明 a";x=.html`}
	members := make([]Member, len(names))
	for i, c := range contents {
		members[i] = Member{Name: names[i], Size: int64(len(c)), CRC32: crc32.ChecksumIEEE([]byte(c))}
	}
	at := time.Date(2026, 11, 23, 8, 30, 7, 0, time.UTC)
	l := NewLayout(members, at)
	r := l.Reader(func(i int) (Bytes, error) { return held{bytes.NewReader([]byte(contents[i]))}, nil })
	whole, err := io.ReadAll(r)
	if err != nil || int64(len(whole)) != l.Size {
		t.Fatalf("%d bytes, the layout says %d: %v", len(whole), l.Size, err)
	}
	z, err := zip.NewReader(bytes.NewReader(whole), l.Size)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range z.File {
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(rc) // checks the CRC
		if err != nil || string(got) != contents[i] || f.Name != names[i] || f.Method != zip.Store || f.Mode().Perm() != 0o644 {
			t.Errorf("%s: %q %v %v", f.Name, got, f.FileHeader, err)
		}
		if got := f.ModTime().Format("2006-01-02T15:04:05"); got[:16] != "2026-11-23T16:30" { //nolint:staticcheck // the DOS time is what is written
			t.Errorf("%s has the time %s", f.Name, got)
		}
	}
	if len(z.File) != len(names) {
		t.Errorf("%d members", len(z.File))
	}
	for from := int64(0); from < l.Size; from += 7 {
		if _, err := r.Seek(from, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		n := min(301, l.Size-from)
		part := make([]byte, n)
		if _, err := io.ReadFull(r, part); err != nil || !bytes.Equal(part, whole[from:from+n]) {
			t.Fatalf("range from %d differs: %v", from, err)
		}
	}
	again, err := io.ReadAll(NewLayout(members, at).Reader(func(i int) (Bytes, error) { return held{bytes.NewReader([]byte(contents[i]))}, nil }))
	if err != nil || sha256.Sum256(again) != sha256.Sum256(whole) {
		t.Errorf("the same members give other bytes: %v", err)
	}
}

// zeros is a member of any length without its bytes.
type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }
func (zeros) Close() error                          { return nil }

// readerAt reads a layout as archive/zip wants to.
type readerAt struct{ io.ReadSeeker }

func (r readerAt) ReadAt(p []byte, at int64) (int, error) {
	if _, err := r.Seek(at, io.SeekStart); err != nil {
		return 0, err
	}
	return io.ReadFull(r, p)
}

// TestLargeArchives: places and lengths over 4 GiB, and just at the edge, are
// found again by another reader.
func TestLargeArchives(t *testing.T) {
	const edge = 1<<32 - 1
	for _, sizes := range [][]int64{
		{5 << 30, 1, 6 << 30, 0}, {edge, 1}, {edge - 1, 1}, {edge - 100, 200}, {edge + 1}, {1 << 31, 1 << 31, 1 << 31}, {1 << 42},
	} {
		t.Run(fmt.Sprint(sizes), func(t *testing.T) {
			var members []Member
			for i, n := range sizes {
				members = append(members, Member{Name: fmt.Sprintf("data/%d.csv", i), Size: n, CRC32: uint32(i)})
			}
			l := NewLayout(members, time.Time{})
			r := readerAt{l.Reader(func(int) (Bytes, error) { return zeros{}, nil })}
			z, err := zip.NewReader(r, l.Size)
			if err != nil {
				t.Fatal(err)
			}
			at := int64(0)
			for i, f := range z.File {
				offset, err := f.DataOffset()
				head := int64(30 + len(f.Name))
				if sizes[i] >= edge {
					head += 20
				}
				if err != nil || offset != at+head || int64(f.UncompressedSize64) != sizes[i] || int64(f.CompressedSize64) != sizes[i] {
					t.Errorf("%s: offset %d, want %d; %d bytes: %v", f.Name, offset, at+head, f.UncompressedSize64, err)
				}
				at = offset + sizes[i]
			}
			if len(z.File) != len(sizes) {
				t.Errorf("%d members", len(z.File))
			}
		})
	}
}

// TestManyMembers: more entries than 16 bits count.
func TestManyMembers(t *testing.T) {
	for _, n := range []int{0, 65534, 65535, 65536, 70000} {
		members := make([]Member, n)
		for i := range members {
			members[i].Name = fmt.Sprint(i)
		}
		l := NewLayout(members, time.Time{})
		z, err := zip.NewReader(readerAt{l.Reader(nil)}, l.Size)
		if err != nil || len(z.File) != n {
			t.Errorf("%d members: %v", n, err)
		}
	}
}

func TestAShortMemberIsAnError(t *testing.T) {
	l := NewLayout([]Member{{Name: "a", Size: 10}}, time.Time{})
	_, err := io.ReadAll(l.Reader(func(int) (Bytes, error) { return held{bytes.NewReader([]byte("short"))}, nil }))
	if err == nil {
		t.Error("a member shorter than its length went unnoticed")
	}
}
