package embedded

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"taihu/indexer"
)

// The log is a header and records. A record is one call's changes:
//
//	length uint32 · crc32c of the payload uint32 · payload
//	payload = { operation byte · length uint32 · length uint32 · body · text }
//
// all little-endian; a body is a document as JSON or the id of a deleted one, and
// text the document's folded texts (see foldedTexts), in which phrases are looked
// for. A record that is cut or whose checksum is wrong ends the log: what follows
// is cut off. A record is on the disk (fsync) before its change is acknowledged.
//
// With every change of this form and of indexer.Fold the number in logHeader rises;
// the fields stand behind it. A log with another header is not read, and Damage says
// so.
var logHeader = "taihu search log 2: " + fieldNames() + "\n"

func fieldNames() string {
	var names []string
	for _, f := range indexer.Fields {
		names = append(names, f.Name)
	}
	return strings.Join(names, " ")
}

const (
	maxRecord  = 1 << 30
	opPut      = 'p'
	opDelete   = 'd'
	opCanary   = 'c' // a document that is passed over: see Canary
	recordHead = 8
	entryHead  = 9
	// replayBatch is how many bytes are cut up together when a log is read.
	replayBatch = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// entry is one change: a document cut up, or the id of one to delete.
type entry struct {
	*prepared
	deleted string
	op      byte  // opPut or opDelete if not set
	at      int64 // where body begins in the log, set by append
	end     int64 // of a record that has been read, in an entry of its own
}

type log struct {
	file *os.File
	size int64
	// broken is set by a failed fsync: what is on the disk is unknown then, so
	// nothing more is written until a rebuild or a restart.
	broken error
}

// openLog opens or makes the log called name and puts its documents into terms.
// damage is empty or says what could not be read. It ends with ctx, whose error is
// then returned, and leaves the log as it is.
func openLog(ctx context.Context, name string, terms *inverted) (l *log, damage string, err error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, "", err
	}
	l = &log{file: file}
	size, damage, err := l.replay(ctx, terms)
	if err != nil {
		file.Close()
		return nil, "", err
	}
	if damage != "" || size == 0 {
		if err := l.truncate(size); err != nil {
			file.Close()
			return nil, "", err
		}
	} else {
		l.size = size
	}
	return l, damage, nil
}

// truncate cuts the log behind its last good record, or begins it anew.
func (l *log) truncate(size int64) error {
	if err := l.file.Truncate(size); err != nil {
		return err
	}
	l.size = size
	if size == 0 {
		if _, err := l.file.WriteAt([]byte(logHeader), 0); err != nil {
			return err
		}
		l.size = int64(len(logHeader))
	}
	if err := l.file.Sync(); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(l.file.Name()))
}

// replay reads every good record; good is the length of the log up to the last.
// Records are cut up on every core, a batch ahead of the one that is put.
func (l *log) replay(ctx context.Context, terms *inverted) (good int64, damage string, err error) {
	info, err := l.file.Stat()
	if err != nil || info.Size() == 0 {
		return 0, "", err
	}
	r := bufio.NewReaderSize(l.file, 1<<20)
	header := make([]byte, len(logHeader))
	if _, err := io.ReadFull(r, header); err != nil || string(header) != logHeader {
		return 0, "the search index was written in another form", nil //nolint:nilerr // whatever the read said, it is not our form
	}
	defer terms.settle(true)
	end := int64(len(logHeader))
	good = end
	var work preparer
	put := func(b *batch) error {
		err := b.err()
		if err != nil { // what comes before is whole
			b.entries = b.entries[:slices.IndexFunc(b.entries, func(e entry) bool { return e.prepared != nil && e.prepared.err != nil })]
			b, _ = prepare(b.entries)
		}
		terms.put(b)
		for _, e := range b.entries {
			good = max(good, e.end)
		}
		return err
	}
	head := make([]byte, recordHead)
	var entries []entry
	var failed error
	for size := 0; end < info.Size() && failed == nil; {
		if err := ctx.Err(); err != nil {
			work.end()
			return 0, "", err
		}
		var payload []byte
		if payload, failed = readRecord(r, head, info.Size()-end); failed != nil {
			break
		}
		var some []entry
		if some, failed = entriesOf(payload, end+recordHead); failed != nil {
			break
		}
		end += recordHead + int64(len(payload))
		some = append(some, entry{end: end}) // the record is whole
		entries = append(entries, some...)
		if size += len(payload); size > replayBatch {
			failed = work.next(entries, put)
			entries, size = nil, 0
		}
	}
	for _, last := range [][]entry{entries, nil} {
		if err := work.next(last, put); err != nil {
			failed = err
			break
		}
	}
	if failed != nil {
		return good, fmt.Sprintf("the search index was cut after %d of %d bytes: %v", good, info.Size(), failed), nil
	}
	return good, "", nil
}

