package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Event records one change. Events are chained by hash: one chain per dataset
// and one for the portal (ChainPortal), so that none can be altered or removed
// unnoticed.
type Event struct {
	Chain    string          `json:"chain"` // dataset id, or ChainPortal
	Sequence int64           `json:"sequence"`
	At       time.Time       `json:"at"`
	Actor    string          `json:"actor"` // user id or "system"
	Verb     string          `json:"verb"`  // such as release.published
	Object   string          `json:"object"`
	Facts    json.RawMessage `json:"facts,omitempty"`
	Previous string          `json:"previous"` // Hash of the event before; empty for the first
	Hash     string          `json:"hash"`
}

// ChainPortal is the chain of events that belong to no dataset.
const ChainPortal = "portal"

// Seal sets Hash from all other fields.
func (e *Event) Seal() {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%d\n%s\n%s\n%s\n%s\n%s\n%s", e.Chain, e.Sequence, e.At.UTC().Format(time.RFC3339Nano), e.Actor, e.Verb, e.Object, e.Facts, e.Previous)
	e.Hash = hex.EncodeToString(h.Sum(nil))
}

// CheckChain returns an error naming the first event that breaks the chain.
// Events must be complete and in order.
func CheckChain(events []Event) error {
	previous := ""
	for i, e := range events {
		want := e
		want.Seal()
		switch {
		case e.Sequence != int64(i+1):
			return fmt.Errorf("chain %s: event %d is missing", e.Chain, i+1)
		case e.Previous != previous:
			return fmt.Errorf("chain %s: event %d does not follow event %d", e.Chain, e.Sequence, i)
		case e.Hash != want.Hash:
			return fmt.Errorf("chain %s: event %d was altered", e.Chain, e.Sequence)
		}
		previous = e.Hash
	}
	return nil
}
