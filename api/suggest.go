package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/indexer"
)

// suggestionsEach is how many suggestions of each kind are given.
const suggestionsEach = 4

type suggestInput struct {
	Q    string `query:"q" maxLength:"200" doc:"What was typed so far" example:"停"`
	Lang string `query:"lang" enum:"zh,en" default:"zh" doc:"Language of the names and of the addresses"`
}

// Suggestion is something a person who is still typing may mean.
type Suggestion struct {
	Kind  string            `json:"kind" enum:"dataset,organization,theme,column,value"`
	Text  []indexer.Segment `json:"text" doc:"Its name in pieces; hit marks those that were typed"`
	Slug  string            `json:"slug,omitempty" doc:"Of a dataset or organization, code of a theme"`
	Count int               `json:"count,omitempty" doc:"Datasets that have it, of all but a dataset"`
	Href  string            `json:"href" doc:"The page it leads to, without the portal's address"`
}

type suggestOutput struct {
	CacheControl string `header:"Cache-Control"`
	Body         struct {
		Suggestions []Suggestion `json:"suggestions" doc:"Those of a kind stand together, best first; none while the search engine is away"`
	}
}

func (a *API) suggestRoutes() {
	register(a, huma.Operation{OperationID: "suggest", Method: http.MethodGet, Path: "/api/v1/suggest", Tags: []string{"datasets"},
		Summary: "What may be meant while somebody types", Description: "Datasets, publishers, themes, columns and values of columns that begin so, in Chinese that have it, or that sound so in pinyin. Made for a search box: at most four of each kind."}, a.suggest)
}

func (a *API) suggest(ctx context.Context, actor catalog.Actor, in *suggestInput) (*suggestOutput, error) {
	out := &suggestOutput{CacheControl: "public, max-age=30"}
	if !actor.Anonymous() {
		out.CacheControl = "private, no-store"
	}
	out.Body.Suggestions = []Suggestion{}
	if strings.TrimSpace(in.Q) == "" {
		return out, nil
	}
	found, err := a.Index.Suggest(ctx, in.Q, in.Lang, suggestionsEach)
	switch {
	case catalog.KindOf(err) == catalog.Unavailable:
		out.CacheControl = "no-store"
		return out, nil //nolint:nilerr // a search box without suggestions is a search box
	case err != nil:
		return nil, err
	}
	titles, err := a.suggestedTitles(ctx, found)
	if err != nil {
		return nil, err
	}
	state, err := a.Store.SearchState(ctx)
	if err != nil {
		return nil, err
	}
	for _, s := range found {
		if state.Indexing && (s.Kind == "column" || s.Kind == "value") {
			continue // it may be of a dataset withdrawn a moment ago
		}
		w := Suggestion{Kind: s.Kind, Text: s.Text, Slug: s.Slug, Count: s.Count, Href: suggestionHref(in.Lang, &s)}
		if s.Kind == "dataset" {
			title, there := titles[s.Slug]
			if !there { // withdrawn or closed, and the index is a moment behind
				continue
			}
			if indexer.Plain(s.Text) != title.Zh && indexer.Plain(s.Text) != title.En {
				w.Text = []indexer.Segment{{Text: title.In(in.Lang)}}
			}
		}
		out.Body.Suggestions = append(out.Body.Suggestions, w)
	}
	return out, nil
}

// suggestedTitles are the titles of the datasets suggested, as anybody may see them: the
// index never grants access.
func (a *API) suggestedTitles(ctx context.Context, found []indexer.Suggestion) (map[string]catalog.Text, error) {
	slugs, titles := []string{}, map[string]catalog.Text{}
	for _, s := range found {
		if s.Kind == "dataset" {
			slugs = append(slugs, s.Slug)
		}
	}
	list, err := a.Store.Catalogue(ctx, store.CatalogueFilter{Slugs: slugs, Bare: true, Limit: len(slugs)})
	for _, e := range list {
		titles[e.Dataset.Slug] = e.Dataset.Title
	}
	return titles, err
}

// suggestionHref is where a suggestion leads.
func suggestionHref(lang string, s *indexer.Suggestion) string {
	path := "/datasets"
	quoted := `"` + strings.ReplaceAll(indexer.Plain(s.Text), `"`, " ") + `"`
	switch s.Kind {
	case "dataset":
		path += "/" + s.Slug
	case "organization", "theme":
		path += "?" + s.Kind + "=" + url.QueryEscape(s.Slug)
	case "column":
		path += "?q=" + url.QueryEscape("column:"+quoted)
	default:
		path += "?q=" + url.QueryEscape(quoted)
	}
	if lang == "en" {
		path = "/en" + path
	}
	return path
}
