package indextest

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"taihu/indexer"
)

//go:embed portal.txt
var portalText string

// Portal returns the documents of the sample portal, as NewDocument makes them of
// what taihu demo published; a test of the program holds portal.txt to that.
func Portal() []indexer.Document {
	docs, err := readDocuments(portalText)
	if err != nil {
		panic("portal.txt: " + err.Error())
	}
	return docs
}

// WriteDocuments writes documents as a text that shows what each holds, a line for
// each part. What differs between two portals is made the same: ids and versions,
// and all were published on one day.
func WriteDocuments(docs []indexer.Document) (string, error) {
	var b strings.Builder
	for i, d := range docs {
		d.ID, d.Version, d.Downloads = ID(i), 1, 0
		d.Updated = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
		var whole bytes.Buffer
		encoder := json.NewEncoder(&whole)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(d); err != nil {
			return "", err
		}
		decoder := json.NewDecoder(&whole)
		if _, err := decoder.Token(); err != nil {
			return "", err
		}
		for decoder.More() {
			key, err := decoder.Token()
			if err != nil {
				return "", err
			}
			var value json.RawMessage
			if err := decoder.Decode(&value); err != nil {
				return "", err
			}
			if s := string(value); s != "null" {
				fmt.Fprintf(&b, "%s: %s\n", key, s)
			}
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

func readDocuments(text string) ([]indexer.Document, error) {
	var docs []indexer.Document
	for _, block := range strings.Split(strings.TrimSpace(text), "\n\n") {
		var parts []string
		for _, line := range strings.Split(block, "\n") {
			key, value, ok := strings.Cut(line, ": ")
			if !ok {
				return nil, fmt.Errorf("no key in %q", line)
			}
			parts = append(parts, fmt.Sprintf("%q:%s", key, value))
		}
		var d indexer.Document
		decoder := json.NewDecoder(strings.NewReader("{" + strings.Join(parts, ",") + "}"))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&d); err != nil {
			return nil, err
		}
		docs = append(docs, d)
	}
	return docs, nil
}
