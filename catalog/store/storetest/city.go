package storetest

import (
	"fmt"
	"math/rand/v2"
)

// CityHeaders are those of City's rows.
var CityHeaders = []string{"机构编码", "机构名称", "英文名", "上级机构", "类别"}

// City is the tree of a city's publishers as a list that a person would import:
// 80 organs of the city, 267 of its districts, 41 streets, 123 communities, 511
// in four levels and in no order (design/wuxi.md §4).
func City() [][]string {
	rows := [][]string{{"shi", "市政府", "City Government", "", "市级机关"}}
	for i := 1; i < 80; i++ {
		rows = append(rows, []string{fmt.Sprintf("shi-%02d", i), fmt.Sprintf("市第%d局", i), fmt.Sprintf("City Bureau %d", i), "shi", "市级机关"})
	}
	const districts = 8
	for d := range districts {
		rows = append(rows, []string{fmt.Sprintf("qu-%d", d), fmt.Sprintf("第%d区", d), fmt.Sprintf("District %d", d), "市政府", "区级机关"})
	}
	for i := range 267 - districts {
		rows = append(rows, []string{fmt.Sprintf("qu-%d-%02d", i%districts, i/districts), fmt.Sprintf("第%d区第%d局", i%districts, i/districts), "", fmt.Sprintf("qu-%d", i%districts), "区级机关"})
	}
	for i := range 41 {
		rows = append(rows, []string{fmt.Sprintf("street-%02d", i), fmt.Sprintf("第%d街道", i), fmt.Sprintf("Street %d", i), fmt.Sprintf("第%d区", i%districts), "街道"})
	}
	for i := range 123 {
		rows = append(rows, []string{fmt.Sprintf("community-%03d", i), fmt.Sprintf("第%d社区", i), "", fmt.Sprintf("STREET-%02d", i%41), "社区"})
	}
	rand.New(rand.NewPCG(5, 11)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return rows
}

// CityCSV is City as a CSV file.
func CityCSV() string {
	var b []byte
	for _, row := range append([][]string{CityHeaders}, City()...) {
		for i, cell := range row {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, cell...)
		}
		b = append(b, '\n')
	}
	return string(b)
}
