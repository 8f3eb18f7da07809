package export

import (
	"fmt"

	"github.com/xuri/excelize/v2"

	"taihu/catalog"
)

// typeNames are the words of the dictionary sheet for the types.
var typeNames = map[catalog.Type]catalog.Text{
	catalog.Boolean: {Zh: "布尔", En: "boolean"}, catalog.Integer: {Zh: "整数", En: "integer"}, catalog.Decimal: {Zh: "定点小数", En: "decimal"},
	catalog.Number: {Zh: "浮点数", En: "number"}, catalog.Date: {Zh: "日期", En: "date"}, catalog.Time: {Zh: "时间", En: "time"},
	catalog.Datetime: {Zh: "日期时间", En: "datetime"}, catalog.String: {Zh: "文本", En: "text"}, catalog.JSON: {Zh: "JSON", En: "json"},
}

// dictionary returns the rows of the dictionary sheet and which of them are
// headings (counted from 0).
func dictionary(m Meta) (rows [][]string, headings []int) {
	about := func(name string, values ...string) {
		for _, v := range values {
			if v != "" {
				rows = append(rows, append([]string{name}, values...))
				return
			}
		}
	}
	headings = append(headings, 0)
	rows = append(rows, []string{"关于 About", "中文", "English"})
	about("数据集 Dataset", m.Title.Zh, m.Title.En)
	about("发布机构 Publisher", m.Organization.Zh, m.Organization.En)
	about("数据表 Table", m.Table)
	if m.Release > 0 {
		about("发布序号 Release", fmt.Sprint(m.Release), m.Version)
	}
	about("筛选条件 Query", m.Query)
	about("许可 Licence", m.Licence.Zh, m.Licence.En)
	about("许可全文 Licence text", m.LicenceURL)
	about("引用格式 Cite as", m.Citation.Zh, m.Citation.En)
	about("地址 Address", m.Address)

	rows = append(rows, nil)
	headings = append(headings, len(rows))
	rows = append(rows, []string{"列名 Column", "中文名 Label (zh)", "英文名 Label (en)", "类型 Type", "单位 Unit", "说明 Description (zh)", "说明 Description (en)"})
	coded := false
	for _, f := range m.Fields {
		rows = append(rows, []string{f.Name, f.Label.Zh, f.Label.En, typeName(f), f.Unit, f.Description.Zh, f.Description.En})
		coded = coded || len(f.Codes) > 0
	}
	if !coded {
		return rows, headings
	}
	rows = append(rows, nil)
	headings = append(headings, len(rows))
	rows = append(rows, []string{"列名 Column", "代码 Code", "含义 Meaning (zh)", "含义 Meaning (en)"})
	for _, f := range m.Fields {
		for _, c := range f.Codes {
			rows = append(rows, []string{f.Name, c.Value, c.Label.Zh, c.Label.En})
		}
	}
	return rows, headings
}

func typeName(f catalog.Field) string {
	t := typeNames[f.Type]
	name := t.Zh + " " + t.En
	switch f.Type {
	case catalog.Decimal:
		return fmt.Sprintf("%s(%d,%d)", name, f.Precision, f.Scale)
	case catalog.Datetime:
		zone := f.Zone
		if zone == "" {
			zone = catalog.DefaultZone
		}
		return name + " " + zone
	}
	return name
}

// dictionaryFits refuses what a cell of the dictionary sheet or the header row
// would cut.
func dictionaryFits(m Meta) error {
	rows, _ := dictionary(m)
	for _, row := range rows {
		for _, s := range row {
			if units(s) > cellUnits {
				return xlsxLimit(catalog.Errorf(catalog.Unprocessable, "xlsx_limit", "A name or description of the table is longer than the %d characters an XLSX cell holds. Take CSV or Parquet.", cellUnits).
					InChinese("该表的名称或说明超过XLSX单元格上限%d个字符。请下载CSV或Parquet格式。", cellUnits))
			}
		}
	}
	return nil
}

// writeDictionary adds the dictionary sheet.
func writeDictionary(book *excelize.File, style styles, m Meta) error {
	if _, err := book.NewSheet(dictionarySheet); err != nil {
		return fmt.Errorf("export: xlsx dictionary: %w", err)
	}
	rows, headings := dictionary(m)
	for i, row := range rows {
		for j, s := range row {
			if s == "" {
				continue
			}
			cell, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err == nil {
				err = book.SetCellStr(dictionarySheet, cell, s)
			}
			if err != nil {
				return fmt.Errorf("export: xlsx dictionary: %w", err)
			}
		}
	}
	for _, i := range headings {
		to, err := excelize.CoordinatesToCellName(len(rows[i]), i+1)
		if err == nil {
			err = book.SetCellStyle(dictionarySheet, fmt.Sprintf("A%d", i+1), to, style.header)
		}
		if err != nil {
			return fmt.Errorf("export: xlsx dictionary: %w", err)
		}
	}
	for i, width := range []float64{26, 34, 34, 26, 12, 50, 50} {
		column := string(rune('A' + i))
		if err := book.SetColWidth(dictionarySheet, column, column, width); err != nil {
			return fmt.Errorf("export: xlsx dictionary: %w", err)
		}
	}
	return nil
}
