package table

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"unicode/utf8"

	"taihu/catalog"
)

// Cursor is where the next page begins: the release it stays on, the query it
// belongs to, and the last row given.
type Cursor struct {
	Release  int
	Query    string // Plan.Hash of the query, and of its table
	Position Position
}

const (
	cursorVersion = 1
	cursorSum     = 6        // bytes of the check sum: against typing errors and cut addresses, not against forgers
	maxCursor     = 64 << 20 // the keys of a sort by long texts; servers bound an address much earlier
	maxKeys       = 1 << 15
)

// The members of a Value that a cursor carries; those that are zero are left out.
const (
	hasNull = 1 << iota
	hasBool
	hasInt
	hasNum
	hasText
)

// String is the opaque token: base64url of version, release, query, position and
// a check sum.
func (c Cursor) String() string {
	b := []byte{cursorVersion}
	b = binary.AppendUvarint(b, uint64(c.Release))
	b = appendBytes(b, c.Query)
	b = binary.AppendVarint(b, c.Position.Row)
	b = binary.AppendUvarint(b, uint64(len(c.Position.Keys)))
	for _, v := range c.Position.Keys {
		b = appendValue(b, v)
	}
	sum := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(append(b, sum[:cursorSum]...))
}

func appendBytes(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendValue(b []byte, v Value) []byte {
	at := len(b)
	b = append(b, 0)
	if v.Null {
		b[at] |= hasNull
	}
	if v.Bool {
		b[at] |= hasBool
	}
	if v.Int != 0 {
		b[at] |= hasInt
		b = binary.AppendVarint(b, v.Int)
	}
	if bits := math.Float64bits(v.Num); bits != 0 {
		b[at] |= hasNum
		b = binary.BigEndian.AppendUint64(b, bits)
	}
	if v.Text != "" {
		b[at] |= hasText
		b = appendBytes(b, v.Text)
	}
	return b
}

// ParseCursor reads a token that Cursor.String made; anything else is Invalid
// bad_cursor.
func ParseCursor(token string) (Cursor, error) {
	c, err := readCursor(token)
	if err != nil {
		return Cursor{}, catalog.Errorf(catalog.Invalid, "bad_cursor", "this cursor was not made by this portal, or not as a whole: take the value of next of the page before, or leave cursor out to begin anew").
			With("parameter", "cursor").Because(err).
			InChinese("cursor不是本站给出的，或不完整：请原样使用上一页的next，或去掉cursor从头开始")
	}
	return c, nil
}

func readCursor(token string) (Cursor, error) {
	if len(token) > maxCursor {
		return Cursor{}, fmt.Errorf("%d characters", len(token))
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return Cursor{}, fmt.Errorf("decode base64url: %w", err)
	}
	if len(b) <= cursorSum {
		return Cursor{}, fmt.Errorf("only %d bytes", len(b))
	}
	if b[0] != cursorVersion {
		return Cursor{}, fmt.Errorf("version %d", b[0])
	}
	body := b[:len(b)-cursorSum]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:cursorSum], b[len(body):]) {
		return Cursor{}, fmt.Errorf("check sum differs")
	}
	r := cursorReader{rest: body[1:]}
	var c Cursor
	c.Release = int(r.uvarint(math.MaxInt32))
	c.Query = r.text()
	c.Position.Row = r.varint()
	keys := r.uvarint(maxKeys)
	for i := uint64(0); i < keys && !r.bad; i++ {
		c.Position.Keys = append(c.Position.Keys, r.value())
	}
	// Writing it again must give the same token: one token for one place.
	if r.bad || len(r.rest) > 0 || c.Position.Row < 1 || c.String() != token {
		return Cursor{}, fmt.Errorf("malformed body")
	}
	return c, nil
}

// cursorReader reads from the front of rest and remembers failure.
type cursorReader struct {
	rest []byte
	bad  bool
}

func (r *cursorReader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.bad, r.rest = true, nil
		return make([]byte, 8)
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *cursorReader) uvarint(most uint64) uint64 {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || v > most {
		r.bad = true
		return 0
	}
	r.take(n)
	return v
}

func (r *cursorReader) varint() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.bad = true
		return 0
	}
	r.take(n)
	return v
}

func (r *cursorReader) text() string {
	n := r.uvarint(maxCursor)
	if r.bad || n > uint64(len(r.rest)) {
		r.bad = true
		return ""
	}
	s := string(r.take(int(n)))
	r.bad = r.bad || !utf8.ValidString(s)
	return s
}

