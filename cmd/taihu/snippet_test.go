package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"taihu/api"
	"taihu/api/client"
	"taihu/catalog"
	"taihu/catalog/sample"
)

// everyType has what goes wrong on the way into other tools: codes with zeros,
// nulls beside empty texts, exact numbers, moments, and texts and column names
// that every tool quotes in another way.
const everyType = `编号,"名称 ""甲"", 乙",备注,数量,单价,比例,日期,时刻,登记时间,开放
001,三阳广场,NA,417,12345678901234567.10,0.1,2026-11-01,08:30:00,2026-11-01 08:30:00,true
002,"it's ""$HOME"" \ ` + "`x`" + ` #(lf) 100%","",,0.00,2.5e-7,,,2026-11-02T23:59:59.25,false
003,"两
行",` + "\ttab" + `,-6,98765432109876543.21,-3.75,1899-12-31,23:59:59,,
004,null,,120,,,2026-02-28,,2026-11-04 00:00:00,true
`

const nested = `{"id":1,"what":{"a":[1,2,{"b":"中 \"x\""}]},"ratio":0.5}
{"id":2,"what":null,"ratio":1e300}
{"id":3,"what":{},"ratio":-0.25}
`

// snippetCase is a table and what is asked of it.
type snippetCase struct {
	path  string // of the table's API page
	query url.Values
}

var snippetCases = []snippetCase{
	{"every-type/tables/t", url.Values{"where": {`"名称 ""甲"", 乙" = 'it''s "$HOME" \ ` + "`x`" + ` #(lf) 100%' or 数量 > 100`}, "sort": {"-编号"}}},
	{"every-type/tables/t", url.Values{"select": {"编号,日期,登记时间,单价"}, "where": {"日期 >= '1899-12-31'"}}},
	{"back-street-projects/tables/projects", url.Values{"group": {"区县"}, "select": {"区县,count(*),avg(投资额) as mean,min(开工日期)"}, "having": {"count > 2"}, "sort": {"-count"}, "limit": {"4"}}},
	{"public-toilets/tables/toilets", url.Values{"near": {"120.28,31.53,9000"}, "q": {"公厕"}}},
	{"with-a-key/tables/lots", url.Values{"where": {"区县 = '梁溪区'"}}},
	{"every-type/tables/nested", url.Values{"sort": {"id"}}},
}

// snippetJob is one piece of code from a page and what it must read.
type snippetJob struct {
	name    string
	tool    string
	code    string
	columns []api.Column
	want    grid
}

// TestSnippets runs the code that the pages of tables show, as it stands there,
// over a portal with sample tables: every cell of every answer, and its type in
// the tool. Power Query has no interpreter here; api/web holds its structure.
func TestSnippets(t *testing.T) {
	t.Parallel()
	p := &lotPortal{server: start(t, "serve")}
	p.loadSamples(t, "back-street-projects", "public-toilets")
	p.publish("every-type", writeFile(t, "t.csv", everyType), writeFile(t, "nested.ndjson", nested))
	p.admin = p.token()
	p.client = client.New(p.URL, p.admin)
	conditional := editOf("with-a-key", "cgj")
	conditional.OpenAttribute, conditional.Conditions = catalog.Conditional, catalog.Text{Zh: "申请"}
	if _, err := p.client.CreateDataset(t.Context(), conditional); err != nil {
		t.Fatal(err)
	}
	p.release("with-a-key", "lots.csv", lots)
	snippetToken = p.admin
	jobs := map[string][]snippetJob{}
	for i, c := range snippetCases {
		whole := !slices.ContainsFunc(snippetCases[:i], func(d snippetCase) bool { return d.path == c.path })
		for tool, list := range p.snippetJobs(t, c, whole) {
			jobs[tool] = append(jobs[tool], list...)
		}
	}
	for _, r := range []struct {
		tool  string
		needs func() string // what is missing
		run   func(t *testing.T, dir string, jobs []snippetJob) []snippetAnswer
	}{
		{"curl", lacks("curl", "bash"), runCurl}, {"JavaScript", lacks("node"), runNode}, {"Go", lacks("go"), runGo}, {"R", lacks("Rscript"), runR},
		{"pandas", lacksModules("pandas", "pyarrow"), runPython}, {"polars", lacksModules("polars", "pyarrow"), runPython}, {"DuckDB", lacksModules("duckdb", "pyarrow"), runPython},
	} {
		t.Run(r.tool, func(t *testing.T) {
			if what := r.needs(); what != "" {
				if required(r.tool) {
					t.Fatalf("TAIHU_REQUIRE wants %s, and there is no %s", r.tool, what)
				}
				t.Skipf("SKIPPED: no %s; the snippets for %s were not run", what, r.tool)
			}
			if len(jobs[r.tool]) == 0 {
				t.Fatal("no page shows a snippet for it")
			}
			for i, got := range r.run(t, t.TempDir(), jobs[r.tool]) {
				got.check(t, r.tool, jobs[r.tool][i])
			}
		})
	}
	t.Run("OpenAPI", func(t *testing.T) { p.checkOpenAPI(t) })
}

