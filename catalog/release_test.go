package catalog

import (
	"slices"
	"strings"
	"testing"
)

// arrows is the drawing of architecture.md §2, arrow by arrow, and approved to returned
// (ARCHITECTURE.md, 2026-11-26).
const arrows = `
uploading checking, uploading abandoned
checking rejected, checking ready, checking abandoned
rejected uploading, rejected checking, rejected abandoned
ready checking, ready in_review, ready abandoned
in_review ready, in_review returned, in_review approved, in_review abandoned
returned checking, returned abandoned
approved returned, approved scheduled, approved published, approved abandoned
scheduled approved, scheduled published, scheduled abandoned
published withdrawn
withdrawn published
`

func TestStateMachine(t *testing.T) {
	want := map[string]bool{}
	for _, a := range strings.FieldsFunc(arrows, func(r rune) bool { return r == '\n' || r == ',' }) {
		want[strings.TrimSpace(a)] = true
	}
	for _, from := range States {
		for _, to := range States {
			err := from.CheckMove(to)
			if want[string(from)+" "+string(to)] {
				if err != nil {
					t.Errorf("%s to %s: %v", from, to, err)
				}
				continue
			}
			if KindOf(err) != Conflict || CodeOf(err) != "wrong_state" {
				t.Errorf("%s to %s: got %v, want Conflict", from, to, err)
			}
		}
	}
	if len(transitions) != len(States) {
		t.Errorf("%d states have a line, there are %d", len(transitions), len(States))
	}
}

func TestStatesHaveWordsAndAnEnd(t *testing.T) {
	for _, s := range States {
		if w := s.Words(); w.Zh == "" || w.En == "" {
			t.Errorf("%s has no words: %+v", s, w)
		}
		if s.IsDraft() && !s.CanBecome(Abandoned) {
			t.Errorf("the draft state %s cannot be abandoned", s)
		}
		if s.IsDraft() && !leadsTo(s, Published) {
			t.Errorf("no way leads from %s to published", s)
		}
	}
	if leadsTo(Published, Uploading) || leadsTo(Abandoned, Published) {
		t.Error("a published release can become a draft, or an abandoned one be published")
	}
}

func leadsTo(from, to State) bool {
	reached := []State{from}
	for i := 0; i < len(reached); i++ {
		for _, next := range transitions[reached[i]] {
			if !slices.Contains(reached, next) {
				reached = append(reached, next)
			}
		}
	}
	return slices.Contains(reached, to)
}

func TestUnknownTableNamesWhatExists(t *testing.T) {
	r := &Release{Tables: []Table{{Name: "readings"}, {Name: "stations"}}}
	if n, err := r.Table("stations"); err != nil || n != &r.Tables[1] {
		t.Fatalf("got %v, %v", n, err)
	}
	_, err := r.Table("reading")
	if KindOf(err) != NotFound || !strings.Contains(err.Error(), "readings, stations") {
		t.Fatalf("got %v", err)
	}
}
