package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"taihu/catalog/store/storetest"
)

const parking = `泊位编号,停车场名称,区县,泊位数,收费,启用日期,备注
0001,三阳广场地下停车场,梁溪区,417,8.5,2021年12月8日,
0002,崇安寺东侧路内泊位,梁溪区,6,2,2022-03-01,""
0003,蠡湖中央公园P2,滨湖区,120,5.25,2022/7/15,"含""充电"",12个"
`

// TestSkeleton takes one small file the whole way: upload, ingest child,
// publish, search, and CSV, JSON and XLSX back.
func TestSkeleton(t *testing.T) { skeleton(t, start(t, "serve")) }

// TestSkeletonOnPostgres is the same with the metadata in PostgreSQL, which the
// operator migrates.
func TestSkeletonOnPostgres(t *testing.T) {
	t.Parallel()
	dsn := storetest.Postgres(t)
	s := &server{t: t, Data: t.TempDir(), Out: &lockedBuffer{}, Database: dsn}
	if out, code := s.command("migrate"); code != 0 {
		t.Fatal(out)
	}
	s.run("serve", "--database="+dsn)
	t.Cleanup(func() { s.stop() })
	skeleton(t, s)
	if out, code := s.command("fsck"); code != 0 {
		t.Error(out)
	}
}

func skeleton(t *testing.T, s *server) {
	t.Helper()
	s.publish("parking-spaces", writeFile(t, "parking.csv", parking))

	eventually(t, "found by a part of a word", func() bool {
		_, _, body := s.get("/api/v1/datasets?q=泊位")
		var found struct {
			Total    int
			Datasets []struct{ Slug string }
		}
		return json.Unmarshal(body, &found) == nil && found.Total == 1 && found.Datasets[0].Slug == "parking-spaces"
	})

	_, header, csv := s.get("/data/parking-spaces/latest/parking.csv")
	want := "泊位编号,停车场名称,区县,泊位数,收费,启用日期,备注\n" +
		"0001,三阳广场地下停车场,梁溪区,417,8.5,2021-12-08,\n" +
		"0002,崇安寺东侧路内泊位,梁溪区,6,2,2022-03-01,\"\"\n" +
		"0003,蠡湖中央公园P2,滨湖区,120,5.25,2022-07-15,\"含\"\"充电\"\",12个\"\n"
	if string(csv) != want {
		t.Errorf("CSV:\n%s\nwant:\n%s", csv, want)
	}
	if got := header.Get("Content-Location"); got != "/data/parking-spaces/1/parking.csv" {
		t.Errorf("Content-Location of latest: %q", got)
	}

	_, _, body := s.get("/data/parking-spaces/1/parking.json?where=区县 = '梁溪区'&sort=-泊位数&select=泊位编号,泊位数")
	if got := strings.Join(strings.Fields(string(body)), ""); got != `[{"泊位编号":"0001","泊位数":417},{"泊位编号":"0002","泊位数":6}]` {
		t.Errorf("filtered JSON: %s", got)
	}

	_, _, book := s.get("/data/parking-spaces/1/parking.xlsx")
	x, err := excelize.OpenReader(bytes.NewReader(book))
	if err != nil {
		t.Fatalf("XLSX: %v", err)
	}
	defer x.Close()
	rows, err := x.GetRows(x.GetSheetList()[0])
	if err != nil || len(rows) != 4 || rows[3][1] != "蠡湖中央公园P2" || rows[1][0] != "0001" {
		t.Errorf("XLSX rows: %v %v", rows, err)
	}

	if _, _, original := s.get("/data/parking-spaces/1/files/parking.csv"); string(original) != parking {
		t.Errorf("the original is not what was uploaded:\n%s", original)
	}
}
