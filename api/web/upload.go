package web

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"taihu/api/handle"
	"taihu/catalog"
	"taihu/catalog/store"
)

// uploadPage is the form that begins a new release.
type uploadPage struct {
	frame
	Dataset    *catalog.Dataset
	Form       form
	Action     string
	DraftID    string // empty: none is made yet
	Encodings  []choice
	Separators []choice
	Drafts     []draftRow // unfinished ones of the same dataset
	Next       int
	Limit      string
}

// maxField is the most bytes of one text field of an upload form.
const maxField = 64 << 10

var encodings = []string{"", "utf-8", "gb18030", "gbk", "big5", "utf-16le", "utf-16be", "latin-1", "windows-1252", "shift-jis"}

func encodingChoices(lang, chosen string) []choice {
	var out []choice
	for _, e := range encodings {
		words := strings.ToUpper(e)
		if e == "" {
			words = phrase(lang, "自动判断", "Find out")
		}
		out = append(out, choice{e, words, e == chosen})
	}
	return out
}

func separatorChoices(lang, chosen string) []choice {
	out := []choice{{"", phrase(lang, "自动判断", "Find out"), chosen == ""}}
	for _, o := range []struct {
		v      string
		zh, en string
	}{{",", "逗号 ,", "Comma ,"}, {";", "分号 ;", "Semicolon ;"}, {"tab", "制表符", "Tab"}, {"|", "竖线 |", "Bar |"}} {
		out = append(out, choice{o.v, phrase(lang, o.zh, o.en), chosen == o.v})
	}
	return out
}

// uploadTo makes the form for a dataset.
func (s *Site) uploadTo(c *gin.Context, actor catalog.Actor, d *catalog.Dataset, f form) (*uploadPage, error) {
	lang := language(c)
	v := &uploadPage{frame: s.frame(c, "steward", phrase(lang, "上传新的一版", "Upload a release")), Dataset: d, Form: f, Action: "/steward/datasets/" + d.Slug + "/upload"}
	v.NoIndex = true
	var err error
	if v.Next, err = s.nextNumber(c, actor, d); err != nil {
		return nil, err
	}
	v.Encodings, v.Separators = encodingChoices(lang, f.Get("encoding")), separatorChoices(lang, f.Get("delimiter"))
	if s.MaxUpload > 0 {
		v.Limit = size(s.MaxUpload)
	}
	drafts, err := s.Store.Drafts(c.Request.Context(), actor, store.DraftFilter{DatasetID: d.ID, States: draftStates, Limit: 10})
	if err != nil {
		return nil, err
	}
	for i := range drafts {
		r := &drafts[i]
		v.Drafts = append(v.Drafts, draftRow{Href: href(lang, "/steward/drafts/"+r.ID), State: r.State, Badge: stateBadge[r.State], When: minute(r.CreatedAt)})
	}
	return v, nil
}

// nextNumber is the number the dataset's next release gets. Withdrawn ones keep
// theirs.
func (s *Site) nextNumber(c *gin.Context, actor catalog.Actor, d *catalog.Dataset) (int, error) {
	list, err := s.Store.Releases(c.Request.Context(), actor, d.Slug)
	if err != nil || len(list) == 0 {
		return 1, err
	}
	return list[0].Number + 1, nil
}

func (s *Site) uploadForm(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	d, err := s.editable(c, actor)
	if err != nil {
		return err
	}
	f := newForm(nil)
	if c.Query("like") == "latest" {
		if f, err = s.likeLatest(c, actor, d); err != nil {
			return err
		}
	}
	v, err := s.uploadTo(c, actor, d, f)
	if err != nil {
		return err
	}
	return s.render(c, http.StatusOK, "upload", v)
}

// likeLatest fills the form as the newest release that stands was made. How its files
// are read is the store's to know.
func (s *Site) likeLatest(c *gin.Context, actor catalog.Actor, d *catalog.Dataset) (form, error) {
	_, r, err := s.Store.ReleaseFacts(c.Request.Context(), actor, d.Slug, 0)
	if err != nil {
		return form{}, err
	}
	return newForm(url.Values{"like": {"latest"}, "notes_zh": {r.Notes.Zh}, "notes_en": {r.Notes.En}}), nil
}

// upload begins a draft with the files of the form. Nothing is made where the
// form holds no file.
func (s *Site) upload(c *gin.Context) error {
	actor, err := signedIn(c)
	if err != nil {
		return err
	}
	d, err := s.editable(c, actor)
	if err != nil {
		return err
	}
	ctx := c.Request.Context()
	draft := ""
	f, err := s.receive(c, actor, func(f form) (string, error) {
		if draft == "" {
			r, err := s.Store.CreateDraft(ctx, actor, d.Slug, draftEdit(f))
			if err != nil {
				return "", err
			}
			draft = r.ID
		}
		return draft, nil
	})
	if err == nil && draft != "" {
		return seeOther(c, "/steward/drafts/"+draft+"?done=uploaded")
	}
	lang := language(c)
	status := http.StatusUnprocessableEntity
	switch kind := catalog.KindOf(err); {
	case err == nil:
		f.refuse("file", phrase(lang, "选一个文件再上传。", "Choose a file first."))
	case kind == catalog.Invalid || kind == catalog.TooLarge || kind == catalog.Unprocessable || kind == catalog.Conflict:
		status = handle.Status(kind)
		field := "file"
		if w := wrongFieldOf(err); w != "" {
			field = w
		}
		f.refuse(field, sentence(lang, err))
	default:
		return err
	}
	v, err := s.uploadTo(c, actor, d, f)
	if err != nil {
		return err
	}
	if draft != "" { // go on with the draft that exists by now
		v.Action, v.DraftID = "/steward/drafts/"+draft+"/upload", draft
	}
	return s.render(c, status, "upload", v)
}

