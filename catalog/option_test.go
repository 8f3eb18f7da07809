package catalog

import (
	"reflect"
	"testing"
)

// TestOptionsAreTakenOver sets every option but those that belong to one file or
// are the store's: each is taken over where it is not stated, and stays where it is.
func TestOptionsAreTakenOver(t *testing.T) {
	own := map[string]bool{"Settled": true, "Mode": true, "From": true}
	stated := func(word string, n int) (o IngestOptions) {
		v := reflect.ValueOf(&o).Elem()
		for i := range v.NumField() {
			switch f := v.Field(i); {
			case own[v.Type().Field(i).Name]:
			case f.Kind() == reflect.String:
				f.SetString(word)
			case f.Kind() == reflect.Int:
				f.SetInt(int64(n))
			}
		}
		o.Types, o.NullWords = map[string]Type{word: String}, map[string][]string{word: {word}}
		return o
	}
	before, now := stated("before", 2), stated("now", 3)
	before.From = 7
	got := IngestOptions{Mode: Append}.Or(before)
	want := before
	want.Mode = Append
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := now.Or(before); !reflect.DeepEqual(got, now) {
		t.Errorf("what was stated is lost: %+v", got)
	}
	v := reflect.ValueOf(before)
	for i := range v.NumField() {
		if f := v.Type().Field(i); v.Field(i).IsZero() && !own[f.Name] {
			t.Errorf("this test sets no %s", f.Name)
		}
	}
}
