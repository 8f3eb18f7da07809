package table

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"taihu/catalog"
)

// EarthRadius is the mean radius of the earth in metres (IUGG, R1), on which near
// measures.
const EarthRadius = 6371008.8

// maxWords is how many words q may have.
const maxWords = 16

// Box is a rectangle in degrees. West may be greater than East: it then crosses
// the 180th meridian.
type Box struct{ West, South, East, North float64 }

// String is the form of bbox; "" for none.
func (b *Box) String() string {
	if b == nil {
		return ""
	}
	return joinNumbers(b.West, b.South, b.East, b.North)
}

// Near is a circle around a point.
type Near struct{ Longitude, Latitude, Metres float64 }

// String is the form of near; "" for none.
func (n *Near) String() string {
	if n == nil {
		return ""
	}
	return joinNumbers(n.Longitude, n.Latitude, n.Metres)
}

func joinNumbers(numbers ...float64) string {
	texts := make([]string, len(numbers))
	for i, x := range numbers {
		texts[i] = strconv.FormatFloat(x+0, 'f', -1, 64) // +0: minus zero is zero
	}
	return strings.Join(texts, ",")
}

// Find is what q, bbox and near ask of a row, checked. An engine needs Nodes
// alone, all of which must hold; the rest is how they are written.
type Find struct {
	Nodes []Node
	Words []string
	Box   *Box
	Near  *Near
}

func (f Find) write(q *Query) { q.Words, q.Box, q.Near = f.Words, f.Box, f.Near }

