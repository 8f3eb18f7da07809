package api

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/klauspost/compress/gzhttp"
)

// compressAbove is how many bytes an answer must have to be worth compressing.
const compressAbove = 1024

// packs reports whether answers under path are compressed: the JSON API and the
// pages. Downloads are not compressed here: their ETags, lengths and ranges speak
// of the bytes as stored, and pack.go knows which of them can be. Uploads answer next to nothing.
func packs(path string) bool {
	return !strings.HasPrefix(path, "/data/") && !strings.HasPrefix(path, "/static/") && !ofUploads(path)
}

func compressed(h http.Handler) (http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(compressAbove), gzhttp.EnableZstd(true), gzhttp.SetContentType(false))
	if err != nil {
		return nil, err
	}
	return wrap(h), nil
}

// keepTagged leaves answers with an ETag as they are: a strong ETag names exact
// bytes, and clients send it back in If-Match.
func keepTagged(ctx huma.Context, _ string, v any) (any, error) {
	if h := humagin.Unwrap(ctx).Writer.Header(); h.Get("ETag") != "" {
		h.Set(gzhttp.HeaderNoCompression, "1")
	}
	return v, nil
}
