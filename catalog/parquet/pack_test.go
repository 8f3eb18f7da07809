package parquet

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
)

func TestHybridDecodes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 3000 {
		width := 1 + r.IntN(20)
		var values []uint32
		for range r.IntN(12) { // runs and noise in turn
			v := r.Uint32N(1 << width)
			for range r.IntN(40) {
				values = append(values, v)
			}
			for range r.IntN(40) {
				values = append(values, r.Uint32N(1<<width))
			}
		}
		if len(values) == 0 {
			continue
		}
		got, err := (&rle.Encoding{BitWidth: width}).DecodeInt32(nil, appendHybrid(nil, values, width))
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if got[i] != int32(v) {
				t.Fatalf("width %d, value %d of %d: got %d, want %d", width, i, len(values), got[i], v)
			}
		}
		if len(got) >= len(values)+8 {
			t.Fatalf("%d values became %d", len(values), len(got))
		}
	}
}

func TestDeltaDecodes(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for n := range 400 {
		values := make([]uint64, n)
		for i := range values {
			switch n % 4 {
			case 0:
				values[i] = r.Uint64()
			case 1:
				values[i] = uint64(i)
			case 2:
				values[i] = uint64(r.Int64N(1<<(1+n%60))) - 1<<20
			case 3:
				values[i] = []uint64{math.MaxInt64, 1 << 63, 0, math.MaxUint64}[r.IntN(4)]
			}
		}
		got, err := new(delta.BinaryPackedEncoding).DecodeInt64(nil, appendDelta(nil, values))
		if err != nil {
			t.Fatal(err)
		}
		want := make([]int64, n)
		for i, v := range values {
			want[i] = int64(v)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%d values: got %v, want %v", n, got, want)
		}
	}
}

func TestWideDecimals(t *testing.T) {
	for s, want := range map[string]string{
		"0": "00000000000000000000000000000000", "-1": "ffffffffffffffffffffffffffffffff",
		"18446744073709551616":                    "00000000000000010000000000000000",
		"99999999999999999999999999999999999999":  "4b3b4ca85a86c47a098a223fffffffff",
		"-99999999999999999999999999999999999999": "b4c4b357a5793b85f675ddc000000001",
	} {
		got, err := appendWide(nil, s, 0)
		if err != nil || hexOf(got) != want {
			t.Errorf("%s: got %s, want %s: %v", s, hexOf(got), want, err)
		}
	}
	for _, bad := range []string{"", "-", "1.", ".5", "1e5", "--1", "1-", "1.2.3", "+1", " 1", "100000000000000000000000000000000000000"} {
		if _, err := appendWide(nil, bad, 0); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func hexOf(b []byte) string {
	const digits = "0123456789abcdef"
	var out []byte
	for _, c := range b {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}
