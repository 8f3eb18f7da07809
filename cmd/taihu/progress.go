package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// progress tells on a terminal how far a command is, in one line that changes.
// Elsewhere, such as in a log, it prints whole lines and only what has been done.
type progress struct {
	out      io.Writer
	terminal bool
	quiet    bool // --json: what there is to say is in the result
}

func newProgress(out io.Writer, quiet bool) *progress {
	return &progress{out: out, terminal: isTerminal(out), quiet: quiet}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// now shows what is being done, until the next call.
func (p *progress) now(format string, args ...any) {
	if p.terminal && !p.quiet {
		fmt.Fprintf(p.out, "\r\x1b[K"+format, args...)
	}
}

// done prints a line that stays.
func (p *progress) done(format string, args ...any) {
	p.clear()
	if !p.quiet {
		fmt.Fprintf(p.out, format+"\n", args...)
	}
}

// clear takes what now showed away.
func (p *progress) clear() { p.now("") }

// reader shows how much of r, which has size bytes, has been read.
func (p *progress) reader(r io.Reader, name string, size int64) io.Reader {
	return &progressReader{r: r, progress: p, name: name, size: size}
}

type progressReader struct {
	r        io.Reader
	progress *progress
	name     string
	size     int64
	read     int64
	last     time.Time
}

func (r *progressReader) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	r.read += int64(n)
	if now := time.Now(); now.Sub(r.last) > 100*time.Millisecond {
		r.last = now
		share := 1.0
		if r.size > 0 {
			share = min(float64(r.read)/float64(r.size), 1)
		}
		const width = 30
		full := int(share * width)
		r.progress.now("%s [%s%s] %3.0f%%", r.name, strings.Repeat("#", full), strings.Repeat(".", width-full), share*100)
	}
	return n, err
}

// inBytes writes a size as a person would.
func inBytes(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	case n < 1000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}
