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

// bytes returns what shows how many bytes are done, of how many (-1: unknown).
func (p *progress) bytes(name string) func(done, all int64) {
	var last time.Time
	return func(done, all int64) {
		now := time.Now()
		if now.Sub(last) < 100*time.Millisecond {
			return
		}
		last = now
		if all < 0 {
			p.now("%s %s", name, inBytes(done))
			return
		}
		share := 1.0
		if all > 0 {
			share = min(float64(done)/float64(all), 1)
		}
		const width = 30
		full := int(share * width)
		p.now("%s [%s%s] %3.0f%%", name, strings.Repeat("#", full), strings.Repeat(".", width-full), share*100)
	}
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
