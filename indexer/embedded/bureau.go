package embedded

import (
	"slices"
	"strings"

	"taihu/catalog"
	"taihu/indexer"
)

// bureau is an organization as its documents call it.
type bureau struct {
	name   catalog.Text
	sure   bool     // a publisher's own name, not one taken from the path
	texts  []string // all names, codes and the slug
	folded []string // each of texts, folded
}

// mostTexts bounds what is kept of one organization that was renamed again and again.
const mostTexts = 16

// learnBureaus takes the names of the organizations of d's path. A document has its
// publisher's names apart; those above have theirs where the names of the path can
// be told apart: as many of each, or only one above.
func (x *inverted) learnBureaus(d *indexer.Document) {
	last := len(d.Organizations) - 1
	if last < 0 {
		return
	}
	x.learnBureau(d.Organizations[last], d.Publisher, true, d.Publisher.Zh, d.Publisher.En)
	each, own := len(d.PathNames)/(last+1), slices.Index(d.PathNames, d.Publisher.In("zh"))
	switch {
	case own < 0:
	case each*(last+1) == len(d.PathNames) && own == last*each:
		for i, slug := range d.Organizations {
			some := d.PathNames[i*each : (i+1)*each]
			x.learnBureau(slug, nameOf(some), false, some...)
		}
	case last == 1 && own > 0:
		x.learnBureau(d.Organizations[0], nameOf(d.PathNames[:own]), false, d.PathNames[:own]...)
		x.learnBureau(d.Organizations[1], d.Publisher, true, d.PathNames[own:]...)
	}
}

// nameOf takes the first of an organization's names for the Chinese one and the
// second, if it has several words, for the English one: a code has not.
func nameOf(list []string) catalog.Text {
	t := catalog.Text{Zh: list[0]}
	if len(list) > 1 && strings.Contains(list[1], " ") {
		t.En = list[1]
	}
	return t
}

func (x *inverted) learnBureau(slug string, name catalog.Text, sure bool, texts ...string) {
	b, there := x.bureaus[slug]
	if !there {
		b = &bureau{texts: []string{slug}, folded: []string{indexer.Fold(slug)}}
		x.bureaus[slug] = b
	}
	if name != (catalog.Text{}) && (sure || !b.sure) {
		b.name, b.sure = name, sure
	}
	for _, text := range texts {
		if text != "" && len(b.texts) < mostTexts && !slices.Contains(b.texts, text) {
			b.texts, b.folded = append(b.texts, text), append(b.folded, indexer.Fold(text))
		}
	}
}
