package meili

import (
	"flag"
	"testing"
	"time"

	"taihu/indexer"
	"taihu/indexer/indextest"
)

var record = flag.Bool("record", false, "write the exchanges with the real server to testdata/exchanges")

// testConfig is the same for recording and replaying: index names and the clock
// are part of the requests.
func testConfig(name string) Config {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	return Config{
		URL: "http://meilisearch.invalid", Key: "none", Index: "test_" + name, SearchTimeout: 30 * time.Second, EntryTimeout: 30 * time.Second,
		Clock: func() time.Time { now = now.Add(time.Second); return now },
	}
}

// openRecorded opens an index on a real server, whose exchanges are kept under name
// with -record.
func openRecorded(t *testing.T, name string) *Index {
	t.Helper()
	server := liveServer(t)
	config := testConfig(name)
	server.wipe(t, config.Index)
	recorder := newRecorder(config.Index)
	config.URL, config.Key, config.Transport = server.url, server.key, recorder
	t.Cleanup(func() {
		if *record && !t.Failed() {
			recorder.save(t, name)
		}
		server.wipe(t, config.Index)
	})
	return Open(config)
}

// openReplayed opens an index on the exchanges recorded under name.
func openReplayed(t *testing.T, name string) *Index {
	t.Helper()
	config := testConfig(name)
	player := newPlayer(t, name)
	config.Transport = player
	t.Cleanup(player.checkAllAsked)
	return Open(config)
}

// TestConformance runs the suite on a real server.
func TestConformance(t *testing.T) {
	t.Logf("Meilisearch %s", liveServer(t).version)
	indextest.Run(t, func(t *testing.T, name string) indexer.Index { return openRecorded(t, name) })
}

// TestReplay runs the suite on the recorded exchanges: it fails where a request
// differs from what a real server was asked.
func TestReplay(t *testing.T) {
	indextest.Run(t, func(t *testing.T, name string) indexer.Index { return openReplayed(t, name) })
}
