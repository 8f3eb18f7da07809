package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/alecthomas/kong"

	"taihu/api/handle"
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
	exitRefused   = 2 // the file was refused; the report says why
	exitWaiting   = 3 // handed in, waiting for review
	exitUnsettled = 4 // accepted, but findings have to be settled before it can be published
)

// commands is the command line.
type commands struct {
	Config       `embed:"" group:"Settings"`
	Demo         demoCommand         `cmd:"" help:"Start the sample portal on embedded defaults."`
	Serve        serveCommand        `cmd:"" help:"Start the web and API server, with the job runner inside."`
	Work         workCommand         `cmd:"" help:"Start a job runner alone."`
	Migrate      migrateCommand      `cmd:"" help:"Bring the database to this version's tables."`
	Publish      publishCommand      `cmd:"" help:"Upload files to a server as a release and publish it."`
	Import       importCommand       `cmd:"" help:"Import a folder of Data Packages or an index CSV."`
	Get          getCommand          `cmd:"" help:"Download a table, whole or filtered, resumed and verified."`
	Verify       verifyCommand       `cmd:"" help:"Hold a downloaded file to its manifest."`
	Check        checkCommand        `cmd:"" help:"Check a file as an upload would be, without a server."`
	Reindex      reindexCommand      `cmd:"" help:"Build the search index anew and put it in place."`
	Fsck         fsckCommand         `cmd:"" help:"Check blobs, references and the event chains."`
	Audit        auditCommand        `cmd:"" help:"Print a dataset's record of events, and verify chains of events."`
	User         userCommand         `cmd:"" help:"Make users, set passwords and roles."`
	Organization organizationCommand `cmd:"" help:"Import and list organizations."`
	Token        tokenCommand        `cmd:"" help:"Make, list and revoke API tokens."`
	Settings     configCommand       `cmd:"" name:"config" help:"Print the effective settings, without secrets."`
	Version      versionCommand      `cmd:"" help:"Print the version."`
	IngestChild  ingestChildCommand  `cmd:"" hidden:"" name:"ingest-child"`
	QueryChild   queryChildCommand   `cmd:"" hidden:"" name:"query-child"`
}

// run is the program: it is what main and the tests start.
func run(ctx context.Context, args []string, env environment) error {
	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case len(args) == 1 && args[0] == "--version": // as every other program has it
		args = []string{"version"}
	}
	var cli commands
	parser, err := newParser(&cli, env.Out, env.Err)
	if err != nil {
		return err
	}
	if err := resolve(parser, args, env); err != nil {
		return err
	}
	kctx, err := parseArgs(parser, args)
	if errors.Is(err, errHelped) {
		return nil
	}
	if err != nil {
		return parseError(parser, err)
	}
	if err := cli.Config.check(); err != nil {
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

// newParser makes the parser of the command line.
func newParser(cli *commands, out, err io.Writer) (*kong.Kong, error) {
	return kong.New(cli, kong.Name("taihu"), kong.Description("An open public-data portal. Guides: /docs on a running portal."),
		kong.Writers(out, err), kong.Exit(func(int) { panic(errHelped) }), kong.Help(printHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
}

// printHelp leaves the settings to the help of taihu itself: before the few
// flags of a command their two screens would bury what was asked for.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if ctx.Selected() == nil {
		return kong.DefaultHelpPrinter(options, ctx)
	}
	for _, flag := range ctx.Model.Flags {
		flag.Hidden = flag.Name != "help"
	}
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	_, err := fmt.Fprintln(ctx.Stdout, "\nThe settings (--config, --data, --database …) are in: taihu --help")
	return err
}

// parseError says what is wrong with a command line. Where there is no such
// command it names the nearest.
func parseError(parser *kong.Kong, err error) error {
	var p *kong.ParseError
	if !errors.As(err, &p) || p.Context == nil {
		return err
	}
	name, unknown := strings.CutPrefix(err.Error(), "unexpected argument ")
	if name, _, _ = strings.Cut(name, ","); unknown {
		node := parser.Model.Node
		if s := p.Context.Selected(); s != nil {
			node = s
		}
		var names []string
		for _, c := range node.Children {
			if !c.Hidden {
				names = append(names, c.Name)
			}
		}
		if len(names) > 0 {
			return fmt.Errorf("there is no command %q%s; %s --help lists them", name, didYouMean(name, names), node.FullPath())
		}
	}
	if s := p.Context.Selected(); s != nil {
		return fmt.Errorf("%w; see %s --help", err, s.FullPath())
	}
	return err
}

// explain is what an error says on a terminal: its sentence and its code. Causes
// stay away but where something does not answer: there the cause is the help.
func explain(err error) string {
	text, code := err.Error(), ""
	var e *catalog.Error
	var p *handle.Problem
	switch {
	case errors.As(err, &p):
		code = p.Code
		if p.Status >= 500 && p.Instance != "" {
			code += ", request " + p.Instance
		}
	case errors.As(err, &e):
		code = e.Code
		if e.Kind != catalog.Unavailable {
			text = strings.Replace(text, e.Error(), e.Message, 1)
		}
	}
	text = strings.Join(strings.Fields(text), " ") // drivers' messages have lines
	if code == "" {
		return text
	}
	return text + " (" + code + ")"
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