// numberOf is the number of a release that a form names; what is none is 0, or -1
// where there cannot be such a release.
func numberOf(text string) int {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

func draftEdit(f form) store.DraftEdit {
	return store.DraftEdit{
		Version: strings.TrimSpace(f.Get("version")), DataDate: strings.TrimSpace(f.Get("data_date")),
		Notes:    catalog.Text{Zh: strings.TrimSpace(f.Get("notes_zh")), En: strings.TrimSpace(f.Get("notes_en"))},
		Like:     f.Get("like") == "latest",
		Corrects: numberOf(f.Get("corrects")),
	}
}

// receive reads a multipart form part by part. The text fields stand before the
// files; each file goes straight into the blob store and then into the draft
// that draft names. What was typed comes back in any case.
func (s *Site) receive(c *gin.Context, actor catalog.Actor, draft func(form) (string, error)) (form, error) {
	f := newForm(nil)
	reader, err := c.Request.MultipartReader()
	if err != nil {
		return f, badForm(err)
	}
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return f, brokenUpload(err)
		}
		if part.FileName() == "" {
			b, err := io.ReadAll(io.LimitReader(part, maxField))
			if err != nil {
				return f, brokenUpload(err)
			}
			if part.FormName() != "file" {
				f.Values.Add(part.FormName(), string(b))
			}
			continue
		}
		if err := s.receiveFile(c, actor, part, f, draft); err != nil {
			return f, err
		}
	}
}

func (s *Site) receiveFile(c *gin.Context, actor catalog.Actor, part *multipart.Part, f form, draft func(form) (string, error)) error {
	ctx := c.Request.Context()
	id, err := draft(f)
	if err != nil {
		return err
	}
	options, err := optionsOf(f, catalog.IngestOptions{})
	if err != nil {
		return err
	}
	var r io.Reader = part
	if s.MaxUpload > 0 {
		r = &limited{r: part, left: s.MaxUpload, most: s.MaxUpload}
	}
	blob, err := s.Blobs.Put(ctx, r)
	if err != nil {
		var e *catalog.Error
		if !errors.As(err, &e) && (errors.Is(err, io.ErrUnexpectedEOF) || ctx.Err() != nil) {
			return brokenUpload(err)
		}
		return err
	}
	media := part.Header.Get("Content-Type")
	if media == "" {
		media = "application/octet-stream"
	}
	_, err = s.Store.PutFile(ctx, actor, id, store.Upload{Name: baseName(part.FileName()), MediaType: media, Blob: blob, Options: options})
	return err
}

// baseName is a file's name without the folders some browsers send.
func baseName(name string) string {
	return name[strings.LastIndexAny(name, `/\`)+1:]
}

func brokenUpload(err error) error {
	return catalog.Errorf(catalog.Invalid, "broken_upload", "the upload broke off: send the file again").InChinese("上传中断：请再传一次这个文件").Because(err)
}

// limited fails once more than most bytes were read.
type limited struct {
	r          io.Reader
	left, most int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, catalog.Errorf(catalog.TooLarge, "file_too_large", "the file is larger than %s, which is the most this portal takes", size(l.most)).InChinese("文件超过%s，本站不收更大的文件", size(l.most))
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return n, catalog.Errorf(catalog.TooLarge, "file_too_large", "the file is larger than %s, which is the most this portal takes", size(l.most)).InChinese("文件超过%s，本站不收更大的文件", size(l.most))
	}
	return n, err
}

// optionsOf reads how a file is to be read: the form states all of it. Columns whose type is chosen come as
// column and type, repeated and in order; others keep what before says.
func optionsOf(f form, before catalog.IngestOptions) (catalog.IngestOptions, error) {
	o, err := catalog.ReadOptions(func(name string) string {
		if name == "types" || name == "settle" { // which have forms of their own
			return ""
		}
		return f.Get(name)
	})
	if err != nil {
		return o, err
	}
	o.Settled = before.Settled
	if o.Table != "" {
		if err := catalog.CheckTableName(o.Table); err != nil {
			var e *catalog.Error
			if errors.As(err, &e) {
				return o, e.With("field", "table")
			}
			return o, err
		}
	}
	types := map[string]catalog.Type{}
	for name, t := range before.Types {
		types[name] = t
	}
	for i, name := range f.Values["column"] {
		if i >= len(f.Values["type"]) {
			break
		}
		switch t := catalog.Type(f.Values["type"][i]); {
		case t == "":
			delete(types, name)
		case slices.Contains(catalog.Types, t):
			types[name] = t
		}
	}
	o.Types = nil
	if len(types) > 0 {
		o.Types = types
	}
	return o, nil
}

// optionValues is the inverse of optionsOf, for the form.
func optionValues(o catalog.IngestOptions) url.Values {
	v := url.Values{}
	for name, text := range o.Texts() {
		v.Set(name, text)
	}
	return v
}
