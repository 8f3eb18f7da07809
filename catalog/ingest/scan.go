package ingest

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"taihu/catalog"
)

// Scanner looks for malware in a file before anything else reads it. Its error is
// that of the scanner, not of the file: nothing is accepted unscanned.
type Scanner func(ctx context.Context, path string) (found string, err error)

// scanTime bounds the scan of one file.
const scanTime = 10 * time.Minute

// CommandScanner runs a program on the file, as clamdscan --fdpass --no-summary
// does: exit code 0 where nothing was found, 1 where something was, which it names;
// anything else is its own trouble. command is split at blanks; nil where empty.
func CommandScanner(command string) Scanner {
	words := strings.Fields(command)
	if len(words) == 0 {
		return nil
	}
	return func(ctx context.Context, path string) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, scanTime)
		defer cancel()
		cmd := exec.CommandContext(ctx, words[0], append(words[1:], path)...)
		cmd.WaitDelay = time.Second
		out, err := cmd.CombinedOutput()
		said := strings.TrimSpace(strings.ReplaceAll(string(out), path, "")) // the path is nobody's business
		var exit *exec.ExitError
		switch {
		case err == nil:
			return "", nil
		case errors.As(err, &exit) && exit.ExitCode() == 1 && ctx.Err() == nil:
			if said = strings.Trim(said, ": \n"); said == "" {
				said = "?"
			}
			return shorten(said), nil
		}
		return "", fmt.Errorf("scan with %s: %w: %s", words[0], err, shorten(said))
	}
}

// ScanReport is the verdict on a file in which something was found, or, where
// nothing could be scanned, on one that was not.
func ScanReport(name, what string, err error) catalog.Report {
	f := found("malware", "", "")
	f.Value = what
	if err != nil {
		f = found("scan_failed", "", "")
	}
	return catalog.Report{File: name, Findings: []catalog.Finding{f}}
}
