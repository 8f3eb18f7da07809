package standards

import (
	"strconv"
	"time"
	"unicode/utf16"

	"taihu/api/export"
	"taihu/catalog"
	"taihu/catalog/table"
)

// catalogueColumn is one column of the catalogue as a table, with how an entry
// fills it: with a string ("" is null), []string, int64, bool or time.Time (zero
// is null), as the column's type wants.
type catalogueColumn struct {
	field catalog.Field
	value func(p Portal, e *Entry) any
}

func catalogueOf(name string, t catalog.Type, zh, en string, value func(Portal, *Entry) any) catalogueColumn {
	f := catalog.Field{ID: name, Name: name, Type: t, Label: catalog.Text{Zh: zh, En: en}}
	if t == catalog.Datetime {
		f.Zone = catalog.DefaultZone
	}
	return catalogueColumn{f, value}
}

// ofDataset is a column that says a plain fact of the dataset.
func ofDataset(name string, t catalog.Type, zh, en string, value func(*catalog.Dataset) any) catalogueColumn {
	return catalogueOf(name, t, zh, en, func(_ Portal, e *Entry) any { return value(e.Dataset) })
}

// catalogueColumns only grows at its end: programs read it by name, some by place.
var catalogueColumns = []catalogueColumn{
	ofDataset("dataset", catalog.String, "数据集", "Dataset", func(d *catalog.Dataset) any { return d.Slug }),
	ofDataset("title_zh", catalog.String, "标题（中文）", "Title in Chinese", func(d *catalog.Dataset) any { return d.Title.Zh }),
	ofDataset("title_en", catalog.String, "标题（英文）", "Title in English", func(d *catalog.Dataset) any { return d.Title.En }),
	ofDataset("description_zh", catalog.String, "说明（中文）", "Description in Chinese", func(d *catalog.Dataset) any { return d.Description.Zh }),
	ofDataset("description_en", catalog.String, "说明（英文）", "Description in English", func(d *catalog.Dataset) any { return d.Description.En }),
	catalogueOf("organization", catalog.String, "发布机构", "Publisher", func(_ Portal, e *Entry) any { return e.Publisher.Slug }),
	catalogueOf("organization_zh", catalog.String, "发布机构名称（中文）", "Publisher’s name in Chinese", func(_ Portal, e *Entry) any { return e.Publisher.Name.Zh }),
	catalogueOf("organization_en", catalog.String, "发布机构名称（英文）", "Publisher’s name in English", func(_ Portal, e *Entry) any { return e.Publisher.Name.En }),
	ofDataset("themes", catalog.JSON, "数据领域", "Themes", func(d *catalog.Dataset) any { return d.Themes }),
	ofDataset("keywords", catalog.JSON, "关键词", "Keywords", func(d *catalog.Dataset) any { return d.Keywords }),
	ofDataset("region", catalog.String, "行政区划", "Region", func(d *catalog.Dataset) any { return d.Region }),
	ofDataset("licence", catalog.String, "许可", "Licence", func(d *catalog.Dataset) any { return d.Licence }),
	catalogueOf("licence_url", catalog.String, "许可地址", "Licence’s address", func(p Portal, e *Entry) any { return p.licence(e.Dataset.Licence) }),
	ofDataset("open_attribute", catalog.String, "开放属性", "Open attribute", func(d *catalog.Dataset) any { return string(d.OpenAttribute) }),
	ofDataset("conditions_zh", catalog.String, "开放条件（中文）", "Conditions in Chinese", func(d *catalog.Dataset) any { return d.Conditions.Zh }),
	ofDataset("conditions_en", catalog.String, "开放条件（英文）", "Conditions in English", func(d *catalog.Dataset) any { return d.Conditions.En }),
	ofDataset("frequency", catalog.String, "更新频率", "Update frequency", func(d *catalog.Dataset) any { return string(d.Frequency) }),
	ofDataset("spatial", catalog.String, "空间范围", "Spatial coverage", func(d *catalog.Dataset) any { return d.Spatial }),
	ofDataset("temporal_start", catalog.String, "时间范围起", "Temporal coverage from", func(d *catalog.Dataset) any { return d.TemporalStart }),
	ofDataset("temporal_end", catalog.String, "时间范围止", "Temporal coverage to", func(d *catalog.Dataset) any { return d.TemporalEnd }),
	ofDataset("language", catalog.String, "语言", "Language", func(d *catalog.Dataset) any { return d.Language }),
	ofDataset("contact_unit", catalog.String, "联系单位", "Contact", func(d *catalog.Dataset) any { return d.Contact.Unit }),
	ofDataset("contact_phone", catalog.String, "联系电话", "Contact’s phone", func(d *catalog.Dataset) any { return d.Contact.Phone }),
	ofDataset("contact_mail", catalog.String, "联系邮箱", "Contact’s mail", func(d *catalog.Dataset) any { return d.Contact.Mail }),
	ofDataset("source_note_zh", catalog.String, "来源说明（中文）", "Source in Chinese", func(d *catalog.Dataset) any { return d.SourceNote.Zh }),
	ofDataset("source_note_en", catalog.String, "来源说明（英文）", "Source in English", func(d *catalog.Dataset) any { return d.SourceNote.En }),
	ofDataset("identifiers", catalog.JSON, "外部编码", "Identifiers", func(d *catalog.Dataset) any { return d.Identifiers }),
	ofDataset("security_level", catalog.String, "安全级别", "Security level", func(d *catalog.Dataset) any { return d.SecurityLevel }),
	ofDataset("simulated", catalog.Boolean, "示例数据", "Sample data", func(d *catalog.Dataset) any { return d.Simulated }),
	ofDataset("catalogue_date", catalog.Datetime, "目录日期", "Catalogue date", func(d *catalog.Dataset) any { return d.CatalogueAt }),
	catalogueOf("release", catalog.Integer, "最新版", "Latest release", func(_ Portal, e *Entry) any { return int64(e.Release.Number) }),
	catalogueOf("version", catalog.String, "版本标签", "Version", func(_ Portal, e *Entry) any { return e.Release.Version }),
	catalogueOf("data_date", catalog.String, "数据日期", "Data date", func(_ Portal, e *Entry) any { return e.Release.DataDate }),
	catalogueOf("published_at", catalog.Datetime, "发布时间", "Published", func(_ Portal, e *Entry) any { return published(e.Release) }),
	catalogueOf("notes_zh", catalog.String, "版本说明（中文）", "Release notes in Chinese", func(_ Portal, e *Entry) any { return e.Release.Notes.Zh }),
	catalogueOf("notes_en", catalog.String, "版本说明（英文）", "Release notes in English", func(_ Portal, e *Entry) any { return e.Release.Notes.En }),
	catalogueOf("tables", catalog.JSON, "数据表", "Tables", func(_ Portal, e *Entry) any {
		names := make([]string, len(e.Release.Tables))
		for i := range e.Release.Tables {
			names[i] = e.Release.Tables[i].Name
		}
		return names
	}),
	catalogueOf("rows", catalog.Integer, "行数", "Rows", func(_ Portal, e *Entry) any { return e.rows() }),
	catalogueOf("columns", catalog.Integer, "列数", "Columns", func(_ Portal, e *Entry) any { return e.Columns }),
	catalogueOf("formats", catalog.JSON, "格式", "Formats", func(_ Portal, e *Entry) any {
		if !e.open() || len(e.Release.Tables) == 0 {
			return []string{}
		}
		names := make([]string, len(export.Usual))
		for i, f := range export.Usual {
			names[i] = f.Name
		}
		return names
	}),
	catalogueOf("url", catalog.String, "页面", "Page", func(p Portal, e *Entry) any { return p.dataset(e.Dataset.Slug) }),
	catalogueOf("release_url", catalog.String, "该版页面", "Page of the release", func(p Portal, e *Entry) any { return p.release(e.Dataset.Slug, e.Release.Number) }),
	catalogueOf("api_url", catalog.String, "接口地址", "API", func(p Portal, e *Entry) any { return p.BaseURL + "/api/v1/datasets/" + e.Dataset.Slug }),
	catalogueOf("download_url", catalog.String, "整版下载", "Whole release", func(p Portal, e *Entry) any {
		if !e.open() {
			return ""
		}
		return p.archive(e.Dataset.Slug, e.Release.Number)
	}),
}

