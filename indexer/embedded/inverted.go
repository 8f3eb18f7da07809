package embedded

import (
	"encoding/binary"
	"slices"
	"strings"

	"taihu/indexer"
)

// inverted is the index in memory: for each word, character and pair of
// characters the documents that hold it, and beside them columns of facet values
// and sort keys. A document that is put again gets a new number; the old one is
// only marked dead, until the log is compacted.
//
// Other kinds of terms (pinyin, synonyms, misspellings) fit in as further
// entries of words or as further lists of a clause: see expand in search.go.
type inverted struct {
	byID      map[string]uint32
	docs      []docInfo
	alive     bitset
	live      int
	liveBytes int64

	grams map[uint64]uint32 // a character or a pair of them → list
	words map[string]uint32 // → list
	lists []list
	// sorted is words in order, for beginnings of words; fresh are those that
	// came since it was made.
	sorted, fresh []string

	facets  []column // in the order of indexer.Facets
	touched []uint32 // lists of the document being put, and the weight of each
	weights []float32
}

// docInfo is what sorting and showing need of a document.
type docInfo struct {
	id             string
	version        int64
	digest         string
	at             int64 // of its JSON in the log
	size           int
	updated, rows  int64
	titleZh, title string // sort keys
}

// list holds the documents of one term: for each the distance to the one before
// as a varint and one byte of impact.
type list struct {
	data  []byte
	last  uint32
	count uint32
	slot  uint32 // of the term in touched, while mark is the document being put
	mark  uint32
}

const noDoc = ^uint32(0)

func newInverted() *inverted {
	return &inverted{
		byID: map[string]uint32{}, grams: map[uint64]uint32{}, words: map[string]uint32{},
		facets: newColumns(),
	}
}

func (x *inverted) version(id string) (int64, bool) {
	n, there := x.byID[id]
	if !there {
		return 0, false
	}
	return x.docs[n].version, true
}

func (x *inverted) stamps() map[string]indexer.Stamp {
	stamps := make(map[string]indexer.Stamp, len(x.byID))
	for id, n := range x.byID {
		stamps[id] = indexer.Stamp{Version: x.docs[n].version, Digest: x.docs[n].digest}
	}
	return stamps
}

func (x *inverted) delete(id string) {
	n, there := x.byID[id]
	if !there {
		return
	}
	delete(x.byID, id)
	x.alive.unset(n)
	x.live--
	x.liveBytes -= int64(x.docs[n].size)
}

// put adds d, whose JSON of size bytes is at at in the log, or replaces the
// document of its id unless that one is newer.
func (x *inverted) put(d *indexer.Document, at int64, size int) {
	if version, there := x.version(d.ID); there {
		if version > d.Version {
			return
		}
		x.delete(d.ID)
	}
	n := uint32(len(x.docs))
	info := docInfo{
		id: d.ID, version: d.Version, digest: d.Digest(), at: at, size: size,
		updated: d.Updated.UnixMicro(), rows: d.Rows, titleZh: indexer.SortKey(d.Title.In("zh")),
	}
	if info.title = info.titleZh; d.Title.In("en") != d.Title.In("zh") {
		info.title = indexer.SortKey(d.Title.In("en"))
	}
	x.docs = append(x.docs, info)
	if int(n>>6) == len(x.alive) {
		x.alive = append(x.alive, 0)
	}
	x.alive.set(n)
	x.byID[d.ID] = n
	x.live++
	x.liveBytes += int64(size)
	for i, facet := range indexer.Facets {
		x.facets[i].add(d.FacetValues(facet))
	}
	x.index(n, d)
}

// Saturation of a term's weight in a document and how far a long field is held
// against it, as in BM25 (Robertson and Zaragoza 2009, "The Probabilistic
// Relevance Framework").
const (
	saturation = 4.0
	lengthPart = 0.6
)

func (x *inverted) index(n uint32, d *indexer.Document) {
	x.touched, x.weights = x.touched[:0], x.weights[:0]
	for i := range indexer.Fields {
		f := &indexer.Fields[i]
		var folded []string
		length := 0
		for _, text := range f.Texts(d) {
			if text != "" {
				text = indexer.Fold(text)
				folded = append(folded, text)
				length += len(text)
			}
		}
		// three bytes to a Chinese character, about five to a word with its space
		weight := f.Weight / (1 - lengthPart + lengthPart*float32(length)/3.5/f.Length)
		for _, text := range folded {
			indexer.Tokens(text, func(t indexer.Token) {
				if t.Run {
					x.touchRun(n, t.Text, weight)
				} else {
					x.touchWord(n, t.Text, weight)
				}
			})
		}
	}
	for i, id := range x.touched {
		l := &x.lists[id]
		impact := x.weights[i] / (x.weights[i] + saturation)
		delta := n - l.last
		if l.count == 0 {
			delta = n
		}
		l.data = append(binary.AppendUvarint(l.data, uint64(delta)), byte(1+impact*254))
		l.last = n
		l.count++
	}
}

func (x *inverted) touchRun(n uint32, run string, weight float32) {
	before := rune(0)
	for _, r := range run {
		x.touchGram(n, gramKey(0, r), weight)
		if before != 0 {
			x.touchGram(n, gramKey(before, r), weight)
		}
		before = r
	}
}

// gramKey is the key of a pair of characters, or of one where the first is 0.
func gramKey(a, b rune) uint64 { return uint64(a)<<32 | uint64(b) }

func (x *inverted) touchGram(n uint32, key uint64, weight float32) {
	id, there := x.grams[key]
	if !there {
		id = x.newList()
		x.grams[key] = id
	}
	x.touch(n, id, weight)
}

// maxWord bounds an indexed word, in bytes: longer ones are found by their
// beginning.
const maxWord = 64

func cutWord(word string) string {
	if len(word) > maxWord {
		word = strings.ToValidUTF8(word[:maxWord], "")
	}
	return word
}

func (x *inverted) touchWord(n uint32, word string, weight float32) {
	word = cutWord(word)
	id, there := x.words[word]
	if !there {
		id = x.newList()
		word = strings.Clone(word)
		x.words[word] = id
		x.fresh = append(x.fresh, word)
		if len(x.fresh) > 1000+len(x.sorted)/8 {
			x.sorted = append(x.sorted, x.fresh...)
			slices.Sort(x.sorted)
			x.fresh = x.fresh[:0]
		}
	}
	x.touch(n, id, weight)
}

func (x *inverted) newList() uint32 {
	x.lists = append(x.lists, list{mark: noDoc})
	return uint32(len(x.lists) - 1)
}

func (x *inverted) touch(n, id uint32, weight float32) {
	l := &x.lists[id]
	if l.mark == n {
		x.weights[l.slot] += weight
		return
	}
	l.mark, l.slot = n, uint32(len(x.touched))
	x.touched = append(x.touched, id)
	x.weights = append(x.weights, weight)
}

// beginning returns the lists of words that begin with prefix, itself first, at
// most limit.
func (x *inverted) beginning(prefix string, limit int) []uint32 {
	var ids []uint32
	if id, there := x.words[prefix]; there {
		ids = append(ids, id)
	}
	add := func(word string) bool {
		if word != prefix && strings.HasPrefix(word, prefix) {
			ids = append(ids, x.words[word])
		}
		return len(ids) < limit
	}
	start, _ := slices.BinarySearch(x.sorted, prefix)
	for _, word := range x.sorted[start:] {
		if !strings.HasPrefix(word, prefix) || !add(word) {
			break
		}
	}
	for _, word := range x.fresh {
		if !add(word) {
			break
		}
	}
	return ids
}
