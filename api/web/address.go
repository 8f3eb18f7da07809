package web

import (
	"fmt"
	"net/url"
)

// Addresses of the data and the JSON API (architecture.md §5). They have no
// language.

// dataPath is the download address of a table of a numbered release.
func dataPath(slug string, number int, table, format string) string {
	return fmt.Sprintf("/data/%s/%d/%s.%s", slug, number, table, format)
}

func filePath(slug string, number int, name string) string {
	return fmt.Sprintf("/data/%s/%d/files/%s", slug, number, url.PathEscape(name))
}

func apiDatasetPath(slug string) string { return "/api/v1/datasets/" + slug }

func apiReleasePath(slug string, number int) string {
	return fmt.Sprintf("/api/v1/datasets/%s/releases/%d", slug, number)
}

func apiTablePath(slug string, number int, table, what string) string {
	return fmt.Sprintf("/api/v1/datasets/%s/releases/%d/tables/%s/%s", slug, number, table, what)
}

func releasePath(slug string, number int) string {
	return fmt.Sprintf("/datasets/%s/releases/%d", slug, number)
}
