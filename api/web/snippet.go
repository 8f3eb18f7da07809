package web

import (
	"encoding/json"
	"fmt"
	"go/format"
	"net/url"
	"regexp"
	"strings"

	"taihu/catalog"
	"taihu/catalog/table"
)

// snippet reads a table in one tool: whole, and the part that a query selects.
// Addresses are pinned to the release, so that a script reads the same next year.
type snippet struct {
	Tool, Key  string
	Code, Part string
	Note       string
}

// question is what a snippet asks: a table of a release, and a query or nothing.
type question struct {
	lang   string
	base   string // of the portal
	slug   string
	number int
	table  *catalog.Table
	params table.Params
	fields []catalog.Field // of the answer
	groups bool            // whose rows are groups
	key    bool            // data are for those with a key
}

// whole asks for all of t.
func whole(lang, base string, d *catalog.Dataset, number int, t *catalog.Table) question {
	return question{lang: lang, base: base, slug: d.Slug, number: number, table: t, fields: t.Schema.Fields, key: d.OpenAttribute != catalog.Unconditional}
}

// part asks for what p selects; an error where p is no query of the table.
func (q question) part(p table.Params) (question, error) {
	query, err := table.Parse(p)
	if err != nil {
		return q, err
	}
	plan, err := query.Check(&q.table.Schema)
	if err != nil {
		return q, err
	}
	q.params, q.groups, q.fields = query.Canonical(), plan.Group != nil, make([]catalog.Field, len(plan.Columns))
	for i, c := range plan.Columns {
		q.fields[i] = plan.Field(c)
	}
	return q, nil
}

// tools are the snippets in the order of the page. Their keys are the classes of
// the panels.
var tools = []struct {
	name  string
	write func(question) string
	note  catalog.Text
}{
	{"curl", question.curl, catalog.Text{}},
	{"pandas", question.pandas, catalog.Text{Zh: "需要pandas与pyarrow。编码列仍是文本，日期、定点小数与空值保持原样。", En: "Needs pandas and pyarrow. Codes stay text; dates, decimals and nulls are kept."}},
	{"R", question.r, catalog.Text{Zh: "只用R自带的函数。CSV里的空文本与空值在R里都成为NA。", En: "Base R alone. Empty texts and nulls of the CSV both become NA."}},
	{"DuckDB", question.duckdb, catalog.Text{Zh: "需要httpfs扩展，DuckDB第一次用时自动安装。", En: "Needs the httpfs extension, which DuckDB installs by itself when first used."}},
	{"JavaScript", question.javascript, catalog.Text{Zh: "Node 18以上、Deno，文件名以.mjs结尾；公开的数据在浏览器里也可用，可跨域。", En: "Node 18 or later, Deno; name the file .mjs. Open data also in browsers, from any origin."}},
	{"polars", question.polars, catalog.Text{Zh: "只需要polars。整张表可改用scan_parquet，只取用到的列。", En: "Needs polars alone. For a whole table scan_parquet reads only the columns used."}},
	{"Go", question.golang, catalog.Text{Zh: "只用标准库；逐行读，不会把回答整个放进内存两遍。", En: "The standard library alone; reads row by row."}},
	{"Power Query", question.powerQuery, catalog.Text{Zh: "Excel：数据→获取数据→其他来源→空白查询→高级编辑器，粘贴后选“匿名”访问。Power BI相同。", En: "Excel: Data, Get Data, Other Sources, Blank Query, Advanced Editor; paste, then choose Anonymous access. Power BI is alike."}},
}

// snippets writes q in every tool, and beside it what p selects.
func snippets(q, part question) []snippet {
	out := make([]snippet, len(tools))
	for i, t := range tools {
		out[i] = snippet{Tool: t.name, Key: fmt.Sprint(i + 1), Code: t.write(q), Note: t.note.In(q.lang)}
		if part.params != (table.Params{}) {
			out[i].Part = t.write(part)
		}
	}
	return out
}

func (q question) address(format string) string {
	return q.base + dataPath(q.slug, q.number, q.table.Name, format)
}

func (q question) filtered() bool { return q.params != (table.Params{}) }

// pairs are the parameters in their canonical order.
func (q question) pairs() [][2]string {
	var out [][2]string
	v := valuesOf(q.params)
	for _, name := range table.Parameters {
		if v.Has(name) {
			out = append(out, [2]string{name, v.Get(name)})
		}
	}
	return out
}

