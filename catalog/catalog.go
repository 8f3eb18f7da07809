// Package catalog holds Taihu's nouns and rules: organizations, datasets,
// releases and their states, tables and their schemas, files, users, tokens and
// events; who may do what (Can); the closed list of error kinds; and how each
// value of a cell is written as text.
//
// It knows nothing of databases, files, HTTP or search, and imports only the
// standard library, so that every other package can depend on it.
package catalog

import (
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"
)

// Clock gives the time in UTC. Tests inject a fixed one.
type Clock func() time.Time

// Now is the Clock of a running portal, in UTC and whole microseconds, which is
// what both databases keep.
func Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Text is a phrase in Chinese and English; either may be empty.
type Text struct {
	Zh string `json:"zh,omitempty"`
	En string `json:"en,omitempty"`
}

// In returns the phrase in lang ("zh" or "en"), or the other one where it is empty.
func (t Text) In(lang string) string {
	if lang == "en" && t.En != "" || t.Zh == "" {
		return t.En
	}
	return t.Zh
}

// IsZero reports whether neither language has words.
func (t Text) IsZero() bool { return t.Zh == "" && t.En == "" }

var idState struct {
	sync.Mutex
	last uint64
}

// NewID returns a UUIDv7 (RFC 9562 §5.7): ids made later sort later, within one
// process strictly so.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[6:])
	// 48 bits of milliseconds and 12 bits of sub-millisecond counter.
	idState.Lock()
	t := time.Now()
	ms := uint64(t.UnixMilli())<<12 | uint64(t.Nanosecond()%1e6)*4096/1e6
	if ms <= idState.last {
		ms = idState.last + 1
	}
	idState.last = ms
	idState.Unlock()
	for i := range 6 {
		b[i] = byte(ms >> (12 + 8*(5-i)))
	}
	b[6] = 0x70 | byte(ms>>8)&0x0f
	b[7] = byte(ms)
	b[8] = 0x80 | b[8]&0x3f
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
