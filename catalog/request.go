package catalog

import (
	"time"
	"unicode/utf8"
)

// DataRequest is what a reader asks for that the portal does not have (数据需求). It is
// for stewards alone; the sender's contact is erased when one of them closes it.
type DataRequest struct {
	ID       string
	Wanted   string
	Purpose  string
	Contact  string // optional
	Searched string // the search that found nothing; empty: none
	Sender   string // user id; empty: nobody was signed in

	Note     string // what the steward did about it; never public
	ClosedBy string
	ClosedAt *time.Time // nil: it is open

	RowVersion int64
	CreatedAt  time.Time
}

// Bounds of a request, in characters.
const (
	RequestWanted  = 2000
	RequestPurpose = 1000
	RequestContact = 200
	RequestNote    = 1000
	requestSearch  = 200
)

// Clean brings what was typed into the form in which it is kept, and returns Invalid
// naming the first field that is missing or too long.
func (r *DataRequest) Clean() error {
	r.Wanted, r.Purpose, r.Contact = PlainText(r.Wanted), PlainText(r.Purpose), plainLine(r.Contact)
	if searched := []rune(plainLine(r.Searched)); len(searched) > requestSearch {
		r.Searched = string(searched[:requestSearch])
	} else {
		r.Searched = string(searched)
	}
	switch {
	case r.Wanted == "":
		return Errorf(Invalid, "invalid_field", "say which data are wanted").With("field", "wanted").InChinese("请写明需要什么数据")
	case utf8.RuneCountInString(r.Wanted) > RequestWanted:
		return tooLong("wanted", RequestWanted)
	case utf8.RuneCountInString(r.Purpose) > RequestPurpose:
		return tooLong("purpose", RequestPurpose)
	case utf8.RuneCountInString(r.Contact) > RequestContact:
		return tooLong("contact", RequestContact)
	}
	return nil
}

// EmptySearch is a search that found nothing, and how often it was made. Who made it
// is not known.
type EmptySearch struct {
	Text    string // folded
	Lang    string // of the page
	Times   int64
	FirstAt time.Time
	LastAt  time.Time
}

// Synonyms is the text in which the administrator keeps words that stand for each
// other, a group a line.
type Synonyms struct {
	Text       string
	ChangedBy  string
	ChangedAt  *time.Time // nil: never
	RowVersion int64
}

// MaxSynonyms bounds the text, in bytes.
const MaxSynonyms = 64 << 10
