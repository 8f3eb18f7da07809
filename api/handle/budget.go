package handle

import (
	"container/list"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
)

// The times in which budgets fill from nothing.
const (
	queryWindow    = time.Minute
	feedbackWindow = time.Hour
)

// budgetClients is how many clients are remembered, some 200 bytes each. One
// forgotten, because so many others came since, begins with a full budget.
const budgetClients = 50_000

// Budgets count what clients ask of query children: a bucket for each (Client),
// which fills evenly and holds a minute's worth. They are told in the fields of
// draft-ietf-httpapi-ratelimit-headers-11. What costs no child is never counted.
// A nil Budgets lets everything pass. Budgets of their own count what readers write.
type Budgets struct {
	anonymous, known budgetPolicy
	refuse           func(quota, after int) *catalog.Error
	most             int // clients remembered
	now              func() time.Time

	mu      sync.Mutex
	buckets map[string]*list.Element
	used    list.List // of *bucket, the longest unused first
}

type budgetPolicy struct {
	name   string
	quota  int // requests in window; 0: any number
	window time.Duration
}

type bucket struct {
	client string
	left   float64
	at     time.Time // of left; monotonic, so that a clock set anew neither fills nor holds it
}

// NewBudgets makes budgets of so many requests a minute, for addresses nobody is
// known by and for who sends a token or is signed in. 0 is any number.
func NewBudgets(anonymous, known int) *Budgets {
	return newBudgets(anonymous, known, queryWindow, func(quota, after int) *catalog.Error {
		return catalog.Errorf(catalog.RateLimited, "rate_limited",
			"this is more than %d queries in a minute: try again in %d seconds, send a key for a larger budget, or take whole tables, which cost none of it", quota, after).
			InChinese("一分钟内的查询超过了%d次：请%d秒后再试，用密钥可得更大的额度，整表下载不占额度", quota, after)
	})
}

// NewFeedbackBudgets makes budgets of so many reports of errors an hour.
func NewFeedbackBudgets(anonymous, known int) *Budgets {
	return newBudgets(anonymous, known, feedbackWindow, func(quota, after int) *catalog.Error {
		minutes := (after + 59) / 60
		return catalog.Errorf(catalog.RateLimited, "rate_limited", "this is more than %d reports in an hour: send the next one in %d minutes", quota, minutes).
			InChinese("一小时内的纠错超过了%d条：请%d分钟后再提交", quota, minutes)
	})
}

func newBudgets(anonymous, known int, window time.Duration, refuse func(quota, after int) *catalog.Error) *Budgets {
	return &Budgets{anonymous: budgetPolicy{"anon", anonymous, window}, known: budgetPolicy{"key", known, window}, refuse: refuse, most: budgetClients, now: time.Now, buckets: map[string]*list.Element{}}
}

func (b *Budgets) policy(c *gin.Context) budgetPolicy {
	if Actor(c).Anonymous() {
		return b.anonymous
	}
	return b.known
}

// Show tells in the headers what the client may still ask, without taking any of
// it.
func (b *Budgets) Show(c *gin.Context) {
	if b == nil {
		return
	}
	p := b.policy(c)
	if p.quota <= 0 {
		return
	}
	b.mu.Lock()
	left := float64(p.quota)
	if e := b.buckets[Client(c)]; e != nil {
		left = b.filled(e.Value.(*bucket), p)
	}
	b.mu.Unlock()
	p.tell(c, left)
}

const spentKey = "taihu.spent"

// Spend takes one request from the client's budget, once however often it is
// called for a request, and tells what is left. RateLimited rate_limited where
// there is none.
func (b *Budgets) Spend(c *gin.Context) error {
	if b == nil || c.GetBool(spentKey) {
		return nil
	}
	p := b.policy(c)
	if p.quota <= 0 {
		return nil
	}
	b.mu.Lock()
	k := b.bucket(Client(c), p)
	k.left, k.at = b.filled(k, p), b.now()
	enough := k.left >= 1
	if enough {
		k.left--
	}
	left := k.left
	b.mu.Unlock()
	p.tell(c, left)
	if enough {
		c.Set(spentKey, true)
		return nil
	}
	after := p.wait(left)
	return b.refuse(p.quota, after).With("retry_after", after).With("policy", p.name).With("quota", p.quota)
}

// bucket returns a client's, the longest unused making room for a new one. b.mu
// is held.
func (b *Budgets) bucket(client string, p budgetPolicy) *bucket {
	if e := b.buckets[client]; e != nil {
		b.used.MoveToBack(e)
		return e.Value.(*bucket)
	}
	if b.used.Len() >= b.most {
		oldest := b.used.Front()
		delete(b.buckets, b.used.Remove(oldest).(*bucket).client)
	}
	k := &bucket{client: client, left: float64(p.quota), at: b.now()}
	b.buckets[client] = b.used.PushBack(k)
	return k
}

// filled is what a bucket holds by now. b.mu is held.
func (b *Budgets) filled(k *bucket, p budgetPolicy) float64 {
	gained := b.now().Sub(k.at).Seconds() * float64(p.quota) / p.window.Seconds()
	return min(float64(p.quota), k.left+max(0, gained))
}

// wait is in how many seconds, at least one, a request is there again.
func (p budgetPolicy) wait(left float64) int {
	return max(1, int(math.Ceil((1-left)*p.window.Seconds()/float64(p.quota))))
}

// tell writes the fields: r more requests pass in the next t seconds for certain.
// Where none is left, t is when there will be one.
func (p budgetPolicy) tell(c *gin.Context, left float64) {
	t := int(p.window.Seconds())
	if left < 1 {
		t = p.wait(left)
	}
	c.Header("RateLimit-Policy", fmt.Sprintf(`"%s";q=%d;w=%d`, p.name, p.quota, int(p.window.Seconds())))
	c.Header("RateLimit", fmt.Sprintf(`"%s";r=%d;t=%d`, p.name, int(left), t))
}
