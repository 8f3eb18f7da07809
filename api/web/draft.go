package web

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/table"
	"taihu/catalog/table/pool"
)

// draftPage is a draft: where it stands, what the check found, what to do.
type draftPage struct {
	frame
	Dataset               *catalog.Dataset
	Draft                 *catalog.Release
	Steps                 []step
	Badge                 string
	Action                string // address before /<action>
	Errors                int
	Warnings              int
	Notes                 int
	Unsettled             int // findings that keep it from being submitted
	Files                 []fileView
	Tables                []draftTable
	Arriving              []arriving
	Keepable              []keepable
	Against               int      // number of the release that Changes compares with
	Changes               []string // what readers would miss
	Diff                  string   // address of the whole comparison
	Edit                  bool     // files and words can be changed
	Can                   draftActions
	Form                  form // of the draft's own words, and of the reviewer
	Upload                form
	Encodings, Separators []choice
	Number                int // the number it would get
	Remarkable            []remarkTable
	Corrected             []choice // releases that this one could correct
}

// remarkTable is a table of the draft and what a reviewer says about its columns.
type remarkTable struct {
	Name   string
	Fields []remarkField
	Open   bool
}

type remarkField struct{ Column, Text string }

// typeRemarks puts what was typed back into the form.
func (v *draftPage) typeRemarks(list []catalog.Remark) {
	for i := range v.Remarkable {
		t := &v.Remarkable[i]
		for j := range t.Fields {
			for _, m := range list {
				if m.Table == t.Name && m.Column == t.Fields[j].Column {
					t.Fields[j].Text, t.Open = m.Text, true
				}
			}
		}
	}
}

// draftActions are the buttons that make sense now for this reader.
type draftActions struct {
	Submit, TakeBack, Review, Return, Publish, PublishNow, Schedule, Unschedule, Abandon bool
}

type step struct {
	Words      string
	Done, Here bool
}

// fileView is one uploaded file with its report.
type fileView struct {
	File       *catalog.File
	Anchor     string
	Size       string
	Report     *catalog.Report
	Findings   []findingView
	Decisions  []decisionView
	More       int
	Form       form
	Encodings  []choice
	Separators []choice
	Sheets     bool
	Text       bool
	Settle     settleView
	KeptFile   bool
}

// findingView is findings of one kind in one column, shown together.
type findingView struct {
	catalog.Finding
	SealClass, SealZh, SealEn, TitleZh, TitleEn string
	Rows                                        []int64  // the first few
	Values                                      []string // the first few that differ
	Rest                                        int64    // places beyond Rows
	NullWords                                   string   // one a line: words that could be stated as null
}

// decisionView is why a column has its type.
type decisionView struct {
	catalog.Decision
	Kind     columnKind
	Width    string // of the bar: per cent that agree
	Agree    int64
	Disagree int64
	Against  []catalog.Against
	Missed   string // the type that came nearest, where text was taken
	Others   []alternative
	Types    []choice
	Why      string
}

// alternative is what another type would make of a column, once chosen.
type alternative struct {
	Type            string
	Agree, Disagree int64  // cells that are read, and those for which the file is refused
	Loss            string // what changes in the cells that are read
	Against         []catalog.Against
}

// draftTable is one table of the draft, to look at and to describe.
type draftTable struct {
	Table  *catalog.Table
	Anchor string
	Grid   grid
	Failed string
	Kept   bool
	Asked  int // columns of which the contract asks something
}

type keepable struct {
	Name string
	Rows int64
}

const (
	decisionRows = 300
	findingRows  = 200
)

func (s *Site) draft(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	return s.showDraft(c, actor, http.StatusOK, nil)
}