// CatalogueMeta describes the catalogue as a table for the encoders.
func CatalogueMeta(p Portal) export.Meta {
	m := export.Meta{Title: catalog.Text{Zh: "数据目录", En: "Catalogue"}, Organization: p.Name, Table: "catalog", Address: p.BaseURL + "/datasets"}
	for _, c := range catalogueColumns {
		m.Fields = append(m.Fields, c.field)
	}
	return m
}

// CatalogueRows writes entries as rows of the catalogue. A workbook's cell holds
// 32,767 characters: with short a longer text, which only a description can be,
// ends in … and the rest is on the dataset's page.
func CatalogueRows(p Portal, entries []Entry, short bool) *table.Batch {
	b := &table.Batch{Len: len(entries), Columns: make([]table.Vector, len(catalogueColumns))}
	for i, c := range catalogueColumns {
		v := &b.Columns[i]
		v.Type, v.Zone, v.Null = c.field.Type, c.field.Zone, make([]bool, len(entries))
		for j := range entries {
			switch x := c.value(p, &entries[j]).(type) {
			case string:
				v.Null[j] = x == ""
				if short {
					x = fit(x)
				}
				v.Text = append(v.Text, x)
			case []string:
				text := make([]byte, 0, 2+16*len(x))
				text = append(text, '[')
				for k, s := range x {
					if k > 0 {
						text = append(text, ',')
					}
					text = catalog.AppendJSONText(text, s)
				}
				v.Text = append(v.Text, string(append(text, ']')))
			case int64:
				v.Int = append(v.Int, x)
			case bool:
				v.Bool = append(v.Bool, x)
			case time.Time:
				v.Null[j] = x.IsZero()
				_, offset := x.In(zone).Zone()
				v.Int = append(v.Int, x.UnixMicro()+int64(offset)*1e6)
			default:
				panic("standards: column " + strconv.Quote(c.field.Name) + " has a value of a strange type")
			}
		}
	}
	return b
}

// cellUnits is how many UTF-16 units a cell of a workbook holds.
const cellUnits = 32_767

func fit(s string) string {
	if len(s) <= cellUnits {
		return s
	}
	units := utf16.Encode([]rune(s))
	if len(units) <= cellUnits {
		return s
	}
	cut := cellUnits - 1
	if utf16.IsSurrogate(rune(units[cut-1])) && utf16.IsSurrogate(rune(units[cut])) {
		cut--
	}
	return string(utf16.Decode(units[:cut])) + "…"
}
