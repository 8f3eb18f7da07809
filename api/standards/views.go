package standards

import (
	"slices"
	"strings"

	"taihu/api/export"
)

// ViewsHead begins the SQL that makes the portal's tables views in DuckDB.
func ViewsHead(p Portal) []byte {
	return []byte("-- " + oneLine(p.Name.In("zh")+" / "+p.Name.In("en")) + "\n" +
		"-- 每个数据集一个模式，每张表一个视图，读最新一版的Parquet；重新执行即更新到新版。\n" +
		"-- One schema for each dataset, one view for each table, over the Parquet of the latest release; run it again for newer ones.\n" +
		"--   duckdb portal.duckdb -c \".read portal.sql\"      (INSTALL httpfs; LOAD httpfs; once)\n" +
		"--   SELECT * FROM \"dataset-name\".\"table-name\" LIMIT 10;\n")
}

// Views is the statements for one dataset, nothing where its bytes are not open
// to all. Running them reads the footer of each file, so that columns and types
// are known.
func Views(p Portal, e *Entry) []byte {
	if !e.open() || len(e.Release.Tables) == 0 {
		return nil
	}
	parquet, _ := export.FormatByName("parquet")
	schema := sqlName(schemaName(e.Dataset.Slug))
	var s strings.Builder
	s.WriteString("\n-- " + oneLine(e.Dataset.Title.In("zh")) + " · " + p.release(e.Dataset.Slug, e.Release.Number) + "\n")
	s.WriteString("CREATE SCHEMA IF NOT EXISTS " + schema + ";\n")
	for i := range e.Release.Tables {
		t := &e.Release.Tables[i]
		s.WriteString("CREATE OR REPLACE VIEW " + schema + "." + sqlName(t.Name) + " AS SELECT * FROM read_parquet(" +
			sqlText(p.table(e.Dataset.Slug, e.Release.Number, t.Name, parquet)) + ");\n")
	}
	return []byte(s.String())
}

// databases are names that DuckDB takes for a database where one stands before a
// dot, so that no schema of that name can be spoken to.
var databases = []string{"memory", "portal", "system", "temp"}

// schemaName is the name of a dataset's schema: its slug, with _ behind it where
// DuckDB would take the slug for a database. No slug holds a _.
func schemaName(slug string) string {
	if slices.Contains(databases, slug) {
		return slug + "_"
	}
	return slug
}

func sqlName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func sqlText(s string) string { return `'` + strings.ReplaceAll(s, `'`, `''`) + `'` }

// oneLine keeps a text inside its comment.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
