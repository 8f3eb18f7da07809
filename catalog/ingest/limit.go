package ingest

import "time"

// Limits bounds what one file may cost. A zero member takes its default.
type Limits struct {
	Rows    int64         `json:"rows,omitempty"`
	Columns int           `json:"columns,omitempty"`
	Cells   int64         `json:"cells,omitempty"`
	Record  int           `json:"record,omitempty"`  // bytes of one row of a text file
	Cell    int           `json:"cell,omitempty"`    // bytes of one cell
	Inflate int64         `json:"inflate,omitempty"` // bytes an archive may hold in all
	Tables  int           `json:"tables,omitempty"`  // sheets
	Wall    time.Duration `json:"wall,omitempty"`    // of the whole check
	Memory  int64         `json:"memory,omitempty"`  // bytes; soft for the Go heap, watched from outside by the parent
	Threads int           `json:"threads,omitempty"` // 0: two
}

// DefaultLimits are those of a portal that states none.
var DefaultLimits = Limits{
	Rows: 300_000_000, Columns: 16_384, Cells: 5_000_000_000, Record: 16 << 20, Cell: 16 << 20,
	Inflate: 8 << 30, Tables: 256, Wall: 30 * time.Minute, Memory: 480 << 20, Threads: 2,
}

// orDefault fills what is zero from DefaultLimits.
func (l Limits) orDefault() Limits {
	d := DefaultLimits
	for _, p := range []struct{ v, d *int64 }{{&l.Rows, &d.Rows}, {&l.Cells, &d.Cells}, {&l.Inflate, &d.Inflate}, {&l.Memory, &d.Memory}} {
		if *p.v <= 0 {
			*p.v = *p.d
		}
	}
	for _, p := range []struct{ v, d *int }{{&l.Columns, &d.Columns}, {&l.Record, &d.Record}, {&l.Cell, &d.Cell}, {&l.Tables, &d.Tables}, {&l.Threads, &d.Threads}} {
		if *p.v <= 0 {
			*p.v = *p.d
		}
	}
	if l.Wall <= 0 {
		l.Wall = d.Wall
	}
	return l
}
