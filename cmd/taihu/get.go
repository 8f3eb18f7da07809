package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"taihu/api"
	"taihu/api/client"
	"taihu/catalog/table"
)

// queryOptions are the parameters of a query as flags.
type queryOptions struct {
	Where  string `help:"Condition on the rows; see /docs/grammar."`
	Q      string `help:"Words that stand in any text column."`
	Bbox   string `help:"Places in a rectangle: west,south,east,north."`
	Near   string `help:"Places around a point: longitude,latitude,metres."`
	Group  string `help:"One row for each group of these columns."`
	Select string `help:"Columns and aggregates."`
	Having string `help:"Condition on the groups."`
	Sort   string `help:"Columns to sort by, a minus before one means descending."`
	Limit  int64  `help:"At most so many rows."`
}

func (o queryOptions) values() url.Values {
	v := url.Values{}
	limit := ""
	if o.Limit > 0 {
		limit = strconv.FormatInt(o.Limit, 10)
	}
	for i, text := range []string{o.Where, o.Q, o.Bbox, o.Near, o.Group, o.Select, o.Having, o.Sort, limit} {
		if text != "" {
			v.Set(table.Parameters[i], text)
		}
	}
	return v
}

type getCommand struct {
	Table string `arg:"" help:"DATASET/TABLE.EXT, or DATASET/RELEASE/TABLE.EXT."`

	Server   string `env:"TAIHU_SERVER" default:"http://127.0.0.1:8080" placeholder:"URL" help:"Address of the server, by default ${default}."`
	Token    string `env:"TAIHU_TOKEN" placeholder:"TOKEN" help:"Token; open data need none."`
	Output   string `short:"o" placeholder:"FILE" help:"Where to; by default the table's name."`
	Manifest bool   `help:"Keep the manifest beside it, for taihu verify."`
	JSON     bool   `name:"json" help:"Print the manifest as JSON."`
	queryOptions
}

// Run downloads a table, goes on where an earlier try ended, and holds the file
// to its manifest.
func (g *getCommand) Run(ctx context.Context, _ *Config, env environment, _ *slog.Logger) error {
	parts := strings.Split(g.Table, "/")
	if len(parts) == 2 {
		parts = []string{parts[0], "latest", parts[1]}
	}
	if len(parts) != 3 || filepath.Ext(parts[2]) == "" {
		return fmt.Errorf("%q names no download: write DATASET/TABLE.EXT or DATASET/RELEASE/TABLE.EXT, such as air-hourly/3/readings.csv", g.Table)
	}
	if u, err := url.Parse(g.Server); err != nil || u.Host == "" {
		return fmt.Errorf("--server is %q, but must be an address such as http://127.0.0.1:8080", g.Server)
	}
	c := client.New(g.Server, g.Token)
	if parts[1] == "latest" { // a file that is fetched in pieces must stay of one release
		r, err := c.Release(ctx, parts[0], "latest")
		if err != nil {
			return err
		}
		parts[1] = strconv.Itoa(r.Number)
	}
	file := cmp.Or(g.Output, parts[2])
	show := newProgress(env.Err, g.JSON)
	m, err := c.Download(ctx, client.Download{Path: client.DataPath(parts[0], parts[1], parts[2], g.values()), File: file, Progress: show.bytes(file)})
	show.clear()
	switch {
	case errors.Is(err, client.ErrDamaged):
		return fmt.Errorf("%s: %w; it is removed: fetch it again", file, err)
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("stopped: the same command goes on from what %s.part has", file)
	case err != nil:
		return err
	}
	if g.Manifest {
		b, err := json.MarshalIndent(m, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(file+".manifest.json", append(b, '\n'), 0o644); err != nil {
			return err
		}
	}
	if g.JSON {
		return printJSON(env.Out, m)
	}
	fmt.Fprintf(env.Out, "%s: release %d, %s, sha256 %s\n", file, m.Release, whole(m), m.SHA256)
	return nil
}

func whole(m *api.Manifest) string {
	rows := "rows"
	if m.Rows == 1 {
		rows = "row"
	}
	return fmt.Sprintf("%d %s, %d bytes", m.Rows, rows, m.Bytes)
}

type verifyCommand struct {
	File     string `arg:"" type:"existingfile" help:"A downloaded file."`
	Manifest string `placeholder:"FILE" type:"existingfile" help:"Its manifest; by default FILE.manifest.json beside it."`
	From     string `placeholder:"ADDRESS" help:"Ask this download address for the manifest."`
	Token    string `env:"TAIHU_TOKEN" placeholder:"TOKEN" help:"Token; open data need none."`
}

// Run holds a file to its manifest. One that is not what it says is exit code 2.
func (v *verifyCommand) Run(ctx context.Context, _ *Config, env environment, _ *slog.Logger) error {
	m, err := v.manifest(ctx)
	if err != nil {
		return err
	}
	if err := client.Verify(v.File, m); errors.Is(err, client.ErrDamaged) {
		fmt.Fprintf(env.Out, "%s: %v\n", v.File, err)
		return exitCode(exitRefused)
	} else if err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "%s: whole, %s: %s\n", v.File, whole(m), m.Address)
	return nil
}

func (v *verifyCommand) manifest(ctx context.Context) (*api.Manifest, error) {
	if v.From != "" {
		u, err := url.Parse(v.From)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("--from is %q, but must be the address of a download", v.From)
		}
		m, err := client.New(u.Scheme+"://"+u.Host, v.Token).Manifest(ctx, u.RequestURI())
		return m.Manifest, err
	}
	path := cmp.Or(v.Manifest, v.File+".manifest.json")
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("no manifest at %s: give --manifest, or --from with the address of the download", path)
	}
	m := &api.Manifest{}
	if err := json.Unmarshal(b, m); err != nil || m.SHA256 == "" {
		return nil, fmt.Errorf("%s is no manifest of a download", path)
	}
	return m, nil
}
