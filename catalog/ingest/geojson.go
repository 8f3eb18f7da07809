package ingest

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// geoSource is what a GeoJSON FeatureCollection (RFC 7946) is beyond an array of
// objects: the properties are columns of their own names, the geometry is a column
// of JSON, and points have longitude and latitude beside it where these names are
// free. A nil *geoSource is JSON that is no GeoJSON.
type geoSource struct {
	root       *jsonNode // a feature
	properties *jsonNode
	points     int64
	others     int64 // geometries that are no points
	column     int   // of longitude; latitude follows it; 0: neither
	place      [2]string
}

// attach makes root a feature: its properties first, as they are what readers know.
func (g *geoSource) attach(root *jsonNode) {
	g.root = root
	g.properties = &jsonNode{key: "properties", name: "properties", depth: 1, column: -1, index: map[string]*jsonNode{}}
	root.index["properties"] = g.properties
	root.children = append(root.children, g.properties)
}

// levels is how many keys lead to what is a column of its own name.
func (g *geoSource) levels() int {
	if g == nil {
		return 0
	}
	return 1
}

// nameOf is the name of a column under a key of a node.
func (g *geoSource) nameOf(n *jsonNode, key string) string {
	if g != nil && n == g.properties || n.name == "" {
		return key
	}
	return n.name + "." + key
}

// keeps reports whether the key of a feature is a column as it is.
func (g *geoSource) keeps(n *jsonNode, key string) bool {
	return g != nil && n == g.root && key != "properties"
}

// isGeometry reports whether a node is the geometry of the features.
func (g *geoSource) isGeometry(n *jsonNode) bool {
	return g != nil && n.depth == 1 && n.name == "geometry"
}

// isColumn reports whether a node that is not taken apart is a column: the type of
// a feature, always Feature, is none, nor are properties that are all empty.
func (g *geoSource) isColumn(n *jsonNode) bool {
	return g == nil || n.depth != 1 || n.name != "type" && (n != g.properties || n.others > 0)
}

// begin forgets the point of the feature before.
func (g *geoSource) begin() {
	if g != nil {
		g.place = [2]string{}
	}
}

// take notes the coordinates of a geometry that is a point.
func (g *geoSource) take(n *jsonNode, text []byte) {
	if g.isGeometry(n) && g.column > 0 {
		g.place, _ = pointOf(text)
	}
}

// end appends the coordinates of the feature.
func (g *geoSource) end(c *Chunk) {
	if g == nil || g.column == 0 || g.place[0] == "" {
		return
	}
	for i, v := range g.place {
		c.Columns[g.column+i].Append([]byte(v))
	}
}

var pointType = []byte(`"Point"`)

// pointOf returns the coordinates of a point as they are written.
func pointOf(text []byte) (place [2]string, ok bool) {
	if !bytes.Contains(text, pointType) {
		return place, false
	}
	var g struct {
		Type        string
		Coordinates []json.Number
	}
	if json.Unmarshal(text, &g) != nil || g.Type != "Point" || len(g.Coordinates) < 2 {
		return place, false
	}
	return [2]string{g.Coordinates[0].String(), g.Coordinates[1].String()}, true
}

// extra settles, once the columns are known, whether longitude and latitude come
// beside them, and returns how many that are.
func (g *geoSource) extra(columns []*jsonNode) int {
	if g == nil || g.points == 0 || slices.ContainsFunc(columns, func(n *jsonNode) bool {
		name := strings.ToLower(n.name)
		return name == "longitude" || name == "latitude"
	}) {
		return 0
	}
	g.column = len(columns)
	return 2
}

func (g *geoSource) names() []string {
	if g == nil || g.column == 0 {
		return nil
	}
	return []string{"longitude", "latitude"}
}

// tell reports how the features were read.
func (g *geoSource) tell(fs *Findings) {
	if g == nil {
		return
	}
	f := found("geojson_read", "", "")
	f.Count = g.points + g.others
	fs.Add(f)
}
