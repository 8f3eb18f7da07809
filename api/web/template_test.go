package web

import (
	"bytes"
	"html/template"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/table/diff"
	"taihu/indexer"
)

const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`

// views returns an empty and a filled view struct for every page.
func views(lang string) map[string][]any {
	f := frame{Lang: lang, Title: "标题 " + hostile, Description: hostile, Path: "/datasets?q=" + url.QueryEscape(hostile), Section: "datasets", Search: hostile, User: hostile, Portal: "太湖", Simulated: true, Canonical: "https://p.example/", Forms: []link{{Words: "JSON", Href: "/api"}}, Feeds: []link{{Words: hostile, Href: "/feed.atom"}}, Linked: map[string]string{"name": hostile}, Said: "好", Theme: "dark", Size: "large"}
	at := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	text := catalog.Text{Zh: "停车 " + hostile, En: ""}
	d := &catalog.Dataset{ID: "1", Slug: "parking", Title: text, Description: text, Licence: "CC0-1.0", OpenAttribute: catalog.Conditional, Frequency: "daily", Identifiers: []string{hostile}, Contact: catalog.Contact{Unit: hostile, Phone: "1", Mail: hostile}, Simulated: true, CatalogueAt: at, LatestNumber: 3}
	tbl := filledTable()
	r := &catalog.Release{ID: "r", Number: 2, State: catalog.Published, Version: hostile, Notes: text, DataDate: "2026-11-22", PublishedAt: &at, Tables: []catalog.Table{*tbl}, WithdrawnAt: &at, WithdrawnWhy: hostile, Comment: hostile}
	g := grid{Label: hostile, Columns: columnsOf(lang, tbl, tbl.Schema.Fields, true, "/x"), Profiled: true, Hidden: 2}
	long := hostile + strings.Repeat("长", 300)
	for i := range 3 {
		row := gridRow{No: int64(i + 1)}
		for range g.Columns {
			row.Cells = append(row.Cells, cellOf(&long, column{Class: "mono"}), cellOf(nil, column{}))
		}
		g.Rows = append(g.Rows, row)
	}
	wrongKey := newForm(url.Values{"key": {hostile}})
	wrongKey.refuse("key", hostile)
	wrongRequest := newForm(url.Values{"wanted": {hostile}, "searched": {hostile}})
	wrongRequest.refuse("wanted", hostile)
	bad := newForm(url.Values{"title_zh": {hostile}, "comment": {hostile}})
	bad.refuse("title_zh", hostile)
	bad.General = hostile
	res := []result{{Title: []indexer.Segment{{Text: hostile, Hit: true}, {Text: "x"}}, Summary: []indexer.Segment{{Text: hostile}}, Href: "/datasets/x", Publisher: text, Themes: []string{hostile}, Open: "o", Columns: []string{hostile}, HasData: true, DataDate: "2026-11", Frequency: "每日", Formats: "CSV", Simulated: true}}
	options := []choice{{Value: hostile, Words: hostile, Chosen: true}}
	report := &catalog.Report{File: hostile, Format: "csv", Encoding: "gb18030", Delimiter: ",", HeaderRow: 2, Tables: []catalog.TableFacts{{Name: "main", Sheet: hostile, Rows: 3, Columns: 2}},
		Findings:  []catalog.Finding{{Severity: catalog.Fatal, Code: "x", Table: hostile, Row: 3, Column: hostile, Value: hostile, Message: text, Hint: text, Count: 9}, {Severity: catalog.Note, Message: text}},
		Decisions: []catalog.Decision{{Column: hostile, Type: catalog.String, Why: text, Nulls: 3, Evidence: []catalog.Evidence{{Type: catalog.String, Agree: 3}, {Type: catalog.Integer, Agree: 1, Disagree: 2, Loss: text, Against: []catalog.Against{{Row: 2, Value: hostile}}}}}}}
	dp := &draftPage{frame: f, Dataset: d, Draft: r, Steps: steps(lang, catalog.Ready), Action: "/steward/drafts/1", Keepable: []keepable{{Name: "main", Rows: 3}}, Against: 2, Diff: "/diff", Changes: []string{hostile}, Edit: true, Can: draftActions{Submit: true, TakeBack: true, Review: true, Return: true, Publish: true, PublishNow: true, Schedule: true, Unschedule: true, Abandon: true}, Form: bad, Upload: bad, Encodings: options, Separators: options, Number: 3,
		Tables: []draftTable{{Table: tbl, Anchor: "table-1", Grid: g}}}
	dp.Files = []fileView{dp.fileView(lang, &catalog.File{Name: hostile, Report: report, State: catalog.FileRefused, Options: catalog.IngestOptions{Sheet: hostile}}, 0)}
	decided := &catalog.File{Name: hostile, Report: &catalog.Report{Findings: []catalog.Finding{{Severity: catalog.ToSettle, Code: "personal_id", Table: hostile, Column: hostile, Value: hostile, Message: text, Hint: text, Count: 3, Of: 9, Places: []catalog.Against{{Row: 3, Value: hostile}}, Measures: catalog.Measures}, {Severity: catalog.ToSettle, Code: "comments", Message: text, Value: hostile, Count: 2, Measures: catalog.Measures}}},
		Options: catalog.IngestOptions{Settled: []catalog.Settlement{{Code: "personal_mobile", Table: hostile, Column: hostile, Measure: catalog.Accept, Reason: hostile, By: "u", At: &at, From: 2}, {Code: "x", Measure: catalog.Mask}}}}
	dp.Files[0].Settle = settleViewOf(lang, decided, "file-1", map[string]string{"u": hostile})
	dp.Unsettled = 2
	wrongFile := newForm(nil)
	wrongFile.refuse("file", hostile)
	words := &dictionaryPage{frame: f, Dataset: d, Table: tbl, Crumbs: []link{{Words: hostile}}, Draft: "/d", Action: "/a", Base: "b", Edit: true, Form: wrongFile, TitleZh: dictionaryCell{Name: "title_zh", Label: "a", Value: hostile, Now: hostile, Differs: true}, TitleEn: dictionaryCell{Name: "title_en", Label: "b", Differs: true}, First: 1, Last: 1,
		Rows:  []dictionaryFormRow{{Name: hostile, Type: "t", Example: hostile, Key: true, KeyNow: "no", Cells: []dictionaryCell{{Name: "label_zh", Label: hostile, Lang: "zh-CN", Class: "unit", Value: hostile, Now: hostile, Differs: true}, {Name: "about_zh", Label: hostile, Value: hostile, Area: true}}}},
		Pages: []link{{Words: "1–400", Href: "/p", Current: true}}, Files: []link{{Words: "XLSX", Href: "/x"}}, UploadAction: "/u"}
	conflict, uploaded := *words, *words
	conflict.Conflict, conflict.Differs, conflict.Form = true, 3, newForm(nil)
	conflict.Form.General = hostile
	uploaded.Uploaded, uploaded.Differs, uploaded.Form, uploaded.Edit = hostile, 3, newForm(nil), false
	wrongBulk := newForm(url.Values{"change": {"licence"}, "contact_unit": {hostile}})
	wrongBulk.refuse("change", hostile)
	bulkRows := []bulkRow{{Slug: "a", Version: "1", Title: text, Href: "/a", Changes: []bulkChange{{"许可", hostile, ""}}, Stale: true}, {Slug: "b", Version: "2", Title: text, Href: "/b"}}
	desk := []deskSection{{Key: "due", Title: "t", Hint: hostile, Total: 9, All: "/all", Previous: "/p", Next: "/n", Todos: []todo{{SealZh: "错", SealEn: "Err", Title: text, Href: "/x", What: hostile, Note: hostile, Act: "a", Badge: "bad", BadgeWords: hostile}}}, {Key: "ready", Title: "t", Empty: hostile},
		{Key: "datasets", Title: "t", Table: true, Text: hostile, Filters: []link{{Words: "a", Href: "/a", Current: true}}, Datasets: []ownDataset{{Title: text, Href: "/d", Latest: 2, Due: "2026-11-23", Late: hostile}, {Title: text, Due: "2026-11-23"}}}, {Key: "other", Title: "t", Table: true, Empty: hostile, Choose: true, Chosen: true, ChooseAll: "/all", Datasets: []ownDataset{{Title: text, Slug: "a", Copy: "/copy"}}}}
	licence, _ := catalog.LicenceOf("CC0-1.0")
	said := feedbackViewOf(lang, "parking", &catalog.Feedback{Number: 3, ReleaseNumber: 2, TableName: hostile, ColumnName: hostile, RowNumber: 4, RowKey: hostile, Message: hostile + "\n" + hostile, State: catalog.FeedbackMended, DueOn: "2026-11-22", Words: catalog.WordsShown, Reply: hostile, MendedBy: 3, ClosedAt: &at, CreatedAt: at}, at)
	unsaid := feedbackViewOf(lang, "parking", &catalog.Feedback{Number: 4, State: catalog.FeedbackOpen, DueOn: "2026-11-22", Words: catalog.WordsWithheld, WordsWhy: hostile, CreatedAt: at}, at)
	wrongPlace, wrongAnswer := newForm(url.Values{"message": {hostile}}), newForm(url.Values{"reply": {hostile}})
	for field, form := range map[string]*form{"place": &wrongPlace, "message": &wrongPlace, "state": &wrongAnswer, "release": &wrongAnswer, "reply": &wrongAnswer} {
		form.refuse(field, hostile)
	}
	ds := &datasetPage{frame: f, Dataset: d, Release: r, Pinned: true, LatestHref: "/datasets/parking", Crumbs: []link{{Words: hostile, Href: "/x"}, {Words: "y"}}, Publisher: link{Words: hostile, Href: "/o"}, Sum: markdown(hostile + "\n\n[x](javascript:alert(1)) ![i](http://e/x.png)"), Tags: []link{{Words: hostile, Href: "/q"}},
		Open: "o", Readable: true, Capacity: equation{1, 2, 3}, Frequency: "每日", NextDue: "2026-11-23", Late: hostile, Licence: licence, Rights: "r", Source: markdown("s"), Coverage: hostile, Completeness: "99%", NullCells: 4, Tables: []tableTab{{Name: "a", Title: text, Href: "/a", Current: true}, {Name: "b", Href: "/b"}}, Table: tbl, Explorer: "/e", Grid: g, GridFailed: hostile,
		Dictionary: []dictionaryRow{{Name: hostile, Sub: hostile, Kind: columnKind{Zh: "文", En: "Txt"}, Type: "文本", Description: text, Example: hostile, Rule: hostile, Joins: "/j"}}, MoreFields: 2, Downloads: []download{{Name: "CSV", Href: "/c"}, {Name: "XLSX", Href: "/x", Size: "1 MB"}}, MoreFormats: []link{{Words: "TSV", Href: "/t"}}, Files: []download{{Name: hostile, Href: "/f", SHA256: "ab"}}, WithheldFiles: 2,
		Releases: []releaseRow{{Number: 2, Href: "/r", Date: "2026-11-22", Notes: hostile, Capacity: "c", Gone: true, Why: hostile, Hash: strings.Repeat("a", 64), Diff: "/diff"}}, Cite: citation{hostile, hostile}, Snippets: snippets(whole(lang, "https://p.example", d, 2, tbl), question{}), EditHref: "/e", UploadHref: "/u", CanWithdraw: true, Form: bad, Feedback: []feedbackView{said, unsaid}, FeedbackTotal: 9, FeedbackHref: "/datasets/parking/feedback"}
	conditional := *ds
	conditional.Conditional, conditional.Readable, conditional.Sampled, conditional.Conditions = true, false, true, markdown(hostile)
	tomb := *ds
	tomb.Withdrawn, tomb.Release, tomb.Table = r, nil, nil
	return map[string][]any{
		"home": {homePage{}, homePage{frame: f, Sums: store.Stats{Datasets: 1234}, Try: []link{{Words: hostile, Href: "/x"}}, Themes: []themeCount{{Name: "n", Href: "/t", Count: 3, Counted: true}}, Newest: []newRelease{{Title: text, Href: "/d", Number: 1, Publisher: text, Date: "2026-11-22", Capacity: "c", Notes: hostile}}, Largest: res, Chart: drawBars(lang, d, r, tbl, &tbl.Profile.Columns[0], hostile), Curl: "https://p.example/x"}},
		"search": {searchPage{}, searchPage{frame: f, Text: hostile, Total: 1, Results: res, Spelling: hostile, Facets: []facetView{{Name: "n", facetLevel: facetLevel{Values: []facetValue{{Words: hostile, Href: "/x", Count: 2, Chosen: true, Below: facetLevel{Values: []facetValue{{Words: hostile, Href: "/y"}}}}}, More: []facetValue{{Words: hostile, Href: "/z"}}}},
			{Name: hostile, Charts: []histogram{{Name: hostile, Bars: []histogramBar{{Words: hostile, Href: "/b", Chosen: true, Slot: "0.00", SlotWidth: "120.00", X: "1.00", Y: "0.00", Width: "118.00", Height: "56.00", Label: hostile, LabelX: "60.00"}, {Words: hostile}}}}}}, Chosen: []link{{Words: hostile, Href: "/x"}}, ClearAll: "/x", Sorts: []link{{Words: "a", Href: "/a", Current: true}, {Words: "b", Href: "/b"}}, Pages: []link{{Words: "1", Current: true}, {Words: "2", Href: "/2"}}, Down: true}, searchPage{frame: f, Text: hostile, Nothing: &nothing{Meant: &link{Words: hostile, Href: "/x"}, How: hostile, Results: res, Total: 3, All: "/y", Request: "/request-data", Themes: []themeCount{{Name: hostile, Href: "/t", Count: 3}}}}, searchPage{frame: f, Nothing: &nothing{Request: "/request-data"}}},
		"request": {&requestPage{}, &requestPage{frame: f, Crumbs: []link{{Words: hostile}}, Form: wrongRequest, Action: "/request-data"}},
		"search-desk": {&searchDeskPage{}, &searchDeskPage{frame: f, Synonyms: hostile}, &searchDeskPage{frame: f, Crumbs: []link{{Words: hostile}}, Form: wrongRequest, Open: 1, Total: 2, Synonyms: hostile, Groups: 1, Version: 2, CanEdit: true, Orders: []link{{Words: "a", Href: "/a", Current: true}}, Empty: []emptySearchView{{catalog.EmptySearch{Text: hostile, Lang: "en", Times: 1000}, "/q", "2026", "2026"}},
			Requests: []requestView{{DataRequest: catalog.DataRequest{ID: "1", Contact: hostile, Searched: hostile, RowVersion: 1}, Lines: []string{hostile}, PurposeLines: []string{hostile}, Sent: "2026", Action: "/c"}, {DataRequest: catalog.DataRequest{ID: "2"}, Note: hostile, Closed: "2026"}}}},
		"dataset": {&datasetPage{Dataset: &catalog.Dataset{}}, ds, &conditional, &tomb},
		"explore": {&explorePage{Dataset: &catalog.Dataset{}, Release: &catalog.Release{}, Table: &catalog.Table{}}, &explorePage{frame: f, Dataset: d, Release: r, Table: tbl, Crumbs: []link{{Words: hostile}}, Publisher: hostile, Action: "/datasets/p/tables/t", Pin: "2", Conditions: []condition{{Field: hostile, Op: "=", Value: hostile, Label: hostile, Drop: "/d", Ops: options}}, Clause: hostile, Columns: options, Sorts: options, Filtered: true, Clear: "/c", Grid: g, Count: 3, Counted: true, Share: "1%", Files: []link{{Words: "CSV", Href: "/c", Note: "n"}}, RowsHref: "/r", Next: "/n", First: "/f", Form: bad, Where: hostile}},
		"table-api": {&tableAPIPage{Dataset: &catalog.Dataset{}, Release: &catalog.Release{}, Table: &catalog.Table{}}, &tableAPIPage{frame: f, Dataset: d, Release: r, Table: tbl, Crumbs: []link{{Words: hostile}}, Publisher: hostile, Conditional: true, Tables: []link{{Words: hostile, Href: "/a", Current: true}}, Action: "/datasets/p/tables/t/api", Pin: "2", Explorer: "/e", OpenAPI: "/o", Files: []apiFile{{"CSV", hostile, "https://p.example/x", "/x"}}, Others: []apiFile{{"rows", hostile, "https://p.example/r", "/r"}},
			Columns: []apiColumn{{Name: hostile, Zh: hostile, En: hostile, Type: "t", Wire: "w", Unit: hostile, Example: hostile, Ops: []string{"=", "is null"}, Functions: []string{"count"}}, {Name: "b"}}, MoreColumns: 3, Schema: "/s", Parameters: []apiParameter{{"where", "w", hostile, "/w"}, {Name: "count"}}, Query: url.Values{"where": {hostile}}, Formats: options, Located: true, Wrong: hostile,
			Tried: &tried{Address: hostile, Curl: hostile, Status: "200 OK", Headers: []header{{"A", hostile}}, Body: hostile, Indent: true, Cut: true}, Filter: hostile, Own: true, Snippets: snippets(whole(lang, "https://p.example", d, 2, tbl), question{}), Problem: hostile, ProblemHref: "/p"}},
		"joins":         {&joinPage{Dataset: &catalog.Dataset{}}, &joinPage{frame: f, Dataset: d, Crumbs: []link{{Words: hostile}}, Column: hostile, Type: "t", Why: hostile, Named: "/n"}, &joinPage{frame: f, Dataset: d, Crumbs: []link{{Words: hostile}}, Column: hostile, Type: "t", Compared: true, Distinct: 3, Named: "/n", Failed: hostile, Rows: []joinRow{{Title: text, Table: hostile, Href: "/d", Back: "/b", Column: hostile, Type: "t", SameName: true, Shared: "1", Of: joinShare{"1%", "1.0"}, In: joinShare{"2%", "2.0"}, Few: true, Exact: "/e", Counted: &exactOverlap{"1", "2%", "3%"}, SQL: hostile, Key: "1"}}}},
		"diff":          {&diffPage{Dataset: &catalog.Dataset{}}, &diffPage{frame: f, Dataset: d, Crumbs: []link{{Words: hostile}}, Heading: hostile, Keys: []link{{Words: hostile, Href: "/k"}}, Old: hostile, New: hostile, Draft: "/steward/drafts/1", Olds: options, News: options, Action: "/datasets/parking/diff", Tables: []diffTab{{Words: hostile, Href: "/a", Current: true}, {Words: "b", Href: "/b"}}, Table: hostile, Whole: hostile, Form: wrongKey, Summary: &diff.Summary{Rows: diff.RowCounts{Old: 1, New: 2}}, More: hostile, Notice: hostile, Columns: []diffColumn{{Change: diff.Added, Name: hostile, New: hostile, What: hostile}, {Change: diff.Removed, Name: hostile, Old: hostile}}, Kept: 3, Ranking: []diffRank{{hostile, 3, "50.00"}}, Kinds: []diffTab{{Words: hostile, Href: "/k", Current: true}}, Rows: []diffRow{{Change: diff.Changed, Place: hostile, Key: []diffCell{{Column: hostile, New: cell{Text: hostile}}}, Cells: []diffCell{{Column: hostile, Old: cell{Text: hostile, Full: hostile}, New: cell{Null: true}, HasOld: true, HasNew: true}}, Rest: 3}}, Files: []link{{Words: "CSV", Href: "/c"}, {Words: "XLSX", Href: "/x"}}, First: "/f", Next: "/n"}, &diffPage{frame: f, Dataset: d, Crumbs: []link{{Words: hostile}}, Heading: hostile, Keys: []link{{Words: hostile, Href: "/k"}}, Old: hostile, New: hostile, Draft: "/steward/drafts/1", Olds: options, News: options, Action: "/datasets/parking/diff", Tables: []diffTab{{Words: hostile, Href: "/a", Current: true}, {Words: "b", Href: "/b"}}, Table: hostile, Whole: hostile, Form: wrongKey, Summary: &diff.Summary{Key: []string{hostile}, Rows: diff.RowCounts{Old: 1, New: 2}}, More: hostile, Notice: hostile, Columns: []diffColumn{{Change: diff.Added, Name: hostile, New: hostile, What: hostile}, {Change: diff.Removed, Name: hostile, Old: hostile}}, Kept: 3, Ranking: []diffRank{{hostile, 3, "50.00"}}, Kinds: []diffTab{{Words: hostile, Href: "/k", Current: true}}, Rows: []diffRow{{Change: diff.Changed, Place: hostile, Key: []diffCell{{Column: hostile, New: cell{Text: hostile}}}, Cells: []diffCell{{Column: hostile, Old: cell{Text: hostile, Full: hostile}, New: cell{Null: true}, HasOld: true, HasNew: true}}, Rest: 3}}, Files: []link{{Words: "CSV", Href: "/c"}, {Words: "XLSX", Href: "/x"}}, First: "/f", Next: "/n"}},
		"organizations": {organizationsPage{}, organizationsPage{frame: f, Tree: []organizationNode{{Name: text, Href: "/o", Datasets: 2, Below: []organizationNode{{Name: text, Href: "/b"}}}}, Total: 2, CanImport: true}},
		"organization-list": {&organizationListPage{}, &organizationListPage{frame: f, Crumbs: []link{{Words: hostile}}, Form: bad, File: hostile, Ignored: []string{hostile, "x"}, Rows: []organizationRow{{3, true, "x", text, hostile, nil}, {4, false, "y", text, "", []string{hostile, "b"}}}, More: 2, Made: 1, Changed: 1, List: `{"` + hostile, Digest: "d"},
			&organizationListPage{frame: f, File: hostile, Wrong: 2, Problems: []problemRow{{"3", hostile, hostile, hostile}, {What: hostile}}}, &organizationListPage{frame: f, File: "x", Same: 3}},
		"organization":      {organizationPage{Organization: &catalog.Organization{}}, organizationPage{frame: f, Organization: &catalog.Organization{Name: text, Code: hostile, Region: hostile, Phone: hostile, Mail: hostile}, Crumbs: []link{{Words: hostile}}, About: hostile, Below: []organizationNode{{Name: text}}, Results: res, Total: 40, All: "/x", CanEdit: true, CanSee: true}},
		"organization-form": {&organizationFormPage{Organization: &catalog.Organization{}}, &organizationFormPage{frame: f, Crumbs: []link{{Words: hostile}}, Form: bad, New: true, Action: "/a", Parents: options}, &organizationFormPage{frame: f, Form: bad, Organization: &catalog.Organization{Slug: "x"}, RowVersion: "2"}},
		"members": {&membersPage{Organization: &catalog.Organization{}}, &membersPage{frame: f, Organization: &catalog.Organization{Slug: "x", Name: text}, Members: []memberRow{{Login: hostile, Name: hostile, Role: text}}},
			&membersPage{frame: f, Organization: &catalog.Organization{Slug: "x", Name: text}, Crumbs: []link{{Words: hostile}}, Edit: true, Form: bad, Invite: bad, Roles: options, InviteRoles: options, Days: options, Link: "http://p.example/invitation?key=" + hostile, LinkRole: text, LinkUntil: "2026",
				Members: []memberRow{{Login: hostile, Name: hostile, Role: text, Roles: options}}, Inherited: []memberRow{{Login: hostile, Name: hostile, Role: text, From: text, Href: "/o"}}, Invitations: []invitationRow{{ID: "i", Note: hostile, Role: text, Made: "2026", Until: "2026", By: hostile, State: text, Badge: "ok", Open: true}, {ID: "j", State: text}}}},
		"invitation": {&invitationPage{Invitation: &store.OpenInvitation{}}, &invitationPage{frame: f, Key: hostile, Invitation: &store.OpenInvitation{Organization: catalog.Organization{Name: text}, Inviter: hostile}, Role: text, RoleDoes: hostile, Until: "2026", Form: bad, SignIn: "/sign-in", OpenID: hostile, OpenIDHref: "/x"},
			&invitationPage{frame: frame{Lang: lang, Title: "x"}, Invitation: &store.OpenInvitation{Organization: catalog.Organization{Name: text}}, Form: bad, SignIn: "/sign-in", OpenID: hostile, OpenIDHref: "/x"}},
		"feedback-list": {&feedbackListPage{Dataset: &catalog.Dataset{}}, &feedbackListPage{frame: f, Dataset: d, Crumbs: []link{{Words: hostile}}, Filters: []link{{Words: "a", Href: "/a", Current: true}}, Rows: []feedbackView{said}, Total: 1, Next: "/n", Action: "/a", Form: wrongPlace, Release: 2, Places: []placeGroup{{Name: hostile, Choices: options}}, Many: true, Days: 5}},
		"feedback":      {&feedbackPage{Dataset: &catalog.Dataset{}, Item: feedbackView{Feedback: &catalog.Feedback{}}}, &feedbackPage{frame: f, Dataset: d, Crumbs: []link{{Words: hostile}}, Item: said, Contact: hostile, Personal: true, Answer: true, Action: "/a", Form: wrongAnswer, States: options, Releases: options, Version: 3}},
		"docs":          {docIndexPage{}, docIndexPage{frame: f, Index: []link{{Words: hostile, Href: "/x", Note: hostile}}}},
		"doc":           {docPage{}, docPage{frame: f, Doc: docText{Title: hostile, Body: "<p>x</p>", Parts: []link{{Words: hostile, Href: "#s1"}}}, Index: []link{{Words: "a", Href: "/a", Current: true}}}},
		"docs-errors":   {docErrorsPage{}, docErrorsPage{frame: f, All: []errorRow{{Code: "x", Kind: "invalid", What: hostile, Href: "/x", Status: 400}}}, docErrorsPage{frame: f, One: &errorRow{Code: "x", Status: 400}}},
		"docs-findings": {docFindingsPage{}, docFindingsPage{frame: f, Groups: []findingGroup{{Words: "w", Rows: []findingRow{{Code: "c", What: text, Hint: text}}}}}},
		"sign-in":       {&signInPage{}, &signInPage{frame: f, Form: bad, Back: hostile, OpenID: hostile, OpenIDHref: "/x"}},
		"account":       {&accountPage{}, &accountPage{frame: f, Login: hostile, Secret: "tht_" + hostile, Form: bad, Scopes: options, Days: options, Queries: 3000, FewerQueries: 600, OpenID: hostile, Identities: []identityRow{{hostile, hostile, "2026"}}, Keys: []keyRow{{ID: hostile, Name: hostile, Scope: text, Made: "2026", Expires: "2027", Used: "2026", State: text, Badge: "ok", Valid: true}, {Name: hostile}}}},
		"steward":       {stewardPage{}, stewardPage{frame: f, CanMake: true, Sums: []deskSum{{Words: "w", Figure: "94%", Hint: hostile, Href: "/x", Current: true}}, Sections: desk[:3]}, stewardPage{frame: f, Only: "due", Sections: desk[3:]}},
		"dataset-form":  {&datasetFormPage{}, &datasetFormPage{frame: f, Form: bad, New: true, Action: "/a", Organizations: options, Licences: options, Frequencies: options, Themes: options, Opens: options, Levels: options}, &datasetFormPage{frame: f, Form: bad, New: true, From: d}, &datasetFormPage{frame: f, Form: bad, Dataset: d, RowVersion: "3"}},
		"dictionary":    {&dictionaryPage{Dataset: &catalog.Dataset{}, Table: &catalog.Table{}, TitleZh: dictionaryCell{Name: "title_zh", Label: "a"}, TitleEn: dictionaryCell{Name: "title_en", Label: "b"}}, words, &conflict, &uploaded},
		"bulk":          {&bulkPage{}, &bulkPage{frame: f, Form: wrongBulk, Datasets: bulkRows, Licences: options, Frequencies: options, Themes: options}, &bulkPage{frame: f, Form: wrongBulk, Preview: true, Changing: 1, Datasets: bulkRows, Kept: []bulkValue{{"licence", hostile}}}},
		"upload":        {&uploadPage{Dataset: &catalog.Dataset{}}, &uploadPage{frame: f, Dataset: d, Form: bad, Action: "/a", Encodings: options, Separators: options, Drafts: []draftRow{{Href: "/d", State: catalog.Ready}}, Next: 2, Limit: "4 GB"}, &uploadPage{frame: f, Dataset: d, Form: newForm(url.Values{"like": {"latest"}})}},
		"log":           {&logPage{Dataset: &catalog.Dataset{}}, &logPage{frame: f, Dataset: d, Total: 3, Head: hostile, Newer: "/n", Older: "/o", Rows: []logRow{{Number: 3, At: at, What: hostile, Verb: hostile, Who: hostile, Draft: "/d", Facts: []logFact{{hostile, hostile}}}, {Number: 2}}}, &logPage{frame: f, Dataset: d, Broken: hostile}},
		"index-health":  {&indexPage{}, &indexPage{frame: f, State: hostile, Alerts: []indexAlert{{"bad", hostile, hostile}}, Sums: []deskSum{{Words: hostile, Figure: "1", Hint: hostile, Href: "/a"}}, Checks: []deskSum{{Words: hostile, Figure: "2"}}, Failed: []failedJob{{ID: "1", Dataset: "2", At: at, Attempts: 3, Why: hostile}, {ID: "2", Title: catalog.Text{Zh: hostile}, Href: "/d"}}}},
		"contract":      {&contractPage{Dataset: &catalog.Dataset{}, Draft: &catalog.Release{}, Table: &catalog.Table{}}, &contractPage{frame: f, Dataset: d, Draft: r, Table: tbl, Back: "/steward/drafts/1", Edit: true, More: 2, Form: bad, Columns: []contractColumn{{Name: hostile, Type: hostile, Key: true, Rules: catalog.Rules{Required: true, Unique: true, Minimum: hostile, Maximum: hostile, Pattern: hostile, Listed: true}, Codes: hostile, Ordered: true, Textual: true, Least: hostile, Greatest: hostile, Frequent: hostile, Wrong: hostile}, {Name: "b"}}}},
		"draft":         {&draftPage{Dataset: &catalog.Dataset{}, Draft: &catalog.Release{}}, dp},
		"error":         {errorPage{}, errorPage{frame: f, Status: 404, Heading: "h", Detail: hostile, Code: "not_found", Near: res, Typed: hostile, Back: "/b"}},
	}
}

