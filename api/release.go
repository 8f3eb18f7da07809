package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"taihu/catalog"
	"taihu/catalog/table"
)

// ReleasePath names a release.
type ReleasePath struct {
	Slug    string `path:"slug" doc:"The dataset" example:"parking-spaces"`
	Release string `path:"release" doc:"Number of the release, or latest" example:"latest"`
}

// namedRelease is catalog.ReleaseNumber where latest will not do: what is withdrawn or
// restored is named by its number.
func namedRelease(s string) (int, error) {
	n, err := catalog.ReleaseNumber(s)
	if err == nil && n == 0 {
		return 0, catalog.Errorf(catalog.NotFound, "unknown_release", "name the release by its number here, not as latest").With("release", s).
			InChinese("此处请写版本号，不能用latest")
	}
	return n, err
}

// standing finds a release that stands for an actor who may have its bytes;
// a withdrawn one is Gone with its reason.
func (a *API) standing(ctx context.Context, actor catalog.Actor, slug, release string) (*catalog.Dataset, *catalog.Release, error) {
	return a.standingAs(ctx, actor, slug, release, a.Store.Release)
}

// readRelease reads a release: store.Release, or ReleaseFacts where no profile is
// needed.
type readRelease func(ctx context.Context, actor catalog.Actor, slug string, number int) (*catalog.Dataset, *catalog.Release, error)

// standingAs is standing with as much of the release as read reads.
func (a *API) standingAs(ctx context.Context, actor catalog.Actor, slug, release string, read readRelease) (*catalog.Dataset, *catalog.Release, error) {
	n, err := catalog.ReleaseNumber(release)
	if err != nil {
		return nil, nil, err
	}
	d, r, err := read(ctx, actor, slug, n)
	if err != nil {
		return nil, nil, err
	}
	if err := current(ctx, d, slug); err != nil {
		return nil, nil, err
	}
	if err := catalog.Can(actor, catalog.ReadData, catalog.ObjectOf(d)); err != nil {
		return nil, nil, err
	}
	if err := r.CheckStands(); err != nil {
		return nil, nil, err
	}
	return d, r, nil
}

// tableOf finds a table of a release; an unknown one is NotFound naming the
// nearest and all there are.
func tableOf(r *catalog.Release, name string) (*catalog.Table, error) {
	t, err := r.Table(name)
	var e *catalog.Error
	if errors.As(err, &e) {
		names := make([]string, len(r.Tables))
		for i := range r.Tables {
			names[i] = r.Tables[i].Name
		}
		return nil, nearest(e.InChinese("这一版没有表“%s”；有：%s", name, strings.Join(names, "、")), name, names)
	}
	return t, err
}

// nearest adds the known name most like the one that was asked for.
func nearest(e *catalog.Error, name string, known []string) *catalog.Error {
	if near := table.Nearest(name, known); near != "" {
		e.Message += "; did you mean " + near + "?"
		if e.Zh != "" {
			e.Zh += "；是否指" + near + "？"
		}
		return e.With("nearest", near)
	}
	return e
}

func (a *API) releaseRoutes() {
	type listOutput struct{ Body ReleaseList }
	register(a, huma.Operation{OperationID: "list-releases", Method: http.MethodGet, Path: "/api/v1/datasets/{slug}/releases", Tags: []string{"releases"}, Summary: "A dataset's releases"},
		func(ctx context.Context, actor catalog.Actor, in *struct {
			Slug string `path:"slug" doc:"The dataset" example:"parking-spaces"`
		}) (*listOutput, error) {
			d, err := a.Store.Dataset(ctx, actor, in.Slug)
			if err != nil {
				return nil, err
			}
			if err := current(ctx, d, in.Slug); err != nil {
				return nil, err
			}
			list, err := a.Store.Releases(ctx, actor, d.Slug)
			if err != nil {
				return nil, err
			}
			bytes := catalog.Can(actor, catalog.ReadData, catalog.ObjectOf(d)) == nil
			out := &listOutput{}
			out.Body.Releases = []Release{}
			for i := range list {
				out.Body.Releases = append(out.Body.Releases, a.wireRelease(d, &list[i], bytes))
			}
			return out, nil
		})

	register(a, huma.Operation{OperationID: "get-release", Method: http.MethodGet, Path: "/api/v1/datasets/{slug}/releases/{release}", Tags: []string{"releases"},
		Summary: "One release with its tables and files", Description: "A withdrawn release answers as a tombstone: state, when and why, no tables."},
		func(ctx context.Context, actor catalog.Actor, in *ReleasePath) (*releaseOutput, error) {
			n, err := catalog.ReleaseNumber(in.Release)
			if err != nil {
				return nil, err
			}
			d, r, err := a.Store.Release(ctx, actor, in.Slug, n)
			if err != nil {
				return nil, err
			}
			if err := current(ctx, d, in.Slug); err != nil {
				return nil, err
			}
			out := &releaseOutput{Body: a.wireRelease(d, r, catalog.Can(actor, catalog.ReadData, catalog.ObjectOf(d)) == nil)}
			if n == 0 {
				out.ContentLocation = a.BaseURL + "/api/v1/datasets/" + d.Slug + "/releases/" + strconv.Itoa(r.Number)
			}
			return out, nil
		})

	type withdrawInput struct {
		ReleasePath
		Body Withdrawal
	}
	register(a, huma.Operation{OperationID: "withdraw-release", Method: http.MethodPost, Path: "/api/v1/datasets/{slug}/releases/{release}/withdraw", Tags: []string{"stewards"}, Summary: "Withdraw a release", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *withdrawInput) (*releaseOutput, error) {
			n, err := namedRelease(in.Release)
			if err != nil {
				return nil, err
			}
			if _, err := a.Store.Withdraw(ctx, actor, in.Slug, n, in.Body.Reason); err != nil {
				return nil, err
			}
			return a.releaseAnswer(ctx, actor, in.Slug, n)
		})
	register(a, huma.Operation{OperationID: "restore-release", Method: http.MethodPost, Path: "/api/v1/datasets/{slug}/releases/{release}/restore", Tags: []string{"stewards"}, Summary: "Restore a withdrawn release", Security: bearer},
		func(ctx context.Context, actor catalog.Actor, in *ReleasePath) (*releaseOutput, error) {
			n, err := namedRelease(in.Release)
			if err != nil {
				return nil, err
			}
			if _, err := a.Store.Restore(ctx, actor, in.Slug, n); err != nil {
				return nil, err
			}
			return a.releaseAnswer(ctx, actor, in.Slug, n)
		})
}

type releaseOutput struct {
	ContentLocation string `header:"Content-Location" doc:"The numbered address of latest"`
	Body            Release
}

func (a *API) releaseAnswer(ctx context.Context, actor catalog.Actor, slug string, number int) (*releaseOutput, error) {
	d, r, err := a.Store.Release(ctx, actor, slug, number)
	if err != nil {
		return nil, err
	}
	return &releaseOutput{Body: a.wireRelease(d, r, true)}, nil
}
