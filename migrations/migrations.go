// Package migrations holds the SQL that makes and changes the tables of the
// catalogue, as paired files: the same number and name in sqlite/ and
// postgres/, one going up and one going down. Each runs inside one transaction.
//
// catalog/store runs them; a test there migrates both databases up, down and up
// and compares their tables and columns. README.md says how to add one.
package migrations

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// Migration is one numbered change of the tables.
type Migration struct {
	Name     string // such as 0001_catalog
	Up, Down string // SQL
}

// The ends of the files' names.
const (
	upEnd   = ".tx.up.sql"
	downEnd = ".tx.down.sql"
)

// Of returns the migrations of a dialect ("sqlite" or "postgres") in order. A
// file without its counterpart is an error.
func Of(dialect string) ([]Migration, error) {
	names, err := fs.Glob(files, dialect+"/*.sql")
	if err != nil {
		return nil, err
	}
	byName := map[string]*Migration{}
	var order []string
	for _, n := range names {
		text, err := files.ReadFile(n)
		if err != nil {
			return nil, err
		}
		base := path.Base(n)
		name, up := strings.CutSuffix(base, upEnd)
		if !up {
			var down bool
			if name, down = strings.CutSuffix(base, downEnd); !down {
				return nil, fmt.Errorf("migration %s: the name must end in %s or %s", n, upEnd, downEnd)
			}
		}
		m := byName[name]
		if m == nil {
			m = &Migration{Name: name}
			byName[name] = m
			order = append(order, name)
		}
		if up {
			m.Up = string(text)
		} else {
			m.Down = string(text)
		}
	}
	slices.Sort(order)
	list := make([]Migration, len(order))
	for i, name := range order {
		m := byName[name]
		if m.Up == "" || m.Down == "" {
			return nil, fmt.Errorf("migration %s/%s: the other direction is missing", dialect, name)
		}
		list[i] = *m
	}
	return list, nil
}