func filledTable() *catalog.Table {
	mean := 3.5
	return &catalog.Table{Name: "main", Title: catalog.Text{Zh: hostile}, Rows: 100, ContentSHA256: strings.Repeat("ab", 32),
		Schema: catalog.Schema{Fields: []catalog.Field{{Name: "区县", Type: catalog.String}, {Name: hostile, Type: catalog.Number, Unit: hostile, Label: catalog.Text{Zh: hostile}}, {Name: "编号", Type: catalog.String}, {Name: "日期", Type: catalog.Date}}},
		Profile: &catalog.Profile{Rows: 100, Columns: []catalog.ColumnProfile{
			{Name: "区县", Distinct: 4, Exact: true, Top: []catalog.Count{{Value: hostile, Rows: 50}, {Value: "滨湖区", Rows: 30}, {Value: "", Rows: 5}}},
			{Name: hostile, Nulls: 3, Distinct: 90, Min: "0.5", Max: "9.25", Mean: &mean, Quantiles: []string{"1", "2", "3", "4", "5"}, Histogram: []catalog.HistBin{{From: "0", To: "5", Rows: 40}, {From: "5", To: "10", Rows: 57}}},
			{Name: "编号", Distinct: 100, Exact: true, MinLength: 8, MaxLength: 8},
			{Name: "日期", Nulls: 100},
		}}}
}

