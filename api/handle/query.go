package handle

import (
	"net/url"
	"slices"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// CheckQuery checks a raw query string against the known parameters: an unknown,
// repeated or unparsable one is Invalid, naming the nearest known. It works on
// the raw text because net/url drops a pair that holds a semicolon silently, and
// a typo must never return the whole table (architecture.md §5).
func CheckQuery(raw string, known ...string) (url.Values, error) {
	values := url.Values{}
	for pair := range strings.SplitSeq(raw, "&") {
		if pair == "" {
			continue
		}
		k, v, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(k)
		if err != nil {
			return nil, catalog.Errorf(catalog.Invalid, "bad_parameter", "%q is not percent-encoded correctly", k).With("parameter", k)
		}
		value, err := url.QueryUnescape(v)
		if err != nil {
			return nil, catalog.Errorf(catalog.Invalid, "bad_parameter", "the value of %s is not percent-encoded correctly: %q", name, v).With("parameter", name)
		}
		if !slices.Contains(known, name) {
			return nil, unknownParameter(name, known)
		}
		if _, seen := values[name]; seen {
			return nil, catalog.Errorf(catalog.Invalid, "repeated_parameter", "the parameter %s is given twice: give it once", name).With("parameter", name).
				InChinese("参数%s出现了两次：只写一次", name)
		}
		values[name] = []string{value}
	}
	return values, nil
}

// RefuseEmpty is Invalid where a parameter has no value: a program that lost its
// condition on the way must not get the whole table for it.
func RefuseEmpty(values url.Values) error {
	for name := range values {
		if strings.TrimSpace(values.Get(name)) == "" {
			return catalog.Errorf(catalog.Invalid, "bad_parameter", "the parameter %s is empty: give it a value or leave it out", name).With("parameter", name).
				InChinese("参数%s是空的：写上值，或去掉它", name)
		}
	}
	return nil
}

func unknownParameter(name string, known []string) error {
	if len(known) == 0 {
		return catalog.Errorf(catalog.Invalid, "unknown_parameter", "there is no parameter %q here; this address takes none", name).With("parameter", name).
			InChinese("这个地址没有参数“%s”，它不带参数", name)
	}
	e := catalog.Errorf(catalog.Invalid, "unknown_parameter", "there is no parameter %q here; this address knows %s", name, strings.Join(known, ", ")).
		With("parameter", name).With("parameters", known).
		InChinese("这个地址没有参数“%s”，可用的有：%s", name, strings.Join(known, "、"))
	if near := table.Nearest(name, known); near != "" {
		e = e.With("nearest", near)
		e.Message += "; did you mean " + near + "?"
	}
	return e
}
