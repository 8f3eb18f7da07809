package meili

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/meilisearch/meilisearch-go"

	"taihu/catalog"
)

// failed turns an error of the client into ours. A server that is down, slow,
// overloaded, out of disk, refuses our key or lacks our index is Unavailable;
// a caller who gave up gets the context's error. What is left is a fault of ours.
func (x *Index) failed(doing string, err error) error {
	var api *meilisearch.Error
	if errors.As(err, &api) {
		cause := api.OriginError
		switch {
		case errors.Is(cause, context.Canceled):
			return fmt.Errorf("%s: %w", doing, context.Canceled)
		case api.StatusCode == 0 || cause != nil && api.MeilisearchApiError.Code == "":
			if cause == nil {
				cause = api
			}
			return unavailable(doing, cause)
		}
		// The client's own text quotes whole requests; the server's says enough.
		short := fmt.Errorf("status %d, %s: %s", api.StatusCode, api.MeilisearchApiError.Code, api.MeilisearchApiError.Message)
		switch {
		case api.StatusCode >= 500, api.StatusCode == http.StatusTooManyRequests, api.StatusCode == http.StatusUnauthorized,
			api.StatusCode == http.StatusForbidden, api.StatusCode == http.StatusRequestTimeout, isNoIndex(err),
			strings.HasPrefix(api.MeilisearchApiError.Code, "invalid_search_"): // it lacks our settings: it is being made, or is not ours
			return unavailable(doing, short)
		}
		return fmt.Errorf("meilisearch: %s: %w", doing, short)
	}
	var task *taskError
	if errors.As(err, &task) {
		return unavailable(doing, task)
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return unavailable(doing, err)
}

func unavailable(doing string, cause error) error {
	return catalog.Errorf(catalog.Unavailable, "search_unavailable", "search is not available now").
		InChinese("检索服务暂时不可用").Because(fmt.Errorf("meilisearch: %s: %w", doing, cause))
}
