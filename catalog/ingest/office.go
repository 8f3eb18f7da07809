package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"taihu/catalog/child"
)

// Old workbooks (.xls) and OpenDocument sheets (.ods) are converted to XLSX by
// LibreOffice where the portal has it, and then read as any workbook. It is a large
// program with strangers' bytes, so it runs as a child of the ingest child: own
// profile, no network, no macros, no links, limits of memory and time.

const (
	officeMemory = 1 << 30
	officeWall   = 3 * time.Minute
	officeAgain  = 81 // exit code of a first start in a new profile that wants another
)

// FindOffice returns LibreOffice's program: what is configured, else what is on
// PATH; "" where there is none, or where it is configured as off.
func FindOffice(configured string) (string, error) {
	switch configured {
	case "off":
		return "", nil
	case "":
		for _, name := range []string{"soffice", "libreoffice"} {
			if path, err := exec.LookPath(name); err == nil {
				return officeBinary(path), nil
			}
		}
		return "", nil
	}
	path, err := exec.LookPath(configured)
	if err != nil {
		return "", fmt.Errorf("find LibreOffice: %w", err)
	}
	return officeBinary(path), nil
}

// officeBinary is the program behind the script that starts it, which would start
// others that outlive it.
func officeBinary(script string) string {
	if path, err := filepath.EvalSymlinks(script); err == nil {
		script = path
	}
	if path, err := exec.LookPath(filepath.Join(filepath.Dir(script), "soffice.bin")); err == nil {
		return path
	}
	return script
}

// officeFilters name the one form in which a file is read: left to itself,
// LibreOffice takes a damaged workbook for text.
var officeFilters = map[string]string{".xls": "MS Excel 97", ".ods": "calc8"}

// officeProfile are the settings of a profile: macros are not run, links are not
// followed, formulas keep the values that are stored, and a proxy that is not
// there stands before the network.
const officeProfile = `<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks" oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Content/Update"><prop oor:name="Link" oor:op="fuse"><value>2</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>1</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="ODFRecalcMode" oor:op="fuse"><value>1</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetProxyType" oor:op="fuse"><value>2</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPProxyName" oor:op="fuse"><value>127.0.0.1</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPProxyPort" oor:op="fuse"><value>9</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPSProxyName" oor:op="fuse"><value>127.0.0.1</value></prop></item>
<item oor:path="/org.openoffice.Inet/Settings"><prop oor:name="ooInetHTTPSProxyPort" oor:op="fuse"><value>9</value></prop></item>
</oor:items>
`

// officeSource is the source of a converted file, which goes with it.
type officeSource struct {
	Source
	dir string
}

// Close closes the source and removes the converted file.
func (s *officeSource) Close() error { return errors.Join(s.Source.Close(), os.RemoveAll(s.dir)) }

// openOffice converts a workbook and opens what came out.
func openOffice(in Input, ext string) (Source, error) {
	if in.Office == "" {
		return nil, refuse("office_missing", "%[1]s 要由LibreOffice转换，本站没有安装。", "A %[1]s file is converted by LibreOffice, which this portal does not have.", ext)
	}
	dir, err := os.MkdirTemp(in.TempDir, "office-")
	if err != nil {
		return nil, fmt.Errorf("convert upload: %w", err)
	}
	path, err := convert(in, dir, ext)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	in.Path = path
	src, err := openXLSX(in)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	in.Report.Format = ext[1:]
	in.Findings.Add(found("converted", "", ""))
	return &officeSource{src, dir}, nil
}

// convert has LibreOffice write the workbook as XLSX into dir.
func convert(in Input, dir, ext string) (string, error) {
	profile, out := filepath.Join(dir, "profile", "user"), filepath.Join(dir, "out")
	for _, d := range []string{profile, out} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return "", fmt.Errorf("convert upload: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(profile, "registrymodifications.xcu"), []byte(officeProfile), 0o600); err != nil {
		return "", fmt.Errorf("convert upload: %w", err)
	}
	source, err := filepath.Abs(in.Path)
	if err != nil {
		return "", err
	}
	upload := filepath.Join(dir, "upload"+ext)
	if err := os.Symlink(source, upload); err != nil {
		return "", fmt.Errorf("convert upload: %w", err)
	}
	spec := child.Spec{
		Executable: in.Office,
		Args: []string{"-env:UserInstallation=" + (&url.URL{Scheme: "file", Path: filepath.Join(dir, "profile")}).String(),
			"--headless", "--invisible", "--norestore", "--nologo", "--nodefault", "--nolockcheck", "--nofirststartwizard", "--infilter=" + officeFilters[ext], "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", out, upload},
		Env: []string{"SAL_USE_VCLPLUGIN=svp"}, TempRoot: dir, MemoryBytes: officeMemory, Wall: min(officeWall, in.Limits.Wall), CPU: officeWall, FileBytes: in.Limits.Inflate, OpenFiles: 512, Offline: true,
	}
	made := filepath.Join(out, "upload.xlsx")
	for range 2 {
		_, err = child.Run(context.Background(), spec, nil, 1<<20)
		var death *child.Death
		if !errors.As(err, &death) {
			break
		}
		if death.Reason == child.Memory || death.Reason == child.Time || death.Reason == child.FileSize {
			return "", refuse("conversion_failed", "转换时超出时间、内存或大小的限制，已停止。", "The conversion went beyond the limits of time, memory or size and was stopped.")
		}
		if death.ExitCode != officeAgain {
			break
		}
	}
	if _, statErr := os.Stat(made); statErr == nil {
		return made, nil
	}
	var death *child.Death
	if err != nil && !errors.As(err, &death) {
		return "", fmt.Errorf("start LibreOffice: %w", err)
	}
	if fileContains(in.Path, utf16Bytes("EncryptedPackage")) {
		return "", refuse("encrypted", "", "")
	}
	return "", refuse("conversion_failed", "", "")
}

// isOffice reports whether a file is one that LibreOffice converts.
func isOffice(kind, ext string) bool {
	return kind == kindOLE && ext == ".xls" || kind == kindODS && strings.EqualFold(ext, ".ods")
}
