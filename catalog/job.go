package catalog

import (
	"encoding/json"
	"time"
)

// The kinds of background work.
const (
	JobIngest  = "ingest"  // IngestArgs: read one uploaded file of a draft
	JobIndex   = "index"   // IndexArgs: bring the search index up to date with one dataset
	JobWarm    = "warm"    // WarmArgs: encode the usual exports of a release just published
	JobPublish = "publish" // PublishArgs: publish a scheduled draft, not before its time
	JobImport  = "import"  // ImportArgs: fetch a file of a draft from an address
)

// IngestArgs are the arguments of a JobIngest.
type IngestArgs struct {
	FileID string `json:"file_id"`
}

// IndexArgs are the arguments of a JobIndex.
type IndexArgs struct {
	DatasetID string `json:"dataset_id"`
}

// WarmArgs are the arguments of a JobWarm.
type WarmArgs struct {
	ReleaseID string `json:"release_id"`
}

// PublishArgs are the arguments of a JobPublish.
type PublishArgs struct {
	ReleaseID string `json:"release_id"`
}

// ImportArgs are the arguments of a JobImport.
type ImportArgs struct {
	UploadID string `json:"upload_id"`
}

// JobAttempts is how often a job of each kind is begun before it is put in
// quarantine. A file that brought down its reader twice is not read a third time.
var JobAttempts = map[string]int{JobIngest: 2, JobIndex: 12, JobWarm: 5, JobPublish: 12, JobImport: 4}

// JobState is where a job stands.
type JobState string

// The states of a job.
const (
	JobQueued      JobState = "queued"
	JobRunning     JobState = "running"
	JobDone        JobState = "done"
	JobQuarantined JobState = "quarantined" // given up; somebody has to look
)

// Job is one piece of background work. It is enqueued in the transaction that
// makes it necessary, and may be run twice.
type Job struct {
	ID          string          `json:"id"`
	Kind        string          `json:"kind"`
	Args        json.RawMessage `json:"args"`
	State       JobState        `json:"state"`
	Attempt     int             `json:"attempt"` // 1 while it runs for the first time
	MaxAttempts int             `json:"max_attempts"`
	// Fence rises with each lease; whoever finishes with an older one is refused.
	Fence      int64      `json:"fence"`
	Worker     string     `json:"worker,omitempty"`
	RunAt      time.Time  `json:"run_at"` // not before
	LeaseUntil *time.Time `json:"lease_until,omitempty"`
	Error      string     `json:"error,omitempty"` // of the last attempt
	CreatedAt  time.Time  `json:"created_at"`
	DoneAt     *time.Time `json:"done_at,omitempty"`
}