func TestEveryPageRendersEmptyAndFilledInBothLanguages(t *testing.T) {
	a, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := parseTemplates(a)
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"zh", "en"} {
		all := views(lang)
		for name, tmpl := range pages[lang] {
			if len(all[name]) == 0 {
				t.Errorf("page %s has no view in this test", name)
			}
			for i, v := range all[name] {
				var b bytes.Buffer
				if err := tmpl.ExecuteTemplate(&b, "layout", v); err != nil {
					t.Errorf("%s %s %d: %v", lang, name, i, err)
					continue
				}
				checkPage(t, lang+" "+name, b.String())
			}
		}
		for name := range all {
			if pages[lang][name] == nil {
				t.Errorf("page %s has no template", name)
			}
		}
	}
}

// checkPage holds a page to what the content policy and the reader need.
func checkPage(t *testing.T, name, page string) {
	t.Helper()
	if n := strings.Count(page, "<h1"); n != 1 {
		t.Errorf("%s has %d top headings, want 1", name, n)
	}
	if strings.Contains(page, "ZgotmplZ") {
		t.Errorf("%s: a value was refused by the template's escaper", name)
	}
	if at := strings.Index(page, "%!"); at >= 0 {
		t.Errorf("%s: a phrase and its arguments do not agree: %s", name, page[at:at+40])
	}
	ids, labels := map[string]bool{}, []string{}
	var open []string
	z := html.NewTokenizer(strings.NewReader(page))
	for kind := z.Next(); kind != html.ErrorToken; kind = z.Next() {
		token := z.Token()
		if kind == html.EndTagToken {
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Errorf("%s: </%s> closes %v", name, token.Data, open[max(0, len(open)-3):])
				return
			}
			open = open[:len(open)-1]
			continue
		}
		if kind == html.StartTagToken && !slices.Contains([]string{"meta", "link", "br", "input", "hr"}, token.Data) {
			open = append(open, token.Data)
		}
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		source := false
		for _, a := range token.Attr {
			source = source || a.Key == "src" || a.Key == "type" && a.Val == "application/ld+json" // data, which is never run
			switch {
			case strings.HasPrefix(a.Key, "on") || a.Key == "style":
				t.Errorf("%s: <%s %s> cannot work under the content policy", name, token.Data, a.Key)
			case a.Key == "href" && strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:"):
				t.Errorf("%s: a link runs a script: %s", name, a.Val)
			case a.Key == "id" && ids[a.Val]:
				t.Errorf("%s: id %s twice", name, a.Val)
			case a.Key == "id":
				ids[a.Val] = true
			case a.Key == "for":
				labels = append(labels, a.Val)
			}
		}
		if token.Data == "img" || token.Data == "style" || token.Data == "script" && !source {
			t.Errorf("%s: <%s> of a stranger or inline", name, token.Data)
		}
	}
	if len(open) > 0 {
		t.Errorf("%s: never closed: %v", name, open)
	}
	for _, l := range labels {
		if !ids[l] {
			t.Errorf("%s: label for %s names nothing", name, l)
		}
	}
}

