package catalog

import (
	"fmt"
	"time"
)

// Citation is how a release is cited: publisher, title, release, portal, date,
// address. The Chinese form follows GB/T 7714—2015 ([DS/OL], a data set online),
// the English one DataCite. It holds no date of access, which is the reader's,
// so it never changes.
func Citation(d *Dataset, r *Release, publisher, portal Text, address string) Text {
	date, year, mark := "", "", Text{}
	if r.PublishedAt != nil {
		date = r.PublishedAt.In(time.FixedZone(DefaultZone, 8*3600)).Format(time.DateOnly)
		year = " (" + date[:4] + ")"
	}
	if d.Simulated {
		mark = Text{Zh: "（示例数据）", En: " (sample data)"}
	}
	return Text{
		Zh: fmt.Sprintf("%s. %s%s[DS/OL]. 第%d版. %s, %s. %s", publisher.In("zh"), d.Title.In("zh"), mark.Zh, r.Number, portal.In("zh"), date, address),
		En: fmt.Sprintf("%s%s. %s%s (Release %d) [Data set]. %s. %s", publisher.In("en"), year, d.Title.In("en"), mark.En, r.Number, portal.In("en"), address),
	}
}
