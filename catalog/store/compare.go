package store

import (
	"context"

	"taihu/catalog"
)

// Compared returns two releases of a dataset that are to be compared, for an actor
// who may have the data of both. Each is named by its number or latest, new also by
// the id of a draft; "" is latest for new, and for old the newest release that stands
// before it. Errors: those of Release, Draft and catalog.Can; Gone withdrawn.
func (db *DB) Compared(ctx context.Context, actor catalog.Actor, dataset, oldName, newName string) (d *catalog.Dataset, old, now *catalog.Release, err error) {
	if d, err = db.Dataset(ctx, actor, dataset); err != nil {
		return nil, nil, nil, err
	}
	if err = catalog.Can(actor, catalog.ReadData, catalog.ObjectOf(d)); err != nil {
		return nil, nil, nil, err
	}
	if len(newName) == len(catalog.NewID()) {
		now, err = db.comparedDraft(ctx, actor, d, newName)
	} else {
		now, err = db.comparedRelease(ctx, actor, d, newName)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	if oldName == "" && now.Number > 0 {
		old, err = db.before(ctx, actor, d, now.Number)
	} else {
		old, err = db.comparedRelease(ctx, actor, d, oldName)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	return d, old, now, nil
}

func (db *DB) comparedRelease(ctx context.Context, actor catalog.Actor, d *catalog.Dataset, name string) (*catalog.Release, error) {
	if name == "" {
		name = "latest"
	}
	n, err := catalog.ReleaseNumber(name)
	if err != nil {
		return nil, err
	}
	_, r, err := db.Release(ctx, actor, d.Slug, n)
	if err == nil {
		err = r.CheckStands()
	}
	return r, err
}

func (db *DB) comparedDraft(ctx context.Context, actor catalog.Actor, d *catalog.Dataset, id string) (*catalog.Release, error) {
	r, err := db.Draft(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	if r.DatasetID != d.ID || r.State == catalog.Abandoned {
		return nil, unknownDraft()
	}
	return r, r.CheckStands()
}

// before returns the newest release that stands and has a smaller number.
func (db *DB) before(ctx context.Context, actor catalog.Actor, d *catalog.Dataset, number int) (*catalog.Release, error) {
	list, err := db.Releases(ctx, actor, d.Slug)
	if err != nil {
		return nil, err
	}
	for i := range list { // newest first
		if list[i].Number < number && list[i].State == catalog.Published {
			_, r, err := db.Release(ctx, actor, d.Slug, list[i].Number)
			return r, err
		}
	}
	return nil, unknown("unknown_release", "there is no release of %q before release %d to compare it with", d.Slug, number).
		With("release", number).InChinese("第%d版之前没有可以比较的版本", number)
}
