package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"taihu/catalog"
)

// source is a server on every address of the machine's loopback that counts who
// comes.
type source struct {
	*httptest.Server
	port int
	came atomic.Int64
}

func newSource(t *testing.T, h http.HandlerFunc) *source {
	t.Helper()
	l, err := net.Listen("tcp", ":0") //nolint:gosec // 127.0.0.1 and 127.0.0.2 are two hosts here
	if err != nil {
		t.Fatal(err)
	}
	s := &source{port: l.Addr().(*net.TCPAddr).Port}
	s.Server = &httptest.Server{Listener: l, Config: &http.Server{Handler: h, ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.came.Add(1)
		}
	}}}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *source) at(host, path string) string {
	return "http://" + host + ":" + strconv.Itoa(s.port) + path
}

// client lets 127.0.0.1 through, as an operator may, and nothing else inside.
func (s *source) client(change ...func(*Config)) *Client {
	c := Config{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Ports: []int{s.port}, Most: 1 << 20}
	for _, f := range change {
		f(&c)
	}
	return New(c)
}

func read(t *testing.T, c *Client, address string) (string, error) {
	t.Helper()
	f, err := c.Get(t.Context(), address)
	if err != nil {
		return "", err
	}
	defer f.Body.Close()
	b, err := io.ReadAll(f.Body)
	return string(b), err
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	if got := catalog.CodeOf(err); got != code {
		t.Errorf("%s: %q (%v), want %q", what, got, err, code)
	}
}

// H01: whatever way a private address is written, nothing is connected, and the
// answer is that of a host that is not there.
func TestPrivateAddressesAreRefused(t *testing.T) {
	s := newSource(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "secret") })
	c := s.client(func(c *Config) { c.Networks = nil })
	absent := unreachable().Error()
	for _, host := range []string{"127.0.0.1", "127.1", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
		"2130706433", "0x7f000001", "0177.0.0.1", "0x7f.1", "localhost", "localhost.", "LOCALHOST", "169.254.169.254", "[fe80::1%25lo]", "[fe80::1]", "100.64.0.1", "10.0.0.1", "192.168.0.1", "172.16.0.1", "[fc00::1]", "[fd00:ec2::254]", "224.0.0.1", "[ff02::1]", "255.255.255.255"} {
		_, err := read(t, c, s.at(host, "/"))
		wantCode(t, host, err, "address_unreachable")
		if err != nil && err.Error() != absent {
			t.Errorf("%s is told apart: %v", host, err)
		}
		if Temporary(err) && !strings.ContainsAny(host, "xX") && !strings.HasPrefix(host, "01") && host != "2130706433" {
			t.Errorf("%s would be tried again", host)
		}
	}
	if n := s.came.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
}

// TestRanges holds the lists to addresses on both sides of their edges.
func TestRanges(t *testing.T) {
	c := New(Config{})
	for address, want := range map[string]bool{
		"1.1.1.1": true, "9.255.255.255": true, "10.0.0.0": false, "11.0.0.0": true, "100.63.255.255": true, "100.64.0.0": false, "100.127.255.255": false, "100.128.0.0": true,
		"126.255.255.255": true, "127.0.0.1": false, "128.0.0.0": true, "169.253.255.255": true, "169.254.169.254": false, "169.255.0.0": true,
		"172.15.255.255": true, "172.16.0.0": false, "172.31.255.255": false, "172.32.0.0": true, "192.0.0.170": false, "192.0.1.0": true, "192.168.255.255": false, "192.169.0.0": true,
		"198.17.255.255": true, "198.18.0.1": false, "198.20.0.0": true, "223.255.255.255": true, "224.0.0.0": false, "240.0.0.1": false, "255.255.255.255": false, "0.1.2.3": false,
		"2606:4700::1111": true, "2400:3200::1": true, "2001:200::1": true, "2001::1": false, "2001:db8::1": false, "2002:a00:1::": false, "3fff::1": false,
		"::": false, "::1": false, "::7f00:1": false, "::ffff:1.1.1.1": true, "::ffff:10.0.0.1": false, "64:ff9b::101:101": false, "fc00::1": false, "fe80::1": false, "fec0::1": false, "ff02::1": false, "4000::1": false,
	} {
		if got := c.lets(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: let through %t, want %t", address, got, want)
		}
	}
	wide := New(Config{Networks: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}})
	for address, want := range map[string]bool{"10.0.0.1": true, "fd00::1": true, "169.254.169.254": false, "::ffff:169.254.169.254": false, "fe80::1": false, "224.0.0.1": false} {
		if got := wide.lets(netip.MustParseAddr(address)); got != want {
			t.Errorf("with everything opened, %s: let through %t, want %t", address, got, want)
		}
	}
}

