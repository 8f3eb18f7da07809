package meili

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// exchange is one request to the server and its answer, without what differs from
// run to run: times, durations and the server's own numbers. Of a long request, of
// documents, only a digest is kept.
type exchange struct {
	Method   string          `json:"method"`
	Path     string          `json:"path"` // with the query
	Request  json.RawMessage `json:"request,omitempty"`
	Status   int             `json:"status"`
	Response json.RawMessage `json:"response,omitempty"`
}

func (e *exchange) key() string { return e.Method + " " + e.Path + " " + string(e.Request) }

// exchangeFile is where a recording is: lines of JSON, compressed where they are many.
func exchangeFile(name string) string {
	if name == goldenName {
		name += ".json.gz"
	} else {
		name += ".json"
	}
	return filepath.Join("testdata", "exchanges", name)
}

// readExchanges returns the text of a recording.
func readExchanges(name string) ([]byte, error) {
	body, err := os.ReadFile(exchangeFile(name))
	if err != nil || !strings.HasSuffix(exchangeFile(name), ".gz") {
		return body, err
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func writeExchanges(name string, text []byte) error {
	if strings.HasSuffix(exchangeFile(name), ".gz") {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		_, _ = z.Write(text)
		if err := z.Close(); err != nil {
			return err
		}
		text = b.Bytes()
	}
	return os.WriteFile(exchangeFile(name), text, 0o644)
}

// normalizer replaces what differs from run to run. Task numbers become 1, 2, …
// in the order in which they appear.
type normalizer struct {
	indexes string // prefix of the names of this test's indexes
	tasks   map[string]int
}

var (
	taskPath = regexp.MustCompile(`^/tasks/(\d+)$`)
	fixed    = map[string]any{
		"enqueuedAt": "2026-01-01T00:00:00Z", "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:00Z",
		"createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "duration": "PT0.01S",
		"processingTimeMs": 0, "batchUid": 0, "requestUid": "00000000-0000-7000-8000-000000000000",
	}
)

func (n *normalizer) task(uid string) int {
	if _, there := n.tasks[uid]; !there {
		n.tasks[uid] = len(n.tasks) + 1
	}
	return n.tasks[uid]
}

func (n *normalizer) path(p string) string {
	if m := taskPath.FindStringSubmatch(p); m != nil {
		return fmt.Sprintf("/tasks/%d", n.task(m[1]))
	}
	return p
}

func (n *normalizer) value(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = n.value(v[i])
		}
	case map[string]any:
		for key, inner := range v {
			number, isNumber := inner.(json.Number)
			switch {
			case fixed[key] != nil && inner != nil:
				v[key] = fixed[key]
			case isNumber && (key == "taskUid" || key == "uid"):
				v[key] = n.task(number.String())
			default:
				v[key] = n.value(inner)
			}
		}
	}
	return v
}

// canonical writes JSON in one way; anything else becomes a JSON string.
func canonical(body []byte, change func(any) any) json.RawMessage {
	if len(body) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		v = string(body)
	}
	if change != nil {
		v = change(v)
	}
	out, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return out
}

// longRequest is from how many bytes on a request is kept as its digest.
const longRequest = 8 << 10

func canonicalRequest(body []byte) json.RawMessage {
	whole := canonical(body, nil)
	if len(whole) < longRequest {
		return whole
	}
	return json.RawMessage(fmt.Sprintf(`{"bytes":%d,"sha256":"%x"}`, len(whole), sha256.Sum256(whole)))
}

func readRequest(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	defer r.Body.Close()
	return io.ReadAll(r.Body)
}

// recorder passes requests on to a real server and keeps the exchanges.
type recorder struct {
	mu        sync.Mutex
	normal    normalizer
	exchanges []exchange
}

func newRecorder(indexes string) *recorder {
	return &recorder{normal: normalizer{indexes: indexes, tasks: map[string]int{}}}
}

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := readRequest(request)
	if err != nil {
		return nil, err
	}
	request.Body = io.NopCloser(bytes.NewReader(body))
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(response.Body)
	response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(answer))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keep(request, body, response.StatusCode, answer)
	return response, nil
}

func (r *recorder) keep(request *http.Request, body []byte, status int, answer []byte) {
	var state struct{ Status string }
	_ = json.Unmarshal(answer, &state)
	if taskPath.MatchString(request.URL.Path) && (state.Status == "enqueued" || state.Status == "processing") {
		return // only the poll that saw the end counts
	}
	r.exchanges = append(r.exchanges, exchange{
		Method: request.Method, Path: r.normal.path(request.URL.RequestURI()), Request: canonicalRequest(body),
		Status: status, Response: canonical(answer, func(v any) any { return r.normal.value(r.ownIndexes(request, v)) }),
	})
}

// ownIndexes takes other tests' indexes out of a list of indexes.
func (r *recorder) ownIndexes(request *http.Request, v any) any {
	list, isMap := v.(map[string]any)
	if !isMap || request.Method != http.MethodGet || request.URL.Path != "/indexes" {
		return v
	}
	own := []any{}
	all, _ := list["results"].([]any)
	for _, x := range all {
		index, _ := x.(map[string]any)
		if name, _ := index["uid"].(string); strings.HasPrefix(name, r.normal.indexes) {
			own = append(own, x)
		}
	}
	list["results"], list["total"] = own, len(own)
	return list
}

// save writes the exchanges, one to a line.
func (r *recorder) save(t *testing.T, name string) {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	for i := range r.exchanges {
		if err := encoder.Encode(&r.exchanges[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeExchanges(name, b.Bytes()); err != nil {
		t.Fatal(err)
	}
}

// player answers requests from a recording. A request that is not in it fails the
// test, and so does, at the end, one that was not made.
type player struct {
	t       *testing.T
	mu      sync.Mutex
	answers map[string][]exchange
	left    int
}

func newPlayer(t *testing.T, name string) *player {
	t.Helper()
	body, err := readExchanges(name)
	if err != nil {
		t.Fatalf("no recording: %v; record with a server: make test-meili", err)
	}
	p := &player{t: t, answers: map[string][]exchange{}}
	decoder := json.NewDecoder(bytes.NewReader(body))
	for {
		var e exchange
		err := decoder.Decode(&e)
		if errors.Is(err, io.EOF) {
			return p
		}
		if err != nil {
			t.Fatalf("%s: %v", exchangeFile(name), err)
		}
		e.Request, e.Response = canonical(e.Request, nil), canonical(e.Response, nil)
		p.answers[e.key()] = append(p.answers[e.key()], e)
		p.left++
	}
}

func (p *player) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := readRequest(request)
	if err != nil {
		return nil, err
	}
	e := exchange{Method: request.Method, Path: request.URL.RequestURI(), Request: canonicalRequest(body)}
	p.mu.Lock()
	defer p.mu.Unlock()
	waiting := p.answers[e.key()]
	if len(waiting) == 0 {
		p.t.Errorf("a request that is not in the recording (record anew with make test-meili):\n%.2000s", e.key())
		return nil, errors.New("not in the recording")
	}
	p.answers[e.key()] = waiting[1:]
	p.left--
	return &http.Response{
		StatusCode: waiting[0].Status, Request: request, ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(waiting[0].Response)),
	}, nil
}

func (p *player) checkAllAsked() {
	p.t.Helper()
	for key, waiting := range p.answers {
		if len(waiting) > 0 {
			p.t.Errorf("%d recorded requests were not made, such as\n%.500s", p.left, key)
			return
		}
	}
}
