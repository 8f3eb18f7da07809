package api

import (
	"encoding/base64"
	"strings"
	"testing"
)

// FuzzUploadMetadata: whatever a header says, it is refused or read, and what was
// read is what was written.
func FuzzUploadMetadata(f *testing.F) {
	f.Add("5", "filename YS5jc3Y=,filetype dGV4dC9jc3Y=", "a.csv")
	f.Add("-1", "filename", "")
	f.Add("99999999999999999999", ",,,", "x")
	f.Add("0", "filename \x00,sha256 AAAA,header_row LTE=", "表.csv")
	f.Fuzz(func(t *testing.T, length, metadata, name string) {
		if u, err := uploadOf(length, metadata); err == nil && (u.Size < 0 || u.SHA256 != "" && len(u.SHA256) != 64 || u.MediaType == "") {
			t.Errorf("%q %q gave %+v", length, metadata, u)
		}
		u, err := uploadOf("1", "filename "+base64.StdEncoding.EncodeToString([]byte(name))+", header_row LTE=,header_rows Mg==,totals ZHJvcA==,merged ZW1wdHk=,path eC5i,delimiter Ow==")
		if err != nil || u.Name != name || u.Options.HeaderRow != -1 || u.Options.HeaderRows != 2 || u.Options.Totals != "drop" || u.Options.Merged != "empty" || u.Options.Path != "x.b" || u.Options.Delimiter != ";" || strings.Contains(u.MediaType, "\n") {
			t.Errorf("%q gave %+v %v", name, u, err)
		}
	})
}