// H02: every hop is checked as the first one.
func TestRedirects(t *testing.T) {
	s := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		if n, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/hop/")); err == nil && n > 0 {
			http.Redirect(w, r, fmt.Sprintf("/hop/%d", n-1), http.StatusFound)
			return
		}
		if to := r.URL.Query().Get("to"); to != "" {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
			return
		}
		fmt.Fprint(w, "arrived at "+r.Host)
	})
	c := s.client()
	if got, err := read(t, c, s.at("127.0.0.1", "/hop/5")); err != nil || !strings.HasPrefix(got, "arrived") {
		t.Errorf("five hops: %q %v", got, err)
	}
	_, err := read(t, c, s.at("127.0.0.1", "/hop/20"))
	wantCode(t, "twenty hops", err, "import_failed")
	for _, to := range []string{s.at("127.0.0.2", "/"), s.at("[::1]", "/"), s.at("localhost.localdomain.invalid", "/"), "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/x", "http://127.0.0.1:22/"} {
		got, err := read(t, c, s.at("127.0.0.1", "/?to="+url.QueryEscape(to)))
		wantCode(t, "redirect to "+to, err, "address_unreachable")
		if got != "" {
			t.Errorf("redirect to %s gave %q", to, got)
		}
	}
}

// H03: of a host that is let through, the ports of the web alone.
func TestPorts(t *testing.T) {
	s := newSource(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "secret") })
	c := s.client(func(c *Config) { c.Ports = nil })
	for _, port := range []int{s.port, 22, 25, 6379, 7700} {
		_, err := read(t, c, fmt.Sprintf("http://127.0.0.1:%d/", port))
		wantCode(t, strconv.Itoa(port), err, "address_unreachable")
	}
	if n := s.came.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
	if got := New(Config{}).Ports; len(got) != 2 || got[0] != 80 || got[1] != 443 {
		t.Errorf("ports: %v", got)
	}
}

// names is a name server whose answers change from one question to the next.
type names struct {
	mu      sync.Mutex
	asked   map[dnsmessage.Type]int
	answers [][]string // the addresses of the first answer, of the second, …; the last for ever
}

func (n *names) resolver(t *testing.T) *net.Resolver {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	go func() {
		b := make([]byte, 1500)
		for {
			size, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(b[:size]) != nil {
				continue
			}
			n.mu.Lock()
			if n.asked == nil {
				n.asked = map[dnsmessage.Type]int{}
			}
			kind := m.Questions[0].Type
			addresses := n.answers[min(n.asked[kind], len(n.answers)-1)]
			n.asked[kind]++
			n.mu.Unlock()
			m.Response, m.Additionals = true, nil
			for _, text := range addresses {
				a := netip.MustParseAddr(text)
				head := dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Class: dnsmessage.ClassINET, Type: m.Questions[0].Type}
				switch {
				case a.Is4() && head.Type == dnsmessage.TypeA:
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AResource{A: a.As4()}})
				case a.Is6() && head.Type == dnsmessage.TypeAAAA:
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
				}
			}
			if packed, err := m.Pack(); err == nil {
				_, _ = pc.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}
}

// H04: what counts is the address of the socket, whatever a name meant before.
func TestRebinding(t *testing.T) {
	s := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Context().Value(http.LocalAddrContextKey))
	})
	zone := &names{answers: [][]string{{"127.0.0.1"}, {"127.0.0.2"}, {"127.0.0.1"}, {"127.0.0.2", "::1"}, {"::1", "127.0.0.2", "127.0.0.1"}}}
	c := s.client(func(c *Config) { c.Resolver = zone.resolver(t) })
	for i, good := range []bool{true, false, true, false, true} {
		got, err := read(t, c, s.at("rebind.example", "/"))
		if good && (err != nil || !strings.HasPrefix(got, "127.0.0.1:")) {
			t.Errorf("time %d: %q %v", i+1, got, err)
		}
		if !good {
			wantCode(t, fmt.Sprintf("time %d", i+1), err, "address_unreachable")
		}
	}
	if n := s.came.Load(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
}

