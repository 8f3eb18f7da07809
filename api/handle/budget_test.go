package handle

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"taihu/catalog"
)

// asker makes requests of clients at a time that stands until it is moved.
type asker struct {
	*Budgets
	at time.Time
}

func newAsker(anonymous, known int) *asker {
	a := &asker{Budgets: NewBudgets(anonymous, known), at: time.Now()}
	a.now = func() time.Time { return a.at }
	return a
}

func (a *asker) request(address string, actor catalog.Actor) (*gin.Context, http.Header) {
	w := httptest.NewRecorder()
	c, _ := gin.CreateTestContext(w)
	c.Request = httptest.NewRequest(http.MethodGet, "/", nil)
	c.Request.RemoteAddr = address + ":1"
	SetActor(c, actor)
	return c, w.Header()
}

func (a *asker) spend(address string, actor catalog.Actor) (string, error) {
	c, h := a.request(address, actor)
	err := a.Spend(c)
	return h.Get("RateLimit-Policy") + " " + h.Get("RateLimit"), err
}

func TestBudget(t *testing.T) {
	a := newAsker(600, 3000)
	nobody, user := catalog.Actor{}, catalog.Actor{User: &catalog.User{ID: "u"}}
	for _, step := range []struct {
		name    string
		advance time.Duration
		address string
		actor   catalog.Actor
		times   int
		want    string
		refused bool
	}{
		{"the first", 0, "192.0.2.1", nobody, 1, `"anon";q=600;w=60 "anon";r=599;t=60`, false},
		{"the last", 0, "192.0.2.1", nobody, 599, `"anon";q=600;w=60 "anon";r=0;t=1`, false},
		{"one too many", 0, "192.0.2.1", nobody, 1, `"anon";q=600;w=60 "anon";r=0;t=1`, true},
		{"another address", 0, "192.0.2.2", nobody, 1, `"anon";q=600;w=60 "anon";r=599;t=60`, false},
		{"a user from the same address", 0, "192.0.2.1", user, 1, `"key";q=3000;w=60 "key";r=2999;t=60`, false},
		{"it fills evenly", time.Second, "192.0.2.1", nobody, 1, `"anon";q=600;w=60 "anon";r=9;t=60`, false},
		{"and no further than full", time.Hour, "192.0.2.1", nobody, 1, `"anon";q=600;w=60 "anon";r=599;t=60`, false},
		{"a clock set back takes nothing", -2 * time.Hour, "192.0.2.1", nobody, 1, `"anon";q=600;w=60 "anon";r=598;t=60`, false},
	} {
		a.at = a.at.Add(step.advance)
		var got string
		var err error
		for range step.times {
			got, err = a.spend(step.address, step.actor)
		}
		if got != step.want || (err != nil) != step.refused {
			t.Errorf("%s: got %s, %v; want %s", step.name, got, err, step.want)
		}
	}
}

func TestBudgetRefuses(t *testing.T) {
	a := newAsker(2, 0)
	for range 2 {
		if _, err := a.spend("192.0.2.1", catalog.Actor{}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := a.spend("192.0.2.1", catalog.Actor{})
	var e *catalog.Error
	if !errors.As(err, &e) || e.Kind != catalog.RateLimited || e.Code != "rate_limited" || e.Fields["retry_after"] != 30 || e.Zh == "" {
		t.Errorf("got %v", err)
	}
	if told, err := a.spend("192.0.2.1", catalog.Actor{User: &catalog.User{ID: "u"}}); err != nil || told != " " {
		t.Errorf("a budget of 0 is none: %q, %v", told, err)
	}
	var none *Budgets
	c, h := a.request("192.0.2.1", catalog.Actor{})
	if none.Show(c); none.Spend(c) != nil || len(h) != 0 {
		t.Errorf("no budgets say %v", h)
	}
}

// One request costs one, however many queries it makes; showing costs nothing.
func TestBudgetOfOneRequest(t *testing.T) {
	a := newAsker(5, 5)
	c, h := a.request("192.0.2.1", catalog.Actor{})
	for range 3 {
		a.Show(c)
		if err := a.Spend(c); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.Get("RateLimit"); got != `"anon";r=4;t=60` {
		t.Errorf("got %s", got)
	}
}

func TestBudgetsAreBounded(t *testing.T) {
	a := newAsker(5, 5)
	a.most = 10
	for i := range 30 {
		for _, address := range []string{fmt.Sprint("10.0.0.", i), "192.0.2.1"} { // the last comes again and again
			if _, err := a.spend(address, catalog.Actor{}); err != nil && address != "192.0.2.1" {
				t.Fatal(err)
			}
		}
	}
	if _, err := a.spend("192.0.2.1", catalog.Actor{}); err == nil {
		t.Error("one who asks all the time was forgotten, and began anew")
	}
	if len(a.buckets) != a.most || a.used.Len() != a.most {
		t.Errorf("%d clients are remembered, %d in order", len(a.buckets), a.used.Len())
	}
}