// TestVoice holds the pages to the words of visual.md §6.
func TestVoice(t *testing.T) {
	entries, err := templateFiles.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := templateFiles.ReadFile("templates/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"敬请", "您", "！", " simply ", "Please", "please"} {
			if strings.Contains(string(b), word) {
				t.Errorf("%s says %q", e.Name(), word)
			}
		}
		// Chinese and Latin are parted by text-autospace, never by hand.
		for _, m := range regexp.MustCompile(`\{\{w "([^"]*)"`).FindAllStringSubmatch(string(b), -1) {
			if !strings.Contains(m[1], ">=") && regexp.MustCompile(`\p{Han} [A-Za-z0-9]|[A-Za-z0-9] \p{Han}`).MatchString(m[1]) {
				t.Errorf("%s: hand-made space in %q", e.Name(), m[1])
			}
		}
	}
}

func TestMarkdownIsSafe(t *testing.T) {
	for in, want := range map[string]string{
		"**粗** <b onclick=x>b</b>":       "<p><strong>粗</strong> b</p>",
		"[x](javascript:alert(1))":       "<p>x</p>",
		"[x](data:text/html,a)":          "<p>x</p>",
		"![i](https://e.example/i.png)":  "<p></p>",
		"一行\n又一行":                        "<p>一行又一行</p>",
		"# 大\n\n文":                       "<h3>大</h3>\n<p>文</p>",
		"<script>alert(1)</script>\n\nx": "<p>x</p>",
		"":                               "",
	} {
		if got := strings.TrimSpace(string(markdown(in))); got != want {
			t.Errorf("markdown(%q) = %q, want %q", in, got, want)
		}
	}
	if got := plainText("**粗** [连](http://e) &lt;x&gt;", 50); got != "粗 连 <x>" {
		t.Errorf("plainText: %q", got)
	}
}

