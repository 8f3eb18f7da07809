package web

import (
	"container/list"
	"context"
	"sync"
	"time"

	"taihu/catalog"
)

// answers keeps what searches were answered, for readers who are not signed in: to all
// of them the answer is the same. It is bounded in bytes, what was not used for longest
// goes.
//
// An answer holds for one version of the catalogue and the synonyms
// (store.SearchState), which the publishing or withdrawing transaction itself makes
// another: it is asked for before every answer, so none is given that is older than the
// last change. What is answered while the index is behind (a withdrawn dataset may still
// be counted) is not kept, nor while this process has other synonyms than the database.
// What no version tells, such as a repair of the index or its rebuild by another process,
// shows within answersLive.
type answers struct {
	most int64

	mu      sync.Mutex
	version int64 // that all of them are of
	bytes   int64
	byKey   map[string]*list.Element
	used    *list.List // of *keptAnswer, the last used first
}

type keptAnswer struct {
	key   string
	value any
	bytes int64
	until time.Time
}

const (
	answersLive = time.Minute
	answerKey   = 2 << 10 // bytes of a key: an address that is longer is nobody's second
	answerExtra = 200     // bytes that an answer takes beside its own
)

func newAnswers(most int64) *answers {
	return &answers{most: most, byKey: map[string]*list.Element{}, used: list.New()}
}

// of forgets all answers where version is a newer one, and reports whether answers of
// it can be here.
func (a *answers) of(version int64) bool {
	if version > a.version {
		clear(a.byKey)
		a.used.Init()
		a.version, a.bytes = version, 0
	}
	return version == a.version
}

func (a *answers) get(version int64, key string, now time.Time) (any, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.of(version) {
		return nil, false
	}
	e := a.byKey[key]
	if e == nil {
		return nil, false
	}
	k := e.Value.(*keptAnswer)
	if now.After(k.until) {
		a.drop(e)
		return nil, false
	}
	a.used.MoveToFront(e)
	return k.value, true
}

func (a *answers) put(version int64, key string, value any, bytes int64, now time.Time) {
	bytes += int64(len(key)) + answerExtra
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(key) > answerKey || bytes > a.most/4 || !a.of(version) {
		return
	}
	if e := a.byKey[key]; e != nil {
		a.drop(e)
	}
	a.byKey[key] = a.used.PushFront(&keptAnswer{key, value, bytes, now.Add(answersLive)})
	for a.bytes += bytes; a.bytes > a.most; {
		a.drop(a.used.Back())
	}
}

func (a *answers) drop(e *list.Element) {
	k := a.used.Remove(e).(*keptAnswer)
	delete(a.byKey, k.key)
	a.bytes -= k.bytes
}

// Kept returns the answer to key that was kept, or makes it. key names all that the
// answer depends on beside catalogue, index and synonyms. bytes of 0 are not to be kept.
// A kept value is shared: nobody changes it.
func (s *Site) Kept(ctx context.Context, actor catalog.Actor, key string, answer func() (value any, bytes int64, err error)) (any, error) {
	if s.answers == nil || !actor.Anonymous() {
		value, _, err := answer()
		return value, err
	}
	state, err := s.Store.SearchState(ctx) // before anything is read
	if err != nil {
		return nil, err
	}
	if value, ok := s.answers.get(state.Version, key, s.Clock()); ok {
		return value, nil
	}
	applied := s.synonyms.Load() // before the index is asked
	value, bytes, err := answer()
	if err == nil && bytes > 0 && !state.Indexing && applied == state.Synonyms {
		s.answers.put(state.Version, key, value, bytes, s.Clock())
	}
	return value, err
}