// showDraft shows the draft; change may put what was typed, and what is wrong
// with it, into the view.
func (s *Site) showDraft(c *gin.Context, actor catalog.Actor, status int, change func(*draftPage)) error {
	ctx, lang := c.Request.Context(), language(c)
	r, err := s.Store.Draft(ctx, actor, c.Param("id"))
	if err != nil {
		return err
	}
	d, err := s.Store.DatasetByID(ctx, actor, r.DatasetID)
	if err != nil {
		return err
	}
	if r.State == catalog.Published || r.State == catalog.Withdrawn {
		return seeOther(c, releasePath(d.Slug, r.Number))
	}
	v := &draftPage{frame: s.frame(c, "steward", phrase(lang, "草稿：%s", "Draft: %s", d.Title.In(lang))), Dataset: d, Draft: r, Badge: stateBadge[r.State], Action: "/steward/drafts/" + r.ID}
	v.NoIndex = true
	v.Path = "/steward/drafts/" + r.ID
	if v.Number, err = s.nextNumber(c, actor, d); err != nil {
		return err
	}
	if r.State == catalog.Checking {
		v.Refresh = 3
	}
	if v.Arriving, err = s.arriving(c, actor, v); err != nil {
		return err
	}
	v.Steps = steps(lang, r.State)
	v.Can, v.Edit = possible(actor, d, r)
	v.Form = newForm(url.Values{"version": {r.Version}, "data_date": {r.DataDate}, "notes_zh": {r.Notes.Zh}, "notes_en": {r.Notes.En}})
	v.Upload = newForm(nil)
	v.Encodings, v.Separators = encodingChoices(lang, ""), separatorChoices(lang, "")
	names, err := s.deciders(c, r.Files)
	if err != nil {
		return err
	}
	for i := range r.Files {
		w := v.fileView(lang, &r.Files[i], i)
		w.Settle = settleViewOf(lang, &r.Files[i], w.Anchor, names)
		v.Unsettled += len(w.Settle.Open)
		v.Files = append(v.Files, w)
	}
	if v.Unsettled > 0 {
		v.Can.Submit, v.Can.PublishNow = false, false
	}
	if v.Can.Return {
		for i := range r.Tables {
			t := remarkTable{Name: r.Tables[i].Name, Fields: []remarkField{{}}}
			for _, f := range r.Tables[i].Schema.Fields[:min(len(r.Tables[i].Schema.Fields), dictionaryRows)] {
				t.Fields = append(t.Fields, remarkField{Column: f.Name})
			}
			v.Remarkable = append(v.Remarkable, t)
		}
	}
	for n := d.LatestNumber; n > max(0, d.LatestNumber-50); n-- {
		v.Corrected = append(v.Corrected, choice{strconv.Itoa(n), phrase(lang, "第%d版", "release %d", n), n == r.Corrects})
	}
	for i := range r.Tables {
		v.Tables = append(v.Tables, s.draftTable(c, &r.Tables[i], i))
	}
	if d.LatestNumber > 0 {
		if err := s.compare(c, actor, v); err != nil {
			return err
		}
	}
	if change != nil {
		change(v)
	}
	return s.render(c, status, "draft", v)
}

// compare lists the tables of the latest release that the draft lacks, and, once
// the files passed the check, what readers of that release would miss.
func (s *Site) compare(c *gin.Context, actor catalog.Actor, v *draftPage) error {
	_, latest, err := s.Store.Release(c.Request.Context(), actor, v.Dataset.Slug, v.Dataset.LatestNumber)
	if err != nil {
		return err
	}
	for _, t := range latest.Tables {
		if v.Edit && !slices.ContainsFunc(v.Draft.Tables, func(have catalog.Table) bool { return have.Name == t.Name }) {
			v.Keepable = append(v.Keepable, keepable{t.Name, t.Rows})
		}
	}
	switch v.Draft.State {
	case catalog.Uploading, catalog.Checking, catalog.Abandoned, catalog.Rejected: // a refused file's tables are not “gone”
		return nil
	}
	v.Against = latest.Number
	if len(v.Draft.Tables) > 0 {
		v.Diff = href(v.Lang, diffPath(v.Dataset.Slug, strconv.Itoa(latest.Number), v.Draft.ID))
	}
	for _, change := range v.Draft.ChangesFrom(latest) {
		v.Changes = append(v.Changes, changeWords(v.Lang, change))
	}
	return nil
}

// changeWords is a change in a sentence.
func changeWords(lang string, c catalog.Change) string {
	typed := func(i int) string { return strings.TrimSpace(typeWords[c.Types[i]].In(lang) + " " + c.Zones[i]) }
	switch c.Kind {
	case catalog.TableGone:
		return phrase(lang, "没有表%[1]s（原有%[2]s行）", "Table %[1]s is gone (it had %[2]s rows)", c.Table, number(c.Rows[0]))
	case catalog.ColumnGone:
		return phrase(lang, "表%[1]s没有列“%[2]s”", "Table %[1]s lacks the column “%[2]s”", c.Table, c.Column)
	case catalog.TypeChanged:
		return phrase(lang, "表%[1]s的列“%[2]s”由%[3]s变为%[4]s", "In table %[1]s the column “%[2]s” was %[3]s and is %[4]s", c.Table, c.Column, typed(0), typed(1))
	case catalog.KeyChanged:
		return phrase(lang, "表%[1]s的主键不再是%[2]s", "The key of table %[1]s is no longer %[2]s", c.Table, c.Column)
	case catalog.KeyBroken:
		return phrase(lang, "表%[1]s的主键（%[2]s）不能区分每一行", "The key (%[2]s) of table %[1]s does not tell the rows apart", c.Table, c.Column)
	}
	return phrase(lang, "表%[1]s由%[2]s行减为%[3]s行", "Table %[1]s went from %[2]s rows to %[3]s", c.Table, number(c.Rows[0]), number(c.Rows[1]))
}