// parseWords splits q at its spaces; each word once, folded as texts are.
func parseWords(text string) ([]string, error) {
	if err := checkText("q", text); err != nil {
		return nil, err
	}
	var words []string
	for word := range strings.FieldsSeq(Fold(text)) {
		if !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	if len(words) > maxWords {
		return nil, catalog.Errorf(catalog.Invalid, "bad_q", "q has %d words: give at most %d", len(words), maxWords).
			With("parameter", "q").InChinese("q有%d个词：最多%d个", len(words), maxWords)
	}
	return words, nil
}

func parseBox(text string) (*Box, error) {
	if text == "" {
		return nil, nil
	}
	n, err := parseNumbers(text, 4)
	if err == nil && (!onEarth(n[0], n[1]) || !onEarth(n[2], n[3])) {
		err = fmt.Errorf("a longitude is -180 to 180, a latitude -90 to 90")
	}
	if err == nil && n[1] > n[3] {
		err = fmt.Errorf("south lies north of north")
	}
	if err != nil {
		return nil, catalog.Errorf(catalog.Invalid, "bad_bbox", "bbox %q is wrong (%v): write west,south,east,north in degrees, such as bbox=120.1,31.4,120.5,31.7", clip(text), err).
			With("parameter", "bbox").InChinese("bbox“%s”有误：请按西,南,东,北写四个度数，例如bbox=120.1,31.4,120.5,31.7", clip(text))
	}
	return &Box{n[0], n[1], n[2], n[3]}, nil
}

func parseNear(text string) (*Near, error) {
	if text == "" {
		return nil, nil
	}
	n, err := parseNumbers(text, 3)
	switch {
	case err != nil:
	case !onEarth(n[0], n[1]):
		err = fmt.Errorf("a longitude is -180 to 180, a latitude -90 to 90; the longitude stands first")
	case n[2] < 0:
		err = fmt.Errorf("metres are not negative")
	}
	if err != nil {
		return nil, catalog.Errorf(catalog.Invalid, "bad_near", "near %q is wrong (%v): write longitude,latitude,metres, such as near=120.30,31.57,1000", clip(text), err).
			With("parameter", "near").InChinese("near“%s”有误：请按经度,纬度,米数写，例如near=120.30,31.57,1000", clip(text))
	}
	return &Near{n[0], n[1], n[2]}, nil
}

func parseNumbers(text string, want int) ([]float64, error) {
	parts := strings.Split(text, ",")
	if len(parts) != want {
		return nil, fmt.Errorf("it has %d members", len(parts))
	}
	numbers := make([]float64, want)
	for i, part := range parts {
		part = strings.TrimSpace(part)
		x, err := strconv.ParseFloat(part, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) || numberLength(part) != len(part) {
			return nil, fmt.Errorf("%q is no number", clip(part))
		}
		numbers[i] = x + 0
	}
	return numbers, nil
}

// clip shortens a stranger's text for a sentence.
func clip(text string) string {
	if r := []rune(text); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return text
}

func onEarth(longitude, latitude float64) bool {
	return math.Abs(longitude) <= 180 && math.Abs(latitude) <= 90
}

// find checks q, bbox and near.
func (c *checker) find(q *Query) (Find, error) {
	f := Find{Words: q.Words, Box: q.Box, Near: q.Near}
	if len(q.Words) > 0 {
		nodes, err := c.words(q.Words)
		if err != nil {
			return f, err
		}
		f.Nodes = nodes
	}
	if q.Box == nil && q.Near == nil {
		return f, nil
	}
	longitude, latitude, ok := Coordinates(c.schema)
	if !ok {
		parameter := "bbox"
		if q.Box == nil {
			parameter = "near"
		}
		return f, catalog.Errorf(catalog.Invalid, "no_coordinates", "%s needs a pair of columns with longitude and latitude, and this table has none, or several: compare its columns in where", parameter).
			With("parameter", parameter).With("columns", c.schema.Names()).
			InChinese("%s要求表中有一对经纬度列，而这张表没有，或不止一对：请在where中比较", parameter)
	}
	if q.Box != nil {
		f.Nodes = append(f.Nodes, c.box(q.Box, longitude, latitude))
	}
	if q.Near != nil {
		f.Nodes = append(f.Nodes, Within{Longitude: longitude, Latitude: latitude, Near: *q.Near})
	}
	return f, nil
}

// words makes a condition for each word: one of the text columns contains it.
func (c *checker) words(words []string) ([]Node, error) {
	var columns []int
	for i, f := range c.schema.Fields {
		if f.Type == catalog.String || f.Type == catalog.JSON {
			columns = append(columns, i)
		}
	}
	switch n := len(columns); {
	case n == 0:
		return nil, catalog.Errorf(catalog.Invalid, "bad_q", "q looks into text columns, and this table has none: compare its columns in where").
			With("parameter", "q").InChinese("q在文本列中查找，而这张表没有文本列：请在where中比较")
	case n*len(words) > MaxTerms:
		return nil, catalog.Errorf(catalog.Invalid, "bad_q", "q would look for %d words in %d columns, more than %d comparisons: give fewer words, or use contains in where", len(words), n, MaxTerms).
			With("parameter", "q").InChinese("q要在%[2]d列中查找%[1]d个词，超过%[3]d个比较：请减少词数，或在where中用contains", len(words), n, MaxTerms)
	}
	nodes := make([]Node, len(words))
	for i, word := range words {
		any := make([]Node, len(columns))
		for j, column := range columns {
			any[j] = Match{Column: column, Text: word}
		}
		nodes[i] = Or{any}
		if len(any) == 1 {
			nodes[i] = any[0]
		}
	}
	return nodes, nil
}

// box compares both coordinates with the edges, which belong to the box.
func (c *checker) box(b *Box, longitude, latitude int) Node {
	compare := func(column int, op Op, x float64) Node {
		f := c.schema.Fields[column]
		if f.Type == catalog.Number {
			return Compare{Column: column, Op: op, Value: Value{Num: x}}
		}
		return exactCompare(column, f, op, parseExact(strconv.FormatFloat(x, 'f', -1, 64)))
	}
	west, east := compare(longitude, GreaterEqual, b.West), compare(longitude, LessEqual, b.East)
	terms := []Node{west, east}
	if b.West > b.East {
		terms = []Node{Or{[]Node{west, east}}}
	}
	return And{append(terms, compare(latitude, GreaterEqual, b.South), compare(latitude, LessEqual, b.North))}
}

// The names of coordinates, folded; a table has coordinates where exactly one
// column of numbers has a name of each kind.
var (
	longitudeNames = []string{"经度", "longitude", "lon", "lng", "long"}
	latitudeNames  = []string{"纬度", "latitude", "lat"}
)

// Coordinates returns the columns of a table's longitude and latitude, in
// degrees; false where there is no such pair, or more than one.
func Coordinates(s *catalog.Schema) (longitude, latitude int, ok bool) {
	longitude, several := named(s, longitudeNames)
	latitude, more := named(s, latitudeNames)
	return longitude, latitude, longitude >= 0 && latitude >= 0 && !several && !more
}

func named(s *catalog.Schema, names []string) (column int, several bool) {
	column = -1
	for i, f := range s.Fields {
		switch f.Type {
		case catalog.Integer, catalog.Decimal, catalog.Number:
		default:
			continue
		}
		if slices.Contains(names, Fold(f.Name)) || f.Latin != "" && slices.Contains(names, Fold(f.Latin)) {
			several = column >= 0
			column = i
		}
	}
	return column, several
}

// Metres is the length of the great circle between two points in degrees
// (haversine formula).
func Metres(longitude1, latitude1, longitude2, latitude2 float64) float64 {
	const degree = math.Pi / 180
	a := math.Sin((latitude2 - latitude1) * degree / 2)
	b := math.Sin((longitude2 - longitude1) * degree / 2)
	h := a*a + math.Cos(latitude1*degree)*math.Cos(latitude2*degree)*b*b
	return 2 * EarthRadius * math.Asin(min(1, math.Sqrt(h)))
}

// Holds reports whether a point in degrees is one of the earth and lies within n.
func (n Near) Holds(longitude, latitude float64) bool {
	return onEarth(longitude, latitude) && Metres(n.Longitude, n.Latitude, longitude, latitude) <= n.Metres
}
