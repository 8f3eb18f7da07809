package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/alecthomas/kong"

	"taihu/catalog"
)

// environment is everything run takes from outside, so that tests can give it.
type environment struct {
	Getenv   func(string) (string, bool)
	Environ  []string
	In       io.Reader
	Out, Err io.Writer
	// Started, where set, is told the address the server listens on.
	Started func(address string)
}

// exitCode ends the program with that code; what there was to say has been said.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// The exit codes of publish and check (documented in /docs/commands).
const (
	exitRefused = 2 // the file was refused; the report says why
	exitWaiting = 3 // handed in, waiting for review
)

// commands is the command line.
type commands struct {
	Config
	Demo        demoCommand        `cmd:"" help:"Start the sample portal on embedded defaults."`
	Serve       serveCommand       `cmd:"" help:"Start the web and API server, with the job runner inside."`
	Work        workCommand        `cmd:"" help:"Start a job runner alone."`
	Migrate     migrateCommand     `cmd:"" help:"Bring the database to this version's tables."`
	Publish     publishCommand     `cmd:"" help:"Upload files to a server as a release and publish it."`
	Import      importCommand      `cmd:"" help:"Import a folder of Data Packages or an index CSV."`
	Check       checkCommand       `cmd:"" help:"Check a file as an upload would be, without a server."`
	Reindex     reindexCommand     `cmd:"" help:"Build the search index anew and put it in place."`
	Fsck        fsckCommand        `cmd:"" help:"Check blobs, references and the event chains."`
	User        userCommand        `cmd:"" help:"Make users, set passwords and roles."`
	Token       tokenCommand       `cmd:"" help:"Make, list and revoke API tokens."`
	Settings    configCommand      `cmd:"" name:"config" help:"Print the effective settings, without secrets."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
	IngestChild ingestChildCommand `cmd:"" hidden:"" name:"ingest-child"`
	QueryChild  queryChildCommand  `cmd:"" hidden:"" name:"query-child"`
}

// run is the program: it is what main and the tests start.
func run(ctx context.Context, args []string, env environment) error {
	var cli commands
	parser, err := kong.New(&cli, kong.Name("taihu"), kong.Description("An open public-data portal."),
		kong.Writers(env.Out, env.Err), kong.Exit(func(int) { panic(errHelped) }),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		return err
	}
	if err := resolve(parser, &cli, args, env); err != nil {
		return err
	}
	kctx, err := parseArgs(parser, args)
	if errors.Is(err, errHelped) {
		return nil
	}
	if err != nil {
		return err
	}
	log, err := cli.logger(env.Err)
	if err != nil {
		return err
	}
	kctx.BindTo(ctx, (*context.Context)(nil))
	return kctx.Run(&cli.Config, env, log)
}

var errHelped = errors.New("help was shown")

// parseArgs turns kong's exit after --help into errHelped.
func parseArgs(parser *kong.Kong, args []string) (kctx *kong.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			if e, ok := r.(error); !ok || !errors.Is(e, errHelped) {
				panic(r)
			}
			err = errHelped
		}
	}()
	return parser.Parse(args)
}

// explain is what an error says on a terminal.
func explain(err error) string {
	var e *catalog.Error
	if !errors.As(err, &e) {
		return err.Error()
	}
	var b strings.Builder
	b.WriteString(e.Message)
	if e.Code != "" {
		fmt.Fprintf(&b, " (%s)", e.Code)
	}
	return b.String()
}

// logger makes the program's log.
func (c *Config) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, fmt.Errorf("--log-level: %w", err)
	}
	o := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return slog.New(slog.NewTextHandler(w, o)), nil
}
