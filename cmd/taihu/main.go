// Command taihu is the whole portal in one binary: the web and API server, the
// job runner, the sample portal, the steward's command line, and the children
// that read uploaded files and run queries.
//
// It only wires: settings are read here, the parts are put together here, and no
// rule of the portal lives here.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() { os.Exit(program(os.Args[1:])) }

// program is the process: run with this process's surroundings, stopped by the
// usual signals. It returns the exit code.
func program(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	for _, kv := range os.Environ() { // an empty variable is what scripts and unit files have for none
		if name, ok := strings.CutSuffix(kv, "="); ok && strings.HasPrefix(name, "TAIHU_") && !strings.Contains(name, "=") {
			_ = os.Unsetenv(name)
		}
	}
	err := run(ctx, args, environment{Getenv: os.LookupEnv, Environ: os.Environ(), In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	var code exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	fmt.Fprintln(os.Stderr, "taihu: "+explain(err))
	return 1
}
