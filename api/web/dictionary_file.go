package web

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/export"
	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/table"
)

// dictionaryColumn is one column of a dictionary as a file. Files may call it by its
// name in either language, and leave out any but the first.
type dictionaryColumn struct{ key, zh, en string }

// dictionaryColumns are the columns in order. Type is there to be read; version says of
// which words the file was made, and stands in its first row.
var dictionaryColumns = []dictionaryColumn{
	{"column", "字段", "column"}, {"type", "类型", "type"}, {"label_zh", "标签", "label_zh"}, {"label_en", "英文标签", "label_en"}, {"unit", "单位", "unit"},
	{"about_zh", "说明", "description_zh"}, {"about_en", "英文说明", "description_en"}, {"key", "主键", "key"}, {"version", "版本", "version"},
}

// dictionaryFile serves the dictionary of a draft's table to be edited elsewhere.
func (s *Site) dictionaryFile(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	name, ext, _ := strings.Cut(c.Param("file"), ".")
	format, ok := export.FormatByExt(ext)
	if !ok || name != "dictionary" || ext != "xlsx" && ext != "csv" {
		return catalog.Errorf(catalog.NotFound, "not_found", "there is nothing at this address").InChinese("这个地址没有内容")
	}
	_, _, t, err := s.draftTableAsked(c, actor)
	if err != nil {
		return err
	}
	lang := "zh"
	if c.Query("lang") == "en" {
		lang = "en"
	}
	var b bytes.Buffer
	if err := writeDictionary(&b, format.Name, lang, t); err != nil {
		return fmt.Errorf("dictionary of %s: %w", t.Name, err)
	}
	c.Header("Content-Disposition", `attachment; filename="`+t.Name+"-dictionary."+format.Ext+`"`)
	c.Header("Cache-Control", "private, no-store")
	c.Data(http.StatusOK, format.MediaType, b.Bytes())
	return nil
}

// writeDictionary encodes the dictionary. CSV is written for spreadsheets, which take a
// header such as =1+1 for a formula.
func writeDictionary(w io.Writer, format, lang string, t *catalog.Table) error {
	m := export.Meta{Title: catalog.Text{Zh: "字段表：" + t.Name, En: "Dictionary: " + t.Name}, Table: "dictionary", Lang: lang, Options: export.Options{Spreadsheet: format == "csv"}}
	batch := &table.Batch{Len: len(t.Schema.Fields), Columns: make([]table.Vector, len(dictionaryColumns))}
	for i, col := range dictionaryColumns {
		m.Fields = append(m.Fields, catalog.Field{Name: phrase(lang, col.zh, col.en), Type: catalog.String})
		batch.Columns[i].Type = catalog.String
	}
	for i := range t.Schema.Fields {
		f := &t.Schema.Fields[i]
		key, version := "", ""
		if slices.Contains(t.Schema.Key, f.Name) {
			key = phrase(lang, "是", "yes")
		}
		if i == 0 {
			version = wordsVersion(t)
		}
		row := append(append([]string{f.Name, typeWords[f.Type].In(lang)}, wordsOf(f)...), key, version)
		for k, v := range row {
			batch.Columns[k].Text = append(batch.Columns[k].Text, v)
			batch.Columns[k].Null = append(batch.Columns[k].Null, v == "")
		}
	}
	enc, err := export.New(format, w, m)
	if err != nil {
		return err
	}
	if err := enc.Write(batch); err != nil {
		return err
	}
	return enc.Close()
}

// uploadDictionary takes an edited file. Its words are shown in the grid, marked where
// they differ, and saved there; those of tables wider than one page of the grid are saved
// at once.
func (s *Site) uploadDictionary(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	d, r, t, err := s.draftTableAsked(c, actor) // before the file is read
	if err != nil {
		return err
	}
	if err := catalog.Can(actor, catalog.EditDraft, catalog.ObjectOf(d)); err != nil {
		return err
	}
	again := func(err error) error {
		kind := catalog.KindOf(err)
		if kind != catalog.Invalid && kind != catalog.Unprocessable && kind != catalog.TooLarge {
			return err
		}
		v := s.dictionaryView(c, actor, d, r, t, 1, tableWords{})
		v.Form.refuse("file", sentence(v.Lang, err))
		return s.render(c, handle.Status(kind), "dictionary", v)
	}
	name, cells, err := s.receiveCells(c)
	if err != nil {
		return again(err)
	}
	w, base, err := readDictionary(cells, t)
	if err != nil {
		return again(err)
	}
	if base == "" { // the file does not say: then the page it was given on
		base = wordsVersion(t)
	}
	if len(t.Schema.Fields) > dictionaryRows {
		if base != wordsVersion(t) {
			v := s.dictionaryView(c, actor, d, r, t, 1, tableWords{})
			v.Form.refuse("file", phrase(v.Lang, "这个文件下载之后，别人改过这张表的字段说明，一处也没有保存：请重新下载，把你的改动写进去。", "Somebody changed this dictionary after the file was downloaded, and nothing was saved: download it again and put your changes into it."))
			return s.render(c, http.StatusConflict, "dictionary", v)
		}
		return s.keepWords(c, actor, w, base, 1)
	}
	v := s.dictionaryView(c, actor, d, r, t, 1, w)
	v.Uploaded, v.Conflict = name, base != v.Base && v.Differs > 0
	status := http.StatusOK
	if v.Conflict {
		status = http.StatusConflict
		v.Form.General = phrase(v.Lang, "这个文件下载之后，别人改过这张表的字段说明。不同的地方两种都列出来了：格子里是文件里的，下面是现在存着的。看过再保存。",
			"Somebody changed this dictionary after the file was downloaded. Where they differ both are shown: the file's in the field, what is saved now below it. Look, then save.")
	}
	return s.render(c, status, "dictionary", v)
}

