// Package fetch reads files from web addresses that people give to the portal,
// without letting them reach through it what they could not reach themselves.
//
// An address is http or https, on a port that is let through, and leads to a
// public host. That is checked on the socket that is opened, after names were
// resolved, for every redirect anew, so that no name server and no redirect can
// lead elsewhere. Nothing of the portal goes along: no credentials, no cookies,
// no proxy of the environment. Bytes, time and slowness are bounded. It knows
// nothing of uploads and drafts.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"taihu/catalog"
)

const (
	mostHops    = 5
	mostHeaders = 64 << 10
	dialTime    = 15 * time.Second
	headerTime  = 60 * time.Second
	longestURL  = 4000
)

// Config is what a Client lets through.
type Config struct {
	// Networks are those beside the public internet, such as the city's own.
	Networks []netip.Prefix
	Ports    []int // nil: 80 and 443
	Most     int64 // bytes of one file
	// Time is how long one file may take; 0: 2 hours. In each Window (0: a minute)
	// at least Least bytes have to come (0: 64 KiB).
	Time, Window time.Duration
	Least        int64
	Resolver     *net.Resolver // nil: the system's
}

// Client fetches files.
type Client struct {
	Config
	http *http.Client
}

// New makes a client.
func New(c Config) *Client {
	if c.Ports == nil {
		c.Ports = []int{80, 443}
	}
	if c.Time <= 0 {
		c.Time = 2 * time.Hour
	}
	if c.Window <= 0 {
		c.Window = time.Minute
	}
	if c.Least <= 0 {
		c.Least = 64 << 10
	}
	x := &Client{Config: c}
	dialer := &net.Dialer{Timeout: dialTime, Resolver: c.Resolver, ControlContext: x.control}
	x.http = &http.Client{
		Transport: &http.Transport{
			Proxy: nil, // never the environment's: it would open what is refused here
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return dialer.DialContext(ctx, network, address)
			},
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: mostHeaders,
			TLSHandshakeTimeout: dialTime, ResponseHeaderTimeout: headerTime,
		},
		CheckRedirect: x.redirect,
	}
	return x
}

// errRefused ends a dial to where nobody is let through.
var errRefused = errors.New("the address is not let through")

// unreachable is the one answer for all that is refused or does not answer: what
// lies in the portal's own network cannot be found out by asking it.
func unreachable() error {
	return catalog.Errorf(catalog.Unprocessable, "address_unreachable", "this address cannot be fetched from here: it does not answer, or it is not a public http or https address").
		InChinese("这个地址取不到：它没有回应，或者不是公网上的http、https地址")
}

// failed is what a source that answers, but not with a file, gives.
func failed(english, chinese string, args ...any) *catalog.Error {
	return catalog.Errorf(catalog.Unprocessable, "import_failed", english, args...).InChinese(chinese, args...)
}

// Temporary reports whether the same address may give the file a little later.
func Temporary(err error) bool {
	var t *temporary
	return errors.As(err, &t)
}

type temporary struct{ error }

func (t *temporary) Unwrap() error { return t.error }

// Clean checks an address and returns it without credentials and fragment, as it
// may be kept and shown. Invalid invalid_address.
func Clean(address string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || len(address) > longestURL || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "" {
		return "", catalog.Errorf(catalog.Invalid, "invalid_address", "give the address of a file, beginning with http:// or https://").InChinese("请给出文件的地址，以http://或https://开头")
	}
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	return u.String(), nil
}

// Name is the file's name that an address ends in, or "download".
func Name(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "download"
	}
	name := path.Base(u.Path)
	if name == "." || name == "/" {
		return "download"
	}
	return name
}

// File is what an address gives.
type File struct {
	Name      string // as its server calls it; may be empty
	MediaType string // as its server says; may be empty
	Size      int64  // as its server says, -1 where it does not
	Body      io.ReadCloser
}

// Get asks for the file at an address. Its body fails where it is too large, too
// slow or breaks off; Close it.
func (c *Client) Get(ctx context.Context, address string) (*File, error) {
	clean, err := Clean(address)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeoutCause(ctx, c.Time, failed("the file took longer than %v", "超过%v还没有传完", c.Time))
	ctx, cancel := context.WithCancelCause(ctx)
	end := func() { cancel(nil); stop() }
	f, err := c.get(ctx, cancel, clean)
	if err != nil {
		end()
		return nil, err
	}
	f.Body = &closing{f.Body, end}
	return f, nil
}

type closing struct {
	io.ReadCloser
	end func()
}

func (c *closing) Close() error {
	defer c.end()
	return c.ReadCloser.Close()
}