// valuesOf are the parameters of p as they stand in an address.
func valuesOf(p table.Params) url.Values {
	v := url.Values{}
	for name, text := range map[string]string{"where": p.Where, "q": p.Q, "bbox": p.Bbox, "near": p.Near, "group": p.Group, "select": p.Select, "having": p.Having, "sort": p.Sort} {
		if text != "" {
			v.Set(name, text)
		}
	}
	if p.Limit > 0 {
		v.Set("limit", fmt.Sprint(p.Limit))
	}
	return v
}

// of returns the names of the answer's columns of some types.
func (q question) of(types ...catalog.Type) []string {
	var out []string
	for _, f := range q.fields {
		for _, t := range types {
			if f.Type == t {
				out = append(out, f.Name)
			}
		}
	}
	return out
}

// quoted is s as a literal of JSON, which Python, JavaScript and R read as well.
func quoted(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always can
	return strings.TrimSuffix(b.String(), "\n")
}

func quotedList(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = quoted(n)
	}
	return strings.Join(out, ", ")
}

func (q question) curl() string {
	key := ""
	if q.key {
		key = ` -H "Authorization: Bearer $TAIHU_TOKEN"`
	}
	if !q.filtered() {
		return fmt.Sprintf("curl -fLO%s \"%s\"\n# ", key, q.address("csv")) + phrase(q.lang, "断了就加上 -C - 再运行，从断处接着取", "where it broke off, run it again with -C - to go on from there")
	}
	return fmt.Sprintf("curl -fG%s \"%s\" -o %s-part.csv", key, q.address("csv"), q.table.Name) + q.urlencoded()
}

// urlencoded are curl's arguments for the parameters.
func (q question) urlencoded() string {
	s := ""
	for _, p := range q.pairs() {
		s += " \\\n  --data-urlencode " + shellQuote(p[0]+"="+p[1])
	}
	return s
}

