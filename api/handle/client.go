package handle

import (
	"net"
	"net/netip"

	"github.com/gin-gonic/gin"
)

// Client names who asks for what is shared out among clients, query children and
// budgets: the user, whichever of his tokens or browsers it is, so that more
// tokens are not more of anything; else the address, behind trusted proxies that
// of the reader. Of an IPv6 address the first 64 bits count: a single household
// has all the rest.
func Client(c *gin.Context) string {
	if id := Actor(c).ID(); id != "" {
		return "user " + id
	}
	address := c.ClientIP()
	if address == "" { // gin reads no zones
		address, _, _ = net.SplitHostPort(c.Request.RemoteAddr)
	}
	return "address " + network(address)
}

func network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	p, err := ip.Prefix(64)
	if err != nil {
		return address
	}
	return p.String()
}