func (c *Client) get(ctx context.Context, cancel context.CancelCauseFunc, address string) (*File, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, unreachable()
	}
	if err := c.checkURL(req.URL); err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "Taihu")
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, c.asking(ctx, err)
	}
	if err := answer(resp, c.Most); err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	f := &File{Size: resp.ContentLength}
	if _, said, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition")); err == nil {
		f.Name = path.Base(strings.ReplaceAll(said["filename"], `\`, "/"))
	}
	if media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil && media != "application/octet-stream" {
		f.MediaType = media
	}
	f.Body = c.watch(ctx, cancel, resp.Body)
	return f, nil
}

// answer is nil where the answer is a file of at most so many bytes.
func answer(resp *http.Response, most int64) error {
	switch coded := resp.Header.Get("Content-Encoding"); {
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500:
		return &temporary{failed("the address answers with status %d", "这个地址回答状态%d", resp.StatusCode)}
	case resp.StatusCode != http.StatusOK:
		return failed("the address answers with status %d", "这个地址回答状态%d", resp.StatusCode)
	case coded != "" && coded != "identity": // what it would unfold to nobody has bounded
		return failed("the address sends the file compressed for transport (%.40s), unasked", "这个地址未经要求就压缩传输（%.40s）", coded)
	case resp.ContentLength > most:
		return tooLarge(most)
	}
	return nil
}

func tooLarge(most int64) error {
	return catalog.Errorf(catalog.TooLarge, "too_large", "a file may have at most %d bytes here", most).With("limit", most).InChinese("文件最大%d字节", most)
}

// asking turns an error of the request into what its asker may know.
func (c *Client) asking(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var known *catalog.Error
	var dns *net.DNSError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, errRefused), errors.As(err, &dns) && dns.IsNotFound:
		return unreachable()
	}
	return &temporary{unreachable()}
}

// redirect checks each hop as the first address; the dialer checks the host.
func (c *Client) redirect(req *http.Request, via []*http.Request) error {
	if len(via) > mostHops {
		return failed("the address leads on more than %d times", "这个地址转了%d次以上", mostHops)
	}
	req.Header.Del("Referer") // the address may hold what its next host must not know
	req.URL.User = nil
	return c.checkURL(req.URL)
}

func (c *Client) checkURL(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" {
		return unreachable()
	}
	return nil
}

// control lets a socket be connected, or not: it sees the very address.
func (c *Client) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !slices.Contains(c.Ports, int(to.Port())) || !c.lets(to.Addr()) {
		return errRefused
	}
	return nil
}

// never are networks that no setting opens: link-local ones, where clouds keep
// their keys, and those of no single host.
var never = prefixes("169.254.0.0/16", "fe80::/10", "224.0.0.0/4", "ff00::/8", "255.255.255.255/32", "0.0.0.0/8", "::/128")

// inner are those of the public ranges that are not: private, shared, for tests
// and documents, and those that carry IPv4 addresses inside, by which a private
// one could be meant.
var inner = prefixes(
	"10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
	"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

// outer is all of IPv6 that is handed out; the rest (::1, fc00::/7, 64:ff9b::/96,
// ::/96 and so on) is refused by not being in it.
var outer = netip.MustParsePrefix("2000::/3")

func prefixes(list ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range list {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

func contains(list []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(a) })
}

// lets reports whether files are fetched from an IP address.
func (c *Client) lets(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap() // ::ffff:127.0.0.1 is 127.0.0.1
	switch {
	case contains(never, a):
		return false
	case contains(c.Networks, a):
		return true
	case contains(inner, a):
		return false
	}
	return a.Is4() || outer.Contains(a)
}

// watched is a body with bounds.
type watched struct {
	io.ReadCloser
	ctx   context.Context
	came  atomic.Int64
	most  int64
	timer *time.Timer
}

func (c *Client) watch(ctx context.Context, cancel context.CancelCauseFunc, body io.ReadCloser) io.ReadCloser {
	w := &watched{ReadCloser: body, ctx: ctx, most: c.Most}
	var before int64
	w.timer = time.AfterFunc(c.Window, func() {
		now := w.came.Load()
		if now-before < c.Least {
			cancel(failed("the address sends too slowly", "这个地址传得太慢"))
			return
		}
		before = now
		w.timer.Reset(c.Window)
	})
	return w
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	if w.came.Add(int64(n)) > w.most {
		return 0, tooLarge(w.most)
	}
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	if cause := context.Cause(w.ctx); cause != nil {
		return n, cause
	}
	return n, &temporary{failed("the address broke off: %d bytes came", "传到%d字节时断了", w.came.Load()).Because(fmt.Errorf("read: %w", err))}
}

func (w *watched) Close() error {
	w.timer.Stop()
	return w.ReadCloser.Close()
}
