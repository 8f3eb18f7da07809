package catalog

import (
	"errors"
	"fmt"
)

// Kind classes an error by what its reader can do about it. The list is closed:
// api/handle has one table from kind to HTTP status.
type Kind string

// The kinds. Anything that is not an *Error is internal: logged with the request
// id and hidden from the user.
const (
	Invalid            Kind = "invalid"             // 400: the request itself is wrong
	Unauthenticated    Kind = "unauthenticated"     // 401
	Forbidden          Kind = "forbidden"           // 403
	NotFound           Kind = "not_found"           // 404
	Conflict           Kind = "conflict"            // 409: somebody was faster, or the state does not allow it
	Gone               Kind = "gone"                // 410: withdrawn
	PreconditionFailed Kind = "precondition_failed" // 412: row_version or ETag is old
	TooLarge           Kind = "too_large"           // 413
	Unprocessable      Kind = "unprocessable"       // 422: understood, but cannot be done with this data
	RateLimited        Kind = "rate_limited"        // 429
	Unavailable        Kind = "unavailable"         // 503: try again later
	Full               Kind = "full"                // 507: there is no room for what is sent
)

// Kinds lists every kind, in the order of their statuses.
var Kinds = []Kind{Invalid, Unauthenticated, Forbidden, NotFound, Conflict, Gone, PreconditionFailed, TooLarge, Unprocessable, RateLimited, Unavailable, Full}

// Error is the one error type that reaches users.
type Error struct {
	Kind Kind
	// Code is a stable word for machines, such as unknown_column; its page is
	// /docs/errors/<code>. Every code is listed in Codes.
	Code string
	// Message says what is so and what to do, in one or two English sentences.
	Message string
	// Zh is the same in Chinese; empty means Message is shown.
	Zh string
	// Fields carries facts for machines: the parameter, the nearest known name,
	// what exists.
	Fields map[string]any
	cause  error
}

func (e *Error) Error() string {
	if e.cause != nil {
		return e.Message + ": " + e.cause.Error()
	}
	return e.Message
}

// Unwrap returns the cause, which is never shown to users.
func (e *Error) Unwrap() error { return e.cause }

// With adds a fact for machines and returns e.
func (e *Error) With(key string, value any) *Error {
	if e.Fields == nil {
		e.Fields = map[string]any{}
	}
	e.Fields[key] = value
	return e
}

// Because keeps err as the cause and returns e.
func (e *Error) Because(err error) *Error { e.cause = err; return e }

// InChinese sets the Chinese sentence and returns e.
func (e *Error) InChinese(format string, args ...any) *Error {
	e.Zh = fmt.Sprintf(format, args...)
	return e
}

// Errorf makes an Error. The format must not contain secrets or paths.
func Errorf(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...)}
}

// KindOf returns the kind of err, or "" where it is internal.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// CodeOf returns the code of err, or "" where it is internal.
func CodeOf(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
