package pool

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
)

// stream is an io.Writer that sends what is written as data frames. A goroutine
// hashes and sends one frame while the next is filled, so the encoder does not
// wait for either.
type stream struct {
	kind byte
	buf  []byte // begins with room for the frame's head
	full chan []byte
	free chan []byte
	done chan struct{}

	// The goroutine's; others may look once done is closed.
	out   io.Writer
	hash  hash.Hash
	bytes int64
	err   error
}

// frames in flight: one being filled, one being sent, one between.
const streamFrames = 3

func newStream(out io.Writer, kind byte) *stream {
	s := &stream{kind: kind, out: out, hash: sha256.New(),
		full: make(chan []byte), free: make(chan []byte, streamFrames), done: make(chan struct{})}
	for range streamFrames - 1 {
		s.free <- make([]byte, frameHead, frameHead+frameFull)
	}
	s.buf = make([]byte, frameHead, frameHead+frameFull)
	go s.send()
	return s
}

func (s *stream) send() {
	defer close(s.done)
	for b := range s.full {
		b[0] = s.kind
		binary.BigEndian.PutUint32(b[1:], uint32(len(b)-frameHead))
		s.hash.Write(b[frameHead:])
		s.bytes += int64(len(b) - frameHead)
		if _, s.err = s.out.Write(b); s.err != nil {
			return
		}
		s.free <- b[:frameHead]
	}
}

// Write implements io.Writer. Its error is that of sending an earlier frame.
func (s *stream) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		room := cap(s.buf) - len(s.buf)
		take := min(room, len(p))
		s.buf = append(s.buf, p[:take]...)
		if p = p[take:]; take == room {
			if err := s.flush(); err != nil {
				return n - len(p), err
			}
		}
	}
	return n, nil
}

func (s *stream) flush() error {
	select {
	case s.full <- s.buf:
	case <-s.done:
		return s.err
	}
	select {
	case s.buf = <-s.free:
	case <-s.done:
		return s.err
	}
	return nil
}

// close sends what is left and waits until all is sent.
func (s *stream) close() (bytes int64, sum string, err error) {
	if len(s.buf) > frameHead {
		err = s.flush()
	}
	close(s.full)
	<-s.done
	if err == nil {
		err = s.err
	}
	return s.bytes, hex.EncodeToString(s.hash.Sum(nil)), err
}

// send writes a whole payload as frames of one kind.
func send(out io.Writer, kind byte, payload []byte) error {
	for len(payload) > 0 {
		n := min(len(payload), frameFull)
		b := append(make([]byte, 0, frameHead+n), kind)
		b = binary.BigEndian.AppendUint32(b, uint32(n))
		if _, err := out.Write(append(b, payload[:n]...)); err != nil {
			return err
		}
		payload = payload[n:]
	}
	return nil
}