var errTorn = errors.New("an incomplete record")

func readRecord(r io.Reader, head []byte, left int64) ([]byte, error) {
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, errTorn
	}
	length := int64(binary.LittleEndian.Uint32(head))
	if length > maxRecord || length+recordHead > left {
		return nil, errTorn
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(r, payload); err != nil {
		return nil, err
	}
	if crc32.Checksum(payload, castagnoli) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, errors.New("a wrong checksum")
	}
	return payload, nil
}

// entriesOf takes the payload of a record, which begins at at, apart.
func entriesOf(payload []byte, at int64) ([]entry, error) {
	var entries []entry
	for len(payload) > 0 {
		if len(payload) < entryHead {
			return nil, errTorn
		}
		op, size, more := payload[0], int(binary.LittleEndian.Uint32(payload[1:])), int(binary.LittleEndian.Uint32(payload[5:]))
		end := entryHead + size + more
		if end > len(payload) {
			return nil, errTorn
		}
		body := payload[entryHead : entryHead+size]
		switch op {
		case opPut:
			entries = append(entries, entry{prepared: &prepared{body: body, text: payload[entryHead+size : end]}, at: at + entryHead})
		case opDelete:
			entries = append(entries, entry{deleted: string(body)})
		case opCanary: // of a process that was killed
		default:
			return nil, fmt.Errorf("an unknown operation %q", op)
		}
		at += int64(end)
		payload = payload[end:]
	}
	return entries, nil
}

// append writes entries as one record and, where durable, waits for the disk. It
// sets where each body is.
func (l *log) append(entries []entry, durable bool) error {
	if len(entries) == 0 {
		return nil
	}
	if l.broken != nil {
		return l.broken
	}
	var record bytes.Buffer
	record.Write(make([]byte, recordHead))
	for i := range entries {
		e := &entries[i]
		op, body, text := byte(opDelete), []byte(e.deleted), []byte(nil)
		if e.prepared != nil {
			op, body, text = opPut, e.body, e.text
		}
		if e.op != 0 {
			op = e.op
		}
		head := binary.LittleEndian.AppendUint32([]byte{op}, uint32(len(body)))
		record.Write(binary.LittleEndian.AppendUint32(head, uint32(len(text))))
		e.at = l.size + int64(record.Len())
		record.Write(body)
		record.Write(text)
	}
	b := record.Bytes()
	if len(b) > maxRecord {
		return fmt.Errorf("a change of %d bytes is too large for one record", len(b))
	}
	binary.LittleEndian.PutUint32(b, uint32(len(b)-recordHead))
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[recordHead:], castagnoli))
	if _, err := l.file.WriteAt(b, l.size); err != nil {
		// A full disk must not leave half a record in the way of the next one.
		if cut := l.file.Truncate(l.size); cut != nil {
			l.broken = err
		}
		return err
	}
	l.size += int64(len(b))
	if durable {
		return l.sync()
	}
	return nil
}

func (l *log) sync() error {
	if err := l.file.Sync(); err != nil {
		l.broken = err
		return err
	}
	return nil
}

func (l *log) read(at int64, size int) ([]byte, error) {
	body := make([]byte, size)
	return body, l.readInto(body, at)
}

func (l *log) readInto(buffer []byte, at int64) error {
	_, err := l.file.ReadAt(buffer, at)
	return err
}

// takeBack cuts off what was appended behind size.
func (l *log) takeBack(size int64) error {
	if err := l.file.Truncate(size); err != nil {
		l.broken = err
		return err
	}
	l.size = size
	return l.sync()
}

// rename puts the log in the place of name, durably.
func (l *log) rename(name string) error {
	if err := os.Rename(l.file.Name(), name); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(name))
}

func (l *log) close() { _ = l.file.Close() } // everything acknowledged is synced

func syncFolder(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
