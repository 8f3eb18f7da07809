package api

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Downloads are compressed on their way, where the format shrinks and the reader
// asks for it. What comes is then another representation of the same file, with a
// tag of its own (RFC 9110 §8.8.3.3): "KEY-zstd" beside "KEY". It has no length and
// no ranges; a range is always one of the plain bytes.

// identity is the plain representation.
const identity = ""

// packings are the encodings, the preferred one first: zstd takes no more of the
// server than gzip and much less of the reader.
var packings = []string{"zstd", "gzip"}

// packedTag is the ETag of a representation.
func packedTag(key, packing string) string {
	if packing == identity {
		return `"` + key + `"`
	}
	return `"` + key + `-` + packing + `"`
}

// represent chooses how a file is sent, and whether the reader has it already. Of
// the representations that the reader takes it is the one that If-Match or
// If-None-Match names, else the best. Where If-Match names none it is the plain
// one, which then fails it.
func represent(r *http.Request, key string) (packing string, notModified bool) {
	accepted := acceptedPackings(strings.Join(r.Header.Values("Accept-Encoding"), ","))
	if r.Header.Get("Range") != "" {
		accepted = []string{identity}
	}
	if match := r.Header.Values("If-Match"); len(match) > 0 {
		for _, p := range accepted {
			if hasTag(match, packedTag(key, p), false) {
				return p, false
			}
		}
		return identity, false
	}
	if none := r.Header.Values("If-None-Match"); len(none) > 0 {
		for _, p := range accepted {
			if hasTag(none, packedTag(key, p), true) {
				return p, true
			}
		}
	}
	return accepted[0], false
}

// hasTag reports whether a list of tags holds tag, or is *.
func hasTag(lines []string, tag string, weak bool) bool {
	for _, line := range lines {
		for t := range strings.SplitSeq(line, ",") {
			t = strings.TrimSpace(t)
			if weak {
				t = strings.TrimPrefix(t, "W/")
			}
			if t == tag || t == "*" {
				return true
			}
		}
	}
	return false
}

// acceptedPackings reads Accept-Encoding: the encodings its sender takes, best
// first. The plain bytes are among them unless it takes another and forbids them.
func acceptedPackings(header string) []string {
	weight := map[string]float64{}
	for member := range strings.SplitSeq(header, ",") {
		name, parameters, _ := strings.Cut(member, ";")
		q := 1.0
		for parameter := range strings.SplitSeq(parameters, ";") {
			key, value, ok := strings.Cut(parameter, "=")
			if !ok || !strings.EqualFold(strings.TrimSpace(key), "q") {
				continue
			}
			var err error
			if q, err = strconv.ParseFloat(strings.TrimSpace(value), 64); err != nil || !(q >= 0 && q <= 1) {
				q = 0
			}
		}
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case "":
		case "x-gzip": // its older name (RFC 9110 §8.4.1.3)
			weight["gzip"] = q
		default:
			weight[name] = q
		}
	}
	every, hasEvery := weight["*"]
	weightOf := func(name string) float64 {
		if q, ok := weight[name]; ok {
			return q
		}
		return every
	}
	var accepted []string
	for _, p := range packings {
		if weightOf(p) > 0 {
			accepted = append(accepted, p)
		}
	}
	slices.SortStableFunc(accepted, func(a, b string) int { // both weights are from 0 to 1
		switch x, y := weightOf(a), weightOf(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	plain, said := weight["identity"]
	if !said {
		plain = 0
		if hasEvery && every == 0 && len(accepted) > 0 {
			return accepted // *;q=0 forbids the plain bytes
		}
	}
	if said && plain == 0 && len(accepted) > 0 {
		return accepted
	}
	at := 0
	for at < len(accepted) && weightOf(accepted[at]) >= plain {
		at++
	}
	return slices.Insert(accepted, at, identity)
}

// packer compresses what is written to it. Nothing leaves before the first bytes,
// so that an error before them can still be said, and only Close ends the stream.
type packer struct {
	to      io.Writer
	packing string
	with    compressor
}

// compressor is what gzip's and zstd's writers have in common.
type compressor interface {
	io.WriteCloser
	Flush() error
	Reset(io.Writer)
}

// compressors keeps those that are done: each has some megabytes of tables.
var compressors = map[string]*sync.Pool{
	"gzip": {New: func() any {
		w, err := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
		if err != nil { // the level is known
			panic(err)
		}
		return w
	}},
	"zstd": {New: func() any {
		// One goroutine and a window of 512 KiB: many readers at once share the server.
		w, err := zstd.NewWriter(io.Discard, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(512<<10), zstd.WithZeroFrames(true))
		if err != nil { // the options are known
			panic(err)
		}
		return w
	}},
}

func (p *packer) Write(b []byte) (int, error) {
	first := p.with == nil
	if first {
		p.with, _ = compressors[p.packing].Get().(compressor)
		p.with.Reset(p.to)
	}
	n, err := p.with.Write(b)
	if err == nil && first {
		err = p.with.Flush() // the first bytes go out at once
	}
	return n, err
}

// Close ends the stream; what was written before is complete with it alone.
func (p *packer) Close() error {
	if p.with == nil { // an empty file is compressed too: the header says so
		if _, err := p.Write(nil); err != nil {
			return err
		}
	}
	return p.with.Close()
}

// release gives the compressor back, whether the stream was ended or not.
func (p *packer) release() {
	if p.with != nil {
		p.with.Reset(io.Discard)
		compressors[p.packing].Put(p.with)
		p.with = nil
	}
}
