package embedded

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"

	"taihu/indexer"
)

// inverted is the index in memory: for each word, character and pair of
// characters the documents that hold it, and beside them columns of facet values,
// names and sort keys. A document that is put again gets a new number; the old one
// is only marked dead, until the log is compacted.
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
	readings      readings // documents by the pinyin of titles and keywords

	facets  []column // in the order of indexer.Facets
	parts   []*names // in the order of indexer.KeyFields
	values  *names
	bureaus map[string]*bureau // organizations by their slug
}

// docInfo is what sorting, ranking and showing need of a document.
type docInfo struct {
	id                     string
	version                int64
	digest                 uint64
	at                     int64 // of its JSON in the log, its folded texts behind that
	size, textSize         int
	updated                int64
	rows, cells, downloads int64
	boost                  float32 // 1 and indexer.Document.Boost
	titles                 string  // folded, both languages
	titleZh, title         string  // sort keys
}

// list holds the documents of one term: for each the distance to the one before
// as a varint and one byte of impact.
type list struct {
	data  []byte
	last  uint32
	count uint32
}

// mostNames and mostValues bound the distinct texts that are kept of one part;
// what is beyond is found by its words, but neither suggested nor asked by field.
const (
	mostNames  = math.MaxInt32
	mostValues = 2_000_000
)

func newInverted() *inverted {
	x := &inverted{
		byID: map[string]uint32{}, grams: map[uint64]uint32{}, words: map[string]uint32{},
		facets: newColumns(), values: newNames(false, mostValues), bureaus: map[string]*bureau{},
	}
	for _, f := range indexer.KeyFields {
		x.parts = append(x.parts, newNames(f.Name == "column", mostNames))
	}
	return x
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
		stamps[id] = indexer.Stamp{Version: x.docs[n].version, Digest: strconv.FormatUint(x.docs[n].digest, 16)}
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
	x.liveBytes -= int64(x.docs[n].size + x.docs[n].textSize)
	for i := range x.facets {
		x.facets[i].bury(n)
	}
	for _, part := range x.parts {
		part.bury(n)
	}
	x.values.bury(n)
}

// put makes the changes of a batch whose documents are in the log. settle follows,
// sooner or later.
func (x *inverted) put(b *batch) {
	numbers := make([]uint32, len(b.entries))
	for i, e := range b.entries {
		numbers[i] = noDoc
		switch {
		case e.prepared != nil:
			numbers[i] = x.putOne(e.prepared, e.at)
		case e.deleted != "":
			x.delete(e.deleted)
		}
	}
	for _, p := range b.parts {
		of := numbers[p.first:]
		for _, g := range p.grams {
			id, there := x.grams[g.term]
			if !there {
				id = x.newList()
				x.grams[g.term] = id
			}
			x.lists[id].extend(p.postings, g.head, of)
		}
		for _, g := range p.words {
			id, there := x.words[g.term]
			if !there {
				id = x.newList()
				word := strings.Clone(g.term)
				x.words[word] = id
				x.fresh = append(x.fresh, word)
			}
			x.lists[id].extend(p.postings, g.head, of)
		}
	}
}

// noDoc is the number of what is no document, or an older one than is there.
const noDoc = ^uint32(0)

// putOne adds a document, whose JSON is at at in the log, but for its terms, or
// replaces the document of its id unless that one is newer. It returns its number.
func (x *inverted) putOne(p *prepared, at int64) uint32 {
	d := p.doc
	if version, there := x.version(d.ID); there {
		if version > d.Version {
			return noDoc
		}
		x.delete(d.ID)
	}
	n := uint32(len(x.docs))
	info := p.info
	info.at = at
	x.docs = append(x.docs, info)
	if int(n>>6) == len(x.alive) {
		x.alive = append(x.alive, 0)
	}
	x.alive.set(n)
	x.byID[d.ID] = n
	x.live++
	x.liveBytes += int64(info.size + info.textSize)
	for i, facet := range indexer.Facets {
		x.facets[i].add(d.FacetValues(facet))
	}
	for i := range indexer.KeyFields {
		x.parts[i].add(indexer.KeyFields[i].Texts(d))
	}
	x.values.add(d.Values)
	x.learnBureaus(d)
	x.readings.add(n, p.readings)
	return n
}

// settle puts in order what came since the last time, where it is much or all is
// asked for, so that searching stays fast.
func (x *inverted) settle(all bool) {
	if all || len(x.fresh) > 1000+len(x.sorted)/8 {
		slices.Sort(x.fresh)
		x.sorted = merge(x.sorted, x.fresh)
		x.fresh = nil
	}
	x.readings.settle(all)
	for _, part := range x.parts {
		if part.readings != nil {
			part.readings.settle(all)
		}
	}
}

// Saturation of a term's weight in a document and how far a long field is held
// against it, as in BM25 (Robertson and Zaragoza 2009, "The Probabilistic
// Relevance Framework").
const (
	saturation = 4.0
	lengthPart = 0.6
)

// impactOf is how much of a term's whole worth a weight gives, as a byte.
func impactOf(weight float32) byte { return byte(1 + weight/(weight+saturation)*254) }

// extend adds the postings from at on; of says which document each is of.
func (l *list) extend(postings []posting, at int32, of []uint32) {
	for ; at >= 0; at = postings[at].next {
		p := &postings[at]
		n := of[p.doc]
		if n == noDoc {
			continue
		}
		delta := n - l.last
		if l.count == 0 {
			delta = n
		}
		l.data = append(binary.AppendUvarint(l.data, uint64(delta)), impactOf(p.weight))
		l.last = n
		l.count++
	}
}

// each calls f with every document of the list, in order, until it returns false.
func (l *list) each(f func(doc uint32) bool) {
	doc := uint32(0)
	for data := l.data; len(data) > 0; {
		delta, size := binary.Uvarint(data)
		if doc += uint32(delta); !f(doc) {
			return
		}
		data = data[size+1:]
	}
}

// gramKey is the key of a pair of characters, or of one where the first is 0.
func gramKey(a, b rune) uint64 { return uint64(a)<<32 | uint64(b) }

func (x *inverted) newList() uint32 {
	x.lists = append(x.lists, list{})
	return uint32(len(x.lists) - 1)
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
