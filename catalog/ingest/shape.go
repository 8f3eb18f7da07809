package ingest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"taihu/catalog"
)

// How people lay a table out on a sheet: a title and 「单位：万元」 above it, a header
// of two or three rows with merged cells, totals and notes below it. The rules
// are the same for every format that has rows and cells; readers give the first
// rows as they find them.

const (
	maxHeaderRows    = 3  // rows of a header that are found out
	statedHeaderRows = 20 // rows of a header that a steward may state
	shapeRows        = 12 // rows below a header that are looked at to find its end
)

// headCell is a cell among the first rows of a table.
type headCell struct {
	text  string
	typed bool // a number, date or the like, not words
}

func (c headCell) blank() bool { return strings.TrimSpace(c.text) == "" }

// area is a range of cells: first and last row and column. Merged cells are areas.
type area struct{ top, left, bottom, right int }

// head is the first rows of a table, from its header on. Every row has a cell for
// every column.
type head struct {
	rows   [][]headCell
	merged [][]*area // by row and column, counted from 0; nil: no cells are merged
}

// merge notes a merged area, as far as it lies in these rows.
func (h *head) merge(a area) {
	if a.bottom < 0 || a.right < 0 || a.top >= len(h.rows) || a.left >= len(h.rows[0]) || a.top < 0 || a.left < 0 {
		return
	}
	if h.merged == nil {
		h.merged = make([][]*area, len(h.rows))
		for i := range h.merged {
			h.merged[i] = make([]*area, len(h.rows[0]))
		}
	}
	for row := a.top; row <= min(a.bottom, len(h.rows)-1); row++ {
		for col := a.left; col <= min(a.right, len(h.rows[0])-1); col++ {
			h.merged[row][col] = &a
		}
	}
}

// mergedAt returns the merged area over a cell, or nil.
func (h *head) mergedAt(row, col int) *area {
	if h.merged == nil {
		return nil
	}
	return h.merged[row][col]
}

// depth is how many rows the header takes: a row belongs to it where it names the
// parts of what stands above it, and says nothing where the row above is a name
// of its own.
func (h *head) depth() int {
	n := 1
	for n < maxHeaderRows && n+1 < len(h.rows) && h.extends(n) {
		n++
	}
	return n
}

// extends reports whether row belongs to the header of which the row above is one:
// every name in it is a part of one above, or stands where nothing is above.
func (h *head) extends(row int) bool {
	crossed, byMerge, complete := false, false, true
	named, parts := 0, 0
	for col, c := range h.rows[row] {
		if m := h.mergedAt(row, col); m != nil && m.top < row {
			if m.bottom >= maxHeaderRows { // merged cells of the body, under a header that is none
				return false
			}
			crossed = true
			continue
		}
		above := !h.rows[row-1][col].blank()
		if m := h.mergedAt(row-1, col); m != nil {
			above = !h.rows[m.top][m.left].blank()
		}
		part, merged := h.part(row-1, col)
		byMerge = byMerge || part && merged
		switch {
		case c.blank():
			complete = complete && above && !part
		case c.typed && !looksYear(c.text), above && !part:
			return false
		default:
			named++
			if part {
				parts++
			}
		}
	}
	switch {
	case parts == 0:
		return false
	case crossed:
		return true
	case byMerge: // only the names above are merged: those below must all be there
		return complete && (named < len(h.rows[row]) || h.values(row))
	}
	return row == 1 && h.merged == nil && complete && h.values(row)
}

// part reports whether the column is one of several under a cell of the row: by a
// merged cell, or because that cell stands left of empty ones.
func (h *head) part(row, col int) (part, merged bool) {
	if m := h.mergedAt(row, col); m != nil {
		return m.right > m.left && !h.rows[m.top][m.left].blank(), true
	}
	if h.merged != nil {
		return false, false
	}
	cells := h.rows[row]
	if cells[col].blank() {
		for k := col - 1; k >= 0; k-- {
			if !cells[k].blank() {
				return true, false
			}
		}
		return false, false
	}
	return col+1 < len(cells) && cells[col+1].blank() && !h.rows[row+1][col].blank(), false
}

// values reports whether at least half of the columns that the row names hold
// numbers, dates or the like below it.
func (h *head) values(row int) bool {
	named, typed := 0, 0
	for col, c := range h.rows[row] {
		if c.blank() {
			continue
		}
		named++
		filled, values := 0, 0
		for _, below := range h.rows[row+1:] {
			if !below[col].blank() {
				filled++
				if below[col].typed {
					values++
				}
			}
		}
		if filled > 0 && 2*values >= filled {
			typed++
		}
	}
	return typed > 0 && 2*typed >= named
}

