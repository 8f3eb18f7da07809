package ingest

import "taihu/catalog"

// FindingCode is one kind of finding: its page in the docs is /docs/findings#<Code>.
type FindingCode struct {
	Code     string
	Severity catalog.Severity
	What     catalog.Text // what is so, where the finding itself says nothing closer
	Hint     catalog.Text // what to do
}

// FindingCodes lists every code a report can hold, refusals first.
var FindingCodes = []FindingCode{
	// The file as a whole.
	{"empty_file", catalog.Fatal, catalog.Text{Zh: "文件是空的。", En: "The file is empty."},
		catalog.Text{Zh: "请检查导出过程，重新上传有内容的文件。", En: "Check how it was exported and upload a file with content."}},
	{"wrong_extension", catalog.Fatal, catalog.Text{Zh: "文件内容与扩展名不符。", En: "The file's content is not what its extension says."},
		catalog.Text{Zh: "请按真实格式改名，或另存为所需格式后再上传。", En: "Rename it to its real format, or save it in the format you mean."}},
	{"unsupported", catalog.Fatal, catalog.Text{Zh: "文件用了不支持的特性，无法读取。", En: "The file uses a feature that is not supported and cannot be read."},
		catalog.Text{Zh: "请另存为CSV或XLSX后再上传。", En: "Save it as CSV or XLSX and upload that."}},
	{"encrypted", catalog.Fatal, catalog.Text{Zh: "文件有密码保护，无法读取。", En: "The file is protected by a password and cannot be read."},
		catalog.Text{Zh: "请去掉密码后再上传。", En: "Remove the password and upload it again."}},
	{"archive_too_large", catalog.Fatal, catalog.Text{Zh: "解压后的内容超过允许的大小。", En: "The content is larger than allowed once inflated."},
		catalog.Text{Zh: "请拆成几个文件。", En: "Split it into several files."}},
	{"malformed_gzip", catalog.Fatal, catalog.Text{Zh: "gzip文件损坏或被截断。", En: "The gzip file is damaged or cut off."},
		catalog.Text{Zh: "请重新压缩并上传。", En: "Compress it again and upload that."}},
	{"cut_archive", catalog.Fatal, catalog.Text{Zh: "文件不完整，末尾缺失。", En: "The file is cut off before its end."},
		catalog.Text{Zh: "请重新下载或导出完整的文件后上传。", En: "Export or transfer the file again and upload it whole."}},
	{"nested_archive", catalog.Fatal, catalog.Text{Zh: "压缩文件里还是压缩文件。", En: "An archive lies inside the archive."},
		catalog.Text{Zh: "请只压缩一层。", En: "Compress the file only once."}},
	{"no_tables", catalog.Fatal, catalog.Text{Zh: "文件中没有可读的表格。", En: "No table was found in the file."},
		catalog.Text{Zh: "请确认工作表中有数据。", En: "Check that one of its sheets holds data."}},
	{"unknown_sheet", catalog.Fatal, catalog.Text{Zh: "没有这个工作表。", En: "There is no such sheet."},
		catalog.Text{Zh: "请选用文件中已有的工作表。", En: "Choose one of the sheets the file has."}},
	{"bad_option", catalog.Fatal, catalog.Text{Zh: "读取设置有误。", En: "One of the reading options is wrong."},
		catalog.Text{Zh: "请更正读取设置后重试。", En: "Correct the option and try again."}},
	// Limits.
	{"too_many_rows", catalog.Fatal, catalog.Text{Zh: "行数超过上限。", En: "There are more rows than allowed."},
		catalog.Text{Zh: "请拆成几个文件。", En: "Split it into several files."}},
	{"too_many_columns", catalog.Fatal, catalog.Text{Zh: "列数超过上限。", En: "There are more columns than allowed."},
		catalog.Text{Zh: "请检查分隔符，或把宽表改为长表。", En: "Check the delimiter, or turn the wide table into a long one."}},
	{"too_many_tables", catalog.Fatal, catalog.Text{Zh: "工作表数超过上限。", En: "There are more sheets than allowed."},
		catalog.Text{Zh: "请拆成几个文件。", En: "Split it into several files."}},
	{"too_many_cells", catalog.Fatal, catalog.Text{Zh: "单元格总数超过上限。", En: "There are more cells than allowed."},
		catalog.Text{Zh: "请拆成几个文件。", En: "Split it into several files."}},
	{"record_too_long", catalog.Fatal, catalog.Text{Zh: "有一行过长。", En: "One row is too long."},
		catalog.Text{Zh: "请检查换行符和引号是否正确。", En: "Check the line ends and quotes."}},
	{"cell_too_long", catalog.Fatal, catalog.Text{Zh: "有一个单元格过长。", En: "One cell is too long."},
		catalog.Text{Zh: "请缩短内容，或作为附件上传。", En: "Shorten it, or upload the content as an attachment."}},
	{"ingest_timeout", catalog.Fatal, catalog.Text{Zh: "检查超时，已停止。", En: "The check took too long and was stopped."},
		catalog.Text{Zh: "请拆成较小的文件后重试。", En: "Split the file into smaller ones and try again."}},
	{"ingest_killed", catalog.Fatal, catalog.Text{Zh: "检查该文件时超出内存或时间限制，已停止。", En: "Reading this file went beyond the limits of memory or time and was stopped."},
		catalog.Text{Zh: "文件可能损坏或过大：请重新导出，或拆成较小的文件。", En: "The file may be damaged or too large: export it again or split it."}},
	{"ingest_crashed", catalog.Fatal, catalog.Text{Zh: "读取该文件时程序中断，文件可能已损坏。", En: "Reading this file broke the reader: it is probably damaged."},
		catalog.Text{Zh: "请重新导出后上传；若仍失败，请联系管理员。", En: "Export it again; should that fail too, tell the administrator."}},
	// Text and CSV.
	{"binary_content", catalog.Fatal, catalog.Text{Zh: "文本文件中有二进制内容（NUL字节）。", En: "The text file holds binary content (a NUL byte)."},
		catalog.Text{Zh: "请以文本方式重新导出；UTF-16文件请指明编码。", En: "Export it again as text; for UTF-16 state the encoding."}},
	{"invalid_encoding", catalog.Fatal, catalog.Text{Zh: "有字节不符合文件的编码。", En: "Some bytes are not valid in the file's encoding."},
		catalog.Text{Zh: "请用UTF-8重新保存，或指明正确的编码。", En: "Save it as UTF-8, or state the right encoding."}},
	{"encoding_ambiguous", catalog.Fatal, catalog.Text{Zh: "无法确定文件的编码。", En: "The file's encoding cannot be told for certain."},
		catalog.Text{Zh: "请用UTF-8重新保存，或指明编码（如 gb18030、big5、windows-1252）。", En: "Save it as UTF-8, or state the encoding (gb18030, big5, windows-1252 …)."}},
	{"unclosed_quote", catalog.Fatal, catalog.Text{Zh: "引号没有闭合。", En: "A quote is never closed."},
		catalog.Text{Zh: "请在该行补上引号；值里的引号应写成两个。", En: "Close the quote on that row; a quote inside a value is written twice."}},
	{"stray_quote", catalog.Fatal, catalog.Text{Zh: "闭合引号后还有别的字符。", En: "Text follows a closing quote."},
		catalog.Text{Zh: "值里的引号应写成两个，例如 \"他说\"\"好\"\"\"。", En: "Write a quote inside a value twice, as in \"say \"\"yes\"\"\"."}},
	{"ragged_rows", catalog.Fatal, catalog.Text{Zh: "这一行的单元格数与表头不同。", En: "This row has another number of cells than the header."},
		catalog.Text{Zh: "请检查该行缺少或多出的分隔符；含分隔符的值要加引号。", En: "Look for a missing or extra delimiter; quote values that contain one."}},
	{"header_row_missing", catalog.Fatal, catalog.Text{Zh: "指定的表头行不存在。", En: "The stated header row does not exist."},
		catalog.Text{Zh: "请更正表头行号。", En: "Correct the number of the header row."}},
	{"quote_in_value", catalog.Note, catalog.Text{Zh: "有未加引号的值中含有引号，按原样保留。", En: "A quote stands inside an unquoted value and was kept as it is."},
		catalog.Text{Zh: "规范写法是给整个值加引号，值里的引号写成两个。", En: "The proper form quotes the value and doubles the quote inside."}},
	{"trailing_delimiters", catalog.Note, catalog.Text{Zh: "行尾有多余的分隔符，已忽略。", En: "Rows end with extra delimiters, which were ignored."},
		catalog.Text{Zh: "可在导出时去掉行尾的分隔符。", En: "Export without the trailing delimiter."}},
	{"blank_lines", catalog.Note, catalog.Text{Zh: "文件中间有空行，已跳过。", En: "Blank lines between rows were skipped."},
		catalog.Text{Zh: "无需处理；如空行代表数据，请补全。", En: "Nothing to do, unless a blank line was meant as data."}},
	{"title_lines", catalog.Warning, catalog.Text{Zh: "表头上方有标题行，未作为数据读入。", En: "Lines above the header were taken as titles, not as data."},
		catalog.Text{Zh: "如判断有误，请指明表头行。", En: "State the header row if that is wrong."}},
	{"no_header", catalog.Warning, catalog.Text{Zh: "文件看来没有表头，各列命名为 column_1、column_2……", En: "The file seems to have no header; columns are called column_1, column_2 …"},
		catalog.Text{Zh: "请加上表头，或指明表头行。", En: "Add a header, or state the header row."}},
	{"header_only", catalog.Warning, catalog.Text{Zh: "只有表头，没有数据行。", En: "There is a header but no row of data."},
		catalog.Text{Zh: "如确实没有数据可照此发布，否则请重新导出。", En: "Publish it so if there really are no data; else export again."}},
	{"duplicate_header", catalog.Warning, catalog.Text{Zh: "列名重复，已加序号区分。", En: "A column name appears twice; the later one was given a number."},
		catalog.Text{Zh: "请在文件中改用不同的列名。", En: "Give the columns different names in the file."}},
	{"empty_header", catalog.Warning, catalog.Text{Zh: "有一列没有列名，已按位置命名。", En: "A column has no name; it was named by its position."},
		catalog.Text{Zh: "请在文件中补上列名。", En: "Name the column in the file."}},
	{"reserved_header", catalog.Warning, catalog.Text{Zh: "列名 _row 为系统保留，已改名。", En: "The column name _row is reserved; the column was renamed."},
		catalog.Text{Zh: "请在文件中改用别的列名。", En: "Use another name in the file."}},
	{"long_header", catalog.Fatal, catalog.Text{Zh: "列名过长。", En: "A column name is too long."},
		catalog.Text{Zh: "列名最多1000个字符；请检查表头行和引号。", En: "At most 1,000 characters; check the header row and the quotes."}},
	{"replacement_character", catalog.Warning, catalog.Text{Zh: "文件中已有替换字符（U+FFFD），说明上传前文字已受损。", En: "The file holds replacement characters (U+FFFD): text was damaged before the upload."},
		catalog.Text{Zh: "请从原系统重新导出。", En: "Export it again from its source."}},
	// Types.
	{"type_mismatch", catalog.Fatal, catalog.Text{Zh: "有值不符合为该列选定的类型。", En: "A value does not fit the type chosen for its column."},
		catalog.Text{Zh: "请更正该值，或为该列选择文本类型。", En: "Correct the value, or choose text for the column."}},
	{"unknown_column", catalog.Fatal, catalog.Text{Zh: "为不存在的列选定了类型。", En: "A type was chosen for a column that does not exist."},
		catalog.Text{Zh: "请更正列名。", En: "Correct the name of the column."}},
	{"almost_typed", catalog.Warning, catalog.Text{Zh: "该列绝大多数值是同一类型，少数不是，因此整列按文本保存。", En: "Nearly all values of the column have one type, a few have not, so the column stays text."},
		catalog.Text{Zh: "更正这些值后重新上传，即可按该类型使用。", En: "Correct these values and upload again to have the column typed."}},
	{"ambiguous_dates", catalog.Warning, catalog.Text{Zh: "日期的日、月顺序无法确定，该列按文本保存。", En: "Day and month cannot be told apart, so the column stays text."},
		catalog.Text{Zh: "请改用年-月-日的写法，例如2021-12-08。", En: "Write dates year first, as in 2021-12-08."}},
	{"mixed_offsets", catalog.Note, catalog.Text{Zh: "各时间的时区不同，统一换算为UTC（Z）。", En: "The times have different offsets; all were converted to UTC (Z)."},
		catalog.Text{Zh: "如需保留当地时间，请另设一列写明时区。", En: "Keep the zone in a column of its own where local time matters."}},
	{"assumed_zone", catalog.Note, catalog.Text{Zh: "时间未注明时区，按东八区（+08:00）理解。", En: "The times state no zone and were taken as +08:00."},
		catalog.Text{Zh: "如不是北京时间，请在读取设置中指明时区。", En: "State the zone in the options if they are not Beijing time."}},
	{"thousands_separators", catalog.Note, catalog.Text{Zh: "该列数字带有千位分隔符，按文本保存。", En: "The numbers have thousands separators, so the column stays text."},
		catalog.Text{Zh: "去掉千位分隔符后可作为数字使用。", En: "Remove the separators to have it as numbers."}},
	{"full_width_digits", catalog.Note, catalog.Text{Zh: "该列含有全角数字，按文本保存。", En: "The column holds full-width digits, so it stays text."},
		catalog.Text{Zh: "改为半角后可作为数字使用。", En: "Write them as ordinary digits to have it as numbers."}},
	{"percent_signs", catalog.Note, catalog.Text{Zh: "该列数字带有百分号，按文本保存。", En: "The numbers carry percent signs, so the column stays text."},
		catalog.Text{Zh: "去掉百分号并在单位中注明，可作为数字使用。", En: "Remove the sign and state it as the unit to have it as numbers."}},
	{"empty_column", catalog.Note, catalog.Text{Zh: "该列全部为空。", En: "The column is empty in every row."},
		catalog.Text{Zh: "如不需要，可在文件中删去。", En: "Remove it from the file if it is not needed."}},
	{"empty_rows", catalog.Note, catalog.Text{Zh: "有的行所有单元格都为空，按空行保留。", En: "Some rows are empty in every column; they were kept."},
		catalog.Text{Zh: "如不需要，可在文件中删去。", En: "Remove them from the file if they are not needed."}},
	// XLSX.
	{"malformed_xlsx", catalog.Fatal, catalog.Text{Zh: "XLSX文件损坏。", En: "The XLSX file is damaged."},
		catalog.Text{Zh: "请用表格软件打开并另存后上传。", En: "Open it in a spreadsheet program, save it anew and upload that."}},
	{"date_out_of_range", catalog.Warning, catalog.Text{Zh: "格式为日期的单元格中不是日历上的日期，按数值保留。", En: "A cell formatted as a date holds no date of the calendar; its number was kept."},
		catalog.Text{Zh: "请更正该值或单元格格式。", En: "Correct the value or the format of the cell."}},
	{"digits_lost", catalog.Warning, catalog.Text{Zh: "单元格中是超过15位的数值：表格软件只保留15位有效数字，末尾几位可能已经不对。", En: "A cell holds a number of more than 15 digits: a spreadsheet keeps 15, so the last ones may be wrong."},
		catalog.Text{Zh: "如果是证件号等编码，请从来源处以文本格式重新导出。", En: "If it is an identifier, export it anew from its source as text."}},
	{"error_cells", catalog.Warning, catalog.Text{Zh: "单元格中是错误值，按文本保留。", En: "A cell holds an error value; it was kept as text."},
		catalog.Text{Zh: "请修正公式后重新上传。", En: "Mend the formula and upload again."}},
	{"formula_without_value", catalog.Warning, catalog.Text{Zh: "公式没有保存计算结果，读作空值。", En: "A formula has no stored result and was read as null."},
		catalog.Text{Zh: "请用表格软件打开、重新计算并保存。", En: "Open it in a spreadsheet program, recalculate and save."}},
	{"hidden_sheet", catalog.Warning, catalog.Text{Zh: "有隐藏的工作表，未读入，但仍在原始文件中。", En: "A sheet is hidden: it was not read, but is in the original file."},
		catalog.Text{Zh: "请确认其中没有不应公开的内容。", En: "Make sure that it holds nothing that must not be published."}},
	{"hidden_cells", catalog.Warning, catalog.Text{Zh: "有隐藏的行或列，已作为数据读入。", En: "Hidden rows or columns were read as data."},
		catalog.Text{Zh: "请确认其中没有不应公开的内容。", En: "Make sure that they hold nothing that must not be published."}},
	{"merged_cells", catalog.Warning, catalog.Text{Zh: "有合并单元格，只有左上角一格有值。", En: "Cells are merged: only the first of each has the value."},
		catalog.Text{Zh: "请取消合并并填好每一格。", En: "Unmerge them and fill every cell."}},
	{"empty_sheet", catalog.Note, catalog.Text{Zh: "工作表是空的，已跳过。", En: "The sheet is empty and was skipped."},
		catalog.Text{Zh: "无需处理。", En: "Nothing to do."}},
	{"hidden_content", catalog.Warning, catalog.Text{Zh: "文件带有批注、宏、外部链接等附加内容，未读入，但仍在原始文件中。", En: "The file carries comments, macros, external links or the like: not read, but in the original file."},
		catalog.Text{Zh: "请确认其中没有不应公开的内容。", En: "Make sure that they hold nothing that must not be published."}},
	// JSON.
	{"malformed_json", catalog.Fatal, catalog.Text{Zh: "JSON格式有误。", En: "The JSON is malformed."},
		catalog.Text{Zh: "请在所示位置更正。", En: "Correct it at the place shown."}},
	{"duplicate_key", catalog.Fatal, catalog.Text{Zh: "同一对象中键名重复。", En: "A key appears twice in one object."},
		catalog.Text{Zh: "请删去重复的键。", En: "Remove the duplicate."}},
	{"not_flat", catalog.Note, catalog.Text{Zh: "JSON不是由对象组成的数组，不作为表格，按附件保存。", En: "The JSON is no array of objects: it is kept as an attachment, not as a table."},
		catalog.Text{Zh: "如需作为表格，请改为对象数组或每行一个对象。", En: "For a table, write an array of objects or one object per line."}},
	{"nested_values", catalog.Note, catalog.Text{Zh: "有嵌套的数组或对象，按JSON文本保存。", En: "Nested arrays or objects were kept as JSON."},
		catalog.Text{Zh: "如需筛选，请拆成单独的列。", En: "Split them into columns of their own to filter by them."}},
	{"json_too_deep", catalog.Fatal, catalog.Text{Zh: "JSON嵌套层数过多。", En: "The JSON is nested too deeply."},
		catalog.Text{Zh: "请减少嵌套层数。", En: "Nest it less deeply."}},
	// Parquet.
	{"malformed_parquet", catalog.Fatal, catalog.Text{Zh: "Parquet文件损坏。", En: "The Parquet file is damaged."},
		catalog.Text{Zh: "请重新生成后上传。", En: "Write it again and upload that."}},
	{"unsupported_parquet", catalog.Fatal, catalog.Text{Zh: "Parquet文件用了不支持的特性。", En: "The Parquet file uses a feature that is not supported."},
		catalog.Text{Zh: "请以扁平的列、zstd 或 snappy 压缩、不加密的方式重新写出。", En: "Write it anew with flat columns, zstd or snappy compression and no encryption."}},
	// Attachments.
	{"attachment", catalog.Note, catalog.Text{Zh: "不是表格，按附件保存。", En: "Not a table: kept as an attachment."},
		catalog.Text{Zh: "无需处理。", En: "Nothing to do."}},
	{"attachment_spreadsheet", catalog.Warning, catalog.Text{Zh: "这种表格格式不能读取，按附件保存。", En: "This spreadsheet format is not read: it is kept as an attachment."},
		catalog.Text{Zh: "另存为XLSX或CSV后上传，即可在线查看和筛选。", En: "Save it as XLSX or CSV to have it as a table that can be looked at and filtered."}},
}

// findingCode returns the entry of a code. Codes are written in this package
// only, so an unknown one is a mistake in it that a test finds.
func findingCode(code string) FindingCode {
	for _, c := range FindingCodes {
		if c.Code == code {
			return c
		}
	}
	panic("ingest: finding code " + code + " is not listed")
}