// loadSamples publishes datasets of the sample portal.
func (p *lotPortal) loadSamples(t *testing.T, slugs ...string) {
	t.Helper()
	err := withStore(t.Context(), &Config{Data: p.Data, LogLevel: "error"}, discardLog, func(q *portal) error {
		if err := q.loadOrganizations(context.Background()); err != nil {
			return err
		}
		for _, d := range sample.Datasets() {
			if slices.Contains(slugs, d.Meta.Slug) {
				if _, err := q.loadDataset(context.Background(), d); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// snippetJobs reads the page of a case.
func (p *lotPortal) snippetJobs(t *testing.T, c snippetCase, whole bool) map[string][]snippetJob {
	t.Helper()
	slug, table, _ := strings.Cut(c.path, "/tables/")
	status, _, page := p.get("/en/datasets/"+c.path+"/api"+asked(c.query), bearerOf(p.admin)...)
	if status != 200 {
		t.Fatalf("%s: %d", c.path, status)
	}
	texts, tools := preTexts(t, string(page)), snippetTools(string(page))
	if len(tools) < 8 {
		t.Fatalf("%s shows %d tools: %v", c.path, len(tools), tools)
	}
	out := map[string][]snippetJob{}
	add := func(name, prefix string, q url.Values) {
		columns, want := p.answer(t, fmt.Sprintf("/data/%s/latest/%s", slug, table), q)
		for key, tool := range tools {
			if texts[prefix+key] == "" {
				t.Errorf("%s lacks %s%s", c.path, prefix, key)
			}
			out[tool] = append(out[tool], snippetJob{name, tool, texts[prefix+key], columns, want})
		}
	}
	if whole {
		add(c.path, "code", nil)
	}
	if c.query != nil {
		add(c.path+"?"+c.query.Encode(), "part", c.query)
	}
	return out
}

func asked(q url.Values) string {
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// answer is what the portal itself says of a query.
func (p *lotPortal) answer(t *testing.T, path string, q url.Values) ([]api.Column, grid) {
	t.Helper()
	var m api.Manifest
	status, _, body := p.get(path+".json.manifest.json"+asked(q), bearerOf(p.admin)...)
	if err := json.Unmarshal(body, &m); err != nil || status != 200 {
		t.Fatalf("%s: %d %v %s", path, status, err, body)
	}
	_, _, body = p.get(path+".json"+asked(q), bearerOf(p.admin)...)
	g := readJSON(t, body, true, m.Columns)
	if int64(len(g.rows)) != m.Rows || len(g.rows) == 0 {
		t.Fatalf("%s: %d rows, the manifest says %d", path, len(g.rows), m.Rows)
	}
	return m.Columns, g
}

// preTexts are the texts of <pre id=…> of a page, as a browser reads them.
func preTexts(t *testing.T, page string) map[string]string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "pre" {
			for _, a := range n.Attr {
				if a.Key == "id" && n.FirstChild != nil {
					texts[a.Val] = n.FirstChild.Data
				}
			}
		}
	}
	return texts
}

// snippetTools are the labels of the radio buttons by the key of their panel.
func snippetTools(page string) map[string]string {
	tools := map[string]string{}
	for _, part := range strings.Split(page, `name="tool" class="k`)[1:] {
		key, _, _ := strings.Cut(part, `"`)
		_, rest, _ := strings.Cut(part, "<span>")
		tools[key], _, _ = strings.Cut(rest, "</span>")
	}
	return tools
}

// snippetAnswer is what a tool read: values as JSON has them, and how the tool
// calls each column's type, where it says so.
type snippetAnswer struct {
	Names   []string `json:"names"`
	Types   []string `json:"types"`
	Columns [][]any  `json:"columns"`
}

// toolTypes are the tools' names for types; a prefix is enough.
var toolTypes = map[string]map[catalog.Type]string{
	"pandas": {catalog.String: "string", catalog.Integer: "int64[pyarrow]", catalog.Number: "double[pyarrow]", catalog.Decimal: "decimal128(", catalog.Date: "date32[day][pyarrow]", catalog.Time: "time64[us]", catalog.Datetime: "timestamp[us", catalog.Boolean: "bool[pyarrow]"},
	"polars": {catalog.String: "String", catalog.Integer: "Int64", catalog.Number: "Float64", catalog.Decimal: "Decimal(", catalog.Date: "Date", catalog.Time: "Time", catalog.Datetime: "Datetime(", catalog.Boolean: "Boolean"},
	"DuckDB": {catalog.String: "VARCHAR", catalog.Integer: "BIGINT", catalog.Number: "DOUBLE", catalog.Decimal: "DECIMAL(", catalog.Date: "DATE", catalog.Time: "TIME", catalog.Datetime: "TIMESTAMP", catalog.Boolean: "BOOLEAN"},
	"R":      {catalog.String: "character", catalog.Integer: "numeric", catalog.Number: "numeric", catalog.Decimal: "numeric", catalog.Date: "Date", catalog.Time: "character", catalog.Datetime: "POSIXct", catalog.Boolean: "logical"},
}

// check compares every cell and type.
func (a snippetAnswer) check(t *testing.T, tool string, job snippetJob) {
	t.Helper()
	if !slices.Equal(a.Names, job.want.names) {
		t.Errorf("%s: columns %q, want %q\n%s", job.name, a.Names, job.want.names, job.code)
		return
	}
	for i, c := range job.columns {
		if want, known := toolTypes[tool][c.Type]; known && !strings.HasPrefix(a.Types[i], want) {
			t.Errorf("%s: %s (%s) became %s, want %s", job.name, c.Name, c.Type, a.Types[i], want)
		}
		if len(a.Columns[i]) != len(job.want.rows) {
			t.Errorf("%s: %d rows, want %d\n%s", job.name, len(a.Columns[i]), len(job.want.rows), job.code)
			return
		}
		for n, got := range a.Columns[i] {
			if want := job.want.rows[n][i]; !sameCell(tool, c, got, want) {
				w := "null"
				if want != nil {
					w = *want
				}
				t.Errorf("%s: row %d, %s is %#v, want %q", job.name, n+1, c.Name, got, w)
				return
			}
		}
	}
}

// sameCell compares a tool's value with the portal's: numbers by value (exactly
// where the tool can), moments as instants.
func sameCell(tool string, c api.Column, got any, want *string) bool {
	if want != nil && *want == "" && tool == "R" {
		want = nil // base R cannot tell them apart
	}
	if got == nil || want == nil {
		return got == nil && want == nil
	}
	text := fmt.Sprint(got)
	switch c.Type {
	case catalog.Integer, catalog.Decimal, catalog.Number:
		if tool == "R" || tool == "JavaScript" || c.Type == catalog.Number {
			x, err := strconv.ParseFloat(text, 64)
			y, _ := strconv.ParseFloat(*want, 64)
			return err == nil && x == y
		}
		x, ok := new(big.Rat).SetString(text)
		y, _ := new(big.Rat).SetString(*want)
		return ok && x.Cmp(y) == 0
	case catalog.Date:
		return strings.TrimSuffix(text, "T00:00:00Z") == *want
	case catalog.Time:
		x, err := time.Parse("15:04:05.999999", text)
		y, _ := time.Parse("15:04:05.999999", *want)
		return err == nil && x.Equal(y)
	case catalog.Datetime:
		if tool == "JavaScript" && !strings.HasSuffix(text, "Z") {
			return false // a text, not a Date
		}
		y, _ := time.Parse(time.RFC3339Nano, *want)
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999-0700"} {
			if x, err := time.Parse(layout, text); err == nil {
				return x.Equal(y)
			}
		}
		return false
	case catalog.JSON:
		if _, is := got.(string); !is || tool == "JavaScript" || tool == "Go" {
			b, _ := json.Marshal(got)
			text = string(b)
		}
		var x, y any
		return json.Unmarshal([]byte(text), &x) == nil && json.Unmarshal([]byte(*want), &y) == nil && reflect.DeepEqual(x, y)
	}
	return text == *want
}

// lacks tells which of some programs is not on PATH.
func lacks(programs ...string) func() string {
	return func() string {
		for _, p := range programs {
			if _, err := exec.LookPath(p); err != nil {
				return p + " on PATH"
			}
		}
		return ""
	}
}

// python is the interpreter of the tests; its packages are for whoever runs them.
func python() string {
	if p := os.Getenv("TAIHU_PYTHON"); p != "" {
		return p
	}
	return "python3"
}

func lacksModules(modules ...string) func() string {
	return func() string {
		if out, err := exec.Command(python(), "-c", "import "+strings.Join(modules, ", ")).CombinedOutput(); err != nil {
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			return fmt.Sprintf("Python with %s (TAIHU_PYTHON; %v: %s)", strings.Join(modules, " and "), err, lines[len(lines)-1])
		}
		return ""
	}
}

// snippetToken is what the snippets have as TAIHU_TOKEN: that of TestSnippets.
var snippetToken string

// output runs a program in dir and returns what it printed.
func output(t *testing.T, dir string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "GOTOOLCHAIN=local", "GOFLAGS=", "no_proxy=*", "NO_PROXY=*", "TAIHU_TOKEN="+snippetToken)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, stderr.String())
	}
	return string(out)
}