func (r *cursorReader) value() Value {
	has := r.take(1)[0]
	v := Value{Null: has&hasNull != 0, Bool: has&hasBool != 0}
	if has&hasInt != 0 {
		v.Int = r.varint()
	}
	if has&hasNum != 0 {
		v.Num = math.Float64frombits(binary.BigEndian.Uint64(r.take(8)))
	}
	if has&hasText != 0 {
		v.Text = r.text()
	}
	return v
}

// Hash names what a cursor depends on: the table, where, sort, and the types of the
// sort keys; not limit, nor the select of plain rows, which may change from page to
// page.
func (p *Plan) Hash() string {
	c := p.Canonical()
	h := sha256.New()
	fmt.Fprintf(h, "%q ", p.Table)
	fmt.Fprintf(h, "%q %q", c.Where, c.Sort)
	if find := c.Q + c.Bbox + c.Near; find != "" || p.Group != nil {
		fmt.Fprintf(h, " %q %q %q %q %q", c.Q, c.Bbox, c.Near, c.Group, c.Having)
	}
	if p.Group != nil { // names and types of the groups are what select makes them
		fmt.Fprintf(h, " %q", c.Select)
	}
	for _, k := range p.Sort {
		f := p.Field(k.Column)
		fmt.Fprintf(h, " %s %d %d %s", f.Type, f.Precision, f.Scale, f.Zone)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Next is the cursor after a position of this plan's answer, such as Batch.Last
// of the last batch.
func (p *Plan) Next(release int, last Position) Cursor {
	return Cursor{Release: release, Query: p.Hash(), Position: last}
}

// checkCursor refuses a cursor of another query or table, and values that no row of this
// table can have.
func (p *Plan) checkCursor(c *Cursor) error {
	refuse := func(format, zh string) error {
		return catalog.Errorf(catalog.Invalid, "bad_cursor", "%s", format).With("parameter", "cursor").InChinese("%s", zh)
	}
	if c.Query != p.Hash() || len(c.Position.Keys) != len(p.Sort) {
		return refuse("this cursor belongs to another query or another table: keep the table, where and sort as they were on the page before, or leave cursor out to begin anew",
			"cursor属于另一个查询或另一张表：请保持表、where和sort与上一页相同，或去掉cursor从头开始")
	}
	for i, k := range p.Sort {
		if !fits(p.Field(k.Column), c.Position.Keys[i]) {
			return refuse("this cursor holds a value that its column cannot have: leave cursor out to begin anew",
				"cursor中的值不符合列的类型：请去掉cursor从头开始")
		}
	}
	return nil
}

// fits reports whether v is a value of the field's type and nothing else.
func fits(f catalog.Field, v Value) bool {
	if v.Null {
		return !v.Bool && v.Int == 0 && math.Float64bits(v.Num) == 0 && v.Text == ""
	}
	const mostDays = 4e6 // about eleven thousand years either side
	only := Value{}
	switch f.Type {
	case catalog.Boolean:
		only.Bool = v.Bool
	case catalog.Number:
		only.Num = v.Num
	case catalog.String, catalog.JSON:
		only.Text = v.Text
	case catalog.Decimal:
		if Wide(f.Precision) {
			return fitsWide(f, v)
		}
		only.Int = v.Int
		_, high := bounds(f)
		if v.Int > high.Int64() || v.Int < -high.Int64() {
			return false
		}
	case catalog.Integer:
		only.Int = v.Int
	case catalog.Date:
		only.Int = max(-mostDays, min(mostDays, v.Int))
	case catalog.Time:
		only.Int = max(0, min(microsOfDay, v.Int))
	case catalog.Datetime:
		only.Int = max(-mostDays*microsOfDay, min(mostDays*microsOfDay, v.Int))
	}
	return only.Bool == v.Bool && only.Int == v.Int && math.Float64bits(only.Num) == math.Float64bits(v.Num) && only.Text == v.Text
}

// fitsWide reports whether the text is the canonical form of a decimal.
func fitsWide(f catalog.Field, v Value) bool {
	if v.Bool || v.Int != 0 || math.Float64bits(v.Num) != 0 || v.Text == "" || len(v.Text) > 64 || numberLength(v.Text) != len(v.Text) {
		return false
	}
	units, whole := parseExact(v.Text).floor(f.Scale)
	low, high := bounds(f)
	return whole && units.Cmp(low) >= 0 && units.Cmp(high) <= 0 && wideText(units, f.Scale) == v.Text
}
