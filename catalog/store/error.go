package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"taihu/catalog"
)

// driverCode returns the SQLSTATE or the extended SQLite result code of err.
func driverCode(err error) (state string, code int) {
	var p *pgconn.PgError
	if errors.As(err, &p) {
		return p.Code, 0
	}
	var s *sqlite.Error
	if errors.As(err, &s) {
		return "", s.Code()
	}
	return "", 0
}

// isUnique reports whether err says that a value is there already.
func isUnique(err error) bool {
	state, code := driverCode(err)
	return state == "23505" || code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
}

// isRetryable reports whether the database rolled the transaction back and asks
// for another try: serialization failure, deadlock.
func isRetryable(err error) bool {
	state, _ := driverCode(err)
	return state == "40001" || state == "40P01"
}

// named gives an internal error the verb's name and turns what the driver said
// into a catalog error where a user can do something about it.
func named(what string, err error) error {
	if err == nil || catalog.KindOf(err) != "" || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	state, code := driverCode(err)
	var dial *pgconn.ConnectError
	switch {
	case isUnique(err):
		return catalog.Errorf(catalog.Conflict, "already_exists", "something with this name exists already").
			InChinese("同名的内容已经存在").Because(fmt.Errorf("%s: %w", what, err))
	case state == "22021": // a character the encoding does not have: NUL
		return catalog.Errorf(catalog.Invalid, "invalid_text", "the text holds a character that cannot be kept (NUL)").
			InChinese("文字中含有无法保存的字符（NUL）")
	case isRetryable(err), code&0xff == sqlite3.SQLITE_BUSY, code&0xff == sqlite3.SQLITE_LOCKED, errors.As(err, &dial),
		state == "57P01", state == "57P03", state == "53300", code&0xff == sqlite3.SQLITE_FULL, state == "53100":
		return unavailable(fmt.Errorf("%s: %w", what, err))
	}
	return fmt.Errorf("%s: %w", what, err)
}

func unavailable(err error) error {
	return catalog.Errorf(catalog.Unavailable, "database_unavailable", "the database does not answer now: try again in a moment").
		InChinese("数据库暂时没有响应，请稍后再试").Because(err)
}

// stale is what a change of an old row_version answers.
func stale(now int64) error {
	return catalog.Errorf(catalog.PreconditionFailed, "stale_row_version", "somebody changed this since you read it: read it again, then repeat your change").
		InChinese("内容已被他人修改：请重新打开后再改").With("row_version", now)
}

// checkVersion returns stale where given is not 0 and not what the row has.
func checkVersion(given, has int64) error {
	if given != 0 && given != has {
		return stale(has)
	}
	return nil
}

func invalid(field, zh, format string, args ...any) error {
	e := catalog.Errorf(catalog.Invalid, "invalid_field", format, args...).With("field", field)
	if zh != "" {
		e = e.InChinese("%s", zh)
	}
	return e
}

func unknown(code, format string, args ...any) *catalog.Error {
	return catalog.Errorf(catalog.NotFound, code, format, args...)
}
