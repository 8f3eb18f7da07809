package web

import (
	"taihu/api/standards"
	"taihu/catalog"
)

// alternates names what else speaks of a dataset that anybody may see: its feed,
// its DCAT, and inside the page its description for search engines. The last one
// is of the release shown, so only the newest gives it.
func (s *Site) alternates(v *datasetPage, path []catalog.Organization) {
	d := v.Dataset
	if d.OpenAttribute == catalog.Closed || d.LatestNumber == 0 || len(path) == 0 {
		return
	}
	v.Feeds = append(v.Feeds, link{Words: phrase(v.Lang, "%s：各版", "%s: releases", d.Title.In(v.Lang)), Href: href(v.Lang, "/datasets/"+d.Slug+"/feed.atom")})
	v.Forms = append(v.Forms, link{Words: "DCAT (Turtle)", Href: "/datasets/" + d.Slug + "/dcat.ttl", Type: "text/turtle"}, link{Words: "DCAT (JSON-LD)", Href: "/datasets/" + d.Slug + "/dcat.jsonld", Type: "application/ld+json"})
	if v.Release == nil || v.Release.Number != d.LatestNumber {
		return
	}
	e := &standards.Entry{Dataset: d, Publisher: &path[len(path)-1], Release: v.Release}
	v.Linked = standards.Linked(standards.Portal{BaseURL: s.BaseURL, Name: s.PortalName}, e, v.Lang)
}