func TestNumbersAndDates(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{number(int64(1234567)), "1,234,567"}, {number(-1000), "−1,000"}, {number(999), "999"},
		{percent(1, 3), "33%"}, {percent(1, 100000), "<0.1%"}, {percent(99999, 100000), ">99.9%"}, {percent(0, 5), "0%"}, {percent(5, 5), "100%"}, {percent(0, 0), "0%"},
		{size(18_600_000), "18.6 MB"}, {size(999), "999 B"}, {proseDate("zh", "2026-11-02"), "2026年11月2日"}, {proseDate("en", "2026-11"), "Nov 2026"}, {proseDate("zh", "2026"), "2026年"}, {proseDate("en", "spring"), "spring"},
		{sentence("zh", catalog.Errorf(catalog.Invalid, "x", "no good").InChinese("不行")), "不行。"}, {sentence("en", catalog.Errorf(catalog.Invalid, "x", "no good")), "No good."},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
	if got := marked("en", catalog.Text{Zh: "<b>"}); got != template.HTML(`<span lang="zh-CN">`+template.HTMLEscapeString("<b>")+`</span>`) {
		t.Errorf("marked: %s", got)
	}
}

func TestOwnPathNeverLeavesThePortal(t *testing.T) {
	for _, bad := range []string{"https://e.example", "//e.example", `/\e.example`, "/\texample", "javascript:x", ""} {
		if got := ownPath(bad, "/"); got != "/" {
			t.Errorf("ownPath(%q) = %q", bad, got)
		}
	}
	if got := ownPath("/en/steward?x=1", "/"); got != "/en/steward?x=1" {
		t.Errorf("own path lost: %q", got)
	}
}
