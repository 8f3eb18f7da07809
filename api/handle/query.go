package handle

import (
	"bytes"
	"encoding/json"
	"fmt"
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
			return nil, repeatedParameter(name)
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

// CheckMembers is Invalid where a member of a JSON object stands twice, in
// whatever case, or is an empty text: a query in a body is as strict as one in an
// address. body is JSON that was read already.
func CheckMembers(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	first, err := d.Token()
	if err != nil {
		return fmt.Errorf("read members: %w", err)
	}
	if first != json.Delim('{') {
		return nil
	}
	values := url.Values{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return err
		}
		key := strings.ToLower(fmt.Sprint(name))
		if _, seen := values[key]; seen {
			return repeatedParameter(key)
		}
		values.Set(key, "given")
		if text, ok := value.(string); ok {
			values.Set(key, text)
		}
	}
	return RefuseEmpty(values)
}

func repeatedParameter(name string) error {
	return catalog.Errorf(catalog.Invalid, "repeated_parameter", "the parameter %s is given twice: give it once", name).With("parameter", name).
		InChinese("参数%s出现了两次：只写一次", name)
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
		e.Zh += "；是否指" + near + "？"
	}
	return e
}