func writeIn(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// fromRows turns rows of objects into columns.
func fromRows(t *testing.T, job snippetJob, text string) snippetAnswer {
	t.Helper()
	a := snippetAnswer{Names: job.want.names, Columns: make([][]any, len(job.want.names))}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var rows []map[string]any
	if err := dec.Decode(&rows); err != nil {
		t.Fatalf("%s: %v in %.300s", job.name, err, text)
	}
	for _, r := range rows {
		if len(r) != len(a.Names) {
			t.Fatalf("%s: a row has %d members, want %d", job.name, len(r), len(a.Names))
		}
		for i, n := range a.Names {
			a.Columns[i] = append(a.Columns[i], r[n])
		}
	}
	return a
}

func runCurl(t *testing.T, dir string, jobs []snippetJob) []snippetAnswer {
	out := make([]snippetAnswer, len(jobs))
	for i, job := range jobs {
		at := filepath.Join(dir, fmt.Sprint(i))
		writeIn(t, at, "snippet.sh", job.code+"\n")
		output(t, at, "bash", "-eu", "snippet.sh")
		output(t, at, "bash", "-eu", "snippet.sh") // again, as scripts are
		files, _ := filepath.Glob(filepath.Join(at, "*.csv"))
		if len(files) != 1 {
			t.Fatalf("%s left %v", job.name, files)
		}
		body, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		g := readCSV(t, body, ',', len(job.columns))
		out[i] = snippetAnswer{Names: g.names, Columns: make([][]any, len(g.names))}
		for _, row := range g.rows {
			for k, cell := range row {
				var v any
				if cell != nil {
					v = *cell
				}
				out[i].Columns[k] = append(out[i].Columns[k], v)
			}
		}
	}
	return out
}

// harnessNode loads every snippet as the module it is.
const harnessNode = `
import fs from "node:fs";
for (const file of process.argv.slice(2)) {
  let printed;
  console.log = (...words) => { printed = words; };
  const { rows } = await import(file);
  fs.writeFileSync(file.replace(/mjs$/, "json"), JSON.stringify({ printed, rows }));
}
`

func runNode(t *testing.T, dir string, jobs []snippetJob) []snippetAnswer {
	args := []string{writeIn(t, dir, "harness.mjs", harnessNode)}
	for i, job := range jobs {
		args = append(args, writeIn(t, dir, fmt.Sprintf("%d.mjs", i), job.code+"\nexport { rows };\n"))
	}
	output(t, dir, "node", args...)
	out := make([]snippetAnswer, len(jobs))
	for i, job := range jobs {
		body, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%d.json", i)))
		if err != nil {
			t.Fatal(err)
		}
		var said struct {
			Printed []any
			Rows    json.RawMessage
		}
		if err := json.Unmarshal(body, &said); err != nil || len(said.Printed) != 2 || said.Printed[0] != float64(len(job.want.rows)) {
			t.Errorf("%s: %v, prints %v, want %d first", job.name, err, said.Printed, len(job.want.rows))
		}
		out[i] = fromRows(t, job, string(said.Rows))
	}
	return out
}

// runGo builds all programs at once and runs each.
func runGo(t *testing.T, dir string, jobs []snippetJob) []snippetAnswer {
	writeIn(t, dir, "go.mod", "module snippets\n\ngo 1.22\n")
	for i, job := range jobs {
		const printing = "fmt.Println(len(rows))\n"
		if strings.Count(job.code, printing) != 1 {
			t.Fatalf("%s does not print how many rows it read:\n%s", job.name, job.code)
		}
		code := strings.Replace(job.code+"\n", printing, printing+"\ttext, err := json.Marshal(rows)\n\tif err != nil {\n\t\tlog.Fatal(err)\n\t}\n\tfmt.Println(string(text))\n", 1)
		writeIn(t, dir, fmt.Sprintf("s%d/main.go", i), code)
	}
	output(t, dir, "go", "build", "-ldflags=-s -w", "-o", "bin/", "./...")
	out := make([]snippetAnswer, len(jobs))
	for i, job := range jobs {
		count, rows, _ := strings.Cut(output(t, dir, filepath.Join(dir, "bin", fmt.Sprintf("s%d", i))), "\n")
		if count != fmt.Sprint(len(job.want.rows)) {
			t.Errorf("%s counts %s rows, want %d", job.name, count, len(job.want.rows))
		}
		out[i] = fromRows(t, job, rows)
	}
	return out
}

// readAnswers reads what the harnesses below wrote, one file for each job.
func readAnswers(t *testing.T, dir string, jobs []snippetJob) []snippetAnswer {
	t.Helper()
	out := make([]snippetAnswer, len(jobs))
	for i := range jobs {
		body, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%d.json", i)))
		if err != nil {
			t.Fatal(err)
		}
		dec := json.NewDecoder(strings.NewReader(string(body)))
		dec.UseNumber()
		if err := dec.Decode(&out[i]); err != nil {
			t.Fatalf("%v in %.300s", err, body)
		}
	}
	return out
}

const harnessR = `
text <- function(x) {
  x <- gsub("\\", "\\\\", x, fixed = TRUE)
  x <- gsub("\"", "\\\"", x, fixed = TRUE)
  x <- gsub("\n", "\\n", gsub("\r", "\\r", gsub("\t", "\\t", x, fixed = TRUE), fixed = TRUE), fixed = TRUE)
  paste0("\"", x, "\"")
}
values <- function(x) {
  s <- if (inherits(x, "POSIXct")) text(format(x, "%Y-%m-%dT%H:%M:%OS6%z"))
    else if (inherits(x, "Date")) text(format(x))
    else if (is.logical(x)) ifelse(x, "true", "false")
    else if (is.numeric(x)) sprintf("%.17g", x)
    else text(x)
  s[is.na(x)] <- "null"
  paste0("[", paste(s, collapse = ","), "]")
}
list <- function(x) paste0("[", paste(x, collapse = ","), "]")
for (file in commandArgs(TRUE)) {
  e <- new.env()
  sys.source(file, e)
  df <- e$df
  types <- vapply(df, function(x) class(x)[1], "")
  writeLines(paste0("{\"names\":", list(text(names(df))), ",\"types\":", list(text(types)), ",\"columns\":", list(vapply(df, values, "")), "}"),
    sub("R$", "json", file), useBytes = TRUE)
}
`

func runR(t *testing.T, dir string, jobs []snippetJob) []snippetAnswer {
	args := []string{"--vanilla", writeIn(t, dir, "harness.r", harnessR)}
	for i, job := range jobs {
		args = append(args, writeIn(t, dir, fmt.Sprintf("%d.R", i), job.code+"\n"))
	}
	output(t, dir, "Rscript", args...)
	return readAnswers(t, dir, jobs)
}

// harnessPython runs every snippet in its own namespace. DuckDB gets its httpfs
// extension from where it is installed or from the package of that name; where
// there is none, the file is fetched first, and that is said.
const harnessPython = `
import datetime, decimal, glob, json, os, re, sys, urllib.request

def cell(v):
    if v is None or isinstance(v, (bool, int, str)):
        return v
    if isinstance(v, float):
        return repr(v)
    if isinstance(v, datetime.datetime) and v.tzinfo is None:
        return v.isoformat() + "+08:00" # local, in the zone of the column
    if isinstance(v, (datetime.date, datetime.time)):
        return v.isoformat()
    return str(v)

def httpfs(con):
    try:
        con.execute("LOAD httpfs")
        return True
    except Exception:
        pass
    for folder in sys.path:
        for file in glob.glob(os.path.join(folder, "duckdb_extension_httpfs", "**", "*.duckdb_extension"), recursive=True):
            try:
                con.execute(f"INSTALL '{file}'")
                con.execute("LOAD httpfs")
                return True
            except Exception:
                pass
    return False

def duckdb(code, file):
    import duckdb
    code = code.replace("your key", os.environ["TAIHU_TOKEN"])
    con = duckdb.connect(config={"extension_directory": os.path.join(os.path.dirname(file), "extensions")})
    if not httpfs(con):
        print("fetched first")
        address = re.search(r"'(http[^']*)'", code).group(1)
        key = {"Authorization": "Bearer " + os.environ["TAIHU_TOKEN"]} if "CREATE SECRET" in code else {}
        with urllib.request.urlopen(urllib.request.Request(address, headers=key)) as f, open(file + ".parquet", "wb") as g:
            g.write(f.read())
        code = re.sub(r"CREATE SECRET[^;]*;", "", code)
        code = code.replace(address, file + ".parquet")
    answer = con.execute(code)
    return [str(d[1]) for d in answer.description], answer.to_arrow_table()

def run(tool, code, file):
    if tool == "DuckDB":
        return duckdb(code, file)
    names = {}
    exec(compile(code, file, "exec"), names)
    df = names["df"]
    if tool == "polars":
        return [str(t) for t in df.dtypes], df.to_arrow()
    import pyarrow
    return [str(t) for t in df.dtypes], pyarrow.Table.from_pandas(df, preserve_index=False)

for file in sys.argv[2:]:
    with open(file, encoding="utf-8") as f:
        types, table = run(sys.argv[1], f.read(), file)
    with open(file.replace(".code", ".json"), "w", encoding="utf-8") as f:
        json.dump({"names": table.column_names, "types": types, "columns": [[cell(v) for v in c.to_pylist()] for c in table.columns]}, f)
`

func runPython(t *testing.T, dir string, jobs []snippetJob) []snippetAnswer {
	args := []string{writeIn(t, dir, "harness.py", harnessPython), jobs[0].tool}
	for i, job := range jobs {
		args = append(args, writeIn(t, dir, fmt.Sprintf("%d.code", i), job.code))
	}
	if strings.Contains(output(t, dir, python(), args...), "fetched first") {
		t.Log("SKIPPED IN PART: DuckDB has no httpfs extension here (pip install duckdb-extension-httpfs of DuckDB's version), so its files were fetched first and the SQL run over them")
	}
	return readAnswers(t, dir, jobs)
}

// harnessOpenAPI holds documents to the specification, and the rows of the table
// to the schema of Row.
const harnessOpenAPI = `
import json, sys, urllib.request
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import validate

def get(address):
    with urllib.request.urlopen(address) as f:
        return json.load(f)

for address in sys.argv[1:]:
    doc = get(address)
    validate(doc)
    base = doc["servers"][0]["url"]
    data = next(p for p in doc["paths"] if p.startswith("/data/") and p.endswith("{format}"))
    rows = get(base + data.replace("{format}", "json"))
    row = Draft202012Validator({"$ref": "#/components/schemas/Row", "components": doc["components"]}, format_checker=FormatChecker())
    strict = Draft202012Validator({"$ref": "#/components/schemas/Row", "components": {"schemas": {"Row": dict(doc["components"]["schemas"]["Row"], additionalProperties=False)}}})
    for r in rows:
        row.validate(r)
        strict.validate(r)
    assert set(rows[0]) == set(doc["components"]["schemas"]["Row"]["x-columns"]), "columns"
    wrong = {name: [] for name in rows[0]}
    assert not row.is_valid(wrong), "a list is no value of any column"
    print(len(rows))
`

// checkOpenAPI holds the documents of tables to the specification of OpenAPI 3.1,
// and the tables to them.
func (p *lotPortal) checkOpenAPI(t *testing.T) {
	if what := lacksModules("openapi_spec_validator", "jsonschema")(); what != "" {
		if required("OpenAPI") {
			t.Fatal("TAIHU_REQUIRE wants OpenAPI, and there is no " + what)
		}
		t.Skipf("SKIPPED: no %s; the documents were not held to the specification", what)
	}
	args := []string{"-c", harnessOpenAPI}
	for _, path := range []string{"every-type/releases/latest/tables/t", "public-toilets/releases/1/tables/toilets", "back-street-projects/releases/1/tables/projects"} {
		args = append(args, p.URL+"/api/v1/datasets/"+path+"/openapi.json")
	}
	if counts := strings.Fields(output(t, t.TempDir(), python(), args...)); len(counts) != 3 || counts[0] != "4" {
		t.Errorf("rows of the tables: %v", counts)
	}
}
