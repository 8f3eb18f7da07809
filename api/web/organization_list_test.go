package web

import (
	"bytes"
	"context"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"taihu/catalog"
	"taihu/catalog/ingest"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

// readLists is the reader of lists, here without the child around it.
func readLists(t *testing.T) func(context.Context, string, io.Reader) (*catalog.OrganizationList, []catalog.LineProblem, error) {
	return func(ctx context.Context, name string, r io.Reader) (*catalog.OrganizationList, []catalog.LineProblem, error) {
		content, err := io.ReadAll(r)
		must(t, err)
		path := filepath.Join(t.TempDir(), "list")
		must(t, os.WriteFile(path, content, 0o600))
		result, err := ingest.Run(ctx, ingest.Request{Path: path, Name: name, OutDir: t.TempDir(), Rows: catalog.MaxOrganizationLines + 1}, nil)
		if err != nil {
			return nil, nil, err
		}
		list, problems := ingest.OrganizationsOf(&result)
		return list, problems, nil
	}
}

// postParts sends a form of text fields as multipart.
func (p *portal) postParts(path string, fields map[string]string, status int) string {
	p.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for k, v := range fields {
		must(p.t, m.WriteField(k, v))
	}
	must(p.t, m.Close())
	r := httptest.NewRequest(http.MethodPost, path, &b)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return p.do(r, status)
}

// hiddenFields are the hidden inputs of a page.
func hiddenFields(page string) map[string]string {
	out := map[string]string{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`).FindAllStringSubmatch(page, -1) {
		out[m[1]] = html.UnescapeString(m[2])
	}
	return out
}

// TestImportOrganizationsOnThePage: the site admin uploads a list, sees what it
// would do, and does it; nobody else can.
func TestImportOrganizationsOnThePage(t *testing.T) {
	p := newPortal(t)
	p.site.ReadOrganizations = readLists(t)
	const at = "/steward/organization-list"
	if to := p.get(at, 303); to != "/sign-in?back=%2Fsteward%2Forganization-list" {
		t.Errorf("nobody is led to %s", to)
	}
	_, err := p.db.CreateUser(t.Context(), catalog.SystemActor, store.NewUser{Login: "chief"})
	must(t, err)
	must(t, p.db.SetMembership(t.Context(), catalog.SystemActor, "chief", "cgj", catalog.Admin))
	chief, err := p.db.UserByLogin(t.Context(), "chief")
	must(t, err)
	p.actor, err = p.db.ActorOf(t.Context(), chief.ID)
	must(t, err)
	p.get(at, 403)
	p.upload(at, nil, "a.csv", storetest.CityCSV(), 403)
	p.postParts(at+"/take", map[string]string{"list": "{}", "digest": "x"}, 403)
	if strings.Contains(p.get("/organizations", 200), at) {
		t.Error("an organization's admin is shown the import")
	}

	p.actor = p.admin()
	wants(t, p.get("/en/organizations", 200), `href="/en`+at+`"`)
	wants(t, p.get("/en"+at, 200), "See what it would do")
	wants(t, p.postParts(at, nil, 422), `href="#file"`)
	wants(t, p.upload(at, nil, "名单.pdf", "%PDF-1.7", 422), "1处问题")
	page := p.upload("/en"+at, nil, "a.csv", "code,name,parent\nxxx,<b>X</b>,nobody\nY Y,Y,\n", 422)
	wants(t, page, "2 problems", "Row 3", "Row 2", "nobody", "cannot be an address", `action="/en/steward/organization-list"`)
	if strings.Contains(page, "/take") {
		t.Error("a list with problems can be taken")
	}

	page = p.upload(at, nil, `C:\Users\x\名单.csv`, storetest.CityCSV(), 200)
	wants(t, page, "<dd>511</dd>", "名单.csv", "第40街道", "street-40")
	fields := hiddenFields(page)
	rows, err := p.db.Organizations(t.Context())
	must(t, err)
	if len(rows) != 1 {
		t.Fatalf("the preview made %d organizations", len(rows)-1)
	}
	must(t, p.db.CreateOrganization(t.Context(), catalog.SystemActor, &catalog.Organization{Slug: "shi-01", Name: catalog.Text{Zh: "别的局"}}))
	page = p.postParts(at+"/take", fields, 412)
	wants(t, page, "重新看一遍预览", "<dd>510</dd>", "<dd>1</dd>")
	if to := p.postParts("/en"+at+"/take", hiddenFields(page), 303); to != "/en/organizations?done=organizations-imported" {
		t.Errorf("led to %s", to)
	}
	if rows, err = p.db.Organizations(t.Context()); err != nil || len(rows) != 512 {
		t.Errorf("%d organizations, %v", len(rows), err)
	}
	wants(t, p.get("/organizations?done=organizations-imported", 200), "机构已导入", "/organizations/community-122")
	wants(t, p.upload(at, nil, "名单.csv", storetest.CityCSV(), 200), "没有要改的", "<dd>511</dd>")
	p.postParts(at+"/take", map[string]string{"list": "no json", "digest": "x"}, 400)
	p.postParts(at+"/take", map[string]string{"list": "{}"}, 400)
}
