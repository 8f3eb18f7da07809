package embedded

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"taihu/indexer"
)

// batch is some changes, cut up: all that can be done without the index, so it is
// done outside its lock and on every core.
type batch struct {
	entries []entry
	parts   []*part
}

// prepared is a document cut up, but for its terms, which its part holds.
type prepared struct {
	doc  *indexer.Document
	body []byte // doc as JSON
	text []byte // see foldedTexts
	err  error

	info     docInfo
	readings [2][]uint64
}

// textEnd and fieldEnd end each text and each field of foldedTexts; no folded text
// holds them.
const (
	textEnd  = "\n"
	fieldEnd = "\x01"
)

// foldedTexts is all that is searched of d, in the order of indexer.Fields.
func foldedTexts(d *indexer.Document) []byte {
	var b []byte
	for i := range indexer.Fields {
		for _, text := range indexer.Fields[i].Texts(d) {
			if text != "" {
				b = append(append(b, indexer.Fold(text)...), textEnd...)
			}
		}
		b = append(b, fieldEnd...)
	}
	return b
}

// prepare cuts up a document, or one read back from the log as body and text.
func (p *prepared) prepare(terms *part) {
	if p.doc == nil {
		p.doc = &indexer.Document{}
		if p.err = json.Unmarshal(p.body, p.doc); p.err != nil {
			return
		}
	}
	if p.body == nil {
		if p.body, p.err = json.Marshal(p.doc); p.err != nil {
			p.err = fmt.Errorf("index document %s: %w", p.doc.ID, p.err)
			return
		}
		p.text = foldedTexts(p.doc)
	}
	d := p.doc
	digest, _ := strconv.ParseUint(indexer.DigestOf(p.body), 16, 64)
	p.info = docInfo{
		id: d.ID, version: d.Version, digest: digest, size: len(p.body), textSize: len(p.text), updated: d.Updated.UnixMicro(),
		rows: d.Rows, cells: d.Cells, downloads: d.Downloads, boost: float32(1 + d.Boost()), titleZh: indexer.SortKey(d.Title.In("zh")),
	}
	if p.info.title = p.info.titleZh; d.Title.In("en") != d.Title.In("zh") {
		p.info.title = indexer.SortKey(d.Title.In("en"))
	}
	p.readings = keysOf(indexer.PinyinTexts(d))
	p.cut(terms)
}

// cut finds the terms of the document and weighs them.
func (p *prepared) cut(terms *part) {
	fields := strings.SplitN(string(p.text), fieldEnd, len(indexer.Fields)+1)
	p.info.titles = strings.Clone(fields[0])
	for i, texts := range fields[:min(len(fields), len(indexer.Fields))] {
		f := &indexer.Fields[i]
		length := len(texts) - strings.Count(texts, textEnd)
		// three bytes to a Chinese character, about five to a word with its space
		weight := f.Weight / (1 - lengthPart + lengthPart*float32(length)/3.5/f.Length)
		indexer.Tokens(texts, func(t indexer.Token) {
			if !t.Run {
				terms.word(cutWord(t.Text), weight)
				return
			}
			before := rune(0)
			for _, r := range t.Text {
				terms.gram(gramKey(0, r), weight)
				if before != 0 {
					terms.gram(gramKey(before, r), weight)
				}
				before = r
			}
		})
	}
}

// part holds the terms of neighbouring documents of a batch, term by term: the
// index then looks each term up once for all of them, which is what takes longest.
type part struct {
	first    int    // place of its first entry in the batch
	doc      uint32 // the entry whose terms come now, counted from first
	postings []posting
	grams    []group[uint64]
	slots    []int32 // a hash table of grams: place there and 1, or 0
	words    []group[string]
	byWord   map[string]int32 // place in words
}

// posting is how much a term counts in one document.
type posting struct {
	doc    uint32
	weight float32
	next   int32 // posting of the same term; -1: none
}

// group is a term and the first and last of its postings.
type group[T any] struct {
	term       T
	head, tail int32
}

func newPart(first int) *part {
	return &part{first: first, slots: make([]int32, 1<<10), byWord: map[string]int32{}}
}

func (p *part) gram(key uint64, weight float32) {
	if 2*len(p.grams) > len(p.slots) {
		p.slots = make([]int32, 4*len(p.slots))
		for i := range p.grams {
			*p.slot(p.grams[i].term) = int32(i + 1)
		}
	}
	slot := p.slot(key)
	if *slot == 0 {
		p.grams = append(p.grams, group[uint64]{key, -1, -1})
		*slot = int32(len(p.grams))
	}
	g := &p.grams[*slot-1]
	p.touch(&g.head, &g.tail, weight)
}

// slot returns the place of key, or the free one where it belongs.
func (p *part) slot(key uint64) *int32 {
	mask := uint64(len(p.slots) - 1)
	for i := key * 0x9e3779b97f4a7c15 >> 20; ; i++ {
		if slot := &p.slots[i&mask]; *slot == 0 || p.grams[*slot-1].term == key {
			return slot
		}
	}
}

func (p *part) word(word string, weight float32) {
	at, there := p.byWord[word]
	if !there {
		at = int32(len(p.words))
		p.byWord[word] = at
		p.words = append(p.words, group[string]{word, -1, -1})
	}
	g := &p.words[at]
	p.touch(&g.head, &g.tail, weight)
}

func (p *part) touch(head, tail *int32, weight float32) {
	if *tail >= 0 && p.postings[*tail].doc == p.doc {
		p.postings[*tail].weight += weight
		return
	}
	n := int32(len(p.postings))
	p.postings = append(p.postings, posting{p.doc, weight, -1})
	if *tail >= 0 {
		p.postings[*tail].next = n
	} else {
		*head = n
	}
	*tail = n
}

// maxWord bounds an indexed word, in bytes: longer ones are found by their
// beginning.
const maxWord = 64

func cutWord(word string) string {
	if len(word) > maxWord {
		word = word[:maxWord]
		for !utf8.ValidString(word) {
			word = word[:len(word)-1]
		}
	}
	return word
}

// prepareBatch begins to cut up entries on every core; wait ends with it.
func prepareBatch(entries []entry) (b *batch, wait func()) {
	b = &batch{entries: entries}
	var pending sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for i := range workers {
		first, end := i*len(entries)/workers, (i+1)*len(entries)/workers
		if first == end {
			continue
		}
		p := newPart(first)
		b.parts = append(b.parts, p)
		pending.Go(func() {
			for j, e := range entries[first:end] {
				if e.prepared != nil {
					p.doc = uint32(j)
					e.prepare(p)
				}
			}
		})
	}
	return b, pending.Wait
}

// err is what went wrong with the first entry that could not be cut up.
func (b *batch) err() error {
	for _, e := range b.entries {
		if e.prepared != nil && e.prepared.err != nil {
			return e.prepared.err
		}
	}
	return nil
}

// prepare cuts up entries.
func prepare(entries []entry) (*batch, error) {
	b, wait := prepareBatch(entries)
	wait()
	return b, b.err()
}

// preparer cuts up one batch while the one before is put.
type preparer struct {
	batch *batch
	wait  func()
}

// next begins with entries, and hands the batch before them to put.
func (w *preparer) next(entries []entry, put func(b *batch) error) error {
	ready := w.batch
	if ready != nil {
		w.wait()
	}
	w.batch, w.wait = prepareBatch(entries)
	if ready == nil {
		return nil
	}
	err := put(ready)
	if err != nil {
		w.wait()
	}
	return err
}

// end waits until nothing of what was begun is under way.
func (w *preparer) end() {
	if w.wait != nil {
		w.wait()
	}
}