// names joins the rows of a header: 预算 over 基本支出 is 预算_基本支出, a cell merged
// over several rows stands once.
func (h *head) names(depth int) []string {
	names := make([]string, len(h.rows[0]))
	filled := 0
	for _, c := range h.rows[0] {
		if !c.blank() {
			filled++
		}
	}
	lone := filled == 1                // merged over the whole table it is rather its title
	var above [statedHeaderRows]string // of the column to the left, by row
	for col := range names {
		var levels []string
		inherit := h.merged == nil && depth > 1
		for row := range depth {
			c := h.rows[row][col]
			text := strings.TrimSpace(c.text)
			if m := h.mergedAt(row, col); m != nil && text == "" {
				text = strings.TrimSpace(h.rows[m.top][m.left].text)
			} else if text == "" && inherit && row < depth-1 && h.below(row, depth, col) {
				text = above[row]
			} else if text != "" {
				inherit = false // what stands below a name of its own is its part, not the neighbour's
			}
			above[row] = text
			if text != "" && (len(levels) == 0 || levels[len(levels)-1] != text) {
				levels = append(levels, text)
			}
		}
		names[col] = strings.Join(levels, "_")
		if depth == 1 {
			names[col] = h.rows[0][col].text
			if m := h.mergedAt(0, col); m != nil && !lone && h.rows[0][col].blank() {
				names[col] = h.rows[m.top][m.left].text
			}
		}
	}
	return names
}

// below reports whether the column has a name in the rows of the header below row.
func (h *head) below(row, depth, col int) bool {
	for r := row + 1; r < depth; r++ {
		if !h.rows[r][col].blank() {
			return true
		}
	}
	return false
}

// tellHeader reports a header of several rows, from first to last.
func tellHeader(fs *Findings, table string, first, last int64, h *Header) {
	f := found("header_rows", "表头占第%[1]d至%[2]d行，各级用“_”连成列名。", "The header takes rows %[1]d to %[2]d; its levels were joined by \"_\".", first, last)
	f.Table, f.Row, f.Count, f.Value = table, first, int64(h.Depth), strings.Join(h.Columns, " | ")
	fs.Add(f)
}

// above is what the lines above a table say.
type above struct {
	title string
	unit  string // the one that is stated, or ""
}

// add takes the cells of one line.
func (a *above) add(cells []string) {
	if unit, ok := unitLine(cells); ok {
		a.unit = unit
		return
	}
	if len(cells) != 1 {
		return
	}
	text := strings.Join(strings.Fields(cells[0]), " ")
	if a.title == "" || attachmentMark.MatchString(a.title) {
		a.title = shorten(text)
	}
}

// attachmentMark is the 附件1 that stands above a title.
var attachmentMark = regexp.MustCompile(`^附[件表录]?\s*[0-9一二三四五六七八九十]*\s*[：:]?$`)

// unitWords states the unit of a whole table; 单位 followed by what is no unit names
// an office.
var unitWords = regexp.MustCompile(`(?:计量单位|金额单位|数量单位|单位|(?i:units?))\s*[：:]\s*([^\s，。；）)]+)`)

// unitLine reports whether a line above a table states a unit, and which; "" where
// it states several.
func unitLine(cells []string) (unit string, ok bool) {
	if len(cells) > 3 {
		return "", false
	}
	for _, c := range cells {
		m := unitWords.FindStringSubmatch(c)
		if m == nil {
			continue
		}
		if isUnit(m[1]) {
			return m[1], true
		}
		several := strings.FieldsFunc(m[1], func(r rune) bool { return strings.ContainsRune("、,和", r) })
		ok = len(several) > 1
		for _, u := range several {
			ok = ok && isUnit(u)
		}
		if ok {
			return "", true
		}
	}
	return "", false
}

// units are those that a header or a line above the table may state.
var units = func() map[string]bool {
	m := map[string]bool{}
	for _, u := range strings.Fields(`元 千元 万元 百万元 亿元 美元 万美元 亿美元 欧元 港元 日元 人 千人 万人 户 万户 家 个 万个 件 万件 辆 万辆 台 套 张 次 万次 人次 万人次 所 座 条 处 项 宗 起 例 份 册 本 只 头 株 棵 艘 架 班 间 床 栋 幢 片 根 盏 篇 部 批 种 名 位
		天 日 年 月 小时 分钟 秒 毫秒 分 公里 千米 米 分米 厘米 毫米 微米 海里 平方米 万平方米 平方公里 平方千米 公顷 亩 万亩 立方米 万立方米 亿立方米 升 毫升 吨 万吨 亿吨 千克 公斤 克 毫克 微克 斤
		度 万度 千瓦 万千瓦 兆瓦 千瓦时 万千瓦时 亿千瓦时 伏 安 瓦 帕 百帕 千帕 兆帕 赫兹 分贝 摄氏度 百分点 立方米/秒 元/吨 元/平方米 元/小时 元/次 元/人 元/亩 公里/小时 米/秒 千克/亩 公斤/亩 吨/年 万吨/年 人/平方公里 毫克/升 毫克/立方米 微克/立方米 毫克/千克
		% ‰ ℃ °C °F ° ℉ m km cm mm μm nm m² ㎡ km² ha m³ L mL ml t kg g mg μg ug kWh MWh GWh kW MW GW V A W Pa hPa kPa MPa Hz kHz MHz GHz dB s ms min h km/h m/s mm/h mg/L mg/l μg/L mg/m³ μg/m³ ug/m3 mg/m3 m³/s m3/s NTU μS/cm uS/cm CNY RMB USD EUR`) {
		m[u], m[norm.NFKC.String(u)] = true, true
	}
	return m
}()

