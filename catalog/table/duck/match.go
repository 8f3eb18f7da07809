package duck

/*
#include <stdint.h>
#include <stdbool.h>

// Opaque handles of DuckDB's C interface.
typedef void *taihu_info;
typedef void *taihu_chunk;
typedef void *taihu_vector;

extern void taihuContains(taihu_info, taihu_chunk, taihu_vector);
extern void taihuStarts(taihu_info, taihu_chunk, taihu_vector);
*/
import "C"

import (
	"bytes"
	"fmt"
	"sync"
	"unsafe"

	bindings "github.com/duckdb/duckdb-go-bindings"

	"taihu/catalog/table"
)

// The names under which DuckDB knows our functions. Both take a text and a text
// already folded, and fold the first while they compare.
const (
	containsFunction = "taihu_contains"
	startsFunction   = "taihu_starts"
)

// registerMatch makes the functions known to the instance of conn. It must be
// done before the instance is locked.
func registerMatch(conn bindings.Connection) error {
	for name, callback := range map[string]unsafe.Pointer{
		containsFunction: C.taihuContains,
		startsFunction:   C.taihuStarts,
	} {
		if err := register(conn, name, callback); err != nil {
			return err
		}
	}
	return nil
}

func register(conn bindings.Connection, name string, callback unsafe.Pointer) error {
	text := bindings.CreateLogicalType(bindings.TypeVarchar)
	defer bindings.DestroyLogicalType(&text)
	boolean := bindings.CreateLogicalType(bindings.TypeBoolean)
	defer bindings.DestroyLogicalType(&boolean)
	f := bindings.CreateScalarFunction()
	defer bindings.DestroyScalarFunction(&f)
	bindings.ScalarFunctionSetName(f, name)
	bindings.ScalarFunctionAddParameter(f, text)
	bindings.ScalarFunctionAddParameter(f, text)
	bindings.ScalarFunctionSetReturnType(f, boolean)
	bindings.ScalarFunctionSetFunction(f, callback)
	if bindings.RegisterScalarFunction(conn, f) == bindings.StateError {
		return fmt.Errorf("register function %s", name)
	}
	return nil
}

//export taihuContains
func taihuContains(info C.taihu_info, input C.taihu_chunk, output C.taihu_vector) {
	match(info, input, output, bytes.Contains)
}

//export taihuStarts
func taihuStarts(info C.taihu_info, input C.taihu_chunk, output C.taihu_vector) {
	match(info, input, output, bytes.HasPrefix)
}

// matcher is the scratch memory of one call.
type matcher struct {
	in  [2]scratch
	buf []byte
}

var matchers = sync.Pool{New: func() any { return new(matcher) }}

// match compares the first column of input, folded, with the second. A null
// stays null. DuckDB's threads call it; a panic becomes an error of the query.
func match(info C.taihu_info, input C.taihu_chunk, output C.taihu_vector, holds func(text, pattern []byte) bool) {
	defer func() {
		if r := recover(); r != nil {
			bindings.ScalarFunctionSetError(bindings.FunctionInfo{Ptr: unsafe.Pointer(info)}, fmt.Sprint("fold: ", r))
		}
	}()
	chunk := bindings.DataChunk{Ptr: unsafe.Pointer(input)}
	out := bindings.Vector{Ptr: unsafe.Pointer(output)}
	n := int(bindings.DataChunkGetSize(chunk))
	m := matchers.Get().(*matcher)
	defer matchers.Put(m)
	var texts, patterns []string
	var null [2][]bool
	for i, to := range []*[]string{&texts, &patterns} {
		vec := bindings.DataChunkGetVector(chunk, bindings.IdxT(i))
		null[i] = m.in[i].nulls((*uint64)(bindings.VectorGetValidity(vec)), n)
		*to = m.in[i].texts(bindings.VectorGetData(vec), null[i], n)
	}
	result := unsafe.Slice((*bool)(bindings.VectorGetData(out)), n)
	var validity unsafe.Pointer
	for i := range result {
		if null[0] != nil && null[0][i] || null[1] != nil && null[1][i] {
			if validity == nil {
				bindings.VectorEnsureValidityWritable(out)
				validity = bindings.VectorGetValidity(out)
			}
			bindings.ValiditySetRowInvalid(validity, bindings.IdxT(i))
			continue
		}
		m.buf = appendFold(m.buf[:0], texts[i])
		result[i] = holds(m.buf, unsafe.Slice(unsafe.StringData(patterns[i]), len(patterns[i])))
	}
}

// appendFold appends table.Fold(s). ASCII and the Chinese characters of the
// basic plane, which are nearly all there is, need no tables: the former only
// lose their case, the latter (U+4E00 to U+9FFF) are already folded, and neither
// combines with a neighbour.
func appendFold(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c < 0x80:
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
		// E4 B8 80 is U+4E00, E9 BF BF is U+9FFF.
		case i+2 < len(s) && s[i+1]&0xC0 == 0x80 && s[i+2]&0xC0 == 0x80 && (c > 0xE4 && c <= 0xE9 || c == 0xE4 && s[i+1] >= 0xB8):
			dst = append(dst, c, s[i+1], s[i+2])
			i += 3
		default:
			return append(dst[:len(dst)-i], table.Fold(s)...)
		}
	}
	return dst
}