// receiveCells hands the first file of the form to the child that reads it.
func (s *Site) receiveCells(c *gin.Context) (string, [][]string, error) {
	none := catalog.Errorf(catalog.Invalid, "invalid_field", "choose a file first").With("field", "file").InChinese("选一个文件再上传")
	if s.Cells == nil {
		return "", nil, none
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, 32<<20)
	reader, err := c.Request.MultipartReader()
	if err != nil {
		return "", nil, badForm(err)
	}
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return "", nil, none
		}
		if err != nil {
			return "", nil, brokenUpload(err)
		}
		if name := part.FileName(); name != "" {
			cells, err := s.Cells(c.Request.Context(), name, part)
			return name, cells, err
		}
	}
}

// readDictionary finds the words of a table in the cells of a file; base is the version
// of the words it was made of, where it says so.
func readDictionary(cells [][]string, t *catalog.Table) (w tableWords, base string, err error) {
	at := map[string]int{}
	for i, name := range cells[0] {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		for _, col := range dictionaryColumns {
			if _, seen := at[col.key]; !seen && (name == col.key || name == col.zh || name == col.en) {
				at[col.key] = i
			}
		}
	}
	if _, ok := at["column"]; !ok {
		return w, "", catalog.Errorf(catalog.Invalid, "invalid_field", "the file has no column “column” (字段): begin with the file that is downloaded here").With("field", "file").
			InChinese("文件里没有“字段”这一列：请用这里下载的文件改")
	}
	w.Columns = map[string]columnWords{}
	known := map[string]bool{}
	for _, f := range t.Schema.Fields {
		known[f.Name] = true
	}
	for n, row := range cells[1:] {
		get := func(key string) *string {
			i, ok := at[key]
			if !ok {
				return nil
			}
			v := unguarded(strings.TrimSpace(row[i]))
			return &v
		}
		name := strings.TrimSpace(row[at["column"]])
		if !known[name] {
			name = unguarded(name)
		}
		if v := get("version"); v != nil && *v != "" {
			base = *v
		}
		if name == "" {
			continue
		}
		if !known[name] {
			return w, "", catalog.Errorf(catalog.Invalid, "unknown_column", "row %d of the file: table %s has no column %q", n+2, t.Name, name).With("field", "file").With("column", name).
				InChinese("文件第%d行：表%s没有名为“%s”的列", n+2, t.Name, name)
		}
		if _, twice := w.Columns[name]; twice {
			return w, "", catalog.Errorf(catalog.Invalid, "invalid_field", "row %d of the file: the column %q stands twice", n+2, name).With("field", "file").With("column", name).
				InChinese("文件第%d行：“%s”这一列写了两次", n+2, name)
		}
		said := columnWords{LabelZh: get("label_zh"), LabelEn: get("label_en"), Unit: get("unit"), AboutZh: get("about_zh"), AboutEn: get("about_en")}
		if v := get("key"); v != nil {
			key, known := keyWords[strings.ToLower(*v)]
			if !known {
				return w, "", catalog.Errorf(catalog.Invalid, "invalid_field", "row %d of the file: key is yes or empty, not %q", n+2, *v).With("field", "file").With("column", name).
					InChinese("文件第%d行：主键写“是”或空着，不能写“%s”", n+2, *v)
			}
			said.Key = &key
		}
		w.Columns[name] = said
	}
	return w, base, nil
}

// keyWords are what a file may say of a column and the key.
var keyWords = map[string]bool{"": false, "否": false, "no": false, "false": false, "0": false, "是": true, "yes": true, "true": true, "1": true, "y": true, "n": false}

// unguarded takes away the apostrophe that keeps spreadsheets from reading a text as a
// formula.
func unguarded(s string) string {
	if len(s) > 1 && s[0] == '\'' && strings.ContainsRune("=+-@\t\r", rune(s[1])) {
		return s[1:]
	}
	return s
}