func isUnit(s string) bool { return units[s] }

// bracketed is what stands in brackets at the end of a header.
var bracketed = regexp.MustCompile(`[（(\[]\s*(?:单位[：:]\s*)?([^（）()\[\]]{1,20}?)\s*[）)\]]$`)

// headerUnit returns the unit that a header names, as in 金额（万元）.
func headerUnit(name string) string {
	if m := bracketed.FindStringSubmatch(name); m != nil && isUnit(m[1]) {
		return m[1]
	}
	return ""
}

// unitless are words of headers whose numbers are not in the unit of the table.
var unitless = regexp.MustCompile(`率|比重|比例|占比|同比|环比|增长|增幅|指数|排名|名次|位次|序号|编号|年份|年度|月份|日期|^年$|^月$|^季度$|人数|户数|个数|家数|数量|次数|人口|面积`)

// proposeUnits gives numeric columns the unit that their header, or a line above
// the table, states. The header stays as it is; a unit that a steward wrote stays
// too (store.carry).
func (r *run) proposeUnits(h *Header, fields []catalog.Field) {
	var order []string
	columns := map[string][]string{}
	for i := range fields {
		f := &fields[i]
		if f.Type != catalog.Integer && f.Type != catalog.Decimal && f.Type != catalog.Number {
			continue
		}
		unit := headerUnit(f.Name)
		if unit == "" && !unitless.MatchString(f.Name) {
			unit = h.Unit
		}
		if unit == "" {
			continue
		}
		f.Unit = unit
		if columns[unit] == nil {
			order = append(order, unit)
		}
		columns[unit] = append(columns[unit], f.Name)
	}
	if len(order) == 0 {
		return
	}
	var said []string
	n := 0
	for _, unit := range order {
		said = append(said, unit+": "+strings.Join(columns[unit], ", "))
		n += len(columns[unit])
	}
	f := found("units_proposed", "", "")
	f.Value, f.Count = strings.Join(said, "; "), int64(n)
	r.findings.Add(f)
}

// What is done with totals, and with the empty cells of merged ones.
const (
	totalsAuto  = "auto" // those at the end are left out, those within told
	totalsKeep  = "keep" // nothing below the data is left out
	totalsDrop  = "drop" // those within are left out too
	mergedFill  = "fill" // as the first cell says, downwards
	mergedEmpty = "empty"
)

// checkShape refuses options about the shape that cannot be meant.
func checkShape(o catalog.IngestOptions) error {
	if o.HeaderRows < 0 || o.HeaderRows > statedHeaderRows || o.HeaderRows > 0 && o.HeaderRow < 0 {
		return refuse("bad_option", "表头行数 %[1]d 有误：请填1至%[2]d，且不能同时指明没有表头。", "The number of header rows, %[1]d, is wrong: give 1 to %[2]d, and not where it is stated that there is no header.", o.HeaderRows, statedHeaderRows)
	}
	if !slices.Contains([]string{"", totalsAuto, totalsKeep, totalsDrop}, o.Totals) {
		return refuse("bad_option", "对合计行的处理“%[1]s”有误：请填 auto、keep 或 drop。", "There is no way %[1]q to treat totals: give auto, keep or drop.", o.Totals)
	}
	if !slices.Contains([]string{"", mergedFill, mergedEmpty}, o.Merged) {
		return refuse("bad_option", "对合并单元格的处理“%[1]s”有误：请填 fill 或 empty。", "There is no way %[1]q to treat merged cells: give fill or empty.", o.Merged)
	}
	return nil
}

// whyHeader says why several rows are taken as the header.
func whyHeader(first, last int64) catalog.Text {
	return catalog.Text{Zh: fmt.Sprintf("第%d至%d行分级写出列名", first, last), En: fmt.Sprintf("rows %d to %d name the columns in levels", first, last)}
}
