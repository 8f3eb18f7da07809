package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"taihu/api"
	"taihu/catalog"
)

// formOf are the headers of a form that a page of the portal sends.
func (s *server) formOf(more ...string) []string {
	return append([]string{"Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html", "Origin", s.URL}, more...)
}

// TestFeedback: a reader without an account reports an error in a row, the steward
// looks, answers and names the release that mends it; nobody else sees the words before,
// or the contact ever.
func TestFeedback(t *testing.T) {
	t.Parallel()
	calendar := filepath.Join(t.TempDir(), "days.tsv")
	if err := os.WriteFile(calendar, []byte("year\t2027\tours\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startLots(t, "--answer-days=7", "--calendar="+calendar)
	const words, contact, key = "崇安寺应有60个泊位，见王小明13912345678", "13800138000", "编号=002"
	html := []string{"Accept", "text/html"}
	const feedback, json = "/datasets/open-lots/feedback", "/api/v1/datasets/open-lots/feedback"
	p.play(t, []scenario{
		{name: "the explorer leads there from a row", path: "/datasets/open-lots/tables/lots", headers: html, status: 200, parts: []string{"/datasets/open-lots/feedback?place=lots%2F&amp;release=2&amp;row=2#send"}},
		{name: "the dataset from a column", path: "/en/datasets/open-lots", headers: html, status: 200, parts: []string{`id="feedback"`, "/en/datasets/open-lots/feedback?place=lots%2F%E6%B3%8A%E4%BD%8D%E6%95%B0"}},
		{name: "the form is filled", path: feedback + "?place=lots/泊位数&release=2&row=2&row_key=编号=002", headers: html, status: 200, parts: []string{`value="lots/泊位数" selected`, `name="row" value="2"`, `value="编号=002"`, "7个工作日"}},
		{name: "an empty message", method: "POST", path: feedback, headers: p.formOf(), body: "place=lots/泊位数&contact=me@example.org", status: 400, parts: []string{`href="#message"`, "me@example.org", `value="lots/泊位数" selected`}},
		{name: "a row in words", method: "POST", path: feedback, headers: p.formOf(), body: "place=lots/&row=二&message=x", status: 400, parts: []string{`href="#row"`, `value="二"`}},
		{name: "a row that is not there", method: "POST", path: "/en" + feedback, headers: p.formOf(), body: "place=lots/&row=99&message=x", status: 400, parts: []string{`href="#row"`}},
		{name: "a column that is not there", method: "POST", path: feedback, headers: p.formOf(), body: "place=lots/x&message=x", status: 400, parts: []string{`href="#place"`}},
		{name: "a program that fills in everything", method: "POST", path: feedback, headers: p.formOf(), body: "website=https://spam.example&message=buy", status: 303},
		{name: "another site", method: "POST", path: feedback, headers: []string{"Content-Type", "application/x-www-form-urlencoded", "Origin", "https://other.example"}, body: "message=x", status: 403},
		{name: "a book", method: "POST", path: feedback, headers: p.formOf(), body: "message=" + strings.Repeat("x", 70<<10), status: 400},
		{name: "of a closed dataset", method: "POST", path: "/datasets/closed-lots/feedback", headers: p.formOf(), body: "message=x", status: 404},
		{name: "nothing was kept", path: json, status: 200, parts: []string{`"total":0`}},
	})
	form := url.Values{"place": {"lots/泊位数"}, "release": {"2"}, "row": {"2"}, "row_key": {key}, "message": {words + `<script>alert(1)</script>`}, "contact": {contact}, "website": {""}}
	status, header, body := p.send(t, scenario{method: "POST", path: feedback, headers: p.formOf(), body: form.Encode()})
	if status != 303 || header.Get("Location") != feedback+"/1?done=feedback-sent" {
		t.Fatalf("%d to %q: %s", status, header.Get("Location"), body)
	}

	secrets := []string{"王小明", contact, key}
	public := []string{`"total":1`, `"state":"open"`, `"column":"泊位数"`, `"row":2`, `"due_on":"20`, `"words":"unseen"`}
	p.play(t, []scenario{
		{name: "nobody's list", path: json, status: 200, parts: public, lacks: secrets},
		{name: "another steward's list", path: json, headers: bearerOf(p.other), status: 200, parts: public, lacks: secrets},
		{name: "nobody's page", path: feedback + "/1", headers: html, status: 200, parts: []string{"待答复", "列“泊位数”，第2行", "待数据员看过后公开"}, lacks: append(secrets, "公开答复")},
		{name: "the dataset's page", path: "/datasets/open-lots", headers: html, status: 200, parts: []string{"待答复"}, lacks: secrets},
		{name: "its own steward", path: json + "/1", headers: bearerOf(p.own), status: 200, parts: append(secrets, `"contact"`)},
		{name: "his page", path: feedback + "/1", headers: with(html, bearerOf(p.own)...), status: 200, parts: append([]string{"公开答复", "&lt;script&gt;", "像是有个人信息"}, "王小明", contact), lacks: []string{"<script>alert"}},
		{name: "another may not answer", method: "POST", path: json + "/1/answer", headers: with(bearerOf(p.other), "Content-Type", "application/json"), body: `{"state":"rejected","reply":"x"}`, status: 403},
		{name: "nobody may not", method: "POST", path: json + "/1/answer", headers: []string{"Content-Type", "application/json"}, body: `{"state":"rejected","reply":"x"}`, status: 401},
		{name: "a release that is not there", method: "POST", path: json + "/1/answer", headers: with(bearerOf(p.own), "Content-Type", "application/json"), body: `{"state":"mended","reply":"改了","release":9}`, status: 404, parts: []string{"unknown_release"}},
		{name: "an older release", method: "POST", path: feedback + "/1/answer", headers: p.formOf(bearerOf(p.own)...), body: "state=mended&reply=改了&release=1&row_version=1", status: 400, parts: []string{`href="#release"`, "改了"}},
		{name: "a page that is old", method: "POST", path: feedback + "/1/answer", headers: p.formOf(bearerOf(p.own)...), body: "state=rejected&reply=没错&row_version=9", status: 412, parts: []string{"没错", "别人答复过它"}},
		{name: "shown before it is answered", method: "POST", path: feedback + "/1/show", headers: p.formOf(bearerOf(p.own)...), body: "row_version=1", status: 303},
		{name: "now its words are public", path: json, status: 200, parts: []string{"王小明", key, `"words":"shown"`}, lacks: []string{contact}},
		{name: "withheld for a reason", method: "POST", path: json + "/1/show", headers: with(bearerOf(p.own), "Content-Type", "application/json", "If-Match", `"v2"`), body: `{"withhold":"含有他人姓名"}`, status: 200},
		{name: "no more", path: json + "/1", status: 200, parts: []string{"含有他人姓名", `"words":"withheld"`}, lacks: secrets},
	})
	p.release("open-lots", "lots.csv", strings.Replace(lots, "梁溪区,6\n003", "梁溪区,60\n003", 1))
	p.play(t, []scenario{
		{name: "mended", method: "POST", path: feedback + "/1/answer", headers: p.formOf(bearerOf(p.own)...), body: "state=mended&reply=已核对，应为60。&release=3&withhold=含有他人姓名&row_version=3", status: 303},
		{name: "everybody reads", path: json + "/1", status: 200, parts: []string{`"state":"mended"`, `"mended_by":{"number":3,`, "已核对，应为60。", `"closed_at"`}, lacks: append(secrets, `"contact"`)},
		{name: "on the page", path: "/en" + feedback + "/1", headers: html, status: 200, parts: []string{`href="/en/datasets/open-lots/releases/3"`, "mended in release 3", "in time"}},
		{name: "the contact is gone for the steward too", path: json + "/1", headers: bearerOf(p.own), status: 200, lacks: []string{contact}},
		{name: "none open", path: json + "?state=open", status: 200, parts: []string{`"total":0`}},
		{name: "an unknown parameter", path: json + "?status=open", status: 400, parts: []string{"unknown_parameter", `"nearest":"state"`}},
		{name: "unknown", path: json + "/2", status: 404, parts: []string{"unknown_feedback"}},
		{name: "unknown page", path: feedback + "/x", headers: html, status: 404},
	})

	// Through the API, as long as there is a budget; a key has one of its own.
	refused := 0
	for range 20 {
		status, header, body := p.send(t, scenario{method: "POST", path: json, headers: []string{"Content-Type", "application/json"}, body: `{"message":"x","table":"lots"}`})
		switch {
		case status == http.StatusTooManyRequests && header.Get("Retry-After") != "" && strings.Contains(body, "rate_limited"):
			refused++
		case status != http.StatusCreated || !strings.HasPrefix(header.Get("Location"), p.URL+json+"/"):
			t.Fatalf("%d %s", status, body)
		}
	}
	if refused == 0 || refused == 20 {
		t.Errorf("%d of 20 reports in a row were refused", refused)
	}
	p.play(t, []scenario{
		{name: "nothing typed is lost", method: "POST", path: feedback, headers: p.formOf(), body: "message=长长的话&place=lots/", status: 429, parts: []string{"长长的话", "一小时内的纠错超过了"}},
		{name: "who is signed in may", method: "POST", path: json, headers: with(bearerOf(p.other), "Content-Type", "application/json"), body: `{"message":"x"}`, status: 201},
		{name: "a page of the list", path: json + "?limit=2", status: 200, parts: []string{json + "?cursor=2"}},
	})
	var list api.FeedbackList
	seen := map[int]bool{}
	for path := json + "?limit=5"; path != ""; path = strings.TrimPrefix(list.Next, p.URL) {
		list = api.FeedbackList{}
		if err := p.client.Do(t.Context(), http.MethodGet, path, nil, &list); err != nil {
			t.Fatal(err)
		}
		for _, f := range list.Feedback {
			seen[f.Number] = true
		}
	}
	if len(seen) != list.Total {
		t.Errorf("paging saw %d of %d", len(seen), list.Total)
	}
	var limits struct {
		Feedback struct {
			AnswerDays int `json:"answer_days"`
		} `json:"feedback"`
	}
	if err := p.client.Do(t.Context(), http.MethodGet, "/api/v1/limits", nil, &limits); err != nil || limits.Feedback.AnswerDays != 7 {
		t.Errorf("limits %+v, %v", limits, err)
	}
	if calendar, err := catalog.NewCalendar("year\t2027\tours\n"); err != nil || list.Feedback[len(list.Feedback)-1].DueOn != calendar.After(list.Feedback[len(list.Feedback)-1].CreatedAt, 7) {
		t.Errorf("due on %s, %v", list.Feedback[len(list.Feedback)-1].DueOn, err)
	}
	if out, code := (&server{t: t, Data: t.TempDir()}).command("migrate", "--calendar="+filepath.Join(t.TempDir(), "none")); code == 0 || !strings.Contains(out, "--calendar") {
		t.Errorf("a calendar that is not there: %d %s", code, out)
	}
}

// TestDesk: the steward of the organization sees what is due and reported, another's
// desk shows none of it, and the API says the same as the page.
func TestDesk(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	html := []string{"Accept", "text/html"}
	var d api.Dataset
	if err := p.client.Do(t.Context(), http.MethodGet, "/api/v1/datasets/open-lots", nil, &d); err != nil {
		t.Fatal(err)
	}
	if d.NextDue != "" || d.DaysLate != 0 || d.PublishedAt == nil {
		t.Errorf("an irregular dataset is due on %q", d.NextDue)
	}
	edit := editOf("open-lots", "cgj")
	edit.Frequency = "weekly"
	if err := p.client.Do(t.Context(), http.MethodPut, "/api/v1/datasets/open-lots", edit, &d); err != nil {
		t.Fatal(err)
	}
	if want := catalog.DayOf(d.PublishedAt.AddDate(0, 0, 7)); d.NextDue != want {
		t.Errorf("due on %s, want %s", d.NextDue, want)
	}
	p.play(t, []scenario{
		{name: "reported", method: "POST", path: "/api/v1/datasets/open-lots/feedback", headers: []string{"Content-Type", "application/json"}, body: `{"message":"x","table":"lots"}`, status: 201},
		{name: "own desk", path: "/steward", headers: with(html, bearerOf(p.own)...), status: 200, parts: []string{"停车场 open-lots", "第1条：表lots", d.NextDue + "到期", "closed-lots"}},
		{name: "due alone", path: "/en/steward?show=due", headers: with(html, bearerOf(p.own)...), status: 200, parts: []string{"/en/steward/datasets/open-lots/upload", "due " + d.NextDue}, lacks: []string{"closed-lots"}},
		{name: "another desk", path: "/steward", headers: with(html, bearerOf(p.other)...), status: 200, lacks: []string{"open-lots", "第1条"}},
		{name: "nobody's", path: "/steward", headers: html, status: 303},
		{name: "readers see when it is due", path: "/en/datasets/open-lots", headers: html, status: 200, parts: []string{"next due by " + d.NextDue}},
	})
}
