package ingest

import (
	"errors"
	"io"
	"slices"
	"strings"

	"taihu/catalog"
)

// What a workbook carries beside the cells that are read is in its original file:
// hidden sheets, rows and columns, comments, properties, caches. Each is to be
// settled: left out, and with it the original, or accepted with a reason.

// decided returns what was decided about a finding, or "".
func decided(list []catalog.Settlement, code, table, column string) catalog.Measure {
	for i := range list {
		if list[i].Covers(code, table, column) {
			return list[i].Measure
		}
	}
	return ""
}

// tellHidden reports something hidden: to be settled, or that it is left out.
func (in *Input) tellHidden(f catalog.Finding) {
	if decided(in.Options.Settled, f.Code, f.Table, "") == catalog.Drop {
		n := found("hidden_left_out", "已按决定去掉（%[1]s）；原始文件不公开。", "Left out as decided (%[1]s); the original file is not published.", f.Code)
		n.Table, n.Value, n.Count = f.Table, f.Value, f.Count
		f = n
	}
	in.Findings.Add(f)
}

// tellContent reports what a workbook carries besides cells.
func (s *xlsxSource) tellContent() {
	kinds := []struct{ part, zh, en string }{
		{"xl/vbaproject.bin", "宏", "macros"}, {"xl/externallinks/", "外部链接", "links to other files"},
		{"xl/pivotcache/", "数据透视表缓存", "pivot caches"}, {"xl/embeddings/", "嵌入的文件", "embedded files"}, {"xl/media/", "图片", "pictures"},
		{"xl/connections.xml", "数据连接", "data connections"}, {"customxml/", "自定义 XML", "custom XML"},
	}
	var zh, en []string
	for _, k := range kinds {
		for name := range s.zip.parts {
			if strings.HasPrefix(name, k.part) && !slices.Contains(en, k.en) {
				zh, en = append(zh, k.zh), append(en, k.en)
			}
		}
	}
	if len(s.zip.nested) > 0 && !slices.Contains(en, "embedded files") {
		zh, en = append(zh, "嵌入的文件"), append(en, "embedded files")
	}
	if len(en) > 0 {
		f := found("hidden_content", "", "")
		f.Message = catalog.Text{Zh: "文件带有" + strings.Join(zh, "、") + "：未读入，但仍在原始文件中。",
			En: "The file carries " + strings.Join(en, ", ") + ": not read, but in the original file."}
		s.in.tellHidden(f)
	}
	s.tellComments()
	s.tellProperties()
}

// tellComments counts the comments and names the cells of the first.
func (s *xlsxSource) tellComments() {
	var names []string
	for name := range s.zip.parts {
		if strings.HasPrefix(name, "xl/comments") || strings.HasPrefix(name, "xl/threadedcomments/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var legacy, threaded int64 // a thread has a legacy twin
	var cells []string
	for _, name := range names {
		whole := s.eachToken(name, func(tok *xmlTokens, kind tokenKind) {
			tag := string(tok.name)
			if kind != startTag || tag != "comment" && tag != "threadedComment" {
				return
			}
			if legacy++; tag == "threadedComment" {
				legacy--
				threaded++
			}
			if ref := tok.attrText("ref"); len(cells) < maxAgainst && !slices.Contains(cells, ref) {
				cells = append(cells, ref)
			}
		})
		if !whole { // what cannot be read may hold anything
			legacy++
		}
	}
	if n := max(legacy, threaded); n > 0 {
		f := found("comments", "有 %d 条批注：未读入，但仍在原始文件中。", "There are %d comments: not read, but in the original file.", n)
		f.Count, f.Value = n, strings.Join(cells, " ")
		s.in.tellHidden(f)
	}
}

// eachToken reads a part that is not needed for the tables, if it is there, and
// reports whether it could be read to its end.
func (s *xlsxSource) eachToken(part string, f func(*xmlTokens, tokenKind)) (whole bool) {
	r, err := s.zip.open(part)
	if err != nil {
		return false
	}
	if r == nil {
		return true
	}
	defer r.Close()
	tok := newXMLTokens(r)
	for {
		kind, err := tok.next()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		f(tok, kind)
	}
}

// personProperties are the document properties that name a person or an office.
var personProperties = map[string]bool{"creator": true, "lastModifiedBy": true, "Manager": true, "Company": true}

// tellProperties reports document properties that say who made the file, and
// those of its maker's own.
func (s *xlsxSource) tellProperties() {
	var said []string
	for _, part := range []string{"docProps/core.xml", "docProps/app.xml", "docProps/custom.xml"} {
		name := ""
		whole := s.eachToken(part, func(tok *xmlTokens, kind tokenKind) {
			switch kind {
			case startTag:
				if name = string(tok.name); name == "property" {
					said = append(said, tok.attrText("name"))
				}
			case endTag:
				name = ""
			default:
				text, err := appendText(nil, tok.text, false)
				if t := strings.TrimSpace(string(text)); err == nil && personProperties[name] && t != "" && !isProgram(t) {
					said = append(said, name+"="+t)
				}
			}
		})
		if !whole {
			said = append(said, part)
		}
	}
	if len(said) > 0 {
		f := found("document_properties", "", "")
		f.Count, f.Value = int64(len(said)), strings.Join(said, "; ")
		s.in.tellHidden(f)
	}
}

// isProgram tells what programs write of themselves from names of people.
func isProgram(name string) bool {
	name = strings.ToLower(name)
	for _, p := range []string{"openpyxl", "xuri", "excelize", "apache poi", "xlsxwriter", "microsoft", "wps", "libreoffice", "openoffice", "sheetjs", "phpexcel",
		"phpspreadsheet", "easyexcel", "aspose", "pandas", "unknown", "administrator", "admin", "user", "windows user", "hp", "lenovo", "dell", "china", "root", "test"} {
		if name == p || strings.HasPrefix(name, p+" ") {
			return true
		}
	}
	return false
}