// H05: bodies without end, drops, long headers, packed bytes, wrong lengths.
func TestBounds(t *testing.T) {
	endless := func(w io.Writer) {
		for b := make([]byte, 64<<10); ; {
			if _, err := w.Write(b); err != nil {
				return
			}
		}
	}
	s := newSource(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			endless(w)
		case "/announced":
			w.Header().Set("Content-Length", "107374182400")
			endless(w)
		case "/short":
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "but this is all")
		case "/long":
			conn, _, _ := http.NewResponseController(w).Hijack()
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and much more")
			conn.Close()
		case "/drops":
			for range 100 {
				if _, err := w.Write([]byte("x")); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				time.Sleep(20 * time.Millisecond)
			}
		case "/headers":
			conn, _, _ := http.NewResponseController(w).Hijack()
			defer conn.Close()
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\n")
			for {
				if _, err := fmt.Fprintf(conn, "X-More: %s\r\n", strings.Repeat("m", 1000)); err != nil {
					return
				}
			}
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, _ = z.Write(make([]byte, 10<<20))
			_ = z.Close()
			_, _ = w.Write(b.Bytes())
		case "/503":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/404":
			w.WriteHeader(http.StatusNotFound)
		}
	})
	c := s.client(func(c *Config) { c.Window, c.Least = 300*time.Millisecond, 1000 })
	for path, want := range map[string]struct {
		code string
		soon bool
	}{"/endless": {"too_large", false}, "/announced": {"too_large", false}, "/short": {"import_failed", true}, "/drops": {"import_failed", false}, "/headers": {"address_unreachable", true},
		"/bomb": {"import_failed", false}, "/503": {"import_failed", true}, "/404": {"import_failed", false}} {
		_, err := read(t, c, s.at("127.0.0.1", path))
		wantCode(t, path, err, want.code)
		if Temporary(err) != want.soon {
			t.Errorf("%s: tried again %t (%v)", path, Temporary(err), err)
		}
	}
	if got, err := read(t, c, s.at("127.0.0.1", "/long")); err != nil || got != "hello" {
		t.Errorf("more than its length: %q %v", got, err)
	}
	c = s.client(func(c *Config) { c.Time = 200 * time.Millisecond })
	_, err := read(t, c, s.at("127.0.0.1", "/drops"))
	wantCode(t, "too long", err, "import_failed")
}

// H06: credentials of the address stay behind, and nothing is told to the next host.
func TestNothingGoesAlong(t *testing.T) {
	var seen []string
	var s *source
	s = newSource(t, func(w http.ResponseWriter, r *http.Request) {
		for _, h := range []string{"Authorization", "Cookie", "Referer", "Proxy-Authorization"} {
			if v := r.Header.Get(h); v != "" {
				seen = append(seen, r.URL.Path+" "+h+": "+v)
			}
		}
		if r.URL.Path == "/first" {
			http.SetCookie(w, &http.Cookie{Name: "session", Value: "secret", Path: "/"})
			http.Redirect(w, r, strings.Replace(s.at("127.0.0.1", "/second"), "http://", "http://user:secret@", 1), http.StatusFound)
		}
	})
	clean, err := Clean(strings.Replace(s.at("127.0.0.1", "/first?token=t#part"), "http://", "http://user:secret@", 1))
	if err != nil || clean != s.at("127.0.0.1", "/first?token=t") {
		t.Errorf("clean: %q %v", clean, err)
	}
	if _, err := read(t, s.client(), strings.Replace(s.at("127.0.0.1", "/first"), "http://", "http://user:secret@", 1)); err != nil {
		t.Fatal(err)
	}
	if len(seen) > 0 {
		t.Errorf("it was told: %v", seen)
	}
	for _, bad := range []string{"", "ftp://example.org/x", "file:///etc/passwd", "http:", "http://", "//example.org/x", "javascript:alert(1)", "http://" + strings.Repeat("a", 5000)} {
		_, err := Clean(bad)
		wantCode(t, bad[:min(len(bad), 40)], err, "invalid_address")
	}
}

// H07: proxies of the environment are not asked.
func TestNoProxyOfTheEnvironment(t *testing.T) {
	proxy := newSource(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "the proxy's") })
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.at("127.0.0.1", ""))
	}
	s := newSource(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "the file") })
	zone := &names{answers: [][]string{{"127.0.0.1"}}}
	c := s.client(func(c *Config) { c.Resolver = zone.resolver(t) })
	if got, err := read(t, c, s.at("files.example", "/")); err != nil || got != "the file" || proxy.came.Load() != 0 {
		t.Errorf("%q %v, the proxy was asked %d times", got, err, proxy.came.Load())
	}
}

func TestNames(t *testing.T) {
	for address, want := range map[string]string{"http://a.example/b/c.csv?x=1": "c.csv", "http://a.example/": "download", "http://a.example": "download", "http://a.example/%E8%A1%A8.csv": "表.csv", "http://a.example/b/": "b"} {
		if got := Name(address); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
	s := newSource(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename*=UTF-8''..%2F%E8%A1%A8.csv`)
		w.Header().Set("Content-Type", "text/csv; charset=gbk")
	})
	f, err := s.client().Get(t.Context(), s.at("127.0.0.1", "/x"))
	if err != nil || f.Name != "表.csv" || f.MediaType != "text/csv" {
		t.Fatalf("%+v %v", f, err)
	}
	f.Body.Close()
}
