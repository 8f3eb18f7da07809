package table

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

// numberLength returns how many bytes at the start of s are a number: digits, a
// sign, a point with digits after it, an exponent. 0: none.
func numberLength(s string) int {
	i := 0
	digits := func() bool {
		from := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(s) && s[i] == '-' {
		i++
	}
	whole := digits()
	if i < len(s) && s[i] == '.' {
		point := i
		i++
		if !digits() {
			i = point
			if !whole {
				return 0
			}
		}
	} else if !whole {
		return 0
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		mark := i
		i++
		if i < len(s) && (s[i] == '-' || s[i] == '+') {
			i++
		}
		if !digits() {
			i = mark
		}
	}
	return i
}

// exact is a number literal without loss: ± digits × 10^exp. digits has no zeros
// at either end and is empty for zero.
type exact struct {
	negative bool
	digits   string
	exp      int
}

const (
	// farExponent is beyond what digits within MaxText can bring back.
	farExponent = 1 << 20
	// farthest is beyond every type: 10^farthest is greater than any value, and
	// 10^-farthest less than any but zero. What lies outside is brought there.
	farthest = 400
)

// parseExact reads what numberLength accepts.
func parseExact(text string) exact {
	var x exact
	text, x.negative = strings.CutPrefix(text, "-")
	mantissa, exponent := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent = text[:i], text[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	x.exp = -len(fraction)
	x.digits = strings.TrimLeft(whole+fraction, "0")
	short := strings.TrimRight(x.digits, "0")
	x.exp += len(x.digits) - len(short)
	x.digits = short
	if exponent != "" {
		e, err := strconv.Atoi(exponent)
		if err != nil { // out of range of int
			e = farExponent
			if exponent[0] == '-' {
				e = -farExponent
			}
		}
		x.exp += max(-farExponent, min(farExponent, e))
	}
	switch magnitude := x.exp + len(x.digits); {
	case x.digits == "":
		return exact{}
	case magnitude > farthest:
		x.digits, x.exp = "1", farthest
	case magnitude < -farthest:
		x.digits, x.exp = "1", -farthest
	}
	return x
}

// String is the canonical spelling: plain digits while they are few, else one
// digit, a fraction and an exponent. It never has a +, which an address turns
// into a space.
func (x exact) String() string {
	const most = 40 // characters of a plain number
	if x.digits == "" {
		return "0"
	}
	sign := ""
	if x.negative {
		sign = "-"
	}
	n := len(x.digits)
	switch {
	case x.exp >= 0 && n+x.exp <= most:
		return sign + x.digits + strings.Repeat("0", x.exp)
	case x.exp < 0 && n > -x.exp && n <= most:
		return sign + x.digits[:n+x.exp] + "." + x.digits[n+x.exp:]
	case x.exp < 0 && n <= -x.exp && -x.exp <= most:
		return sign + "0." + strings.Repeat("0", -x.exp-n) + x.digits
	}
	s := sign + x.digits[:1]
	if n > 1 {
		s += "." + x.digits[1:]
	}
	return s + "e" + strconv.Itoa(x.exp+n-1)
}

// float returns the nearest double: ±Inf beyond the greatest.
func (x exact) float() float64 {
	f, err := strconv.ParseFloat(x.String(), 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0
	}
	if f == 0 {
		return 0 // never -0: the two are equal
	}
	return f
}

// floor returns the greatest whole number of units of 10^-scale that is not
// above x, and whether it is x itself. Numbers of more than 60 digits come back
// as ±10^60: beyond every column.
func (x exact) floor(scale int) (units *big.Int, whole bool) {
	const most = 60
	exp := x.exp + scale
	switch {
	case x.digits == "":
		return new(big.Int), true
	case len(x.digits)+exp > most:
		units = new(big.Int).Exp(big.NewInt(10), big.NewInt(most), nil)
		if x.negative {
			units.Neg(units)
		}
		return units, true
	case exp >= 0:
		units, _ = new(big.Int).SetString(x.digits+strings.Repeat("0", exp), 10)
		if x.negative {
			units.Neg(units)
		}
		return units, true
	}
	units = new(big.Int)
	if n := len(x.digits) + exp; n > 0 {
		units.SetString(x.digits[:n], 10)
	}
	if x.negative {
		units.Neg(units).Sub(units, big.NewInt(1))
	}
	return units, false
}

// AppendNumberForm appends the one spelling of the number that a canonical text of
// an integer, decimal or number has: 1, 1.0 and 1.00 are the same there. NaN and the
// infinities stay as they are.
func AppendNumberForm(dst []byte, text string) []byte {
	if numberLength(text) != len(text) {
		return append(dst, text...)
	}
	return append(dst, parseExact(text).String()...)
}
