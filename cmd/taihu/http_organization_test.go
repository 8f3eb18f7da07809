package main

import (
	"bytes"
	"encoding/json"
	"html"
	"mime/multipart"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"taihu/catalog"
	"taihu/catalog/store/storetest"
)

// cityBook writes the 511 publishers as a workbook.
func cityBook(t *testing.T) string {
	t.Helper()
	book := excelize.NewFile()
	for i, row := range append([][]string{storetest.CityHeaders}, storetest.City()...) {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			t.Fatal(err)
		}
		if err := book.SetSheetRow("Sheet1", cell, &row); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "机构名单.xlsx")
	if err := book.SaveAs(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOrganizationImportCommand: 511 publishers from one workbook, well within a
// minute; once more they change nothing; a list with a fault changes nothing either.
func TestOrganizationImportCommand(t *testing.T) {
	t.Parallel()
	s := start(t, "serve")
	list := cityBook(t)
	if out, code := s.command("organization", "import", list, "--dry-run"); code != 0 || !strings.HasSuffix(out, "would make 511, change 0 and leave 0 as they are\n") {
		t.Fatalf("%d: %.300s", code, out)
	}
	if out, _ := s.command("organization", "list"); out != "" {
		t.Fatalf("a dry run left %q", out)
	}
	began := time.Now()
	out, code := s.command("organization", "import", list)
	t.Logf("511 organizations from XLSX, the child included: %v", time.Since(began).Round(time.Millisecond))
	if code != 0 || !strings.HasSuffix(out, "511 made, 0 changed, 0 as they were\n") || !strings.Contains(out, "makes community-122 第122社区: 机构名称, 上级机构, 类别\n") {
		t.Fatalf("%d: %.300s", code, out)
	}
	if out, code := s.command("organization", "import", list); code != 0 || out != "0 made, 0 changed, 511 as they were\n" {
		t.Errorf("once more: %d: %.300s", code, out)
	}
	out, _ = s.command("organization", "list")
	if !strings.Contains(out, "shi\t市政府\t市级机关\n") || !strings.Contains(out, "\n      community-122\t第122社区\t社区\n") || strings.Count(out, "\n") != 511 {
		t.Errorf("the tree is %.400s", out)
	}

	faults := writeFile(t, "faults.csv", "code,name,parent,remark\nshi,市政府,shi-01,\nnew-one,,nobody,x\nnew-one,Y,,\n")
	out, code = s.command("organization", "import", faults)
	want := "columns not read: remark\nrow 2, parent, \"shi-01\": This makes a circle: shi → shi-01 → shi.\nrow 3, name: The name is missing: give it in Chinese, English or both.\n" +
		"row 3, parent, \"nobody\": There is no organization \"nobody\", neither in the list nor on the portal.\nrow 4, code, \"new-one\": The code \"new-one\" stands in row 3 already.\n4 problems; nothing was changed\n"
	if code != exitRefused || out != want {
		t.Errorf("%d: got\n%s\nwant\n%s", code, out, want)
	}
	out, code = s.command("organization", "import", writeFile(t, "x.csv", ""), "--json")
	var plan catalog.OrganizationPlan
	if err := json.Unmarshal([]byte(out), &plan); err != nil || code != exitRefused || len(plan.Problems) != 1 {
		t.Errorf("%d: %v %s", code, err, out)
	}
}

// TestOrganizationImportOverHTTP: the site admin's browser sends the workbook, a
// child reads it, the preview is taken; a session alone is not enough from
// elsewhere.
func TestOrganizationImportOverHTTP(t *testing.T) {
	t.Parallel()
	p := startLots(t)
	session := p.signIn(t)
	cookie := []string{"Cookie", session.Name + "=" + session.Value}
	form := func(fields map[string]string, name, content string) (string, string) {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		for k, v := range fields {
			_ = m.WriteField(k, v)
		}
		if name != "" {
			w, _ := m.CreateFormFile("file", name)
			_, _ = w.Write([]byte(content))
		}
		_ = m.Close()
		return m.FormDataContentType(), b.String()
	}
	const at = "/steward/organization-list"
	media, body := form(nil, "list.csv", storetest.CityCSV())
	began := time.Now()
	status, _, page := p.send(t, scenario{method: "POST", path: at, headers: with(cookie, "Content-Type", media, "Origin", p.URL, "Accept", "text/html"), body: body})
	if status != 200 || !strings.Contains(page, "<dd>511</dd>") {
		t.Fatalf("%d %.600s", status, page)
	}
	fields := map[string]string{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`).FindAllStringSubmatch(page, -1) {
		fields[m[1]] = html.UnescapeString(m[2])
	}
	media, body = form(fields, "", "")
	p.play(t, []scenario{
		{name: "from elsewhere", method: "POST", path: at + "/take", headers: with(cookie, "Content-Type", media, "Sec-Fetch-Site", "cross-site"), body: body, status: 403},
		{name: "by a steward", method: "POST", path: at + "/take", headers: with(bearerOf(p.own), "Content-Type", media), body: body, status: 403},
		{name: "by a key that reads", path: at, headers: with(bearerOf(p.own), "Accept", "text/html"), status: 403},
		{name: "taken", method: "POST", path: at + "/take", headers: with(cookie, "Content-Type", media, "Origin", p.URL), body: body, status: 303, has: map[string]string{"Location": "/organizations?done=organizations-imported"}},
		{name: "there", path: "/api/v1/organizations/community-122", status: 200, parts: []string{`"parent":"street-40"`, `"category":"社区"`}},
	})
	t.Logf("511 organizations by upload, preview and taking: %v", time.Since(began).Round(time.Millisecond))
}
