package handle

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
)

func TestClient(t *testing.T) {
	gin.SetMode(gin.ReleaseMode)
	user := catalog.Actor{User: &catalog.User{ID: "u1"}}
	for _, test := range []struct {
		name, remote, forwarded string
		actor                   catalog.Actor
		want                    string
	}{
		{"address", "203.0.113.7:5000", "", catalog.Actor{}, "address 203.0.113.7"},
		{"address, forwarded by nobody we trust", "203.0.113.7:5000", "198.51.100.1", catalog.Actor{}, "address 203.0.113.7"},
		{"through a trusted proxy", "10.0.0.1:5000", "198.51.100.1", catalog.Actor{}, "address 198.51.100.1"},
		{"with one more before it, made up", "10.0.0.1:5000", "192.0.2.99, 198.51.100.1", catalog.Actor{}, "address 198.51.100.1"},
		{"IPv6 counts by its network", "[2001:db8:1:2:3:4:5:6]:5000", "", catalog.Actor{}, "address 2001:db8:1:2::/64"},
		{"with a zone", "[fe80::1%eth0]:5000", "", catalog.Actor{}, "address fe80::/64"},
		{"IPv4 in IPv6's clothes", "[::ffff:203.0.113.7]:5000", "", catalog.Actor{}, "address 203.0.113.7"},
		{"a user, wherever", "203.0.113.7:5000", "", user, "user u1"},
	} {
		c, engine := gin.CreateTestContext(httptest.NewRecorder())
		if err := engine.SetTrustedProxies([]string{"10.0.0.0/8"}); err != nil {
			t.Fatal(err)
		}
		c.Request = httptest.NewRequest(http.MethodGet, "/", nil)
		c.Request.RemoteAddr = test.remote
		if test.forwarded != "" {
			c.Request.Header.Set("X-Forwarded-For", test.forwarded)
		}
		SetActor(c, test.actor)
		if got := Client(c); got != test.want {
			t.Errorf("%s: got %q, want %q", test.name, got, test.want)
		}
	}
}
