package catalog

import "testing"

func TestParseSettlement(t *testing.T) {
	for text, want := range map[string]Settlement{
		"personal_id:身份证号=mask":                {Code: "personal_id", Column: "身份证号", Measure: Mask},
		"comments=drop":                        {Code: "comments", Measure: Drop},
		"personal_mobile:a=b:c=accept,办公电话,公开": {Code: "personal_mobile", Column: "a=b:c", Measure: Accept, Reason: "办公电话,公开"},
	} {
		if got, err := ParseSettlement(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "personal_id", "personal_id:x", "=mask", "personal_id=hide", "personal_id=accept", "personal_id=accept, "} {
		if got, err := ParseSettlement(text); CodeOf(err) != "invalid_settlement" {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

// A finding is settled by a reason alone; what masks or drops must have made it
// go away.
func TestUnsettled(t *testing.T) {
	id := Finding{Severity: ToSettle, Code: "personal_id", Table: "a", Column: "证件", Measures: Measures}
	for _, c := range []struct {
		decisions []Settlement
		open      int
	}{
		{nil, 1}, {[]Settlement{{Code: "personal_id", Column: "证件", Measure: Mask}}, 1}, {[]Settlement{{Code: "personal_id", Column: "证件", Measure: Accept, Reason: "x"}}, 0},
		{[]Settlement{{Code: "personal_id", Measure: Accept, Reason: "x"}}, 0}, {[]Settlement{{Code: "personal_id", Column: "别的", Measure: Accept, Reason: "x"}}, 1},
		{[]Settlement{{Code: "personal_id", Table: "b", Column: "证件", Measure: Accept, Reason: "x"}}, 1}, {[]Settlement{{Code: "personal_mobile", Column: "证件", Measure: Accept, Reason: "x"}}, 1},
	} {
		r := Release{Files: []File{{Name: "a.csv", Options: IngestOptions{Settled: c.decisions}, Report: &Report{Findings: []Finding{id, {Severity: Warning, Code: "x"}}}}}}
		if got := len(r.Unsettled()); got != c.open || (r.CheckSettled() != nil) != (c.open > 0) {
			t.Errorf("%+v: %d open", c.decisions, got)
		}
	}
}
