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

// prepared is a document cut up: all that can be done without the index, so it is
// done outside its lock and on every core.
type prepared struct {
	doc  *indexer.Document
	body []byte // doc as JSON
	text []byte // see foldedTexts
	err  error

	info     docInfo
	grams    []weighted[uint64]
	words    []weighted[string]
	readings [2][]uint64
}

// weighted is a term of a document and how much it counts there.
type weighted[T any] struct {
	term   T
	weight float32
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
func (p *prepared) prepare() {
	if p.doc == nil {
		p.doc = &indexer.Document{}
		if p.err = json.Unmarshal(p.body, p.doc); p.err != nil {
			return
		}
	} else {
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
	p.cut()
}

// cut finds the terms of the document and weighs them.
func (p *prepared) cut() {
	c := cutters.Get().(*cutter)
	defer cutters.Put(c)
	c.reset()
	fields := strings.SplitN(string(p.text), fieldEnd, len(indexer.Fields)+1)
	p.info.titles = strings.Clone(fields[0])
	for i, texts := range fields[:min(len(fields), len(indexer.Fields))] {
		f := &indexer.Fields[i]
		length := len(texts) - strings.Count(texts, textEnd)
		// three bytes to a Chinese character, about five to a word with its space
		weight := f.Weight / (1 - lengthPart + lengthPart*float32(length)/3.5/f.Length)
		indexer.Tokens(texts, func(t indexer.Token) {
			if !t.Run {
				c.words[cutWord(t.Text)] += weight
				return
			}
			before := rune(0)
			for _, r := range t.Text {
				c.gram(gramKey(0, r), weight)
				if before != 0 {
					c.gram(gramKey(before, r), weight)
				}
				before = r
			}
		})
	}
	p.grams = make([]weighted[uint64], len(c.grams))
	copy(p.grams, c.grams)
	p.words = make([]weighted[string], 0, len(c.words))
	for word, weight := range c.words {
		p.words = append(p.words, weighted[string]{word, weight})
	}
}

// cutter is the working memory of cut: a small hash table of the grams of one
// document, and a map of its words.
type cutter struct {
	grams []weighted[uint64]
	slots []int32 // place in grams and 1, or 0
	words map[string]float32
}

var cutters = sync.Pool{New: func() any { return &cutter{slots: make([]int32, 4096), words: map[string]float32{}} }}

func (c *cutter) reset() {
	c.grams = c.grams[:0]
	clear(c.slots)
	clear(c.words)
}

func (c *cutter) gram(key uint64, weight float32) {
	if 2*len(c.grams) > len(c.slots) {
		c.slots = make([]int32, 2*len(c.slots))
		for i := range c.grams {
			*c.slot(c.grams[i].term) = int32(i + 1)
		}
	}
	slot := c.slot(key)
	if *slot == 0 {
		c.grams = append(c.grams, weighted[uint64]{key, weight})
		*slot = int32(len(c.grams))
		return
	}
	c.grams[*slot-1].weight += weight
}

// slot returns the place of key, or the free one where it belongs.
func (c *cutter) slot(key uint64) *int32 {
	mask := uint64(len(c.slots) - 1)
	for i := key * 0x9e3779b97f4a7c15 >> 20; ; i++ {
		if slot := &c.slots[i&mask]; *slot == 0 || c.grams[*slot-1].term == key {
			return slot
		}
	}
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

// preparer cuts up one batch of entries on every core while the one before is put.
type preparer struct {
	batch   []entry
	pending sync.WaitGroup
}

// next begins with batch, and hands the batch before it to put.
func (w *preparer) next(batch []entry, put func(batch []entry) error) error {
	w.pending.Wait()
	ready := w.batch
	w.batch = batch
	workers := runtime.GOMAXPROCS(0)
	for part := range workers {
		some := batch[part*len(batch)/workers : (part+1)*len(batch)/workers]
		if len(some) == 0 {
			continue
		}
		w.pending.Go(func() {
			for _, e := range some {
				if e.prepared != nil {
					e.prepare()
				}
			}
		})
	}
	if ready == nil {
		return nil
	}
	err := put(ready)
	if err != nil {
		w.wait()
	}
	return err
}

// wait waits until nothing of what was begun is under way.
func (w *preparer) wait() { w.pending.Wait() }

// prepareAll cuts up all entries.
func prepareAll(entries []entry) error {
	var w preparer
	none := func([]entry) error { return nil }
	if err := w.next(entries, none); err != nil {
		return err
	}
	w.pending.Wait()
	for _, e := range entries {
		if e.prepared != nil && e.err != nil {
			return e.err
		}
	}
	return nil
}
