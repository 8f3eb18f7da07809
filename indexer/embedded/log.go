package embedded

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"

	"taihu/indexer"
)

// The log is a header and records. A record is one call's changes:
//
//	length uint32 · crc32c of the payload uint32 · payload
//	payload = { operation byte · length uint32 · body }
//
// all little-endian; a body is a document as JSON or the id of a deleted one. A
// record that is cut or whose checksum is wrong ends the log: what follows is
// cut off. A record is on the disk (fsync) before its change is acknowledged.
const (
	logHeader  = "taihu search log 1\n"
	maxRecord  = 1 << 30
	opPut      = 'p'
	opDelete   = 'd'
	recordHead = 8
	entryHead  = 5
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// entry is one change: a document with its JSON, or the id of one to delete.
type entry struct {
	doc     *indexer.Document
	body    []byte
	deleted string
	at      int64 // where body begins in the log, set by append
}

type log struct {
	file *os.File
	size int64
	// broken is set by a failed fsync: what is on the disk is unknown then, so
	// nothing more is written until a rebuild or a restart.
	broken error
}

// openLog opens or makes the log called name and puts its documents into terms.
// damage is empty or says what could not be read.
func openLog(name string, terms *inverted) (l *log, damage string, err error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, "", err
	}
	l = &log{file: file}
	size, damage, err := l.replay(terms)
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
func (l *log) replay(terms *inverted) (good int64, damage string, err error) {
	info, err := l.file.Stat()
	if err != nil || info.Size() == 0 {
		return 0, "", err
	}
	r := bufio.NewReaderSize(l.file, 1<<20)
	header := make([]byte, len(logHeader))
	if _, err := io.ReadFull(r, header); err != nil || string(header) != logHeader {
		return 0, "the search index was written in another form", nil //nolint:nilerr // whatever the read said, it is not our form
	}
	good = int64(len(logHeader))
	head := make([]byte, recordHead)
	for good < info.Size() {
		payload, err := readRecord(r, head, info.Size()-good)
		if err == nil {
			err = apply(payload, good+recordHead, terms)
		}
		if err != nil {
			return good, fmt.Sprintf("the search index was cut after %d of %d bytes: %v", good, info.Size(), err), nil
		}
		good += recordHead + int64(len(payload))
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

// apply puts the changes of one record, whose payload begins at at, into terms.
func apply(payload []byte, at int64, terms *inverted) error {
	for len(payload) > 0 {
		if len(payload) < entryHead {
			return errTorn
		}
		op, length := payload[0], int(binary.LittleEndian.Uint32(payload[1:]))
		if entryHead+length > len(payload) {
			return errTorn
		}
		body := payload[entryHead : entryHead+length]
		switch op {
		case opPut:
			var d indexer.Document
			if err := json.Unmarshal(body, &d); err != nil {
				return err
			}
			terms.put(&d, at+entryHead, length)
		case opDelete:
			terms.delete(string(body))
		default:
			return fmt.Errorf("an unknown operation %q", op)
		}
		at += int64(entryHead + length)
		payload = payload[entryHead+length:]
	}
	return nil
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
		op, body := byte(opPut), e.body
		if e.deleted != "" {
			op, body = opDelete, []byte(e.deleted)
		}
		head := binary.LittleEndian.AppendUint32([]byte{op}, uint32(len(body)))
		record.Write(head)
		e.at = l.size + int64(record.Len())
		record.Write(body)
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
	_, err := l.file.ReadAt(body, at)
	return body, err
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