// steps is where the draft stands on its way.
func steps(lang string, state catalog.State) []step {
	at := map[catalog.State]int{catalog.Uploading: 0, catalog.Checking: 1, catalog.Rejected: 2, catalog.Ready: 2, catalog.Returned: 2, catalog.InReview: 3, catalog.Approved: 4, catalog.Scheduled: 4, catalog.Abandoned: -1}[state]
	var out []step
	for i, w := range []string{phrase(lang, "上传", "Upload"), phrase(lang, "检查", "Check"), phrase(lang, "看报告", "Report"), phrase(lang, "审核", "Review"), phrase(lang, "发布", "Publish")} {
		out = append(out, step{Words: w, Done: i < at, Here: i == at})
	}
	return out
}

// possible says which buttons make sense. The store decides again.
func possible(actor catalog.Actor, d *catalog.Dataset, r *catalog.Release) (draftActions, bool) {
	can := func(a catalog.Action) bool { return catalog.Can(actor, a, catalog.ObjectOf(d)) == nil }
	edit, review := can(catalog.EditDraft), can(catalog.ReviewDraft)
	a := draftActions{
		Submit:     edit && r.State == catalog.Ready,
		TakeBack:   edit && r.State == catalog.InReview,
		Review:     review && r.State == catalog.InReview,
		Return:     review && (r.State == catalog.InReview || r.State == catalog.Approved),
		Publish:    review && (r.State == catalog.Approved || r.State == catalog.Scheduled),
		Schedule:   review && r.State == catalog.Approved,
		Unschedule: review && r.State == catalog.Scheduled,
		PublishNow: edit && review && r.State == catalog.Ready,
		Abandon:    edit && r.State.CanBecome(catalog.Abandoned),
	}
	open := r.State == catalog.Uploading || r.State == catalog.Checking || r.State == catalog.Rejected || r.State == catalog.Ready || r.State == catalog.Returned
	return a, edit && open
}

func (v *draftPage) fileView(lang string, f *catalog.File, i int) fileView {
	w := fileView{File: f, Anchor: fmt.Sprintf("file-%d", i+1), Size: size(f.Blob.Size), Report: f.Report, Form: newForm(optionValues(f.Options))}
	w.KeptFile = f.Options.Mode == catalog.KeptFile
	w.Encodings, w.Separators = encodingChoices(lang, f.Options.Encoding), separatorChoices(lang, f.Options.Delimiter)
	if f.Report == nil {
		return w
	}
	w.Sheets = f.Report.Format == "xlsx"
	w.Text = f.Report.Format == "csv" || f.Report.Format == "tsv" || f.Report.Format == ""
	findings := slices.DeleteFunc(slices.Clone(f.Report.Findings), func(x catalog.Finding) bool { return x.Severity == catalog.ToSettle }) // they are shown apart
	slices.SortStableFunc(findings, func(a, b catalog.Finding) int { return cmp.Compare(weight(a.Severity), weight(b.Severity)) })
	for _, x := range findings {
		switch n := int(max(1, x.Count)); x.Severity {
		case catalog.Fatal:
			v.Errors += n
		case catalog.Warning:
			v.Warnings += n
		default:
			v.Notes += n
		}
	}
	w.Findings = grouped(findings)
	if n := len(w.Findings) - findingRows; n > 0 {
		w.Findings, w.More = w.Findings[:findingRows], n
	}
	for i, x := range f.Report.Decisions {
		if i == decisionRows {
			break
		}
		w.Decisions = append(w.Decisions, decisionOf(lang, x, f.Options.Types[x.Column]))
	}
	// A refused file may have no decisions; the types that were fixed for it
	// must be there to be changed.
	for _, name := range slices.Sorted(maps.Keys(f.Options.Types)) {
		if t := f.Options.Types[name]; !slices.ContainsFunc(w.Decisions, func(d decisionView) bool { return d.Column == name }) {
			w.Decisions = append(w.Decisions, decisionView{
				Decision: catalog.Decision{Column: name, Type: t}, Kind: kindOf(catalog.Field{Name: name, Type: t}, nil, 0),
				Why: phrase(lang, "由数据员指定", "fixed by the steward"), Types: typeChoices(lang, t),
			})
		}
	}
	return w
}

func weight(s catalog.Severity) int {
	switch s {
	case catalog.Fatal:
		return 0
	case catalog.Warning:
		return 1
	}
	return 2
}

// Of the places of one kind of finding so many rows and values are named.
const (
	rowsNamed   = 6
	valuesNamed = 4
)

