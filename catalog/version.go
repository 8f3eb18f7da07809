package catalog

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Bump is what the tables of a release mean to programs that read the one before,
// in the words of semantic versioning (semver.org).
type Bump int

// The bumps.
const (
	Patch Bump = iota // other rows, the same columns
	Minor             // tables or columns more, or a number of a wider type
	Major             // something a program may need is gone or of another type
)

// BumpOf compares the tables of a release with those of the one before; changes is
// what its readers would miss.
func BumpOf(before, after []Table, changes []Change) Bump {
	bump := Patch
	for _, c := range changes {
		switch {
		case c.Kind == RowsHalved:
		case c.Kind == TypeChanged && widens(c.Types[0], c.Types[1]):
			bump = max(bump, Minor)
		default:
			return Major
		}
	}
	for i := range after {
		a := &after[i]
		at := slices.IndexFunc(before, func(t Table) bool { return t.Name == a.Name })
		if at < 0 {
			return max(bump, Minor)
		}
		for _, f := range a.Schema.Fields {
			if !slices.ContainsFunc(before[at].Schema.Fields, func(g Field) bool { return strings.EqualFold(g.Name, f.Name) }) {
				return max(bump, Minor)
			}
		}
	}
	return bump
}

// widens reports whether each value of one type is a value of the other, written
// the same in JSON and CSV.
func widens(from, to Type) bool {
	return from == Integer && (to == Decimal || to == Number)
}

// computed is a version as NextVersion writes it.
var computed = regexp.MustCompile(`^(\d{1,9})\.(\d{1,9})\.(\d{1,9})$`)

// NextVersion is the version after the newest of labels, which are those of the
// releases before, newest first: labels that stewards made up are passed over.
func NextVersion(labels []string, b Bump) string {
	for _, label := range labels {
		part := computed.FindStringSubmatch(label)
		if part == nil {
			continue
		}
		var n [3]int
		for i := range n {
			n[i], _ = strconv.Atoi(part[i+1]) // at most nine digits
		}
		switch b {
		case Major:
			n = [3]int{n[0] + 1, 0, 0}
		case Minor:
			n = [3]int{n[0], n[1] + 1, 0}
		default:
			n[2]++
		}
		return fmt.Sprintf("%d.%d.%d", n[0], n[1], n[2])
	}
	return "1.0.0"
}
