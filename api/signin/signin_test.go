package signin

import (
	"encoding/json"
	"net/url"
	"testing"

	"taihu/catalog"
)

// The whole way is walked against a real provider in cmd/taihu (TestOpenID…).

func TestAttemptsTravelAsText(t *testing.T) {
	a := &Attempt{State: "s", Nonce: "n", Verifier: "v", Back: "/en/steward?x=1&y=二", UserID: "u"}
	if got := Decode(a.Encode()); got == nil || *got != *a {
		t.Errorf("got %+v", got)
	}
	for _, s := range []string{"", "x", "e30", (&Attempt{State: "s", Nonce: "n"}).Encode(), (&Attempt{Nonce: "n", Verifier: "v"}).Encode(), "bnVsbA"} {
		if got := Decode(s); got != nil {
			t.Errorf("%q is read as %+v", s, got)
		}
	}
}

// TestAnswersThatAreNotAsked: nobody is asked about an answer that is not of this
// attempt or of another issuer.
func TestAnswersThatAreNotAsked(t *testing.T) {
	p := New(Config{Issuer: "https://id.invalid", ClientID: "taihu"})
	a := &Attempt{State: "s", Nonce: "n", Verifier: "v"}
	for _, c := range []struct {
		a     *Attempt
		query url.Values
		want  string
	}{
		{nil, url.Values{"state": {"s"}, "code": {"c"}}, "sign_in_stale"},
		{a, url.Values{"code": {"c"}}, "sign_in_stale"},
		{a, url.Values{"state": {"S"}, "code": {"c"}}, "sign_in_stale"},
		{a, url.Values{"state": {"s"}, "code": {"c"}, "iss": {"https://other.invalid"}}, "sign_in_refused"},
		{a, url.Values{"state": {"s"}, "error": {"access_denied"}}, "sign_in_refused"},
	} {
		if id, err := p.Finish(t.Context(), c.a, c.query); catalog.CodeOf(err) != c.want || id != nil {
			t.Errorf("%v: %v, %v", c.query, id, err)
		}
	}
}

func TestVerifiedMailComesInTwoForms(t *testing.T) {
	for text, want := range map[string]bool{`true`: true, `"true"`: true, `false`: false, `"false"`: false, `1`: false, `null`: false, `"yes"`: false} {
		var c claims
		if err := json.Unmarshal([]byte(`{"email_verified":`+text+`}`), &c); err != nil || bool(c.MailVerified) != want {
			t.Errorf("%s: %v, %v", text, c.MailVerified, err)
		}
	}
}