// grouped joins findings that say the same of the same column, in order.
func grouped(findings []catalog.Finding) []findingView {
	type key struct {
		severity                  catalog.Severity
		code, table, column, says string
	}
	at := map[key]int{}
	var out []findingView
	for _, f := range findings {
		k := key{f.Severity, f.Code, f.Table, f.Column, f.Message.Zh + f.Message.En}
		i, seen := at[k]
		if !seen {
			i = len(out)
			at[k] = i
			out = append(out, findingOf(f))
		}
		v := &out[i]
		places := max(1, f.Count)
		if f.Row > 0 && len(v.Rows) < rowsNamed {
			v.Rows = append(v.Rows, f.Row)
			places--
		}
		if f.Row > 0 || f.Count > 1 {
			v.Rest += places
		}
		if f.Value != "" && len(v.Values) < valuesNamed && !slices.Contains(v.Values, f.Value) {
			v.Values = append(v.Values, f.Value)
		}
	}
	return out
}

func findingOf(f catalog.Finding) findingView {
	v := findingView{Finding: f, SealZh: "注", SealEn: "Note", TitleZh: "说明", TitleEn: "Note"}
	switch f.Severity {
	case catalog.Fatal:
		v.SealClass, v.SealZh, v.SealEn, v.TitleZh, v.TitleEn = "err", "错", "Err", "须改", "Must be mended"
	case catalog.Warning:
		v.SealClass, v.SealZh, v.SealEn, v.TitleZh, v.TitleEn = "warn", "警", "Warn", "提醒", "Warning"
	}
	if f.Code == "null_words_suggested" && f.Column != "" {
		v.NullWords = suggestedWords(f)
	}
	return v
}

// suggestedWords are the words of the finding, which counts them (暂无 ×25, 无 ×3),
// as the option has them: for its column alone.
func suggestedWords(f catalog.Finding) string {
	var lines []string
	for part := range strings.SplitSeq(f.Value, ", ") {
		if word, _, ok := strings.Cut(part, " ×"); ok && word != "" {
			lines = append(lines, f.Column+"="+word)
		}
	}
	return strings.Join(lines, "\n")
}

// typeChoices are the types a steward can fix for a column.
func typeChoices(lang string, chosen catalog.Type) []choice {
	out := []choice{{"", phrase(lang, "按证据", "By evidence"), chosen == ""}}
	for _, t := range catalog.Types {
		out = append(out, choice{string(t), typeWords[t].In(lang), t == chosen})
	}
	return out
}

func decisionOf(lang string, d catalog.Decision, chosen catalog.Type) decisionView {
	v := decisionView{Decision: d, Kind: kindOf(catalog.Field{Name: d.Column, Type: d.Type}, nil, 0), Why: d.Why.In(lang), Width: "100"}
	for _, e := range d.Evidence {
		if e.Type == d.Type {
			v.Agree, v.Disagree, v.Against = e.Agree, e.Disagree, e.Against
		}
	}
	// A text column is best explained by the type it missed.
	if d.Type == catalog.String {
		for _, e := range d.Evidence {
			if e.Type != catalog.String && e.Agree > 0 && e.Disagree > 0 {
				v.Missed, v.Agree, v.Disagree, v.Against = typeWords[e.Type].In(lang), e.Agree, e.Disagree, e.Against
				break
			}
		}
	}
	for _, e := range d.Evidence {
		if e.Type != d.Type {
			v.Others = append(v.Others, alternative{typeWords[e.Type].In(lang), e.Agree, e.Disagree, e.Loss.In(lang), e.Against})
		}
	}
	if all := v.Agree + v.Disagree; all > 0 {
		v.Width = fmt.Sprintf("%.1f", 100*float64(v.Agree)/float64(all))
	}
	v.Types = typeChoices(lang, chosen)
	return v
}

func (s *Site) draftTable(c *gin.Context, t *catalog.Table, i int) draftTable {
	lang := language(c)
	v := draftTable{Table: t, Anchor: fmt.Sprintf("table-%d", i+1), Kept: t.FileID == ""}
	fields := t.Schema.Fields
	for i := range fields {
		if !fields[i].Rules.IsZero() {
			v.Asked++
		}
	}
	if len(fields) > previewColumns {
		v.Grid.Hidden = len(fields) - previewColumns
		fields = fields[:previewColumns]
	}
	v.Grid.Columns = columnsOf(lang, t, fields, true, "")
	v.Grid.Profiled = t.Profile != nil && t.Rows > 0
	v.Grid.Label = phrase(lang, "预览：表%s", "Preview: table %s", t.Name)
	answer, err := s.Pool.Rows(c.Request.Context(), t, table.Params{Limit: previewRows}, pool.RowsOptions{NoJSON: true, Wait: previewWait, Client: handle.Client(c)})
	if err != nil {
		v.Failed = sentence(lang, err)
		s.Log.WarnContext(c.Request.Context(), "preview failed", "table", t.Name, "request_id", handle.RequestID(c), "error", err)
		return v
	}
	v.Grid.Rows = gridRows(answer, v.Grid.Columns, 0)
	return v
}
