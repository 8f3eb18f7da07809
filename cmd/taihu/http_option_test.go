package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestShapedDownloads: the parameters that shape a file work on whole tables, with
// lengths and ranges, and on filtered ones; each form has an ETag of its own.
func TestShapedDownloads(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	const at = "/data/open-lots/2/lots."
	const spreadsheet = "\ufeff编号,名称,区县,泊位数\r\n001,三阳广场,梁溪区,417\r\n002,崇安寺,梁溪区,6\r\n003,蠡湖公园,滨湖区,120\r\n004,甲;乙,滨湖区,33\r\n005,太湖广场,梁溪区,6\r\n006,新的,滨湖区,1\r\n"
	tags := map[string]string{}
	for _, c := range []struct{ address, want string }{
		{"csv", strings.ReplaceAll(lots, "\"", "") + "006,新的,滨湖区,1\n"},
		{"csv?spreadsheet=1", spreadsheet},
		{"csv?delimiter=;&null=NA&header=none&select=名称,泊位数&limit=4", "三阳广场;417\n崇安寺;6\n蠡湖公园;120\n\"甲;乙\";33\n"},
		{"csv?delimiter=;&header=none", "001;三阳广场;梁溪区;417\n002;崇安寺;梁溪区;6\n003;蠡湖公园;滨湖区;120\n004;\"甲;乙\";滨湖区;33\n005;太湖广场;梁溪区;6\n006;新的;滨湖区;1\n"},
		{"tsv?bom=1&newline=crlf&where=泊位数 > 100", "\ufeff编号\t名称\t区县\t泊位数\r\n001\t三阳广场\t梁溪区\t417\r\n003\t蠡湖公园\t滨湖区\t120\r\n"},
		{"json?shape=columns&select=编号,泊位数&sort=-泊位数&limit=2", "{\n\"编号\":[\"001\",\"003\"],\n\"泊位数\":[417,120]\n}\n"},
		{"json?shape=arrays&group=区县&select=区县,count(*) as n", "{\"columns\":[\"区县\",\"n\"],\n\"rows\":[\n[\"梁溪区\",3],\n[\"滨湖区\",3]\n]}\n"},
		{"json?shape=columns&group=区县&select=区县,count(*) as n,avg(泊位数) as a&sort=-a", "{\n\"区县\":[\"梁溪区\",\"滨湖区\"],\n\"n\":[3,3],\n\"a\":[143,51.333333333333336]\n}\n"},
		{"json?shape=columns", ""},
	} {
		status, header, body := p.send(t, scenario{path: at + c.address})
		if status != 200 || c.want != "" && body != c.want {
			t.Errorf("%s: %d %q", c.address, status, body)
		}
		tag := header.Get("ETag")
		if other := tags[tag]; other != "" || len(tag) != 66 {
			t.Errorf("%s and %s have the tag %s", c.address, other, tag)
		}
		tags[tag] = c.address
		status, header, _ = p.send(t, scenario{path: at + c.address, headers: []string{"If-None-Match", tag}})
		if status != http.StatusNotModified || header.Get("ETag") != tag {
			t.Errorf("%s: %d with its tag", c.address, status)
		}
	}
	var columns map[string][]any
	_, _, body := p.send(t, scenario{path: at + "json?shape=columns"})
	if err := json.Unmarshal([]byte(body), &columns); err != nil || len(columns) != 4 || len(columns["名称"]) != 6 {
		t.Errorf("%v: %s", err, body)
	}
	for _, same := range [][2]string{{"csv", "csv?delimiter=,&header=name&bom=0&newline=lf&spreadsheet=0"}, {"tsv", "tsv?delimiter=%09"}, {"csv?delimiter=tab", "csv?delimiter=%09"}, {"csv?spreadsheet=1", "csv?bom=1&spreadsheet=1&newline=crlf"}, {"json", "json?shape=objects"}} {
		_, one, a := p.send(t, scenario{raw: at + same[0]})
		_, two, b := p.send(t, scenario{raw: at + same[1]})
		if a != b || one.Get("ETag") != two.Get("ETag") {
			t.Errorf("%s and %s differ", same[0], same[1])
		}
	}
	kept := len(p.exports())
	for _, address := range []string{"csv?spreadsheet=1", "csv?delimiter=|&null=NA", "json?shape=arrays"} {
		_, header, whole := p.send(t, scenario{path: at + address})
		for _, c := range rangeScenarios(at+address, header.Get("ETag"), whole) {
			c.name = address + " " + c.name
			p.play(t, []scenario{c})
		}
	}
	// Each form is kept once, however often and in what parts it was asked for; the
	// first was kept before.
	eventually(t, "two more are kept", func() bool { return len(p.exports()) == kept+2 })
	var list []scenario
	for _, c := range []struct {
		address string
		parts   []string
	}{
		{"json?header=zh", []string{`"unknown_parameter"`, "header shapes csv and tsv", "shape"}},
		{"xlsx?spreadsheet=1", []string{`"unknown_parameter"`, `"formats":["csv","tsv"]`}},
		{"csv?shape=arrays", []string{`"unknown_parameter"`, `"formats":["json"]`, "delimiter"}},
		{"csv?delimeter=;", []string{`"unknown_parameter"`, `"nearest":"delimiter"`}},
		{"csv?header=zh&header=en", []string{`"repeated_parameter"`}},
		{"csv?null=", []string{`"bad_parameter"`}},
		{"csv?header=chinese", []string{`"bad_option"`, `"values":["name","zh","en","none"]`}},
		{"json?shape=array", []string{`"bad_option"`, `"nearest":"arrays"`}},
		{"csv?delimiter=ab", []string{`"bad_option"`, "one character"}},
		{"csv?null=NaN", []string{`"bad_option"`}},
		{"csv?spreadsheet=yes", []string{`"bad_option"`}},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			s := scenario{name: method + " " + c.address, method: method, path: at + c.address, status: 400, has: map[string]string{"Content-Type": problemType, "ETag": ""}}
			if method == "GET" {
				s.parts = c.parts
			}
			list = append(list, s)
		}
	}
	p.play(t, list)
	_, _, page := p.send(t, scenario{path: "/datasets/open-lots"})
	if !strings.Contains(page, `href="`+at+`csv?spreadsheet=1"`) || !strings.Contains(page, `href="`+at+`tsv"`) || strings.Contains(page, "lots.geojson") {
		t.Error("the page does not name the other formats that its table can have")
	}
	t.Run("too many columns", func(t *testing.T) {
		names, row := make([]string, 101), make([]string, 101)
		for i := range names {
			names[i], row[i] = fmt.Sprintf("c%d", i), "1"
		}
		p.release("open-lots", "wide.csv", strings.Join(names, ",")+"\n"+strings.Join(row, ",")+"\n")
		p.play(t, []scenario{
			{name: "422", path: "/data/open-lots/3/wide.json?shape=columns", status: 422, parts: []string{`"shape_limit"`, "shape=arrays"}},
			{name: "fewer", path: "/data/open-lots/3/wide.json?shape=columns&select=c1,c2", status: 200, parts: []string{`"c1":[1]`}},
		})
	})
}
