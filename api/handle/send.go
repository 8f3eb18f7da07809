package handle

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// ServeFile answers with the bytes of f, a file that does not change and whose
// ETag the headers state: conditional requests, ranges, If-Range, HEAD. The
// kernel copies a plain file to the socket (sendfile), which gin's own writer
// would prevent. What cannot be answered with bytes comes back as a Problem.
func ServeFile(c *gin.Context, f io.ReadSeeker) error {
	if header := c.GetHeader("Range"); header != "" {
		c.Request.Header.Set("Range", readRange(header))
	}
	w := &fileWriter{ResponseWriter: c.Writer, c: c}
	http.ServeContent(w, c.Request, "", time.Time{}, f)
	switch w.refused {
	case 0:
		return nil
	case http.StatusPreconditionFailed:
		return StaleTag()
	case http.StatusRequestedRangeNotSatisfiable:
		if size, err := f.Seek(0, io.SeekEnd); err == nil {
			c.Header("Content-Range", "bytes */"+strconv.FormatInt(size, 10))
		}
		return NewProblem(w.refused, "range_not_satisfiable", "the range lies beyond the end of the file or cannot be read: Content-Range states its length", "所要的范围超出文件末尾，或无法读懂；文件长度见Content-Range")
	}
	c.Writer.Header().Del("Content-Range")
	return NewProblem(http.StatusInternalServerError, "internal", "the file could not be read", "文件读不出来")
}

// StaleTag is the answer where If-Match names other bytes.
func StaleTag() *Problem {
	return NewProblem(http.StatusPreconditionFailed, "precondition_failed", "these bytes are not those that If-Match names", "内容与If-Match所指的不同")
}

// readRange brings a Range header to what net/http reads as RFC 9110 means it: a
// unit other than bytes is ignored, the unit has no case, and the last 0 bytes
// are a range that nothing satisfies.
func readRange(header string) string {
	unit, list, found := strings.Cut(header, "=")
	if !found || !strings.EqualFold(strings.TrimSpace(unit), "bytes") {
		return ""
	}
	var kept []string
	for one := range strings.SplitSeq(list, ",") {
		if last, suffix := strings.CutPrefix(strings.TrimSpace(one), "-"); suffix && last != "" && strings.Trim(last, "0") == "" {
			continue
		}
		kept = append(kept, one)
	}
	if kept == nil {
		return "bytes=-" // cannot be read: 416
	}
	return "bytes=" + strings.Join(kept, ",")
}

// fileWriter keeps net/http's plain-text errors back, and hands a file on to the
// writer under gin's, which knows sendfile.
type fileWriter struct {
	gin.ResponseWriter
	c       *gin.Context
	refused int // status of an error that is not written
}

func (w *fileWriter) WriteHeader(status int) {
	if status >= 400 {
		w.refused = status
		return
	}
	w.ResponseWriter.WriteHeader(status)
	w.WriteHeaderNow()
}

func (w *fileWriter) Write(p []byte) (int, error) {
	if w.refused != 0 {
		return len(p), nil
	}
	return w.ResponseWriter.Write(p)
}

// ReadFrom is what io.Copy uses.
func (w *fileWriter) ReadFrom(r io.Reader) (int64, error) {
	under, ok := w.ResponseWriter.(interface{ Unwrap() http.ResponseWriter })
	if ok {
		if to, ok := under.Unwrap().(io.ReaderFrom); ok {
			w.WriteHeaderNow()
			n, err := to.ReadFrom(r)
			w.c.Set(sentKey, w.c.GetInt64(sentKey)+n)
			return n, err
		}
	}
	return io.Copy(struct{ io.Writer }{w}, r)
}
