package personal

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// addressKept is how many characters of an address stay: province and city.
const addressKept = 6

// Mask masks every value of a kind in a cell. Where a column was decided to hold
// a kind, numbers of its shape are masked too if their check digit is wrong: a
// slip of the pen leaves a person known. The result passes a scan. A cell
// without the kind is returned as it is.
//
//	identity number  first 4, last 4    3202**********1234
//	mobile           first 3, last 4    138****8000
//	bank card        first 4, last 4    6222***********4567
//	mail             first 1, domain    z***@example.com
//	number plate     first 2, last 2    苏B***45
//	name             first character    张**
//	address          first 6 characters 江苏省无锡市****
//	birth date       the year           1990
//	passport, record first 2, last 2    E1*****78
func Mask(k Kind, cell []byte) []byte {
	switch k {
	case Name, Address, BirthDate, Passport, Record:
		return maskWhole(k, cell)
	}
	folded, _ := fold(cell, nil)
	hits := find(nil, folded)
	masked := false
	out := bytes.Clone(folded)
	for i := len(hits) - 1; i >= 0; i-- { // from behind, so that places stay
		h := hits[i]
		if h.kind != k || k == Mobile && !h.pass {
			continue
		}
		out = append(append(bytes.Clone(out[:h.from]), maskOne(k, h, folded[h.from:h.to])...), out[h.to:]...)
		masked = true
	}
	if !masked {
		return cell
	}
	return out
}

// Hide masks what has the form of personal information in a text for a report.
func Hide(text string) string {
	b := []byte(text)
	for _, k := range []Kind{IDNumber, BankCard, Mobile, Mail, Plate} {
		folded, _ := fold(b, nil)
		for _, h := range find(nil, folded) {
			if h.kind == k && h.pass {
				b = Mask(k, b)
				break
			}
		}
	}
	return string(b)
}

// maskOne masks one value; blanks and hyphens inside it go.
func maskOne(k Kind, h hit, b []byte) string {
	switch k {
	case Mail:
		local, domain, _ := bytes.Cut(b, []byte("@"))
		return string(local[:1]) + "***@" + string(domain)
	case Plate:
		return keep(string(b), 2, 2)
	}
	digits := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, string(b))
	if k == Mobile {
		prefix := digits[:len(digits)-11]
		return prefix + keep(digits[len(prefix):], 3, 4)
	}
	return keep(digits, 4, 4)
}

// keep writes stars for all but the first and the last characters.
func keep(s string, first, last int) string {
	r := []rune(s)
	if len(r) <= first+last {
		return strings.Repeat("*", len(r))
	}
	return string(r[:first]) + strings.Repeat("*", len(r)-first-last) + string(r[len(r)-last:])
}

// maskWhole masks a cell whose header says what it is.
func maskWhole(k Kind, cell []byte) []byte {
	body := string(trim(cell))
	n := utf8.RuneCountInString(body)
	if n == 0 || strings.Contains(body, "*") {
		return cell
	}
	switch k {
	case Name:
		return []byte(keep(body, 1, 0))
	case Address:
		if n <= addressKept {
			return cell
		}
		return []byte(string([]rune(body)[:addressKept]) + "****")
	case BirthDate:
		folded, _ := fold([]byte(body), nil)
		if digitsIn(folded) < 5 {
			return cell
		}
		if len(folded) >= 4 && digitsIn(folded[:4]) == 4 {
			return folded[:4]
		}
		return []byte("****")
	}
	return []byte(keep(body, 2, 2))
}
