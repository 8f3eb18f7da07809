package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"taihu/catalog"
	"taihu/catalog/child"
)

// maxAnswer bounds what a child may say: a report of 16,384 columns with their
// evidence stays well below.
const maxAnswer = 256 << 20

// Child checks one file in a child process: spec names the program, the hidden
// subcommand that calls Main, and where temporary folders go; what spec leaves
// open of memory and time is taken from req.Limits. The error is a *child.Death
// where the child did not live to answer (DeathReport words it as a verdict on
// the file), else the portal's own trouble.
func Child(ctx context.Context, spec child.Spec, req Request) (Result, error) {
	limits := req.Limits.orDefault()
	if spec.MemoryBytes == 0 {
		spec.MemoryBytes = limits.Memory + limits.Memory/8
	}
	if spec.GoBytes == 0 {
		spec.GoBytes = limits.Memory * 3 / 4
	}
	if spec.Procs == 0 {
		spec.Procs = limits.Threads
	}
	if spec.Wall == 0 {
		spec.Wall = limits.Wall + limits.Wall/10 // the child ends itself first, with a better word
	}
	request, err := json.Marshal(req)
	if err != nil {
		return Result{}, fmt.Errorf("ingest request: %w", err)
	}
	bytes, err := child.Run(ctx, spec, request, maxAnswer)
	if err != nil {
		return Result{}, err
	}
	var a answer
	if err := json.Unmarshal(bytes, &a); err != nil {
		return Result{}, fmt.Errorf("ingest answer: %w", err)
	}
	if a.Result == nil {
		return Result{}, errors.New("ingest child: " + a.Error)
	}
	return *a.Result, nil
}

// ChildVerdict is Child where nothing is tried again: the child's death is a
// verdict on the file, too.
func ChildVerdict(ctx context.Context, spec child.Spec, req Request) (Result, error) {
	result, err := Child(ctx, spec, req)
	var death *child.Death
	if errors.As(err, &death) && ctx.Err() == nil {
		return Result{Report: DeathReport(req.Name, death)}, nil
	}
	return result, err
}

// DeathReport is the verdict on a file whose child died: ingest_killed where it
// went beyond a limit, ingest_crashed where it broke.
func DeathReport(name string, d *child.Death) catalog.Report {
	f := found("ingest_crashed", "", "")
	switch d.Reason {
	case child.Memory:
		f = found("ingest_killed", "检查该文件所用的内存超出限制，已停止。", "Reading this file took more memory than allowed and was stopped.")
	case child.Time:
		f = found("ingest_killed", "检查该文件所用的时间超出限制，已停止。", "Reading this file took longer than allowed and was stopped.")
	case child.FileSize:
		f = found("ingest_killed", "由该文件生成的数据超出限制，已停止。", "What was made of this file grew larger than allowed; reading was stopped.")
	}
	return catalog.Report{File: name, Findings: []catalog.Finding{f}}
}
