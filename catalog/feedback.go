package catalog

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Feedback is what a reader says is wrong in a dataset (纠错), and what became of
// it. That there is one, what it points at, until when it must be answered and the
// answer are public from the first second on; the reader's own words only once a
// steward has looked at them, because strangers write strangers' names and numbers.
// Whoever keeps them back says why, in public.
type Feedback struct {
	ID        string `json:"id"`
	DatasetID string `json:"dataset_id"`
	Number    int    `json:"number"` // 1, 2, … within the dataset, without gaps

	// Where it is. Release is the one the reader saw; 0: none. An empty table is the
	// dataset as a whole, an empty column the row or the table as a whole.
	ReleaseNumber int    `json:"release_number,omitempty"`
	TableName     string `json:"table_name,omitempty"`
	ColumnName    string `json:"column_name,omitempty"`
	RowNumber     int64  `json:"row_number,omitempty"` // 1-based, in that release; 0: none
	RowKey        string `json:"row_key,omitempty"`    // the row in words, such as its key's values

	Message string `json:"message"`
	Contact string `json:"-"` // how to reach the sender: for stewards alone, and only while it is open
	Sender  string `json:"-"` // user id; empty: nobody was signed in

	State    FeedbackState `json:"state"`
	DueOn    string        `json:"due_on"` // ISO date: the last day to answer in time
	Words    FeedbackWords `json:"words"`
	WordsWhy string        `json:"words_why,omitempty"` // why they are withheld
	Reply    string        `json:"reply,omitempty"`
	MendedBy int           `json:"mended_by,omitempty"` // number of the release
	ClosedBy string        `json:"-"`
	ClosedAt *time.Time    `json:"closed_at,omitempty"` // when it was first answered

	RowVersion int64     `json:"row_version"`
	CreatedAt  time.Time `json:"created_at"`
}

// FeedbackState is what became of a feedback. It is open until a steward answers;
// an answer may be changed, but not taken back.
//
//	open ─► answered ◄─► mended
//	  └───► rejected ◄─► both
type FeedbackState string

// The states.
const (
	FeedbackOpen     FeedbackState = "open"
	FeedbackAnswered FeedbackState = "answered" // explained, or to be mended in a release to come
	FeedbackMended   FeedbackState = "mended"   // a release mends it
	FeedbackRejected FeedbackState = "rejected" // the data are right as they are
)

// FeedbackStates lists the states.
var FeedbackStates = []FeedbackState{FeedbackOpen, FeedbackAnswered, FeedbackMended, FeedbackRejected}

// Words gives the state as shown to people.
func (s FeedbackState) Words() Text {
	return map[FeedbackState]Text{
		FeedbackOpen: {"待答复", "Open"}, FeedbackAnswered: {"已答复", "Answered"}, FeedbackMended: {"已更正", "Mended"}, FeedbackRejected: {"不予更正", "Not a mistake"},
	}[s]
}

// FeedbackWords says whether a reader's words are public.
type FeedbackWords string

// The three ways.
const (
	WordsUnseen   FeedbackWords = "unseen"   // no steward has looked yet
	WordsShown    FeedbackWords = "shown"    //
	WordsWithheld FeedbackWords = "withheld" // for the reason in WordsWhy
)

// Bounds of a feedback, in characters.
const (
	FeedbackMessage = 2000
	FeedbackContact = 200
	FeedbackRowKey  = 300
	FeedbackReply   = 4000
	FeedbackWhy     = 500
)

// FeedbackDays is within how many working days a feedback is answered, where the
// portal's settings say nothing else.
const FeedbackDays = 5

// Overdue reports whether the feedback should have been answered by now.
func (f *Feedback) Overdue(now time.Time) bool {
	return f.State == FeedbackOpen && DayOf(now) > f.DueOn
}

// InTime reports whether it was answered within its deadline.
func (f *Feedback) InTime() bool {
	return f.ClosedAt != nil && DayOf(*f.ClosedAt) <= f.DueOn
}

// Clean brings what was typed into the form in which it is kept, and returns Invalid
// naming the first field that is missing or too long.
func (f *Feedback) Clean() error {
	f.Message, f.Contact, f.RowKey = PlainText(f.Message), plainLine(f.Contact), plainLine(f.RowKey)
	switch {
	case f.Message == "":
		return Errorf(Invalid, "invalid_field", "say what is wrong, and what would be right").With("field", "message").InChinese("请写明哪里不对、应该是什么")
	case utf8.RuneCountInString(f.Message) > FeedbackMessage:
		return tooLong("message", FeedbackMessage)
	case utf8.RuneCountInString(f.Contact) > FeedbackContact:
		return tooLong("contact", FeedbackContact)
	case utf8.RuneCountInString(f.RowKey) > FeedbackRowKey:
		return tooLong("row_key", FeedbackRowKey)
	case f.TableName == "" && (f.ColumnName != "" || f.RowNumber != 0 || f.RowKey != ""):
		return Errorf(Invalid, "invalid_field", "a column or row belongs to a table: name the table").With("field", "table").InChinese("指出列或行时，也要指出是哪张表")
	case f.RowNumber < 0:
		return Errorf(Invalid, "invalid_field", "rows are counted from 1").With("field", "row").InChinese("行号从1数起")
	}
	return nil
}

// FeedbackAnswer is what a steward answers.
type FeedbackAnswer struct {
	State    FeedbackState
	Reply    string // public
	MendedBy int    // number of the release, where mended
	Withhold string // why the reader's words are kept back; empty: they are shown
}

// Clean is like Feedback.Clean.
func (a *FeedbackAnswer) Clean() error {
	a.Reply, a.Withhold = PlainText(a.Reply), PlainText(a.Withhold)
	switch {
	case !slices.Contains(FeedbackStates[1:], a.State):
		return Errorf(Invalid, "invalid_field", "an answer is one of answered, mended and rejected, not %q", a.State).With("field", "state").InChinese("请选择答复的结果")
	case a.Reply == "":
		return Errorf(Invalid, "invalid_field", "the reply is missing: readers see it").With("field", "reply").InChinese("请写答复：读者会看到")
	case utf8.RuneCountInString(a.Reply) > FeedbackReply:
		return tooLong("reply", FeedbackReply)
	case utf8.RuneCountInString(a.Withhold) > FeedbackWhy:
		return tooLong("withhold", FeedbackWhy)
	case a.State == FeedbackMended && a.MendedBy <= 0:
		return Errorf(Invalid, "invalid_field", "name the release that mends it").With("field", "release").InChinese("请指明哪一版作了更正")
	case a.State != FeedbackMended:
		a.MendedBy = 0
	}
	return nil
}

func tooLong(field string, most int) error {
	return Errorf(Invalid, "invalid_field", "%s is too long: at most %d characters", field, most).With("field", field).InChinese("太长了：最多%d个字符", most)
}

// PlainText is text that people typed: trimmed, with plain line breaks, and without
// characters that cannot be seen, such as those that turn the direction of writing.
func PlainText(s string) string {
	s = strings.ToValidUTF8(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s), "\ufffd")
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) && r != '\u200d') {
			return -1
		}
		return r
	}, s))
}

// plainLine is PlainText on one line.
func plainLine(s string) string { return strings.ReplaceAll(PlainText(s), "\n", " ") }
