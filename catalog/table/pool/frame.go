package pool

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"taihu/catalog"
	"taihu/catalog/table"
)

// What passes between parent and child is frames: one byte of kind, four bytes
// of length, big-endian, then the payload.
const (
	frameRequest = 'Q' // parent: a request as JSON
	frameCancel  = 'C' // parent: the id of the request to give up, as JSON
	frameData    = 'D' // child: bytes of the answer
	frameCells   = 'T' // child: cells of a page
	frameEnd     = 'E' // child: the answer is complete; end as JSON
	frameError   = 'X' // child: it is not; wireError as JSON

	frameHead = 5
	frameFull = 256 << 10 // payload of a full data frame
	frameMost = 64 << 20  // a longer one is a fault of the sender
)

// request is what a child is asked.
type request struct {
	ID      uint64          `json:"id"`
	Export  bool            `json:"export"`
	Source  table.Source    `json:"source"`
	Params  table.Params    `json:"params"`
	Options RowsOptions     `json:"options"`          // of a page
	Format  string          `json:"format,omitempty"` // of an export
	Meta    json.RawMessage `json:"meta,omitempty"`
	Diff    *diffRequest    `json:"diff,omitempty"` // Source is compared with another table
	Join    *joinRequest    `json:"join,omitempty"` // columns are compared

	client string // the child need not know
}

// end closes an answer.
type end struct {
	Result  Result          `json:"result"`
	Columns []catalog.Field `json:"columns,omitempty"`
	Next    string          `json:"next,omitempty"` // a table.Cursor, whose form keeps every value exactly
	Query   string          `json:"query,omitempty"`
	Count   *int64          `json:"count,omitempty"`
}

// wireError carries an error to the parent. Without a kind it is internal.
type wireError struct {
	Kind    catalog.Kind   `json:"kind,omitempty"`
	Code    string         `json:"code,omitempty"`
	Message string         `json:"message"`
	Zh      string         `json:"zh,omitempty"`
	Fields  map[string]any `json:"fields,omitempty"`
	Cause   string         `json:"cause,omitempty"`
}

func toWire(err error) wireError {
	var e *catalog.Error
	if !errors.As(err, &e) {
		return wireError{Message: err.Error()}
	}
	w := wireError{Kind: e.Kind, Code: e.Code, Message: e.Message, Zh: e.Zh, Fields: e.Fields}
	if cause := errors.Unwrap(e); cause != nil {
		w.Cause = cause.Error()
	}
	return w
}

func (w wireError) err() error {
	if w.Kind == "" {
		return fmt.Errorf("query child: %s", w.Message)
	}
	e := &catalog.Error{Kind: w.Kind, Code: w.Code, Message: w.Message, Zh: w.Zh, Fields: w.Fields}
	if w.Cause != "" {
		e = e.Because(errors.New(w.Cause))
	}
	return e
}

// writeFrame writes a frame with v as JSON in one call of w.
func writeFrame(w io.Writer, kind byte, v any) error {
	payload, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode frame %q: %w", kind, err)
	}
	b := append(make([]byte, 0, frameHead+len(payload)), kind)
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	_, err = w.Write(append(b, payload...))
	return err
}

// readFrame reads a frame into buf, growing it where needed. The payload is
// valid until the next call with the same buffer.
func readFrame(r io.Reader, buf *[]byte) (kind byte, payload []byte, err error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := int(binary.BigEndian.Uint32(head[1:]))
	if n > frameMost {
		return 0, nil, fmt.Errorf("frame %q of %d bytes", head[0], n)
	}
	if cap(*buf) < n {
		*buf = make([]byte, n)
	}
	payload = (*buf)[:n]
	if _, err = io.ReadFull(r, payload); errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return head[0], payload, err
}
