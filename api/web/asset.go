package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
)

//go:embed static
var staticFiles embed.FS

// assets are the static files, each under an address that holds the hash of its
// content, so that a browser may keep it for ever.
type assets struct {
	address map[string]string // taihu.css → /static/<hash>/taihu.css
	content map[string][]byte // by address
}

func loadAssets() (*assets, error) {
	a := &assets{address: map[string]string{}, content: map[string][]byte{}}
	entries, err := staticFiles.ReadDir("static")
	if err != nil {
		return nil, fmt.Errorf("read static files: %w", err)
	}
	for _, e := range entries {
		b, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, fmt.Errorf("read static file: %w", err)
		}
		sum := sha256.Sum256(b)
		address := "/static/" + hex.EncodeToString(sum[:6]) + "/" + e.Name()
		a.address[e.Name()] = address
		a.content[address] = b
	}
	return a, nil
}

// asset serves one static file. An address with an old hash is 404: the page
// that named it is old too.
func (s *Site) asset(c *gin.Context) error {
	b, ok := s.assets.content[c.Request.URL.Path]
	if !ok {
		return catalog.Errorf(catalog.NotFound, "not_found", "there is no such file").InChinese("没有这个文件")
	}
	kind := mime.TypeByExtension(path.Ext(c.Request.URL.Path))
	if strings.HasSuffix(c.Request.URL.Path, ".js") {
		kind = "text/javascript; charset=utf-8"
	}
	c.Header("Cache-Control", "public, max-age=31536000, immutable")
	c.Header("X-Content-Type-Options", "nosniff")
	c.Data(http.StatusOK, kind, b)
	return nil
}

// favicon sends browsers that ask for /favicon.ico to the mark.
func (s *Site) favicon(c *gin.Context) error {
	c.Redirect(http.StatusFound, s.assets.address["mark.svg"])
	return nil
}
