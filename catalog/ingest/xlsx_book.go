package ingest

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/xuri/excelize/v2"
)

// workbook is what the cells of a workbook need to be understood: its sheets,
// what each style makes of a number, the date system and the shared strings.
type workbook struct {
	zip      *archive
	sheets   []workSheet
	forms    []cellForm // by style index; empty where there are no styles
	date1904 bool
	strings  *sharedStrings
	stringsN string // name of the shared strings part, loaded when first needed
}

// workSheet is one worksheet in the order of its tabs.
type workSheet struct {
	name   string
	hidden bool   // hidden or very hidden
	part   string // name of its part
}

// relation is an entry of a .rels part.
type relation struct{ kind, target string }

// openWorkbook reads everything but cells.
func openWorkbook(zip *archive) (*workbook, error) {
	main, err := mainPart(zip)
	if err != nil {
		return nil, err
	}
	rels, err := relations(zip, relsOf(main))
	if err != nil {
		return nil, err
	}
	var styles string
	b := &workbook{zip: zip}
	for _, r := range rels {
		switch r.kind {
		case "styles":
			styles = r.target
		case "sharedStrings":
			b.stringsN = r.target
		}
	}
	book, err := openExcelize(zip, main, styles)
	if err != nil {
		return nil, err
	}
	return b, errors.Join(b.take(book, rels), book.Close())
}

// take copies what is needed out of excelize's workbook.
func (b *workbook) take(book *excelize.File, rels map[string]relation) error {
	wb := book.WorkBook
	if wb == nil {
		return refuse("malformed_xlsx", "工作簿没有内容", "the workbook part is empty")
	}
	b.date1904 = wb.WorkbookPr != nil && wb.WorkbookPr.Date1904
	seen := map[string]bool{}
	for _, s := range wb.Sheets.Sheet {
		r, ok := rels[s.ID]
		if ok && r.kind != "worksheet" {
			continue // a chart, dialogue or macro sheet has no cells
		}
		if !ok || b.zip.parts[strings.ToLower(r.target)] == nil {
			return refuse("malformed_xlsx", "工作表 %q 的内容缺失", "the content of sheet %q is missing", shorten(s.Name))
		}
		if seen[s.Name] {
			return refuse("malformed_xlsx", "有两个名为 %q 的工作表", "two sheets are called %q", shorten(s.Name))
		}
		seen[s.Name] = true
		b.sheets = append(b.sheets, workSheet{name: s.Name, hidden: s.State == "hidden" || s.State == "veryHidden", part: r.target})
	}
	if book.Styles == nil || book.Styles.CellXfs == nil {
		return nil
	}
	custom := map[int]string{}
	if book.Styles.NumFmts != nil {
		for _, f := range book.Styles.NumFmts.NumFmt {
			if f != nil {
				custom[f.NumFmtID] = f.FormatCode
			}
		}
	}
	for _, xf := range book.Styles.CellXfs.Xf {
		form := showsNumber
		if xf.NumFmtID != nil {
			if code, ok := custom[*xf.NumFmtID]; ok {
				form = formOf(code)
			} else {
				form = builtinForms[*xf.NumFmtID]
			}
		}
		b.forms = append(b.forms, form)
	}
	return nil
}

// openExcelize opens a workbook made of the workbook part and the styles alone,
// under their usual names. excelize reads every part of what it is given into
// memory, sheets included, so it is given no more than it shall read. What it
// cannot take, or panics at, is malformed.
func openExcelize(zip *archive, main, styles string) (f *excelize.File, err error) {
	small, err := smallBook(zip, main, styles)
	if err != nil {
		return nil, err
	}
	defer func() {
		if p := recover(); p != nil {
			err = refuse("malformed_xlsx", "工作簿的目录或样式无法读取", "the workbook part or the styles cannot be read")
		}
	}()
	f, err = excelize.OpenReader(bytes.NewReader(small), excelize.Options{
		UnzipSizeLimit: 3 * maxSmallPart, UnzipXMLSizeLimit: maxSmallPart,
	})
	if err != nil {
		return nil, refuse("malformed_xlsx", "工作簿的目录或样式无法读取：%v", "the workbook part or the styles cannot be read: %v", err)
	}
	return f, nil
}