// shellQuote quotes for a POSIX shell: in double quotes where that is plain to
// read, else in single ones.
func shellQuote(s string) string {
	if !strings.ContainsAny(s, "\"$`\\!") {
		return `"` + s + `"`
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// pythonAddress is the line that makes the address of the Parquet.
func (q question) pythonAddress() string {
	if !q.filtered() {
		return "address = " + quoted(q.address("parquet")) + "\n"
	}
	s := "address = " + quoted(q.address("parquet")+"?") + " + urlencode({\n"
	for _, p := range q.pairs() {
		s += "    " + quoted(p[0]) + ": " + quoted(p[1]) + ",\n"
	}
	return s + "})\n"
}

// zoneWords say in which zone a Parquet's moments are, which it does not tell by
// itself; comment begins the line.
func (q question) zoneWords(comment string) string {
	names := q.of(catalog.Datetime)
	if len(names) == 0 {
		return ""
	}
	zone := catalog.DefaultZone
	for _, f := range q.fields {
		if f.Type == catalog.Datetime && f.Zone != "" {
			zone = f.Zone
			break
		}
	}
	return comment + " " + phrase(q.lang, "%s是当地时间（%s）", "%s: local time (%s)", strings.Join(strings.Fields(strings.Join(names, ", ")), " "), zone) + "\n"
}

func (q question) pandas() string {
	imports, more := "", ""
	if q.key {
		imports += "import os\n"
		more = ",\n                     storage_options={\"Authorization\": \"Bearer \" + os.environ[\"TAIHU_TOKEN\"]}"
	}
	if q.filtered() {
		imports += "from urllib.parse import urlencode\n"
	}
	if imports != "" {
		imports += "\n"
	}
	return imports + "import pandas as pd\n\n" + q.pythonAddress() + q.zoneWords("#") + "df = pd.read_parquet(address, dtype_backend=\"pyarrow\"" + more + ")"
}

func (q question) polars() string {
	imports, source := "", "address"
	if q.key {
		imports = "import os\nfrom urllib.request import Request, urlopen\n"
		source = "urlopen(Request(address, headers={\n    \"Authorization\": \"Bearer \" + os.environ[\"TAIHU_TOKEN\"],\n})).read()"
	}
	if q.filtered() {
		imports += "from urllib.parse import urlencode\n"
	}
	if imports != "" {
		imports += "\n"
	}
	return imports + "import polars as pl\n\n" + q.pythonAddress() + q.zoneWords("#") + "df = pl.read_parquet(" + source + ")"
}

func (q question) duckdb() string {
	s := ""
	if q.key {
		s = "CREATE SECRET (TYPE http, BEARER_TOKEN '" + phrase(q.lang, "你的密钥", "your key") + "');\n\n"
	}
	s += q.zoneWords("--")
	if !q.filtered() {
		return s + fmt.Sprintf("SELECT *\nFROM read_parquet('%s');", q.address("parquet"))
	}
	for _, p := range q.pairs() {
		s += "-- " + p[0] + "=" + strings.Join(strings.Fields(p[1]), " ") + "\n"
	}
	return s + fmt.Sprintf("SELECT *\nFROM read_parquet('%s?%s');", q.address("parquet"), valuesOf(q.params).Encode())
}

// r reads every column as text and turns those that are not into their type, so
// that codes keep their zeros.
func (q question) r() string {
	var b strings.Builder
	if q.filtered() {
		b.WriteString("query <- c(\n")
		for i, p := range q.pairs() {
			if i > 0 {
				b.WriteString(",\n")
			}
			b.WriteString("  " + p[0] + " = " + quoted(p[1]))
		}
		fmt.Fprintf(&b, "\n)\naddress <- paste0(%s,\n  paste0(names(query), \"=\", URLencode(query, reserved = TRUE), collapse = \"&\"))\n", quoted(q.address("csv")+"?"))
	} else {
		fmt.Fprintf(&b, "address <- %s\n", quoted(q.address("csv")))
	}
	source := "address"
	if q.key {
		source = "url(address, headers = c(Authorization = paste(\"Bearer\", Sys.getenv(\"TAIHU_TOKEN\"))))"
	}
	fmt.Fprintf(&b, "df <- read.csv(%s, colClasses = \"character\", na.strings = \"\",\n  check.names = FALSE, encoding = \"UTF-8\")", source)
	each := func(names []string, convert string) {
		if len(names) > 0 {
			fmt.Fprintf(&b, "\nfor (name in c(%s))\n  df[[name]] <- %s", quotedList(names), convert)
		}
	}
	each(q.of(catalog.Integer, catalog.Decimal, catalog.Number), "as.numeric(df[[name]])")
	each(q.of(catalog.Boolean), "as.logical(df[[name]])")
	each(q.of(catalog.Date), "as.Date(df[[name]])")
	// %z takes no colon before R 4.3.
	each(q.of(catalog.Datetime), "as.POSIXct(sub(\":([0-9]{2})$\", \"\\\\1\", sub(\"Z$\", \"+00:00\", df[[name]])),\n    format = \"%Y-%m-%dT%H:%M:%OS%z\", tz = "+quoted(q.olsonZone())+")")
	return b.String()
}

// olsonZone is the zone of the first datetime in the words of the zone database,
// whose Etc zones count westward.
func (q question) olsonZone() string {
	for _, f := range q.fields {
		if f.Type != catalog.Datetime || len(f.Zone) != len("+08:00") || f.Zone[3:] != ":00" || f.Zone[1:3] == "00" {
			continue
		}
		sign := "-"
		if f.Zone[0] == '-' {
			sign = "+"
		}
		return "Etc/GMT" + sign + strings.TrimPrefix(f.Zone[1:3], "0")
	}
	return "UTC"
}

func (q question) javascript() string {
	var b strings.Builder
	if q.filtered() {
		b.WriteString("const query = new URLSearchParams({\n")
		for _, p := range q.pairs() {
			b.WriteString("  " + p[0] + ": " + quoted(p[1]) + ",\n")
		}
		fmt.Fprintf(&b, "});\nconst response = await fetch(%s + query", quoted(q.address("json")+"?"))
	} else {
		fmt.Fprintf(&b, "const response = await fetch(%s", quoted(q.address("json")))
	}
	if q.key {
		b.WriteString(", {\n  headers: { Authorization: `Bearer ${process.env.TAIHU_TOKEN}` },\n}")
	}
	b.WriteString(");\nif (!response.ok) throw new Error(await response.text());\nconst rows = await response.json();")
	if names := q.of(catalog.Datetime); len(names) > 0 {
		fmt.Fprintf(&b, "\nfor (const row of rows) {\n  for (const name of [%s]) {\n    if (row[name] !== null) row[name] = new Date(row[name]);\n  }\n}", quotedList(names))
	}
	if q.beyondDoubles() {
		b.WriteString("\n// " + phrase(q.lang, "超过15位的数字在JavaScript里会失去末几位；要精确请取CSV。", "JavaScript rounds numbers of more than 15 digits; take the CSV where they must be exact."))
	}
	b.WriteString("\nconsole.log(rows.length, rows[0]);")
	return b.String()
}

// beyondDoubles reports whether the answer may hold exact numbers that a double
// cannot.
func (q question) beyondDoubles() bool {
	for _, f := range q.fields {
		p := q.profile(f.Name)
		switch {
		case f.Type == catalog.Decimal && f.Precision > 15 && p == nil:
			return true
		case (f.Type == catalog.Decimal || f.Type == catalog.Integer) && p != nil && (len(strings.Trim(p.Min, "-.")) > 16 || len(strings.Trim(p.Max, "-.")) > 16):
			return true
		}
	}
	return false
}

// profile is what is known of a column; nil for what only a query makes.
func (q question) profile(name string) *catalog.ColumnProfile {
	if q.groups || q.table.Profile == nil {
		return nil
	}
	for i := range q.table.Profile.Columns {
		if p := &q.table.Profile.Columns[i]; p.Name == name {
			return p
		}
	}
	return nil
}

var (
	goName  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
	jsonTag = regexp.MustCompile(`^[\p{L}\p{Nd}!#$%&()*+./:;<=>?@\[\]^_{|}~ -]+$`) // what encoding/json takes as a name
)

// golang reads NDJSON into a struct, or into maps where a column's name can
// stand in no tag.
func (q question) golang() string {
	var b strings.Builder
	fields, date := q.goFields()
	imports := []string{"encoding/json", "errors", "fmt", "io", "log", "net/http"}
	if q.filtered() {
		imports = append(imports, "net/url")
	}
	if q.key {
		imports = append(imports, "os")
	}
	if strings.Contains(fields, "time.Time") || date {
		imports = append(imports, "time")
	}
	b.WriteString("package main\n\nimport (\n\"" + strings.Join(imports, "\"\n\"") + "\"\n)\n\n")
	if fields != "" {
		b.WriteString("type Row struct {\n" + fields + "}\n\n")
	} else {
		b.WriteString("type Row map[string]any\n\n")
	}
	if date {
		b.WriteString("type Date struct{ time.Time }\n\nfunc (d *Date) UnmarshalJSON(b []byte) (err error) {\nd.Time, err = time.Parse(`\"2006-01-02\"`, string(b))\nreturn err\n}\n\n")
	}
	b.WriteString("func main() {\n")
	address := quoted(q.address("ndjson"))
	if q.filtered() {
		b.WriteString("query := url.Values{\n")
		for _, p := range q.pairs() {
			b.WriteString(fmt.Sprintf("%q: {%s},\n", p[0], quoted(p[1])))
		}
		b.WriteString("}\n")
		address = quoted(q.address("ndjson")+"?") + " + query.Encode()"
	}
	if q.key {
		b.WriteString("request, err := http.NewRequest(http.MethodGet, " + address + ", nil)\nif err != nil {\nlog.Fatal(err)\n}\nrequest.Header.Set(\"Authorization\", \"Bearer \"+os.Getenv(\"TAIHU_TOKEN\"))\nresponse, err := http.DefaultClient.Do(request)\n")
	} else {
		b.WriteString("response, err := http.Get(" + address + ")\n")
	}
	b.WriteString("if err != nil {\nlog.Fatal(err)\n}\ndefer response.Body.Close()\nif response.StatusCode != http.StatusOK {\nlog.Fatal(response.Status)\n}\nvar rows []Row\nlines := json.NewDecoder(response.Body)\n")
	if fields == "" {
		b.WriteString("lines.UseNumber()\n")
	}
	b.WriteString("for {\nvar row Row\nerr := lines.Decode(&row)\nif errors.Is(err, io.EOF) {\nbreak\n}\nif err != nil {\nlog.Fatal(err)\n}\nrows = append(rows, row)\n}\nfmt.Println(len(rows))\n}\n")
	code, err := format.Source([]byte(b.String()))
	if err != nil {
		return b.String() // a test holds that this cannot be
	}
	return strings.TrimSuffix(string(code), "\n")
}

// goFields are the members of Row; empty where a name can stand in no tag. date
// says that one is a Date.
func (q question) goFields() (members string, date bool) {
	var b strings.Builder
	taken := map[string]bool{}
	for i, f := range q.fields {
		if !jsonTag.MatchString(f.Name) || f.Name == "-" {
			return "", false
		}
		name := f.Latin
		if name == "" {
			name = f.Name
		}
		if !goName.MatchString(name) {
			name = fmt.Sprintf("C%d", i+1)
		}
		parts := strings.Split(name, "_")
		for k, p := range parts {
			if p != "" {
				parts[k] = strings.ToUpper(p[:1]) + p[1:]
			}
		}
		if name = strings.Join(parts, ""); taken[name] {
			name = fmt.Sprintf("%s_%d", name, i+1)
		}
		taken[name] = true
		kind := map[catalog.Type]string{catalog.Boolean: "bool", catalog.Integer: "int64", catalog.Decimal: "json.Number", catalog.Number: "float64",
			catalog.Date: "Date", catalog.Datetime: "time.Time", catalog.JSON: "json.RawMessage"}[f.Type]
		if kind == "" {
			kind = "string"
		}
		p := q.profile(f.Name)
		switch {
		case f.Type == catalog.Number && p != nil && (notFinite(p.Min) || notFinite(p.Max)):
			kind = "any"
		case (p == nil || p.Nulls > 0) && f.Name != catalog.RowNumber && f.Type != catalog.JSON:
			kind = "*" + kind
		}
		date = date || f.Type == catalog.Date
		fmt.Fprintf(&b, "%s %s `json:\"%s\"`", name, kind, f.Name)
		if f.Unit != "" {
			b.WriteString(" // " + strings.Join(strings.Fields(f.Unit), " "))
		}
		b.WriteString("\n")
	}
	return b.String(), date
}

// notFinite reports whether a number is written as a text in JSON.
func notFinite(s string) bool { return s == "NaN" || strings.HasSuffix(s, "Infinity") }

// mTypes are Power Query's types; what is not among them is text.
var mTypes = map[catalog.Type]string{catalog.Boolean: "type logical", catalog.Integer: "Int64.Type", catalog.Decimal: "type number", catalog.Number: "type number",
	catalog.Date: "type date", catalog.Time: "type time", catalog.Datetime: "type datetimezone"}

// mText is s as a text of M, in which #( begins an escape.
func mText(s string) string {
	return `"` + strings.NewReplacer(`"`, `""`, "#(", "#(#)(", "\r", "#(cr)", "\n", "#(lf)", "\t", "#(tab)").Replace(s) + `"`
}

func (q question) powerQuery() string {
	var b strings.Builder
	fmt.Fprintf(&b, "let\n    Source = Csv.Document(\n        Web.Contents(%s, [\n            RelativePath = %s", mText(q.base), mText(strings.TrimPrefix(dataPath(q.slug, q.number, q.table.Name, "csv"), "/")))
	if q.filtered() {
		b.WriteString(",\n            Query = [")
		for i, p := range q.pairs() {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(p[0] + " = " + mText(p[1]))
		}
		b.WriteString("]")
	}
	if q.key {
		b.WriteString(",\n            Headers = [Authorization = \"Bearer " + phrase(q.lang, "你的密钥", "your key") + "\"]")
	}
	fmt.Fprintf(&b, "\n        ]),\n        [Delimiter = \",\", Columns = %d, Encoding = 65001, QuoteStyle = QuoteStyle.Csv]),\n", len(q.fields))
	b.WriteString("    Named = Table.PromoteHeaders(Source, [PromoteAllScalars = true]),\n    Nulls = Table.ReplaceValue(Named, \"\", null, Replacer.ReplaceValue, Table.ColumnNames(Named)),\n    Typed = Table.TransformColumnTypes(Nulls, {")
	for i, f := range q.fields {
		kind := mTypes[f.Type]
		if kind == "" {
			kind = "type text"
		}
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, "\n        {%s, %s}", mText(f.Name), kind)
	}
	b.WriteString("\n    }, \"en-US\")\nin\n    Typed")
	return b.String()
}
