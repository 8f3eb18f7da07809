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
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], environment{Getenv: os.LookupEnv, Environ: os.Environ(), In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
	stop()
	if err == nil {
		return
	}
	var code exitCode
	if !errors.As(err, &code) {
		fmt.Fprintln(os.Stderr, "taihu: "+explain(err))
		code = 1
	}
	os.Exit(int(code))
}
