package export

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"taihu/catalog/parquet"
	"taihu/catalog/table"
)

// parquetEncoder writes the answer's columns under their names; _row is among
// them only where it was selected. The key/value metadata "taihu" holds Meta.
type parquetEncoder struct{ w *parquet.Writer }

func newParquet(w io.Writer, m Meta) (*parquetEncoder, error) {
	var cs []parquet.Column
	for _, f := range m.Fields {
		cs = append(cs, parquet.ColumnOf(f))
	}
	text, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("export: parquet metadata: %w", err)
	}
	meta := map[string]string{"taihu": string(text)}
	for key, value := range map[string]string{"title": m.Title.Zh, "licence": m.LicenceURL, "citation": m.Citation.Zh, "source": m.Address} {
		if value != "" {
			meta[key] = value
		}
	}
	if m.Release > 0 {
		meta["release"] = strconv.Itoa(m.Release)
	}
	return &parquetEncoder{w: parquet.NewWriter(w, cs, parquet.Options{Metadata: meta})}, nil
}

func (e *parquetEncoder) Write(b *table.Batch) error { return e.w.Write(b) }

func (e *parquetEncoder) Close() error { return e.w.Close() }