func smallBook(a *archive, main, styles string) ([]byte, error) {
	const rel = `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/%s" Target="%s"/></Relationships>`
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	put := func(name string, b []byte) error {
		if b == nil {
			return nil
		}
		e, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err == nil {
			_, err = e.Write(b)
		}
		return err
	}
	workbook, err := a.bytes(main)
	if err != nil {
		return nil, err
	}
	style, err := a.bytes(styles)
	if err != nil {
		return nil, err
	}
	for _, p := range []struct {
		name string
		body []byte
	}{
		{"[Content_Types].xml", []byte(`<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`)},
		{"_rels/.rels", fmt.Appendf(nil, rel, "officeDocument", "xl/workbook.xml")},
		{"xl/_rels/workbook.xml.rels", fmt.Appendf(nil, rel, "styles", "styles.xml")},
		{"xl/workbook.xml", workbook},
		{"xl/styles.xml", style},
	} {
		if err := put(p.name, p.body); err != nil {
			return nil, fmt.Errorf("make a small workbook: %w", err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("make a small workbook: %w", err)
	}
	return out.Bytes(), nil
}

// mainPart finds the workbook part.
func mainPart(zip *archive) (string, error) {
	rels, err := relations(zip, "_rels/.rels")
	if err != nil {
		return "", err
	}
	for _, r := range rels {
		if r.kind != "officeDocument" {
			continue
		}
		if strings.HasSuffix(strings.ToLower(r.target), ".bin") {
			return "", refuse("unsupported", "这是二进制 Excel 工作簿（.xlsb）", "this is a binary Excel workbook (.xlsb)")
		}
		if zip.parts[strings.ToLower(r.target)] != nil {
			return r.target, nil
		}
	}
	if zip.parts["xl/workbook.xml"] != nil {
		return "xl/workbook.xml", nil
	}
	if zip.parts["content.xml"] != nil && zip.parts["mimetype"] != nil {
		return "", refuse("unsupported", "这是 OpenDocument 文件（.ods）", "this is an OpenDocument file (.ods)")
	}
	return "", refuse("malformed_xlsx", "压缩包内没有工作簿", "the archive holds no workbook")
}

func relsOf(part string) string {
	dir, file := path.Split(part)
	return dir + "_rels/" + file + ".rels"
}

// relations reads a .rels part; targets are resolved to names of parts, and a
// kind is the last word of its address. Links to the outside are left out.
func relations(zip *archive, name string) (map[string]relation, error) {
	out := map[string]relation{}
	b, err := zip.bytes(name)
	if err != nil || b == nil {
		return out, err
	}
	base := path.Dir(path.Dir(name))
	tok := newXMLTokens(bytes.NewReader(b))
	for {
		kind, err := tok.next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, refusePart(name, err)
		}
		if kind != startTag || string(tok.name) != "Relationship" {
			continue
		}
		id, rel, target, mode := tok.attrText("Id"), tok.attrText("Type"), tok.attrText("Target"), tok.attrText("TargetMode")
		if mode == "External" {
			continue
		}
		if !strings.HasPrefix(target, "/") {
			target = path.Join(base, target)
		}
		out[id] = relation{kind: path.Base(rel), target: strings.TrimPrefix(path.Clean("/"+target), "/")}
	}
}

// attrText returns an attribute with its references resolved, empty where it is
// missing or broken.
func (t *xmlTokens) attrText(name string) string {
	raw, _ := t.attr(name)
	b, err := appendText(nil, raw, false)
	if err != nil {
		return ""
	}
	return string(b)
}

// refusePart turns an error met while reading a part into a verdict, and leaves
// alone what is none.
func refusePart(part string, err error) error {
	var r *Refusal
	var s *syntaxError
	switch {
	case errors.As(err, &r):
		return r
	case errors.As(err, &s):
		return refuse("malformed_xlsx", "%q 不是合格的 XML：%s", "%q is not well-formed XML: %s", shorten(part), s.what)
	case errors.Is(err, errDoctype):
		return refuse("malformed_xlsx", "%q 含有 DOCTYPE 声明，表格文件不应有", "%q holds a DOCTYPE declaration, which no workbook needs", shorten(part))
	}
	return refuse("malformed_xlsx", "压缩包内的 %q 已损坏：%v", "%q in the archive is damaged: %v", shorten(part), err)
}
