package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"taihu/catalog"
)

// EventList is the record of a dataset.
type EventList struct {
	Dataset string          `json:"dataset"`
	Events  []catalog.Event `json:"events" doc:"First to last; each holds the hash of the one before"`
	Whole   bool            `json:"whole" doc:"No event was altered, removed or put in between"`
	Head    string          `json:"head" doc:"The last event's hash: note it down elsewhere, and nothing before it can be changed unnoticed"`
}

func (a *API) eventRoutes() {
	type output struct{ Body EventList }
	register(a, huma.Operation{OperationID: "list-events", Method: http.MethodGet, Path: "/api/v1/datasets/{slug}/events", Tags: []string{"stewards"},
		Summary: "A dataset's record", Description: "Everything that was done to it and its drafts: when, by whom, and what. For its organization. taihu audit --verify checks a saved answer without a server.", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			Slug string `path:"slug" doc:"The dataset" example:"parking-spaces"`
		}) (*output, error) {
			d, events, err := a.Store.DatasetEvents(ctx, actor, in.Slug)
			if err != nil {
				return nil, err
			}
			out := &output{EventList{Dataset: d.Slug, Events: events, Whole: catalog.CheckChain(events) == nil}}
			if len(events) > 0 {
				out.Body.Head = events[len(events)-1].Hash
			}
			return out, nil
		})
}
