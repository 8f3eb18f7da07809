package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"taihu/catalog"
	"taihu/catalog/store"
	"taihu/catalog/store/storetest"
)

var (
	sequences     = flag.Int("sequences", 500, "how many random sequences TestSequences plays on SQLite; a tenth of it on PostgreSQL")
	firstSequence = flag.Uint64("sequence", 1, "seed of the first sequence of TestSequences; the others follow it")
)

// TestSequences plays random sequences of every verb on the releases of a dataset, by
// everybody, against a small model of what may be. After each step no state is illegal,
// no published byte differs, numbers have no gap, versions of rows rise where something
// changed and nowhere else, and the events verify and tell what is.
//
// More of them: go test ./catalog/store -run TestSequences -sequences 20000 -sequence 501.
// One that failed again: -sequences 1 -sequence SEED.
func TestSequences(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		playSequences(t, *sequences, func() string { return "sqlite:" + filepath.Join(t.TempDir(), "taihu.db") })
	})
	t.Run("postgres", func(t *testing.T) {
		playSequences(t, (*sequences+9)/10, func() string { return storetest.Postgres(t) })
	})
}

func playSequences(t *testing.T, number int, database func() string) {
	began, done, total := time.Now(), map[string]int{}, 0
	var w *sequenceWorld
	for i := range number {
		if i%25 == 0 { // all chains are checked after each sequence, so that they must stay short
			w = newSequenceWorld(t, database())
		}
		seed := *firstSequence + uint64(i)
		steps := randomSteps(seed)
		if err := w.play(t.Context(), steps, done); err != nil {
			t.Fatalf("sequence %d: %v\n%s\nthe shortest that fails:\n%s", seed, err, "  "+strings.Join(w.trace, "\n  "), w.shortened(t.Context(), steps))
		}
		total += len(steps)
	}
	t.Logf("%d sequences from seed %d, %d steps in %v; of these were done: %v", number, *firstSequence, total, time.Since(began).Round(time.Millisecond), done)
	for _, v := range sequenceVerbs {
		if number >= 500 && v.do != nil && done[v.name] == 0 {
			t.Errorf("%s was never done", v.name)
		}
	}
}

// sequenceStep is one step. Its numbers are taken modulo what there is, so that a
// sequence can be played with steps left out.
type sequenceStep struct {
	verb, draft, actor, file, variant int
	rightful                          bool // by who may, not by actor
	stale                             bool // with an old row_version
}

// randomSteps makes a sequence. Two thirds of its steps bring a draft on, whatever its
// state is: else few would ever be published.
func randomSteps(seed uint64) []sequenceStep {
	r := rand.New(rand.NewPCG(seed, 500))
	var steps []sequenceStep
	if r.IntN(3) == 0 { // of a dataset that has two releases: of a file, and of what is kept of it
		for range 11 {
			steps = append(steps, sequenceStep{rightful: true})
		}
	}
	for range 8 + r.IntN(20) {
		s := sequenceStep{verb: r.IntN(len(sequenceVerbs)), draft: r.IntN(3), actor: r.IntN(6), file: r.IntN(3), variant: r.IntN(8), rightful: r.IntN(8) > 0, stale: r.IntN(12) == 0}
		if r.IntN(3) > 0 {
			s.verb, s.rightful, s.stale = 0, true, false
		}
		steps = append(steps, s)
	}
	return steps
}

// sequenceVerb is a verb as the model knows it.
type sequenceVerb struct {
	name   string
	action catalog.Action
	from   []catalog.State // of the draft; nil: it is not about one
	next   []catalog.State // what it may be then
	// may are codes of refusals that the model does not foretell.
	may []string
	do  func(p *sequencePlay, d *modelDraft, s sequenceStep, a catalog.Actor, version int64) error
}

var (
	sequenceDrafts = []catalog.State{catalog.Uploading, catalog.Checking, catalog.Rejected, catalog.Ready, catalog.InReview, catalog.Returned, catalog.Approved, catalog.Scheduled}
	sequenceEdits  = []catalog.State{catalog.Uploading, catalog.Checking, catalog.Rejected, catalog.Ready, catalog.Returned}
	sequenceReads  = []catalog.State{catalog.Uploading, catalog.Checking, catalog.Rejected, catalog.Ready}
)

func states(s ...catalog.State) []catalog.State { return s }

// sequenceVerbs: the first one chooses another by the draft's state. It is filled in
// init, as that one names the others.
var sequenceVerbs []sequenceVerb

func init() {
	edit := func(name string, may []string, do func(p *sequencePlay, d *modelDraft, s sequenceStep, a catalog.Actor, version int64) error) sequenceVerb {
		return sequenceVerb{name, catalog.EditDraft, sequenceEdits, sequenceReads, append(may, "kept_file", "unknown_file", "unknown_table"), do}
	}
	added := []string{"table_exists", "file_exists", "no_table", "no_release", "withdrawn"}
	sequenceVerbs = []sequenceVerb{
		{name: "go on"},
		{"create draft", catalog.EditDraft, nil, nil, []string{"no_release", "withdrawn"}, func(p *sequencePlay, _ *modelDraft, s sequenceStep, a catalog.Actor, _ int64) error {
			r, err := p.DB.CreateDraft(p.ctx, a, p.dataset.Slug, store.DraftEdit{Notes: catalog.Text{Zh: "改了"}, Like: s.variant == 0})
			if err == nil {
				p.drafts = append(p.drafts, &modelDraft{id: r.ID, state: catalog.Uploading, version: 1})
			}
			return err
		}},
		edit("put file", added, func(p *sequencePlay, d *modelDraft, s sequenceStep, a catalog.Actor, _ int64) error {
			_, err := p.DB.PutFile(p.ctx, a, d.id, store.Upload{Name: sequenceFile(s), MediaType: "text/csv", Blob: storetest.Blob(fmt.Sprint(s.file, s.variant/2))})
			return err
		}),
		edit("append or upsert", added, func(p *sequencePlay, d *modelDraft, s sequenceStep, a catalog.Actor, _ int64) error {
			mode := []catalog.Mode{catalog.Append, catalog.Upsert}[s.variant%2]
			_, err := p.DB.PutFile(p.ctx, a, d.id, store.Upload{Name: "more-" + sequenceFile(s), Blob: storetest.Blob(fmt.Sprint("more", s.variant)), Options: catalog.IngestOptions{Mode: mode, Table: sequenceTable(s)}})
			return err
		}),
		edit("set options", added, func(p *sequencePlay, d *modelDraft, s sequenceStep, a catalog.Actor, _ int64) error {
			_, err := p.DB.SetFileOptions(p.ctx, a, d.id, sequenceFile(s), catalog.IngestOptions{HeaderRow: 1 + s.variant%2})
			return err
		}),
		edit("remove file", nil, func(p *sequencePlay, d *modelDraft, s sequenceStep, a catalog.Actor, _ int64) error {
			name := sequenceFile(s)
			if s.variant%2 == 1 {
				name = "more-" + name
			}
			return p.DB.RemoveFile(p.ctx, a, d.id, name)
		}),
		edit("settle", nil, func(p *sequencePlay, d *modelDraft, s sequenceStep, a catalog.Actor, _ int64) error {
			x := catalog.Settlement{Code: "duplicate_content", Measure: catalog.Accept, Reason: "meant"}
			switch s.variant {
			case 6:
				x.Measure, x.Reason = catalog.Drop, ""
			case 7:
				x.Measure = "" // taken back
			}
			_, err := p.DB.SettleFindings(p.ctx, a, d.id, sequenceFile(s), []catalog.Settlement{x})
			return err
		}),
		edit("describe", []string{"bad_rule", "unknown_column"}, func(p *sequencePlay, d *modelDraft, s sequenceStep, a catalog.Actor, _ int64) error {
			title := catalog.Text{Zh: fmt.Sprint("表", s.variant)}
			w := store.TableWords{Title: &title, Fields: map[string]store.FieldWords{"a": {Unit: fmt.Sprint("u", s.variant)}}}
			if s.variant%2 == 0 {
				w.Fields["a"] = store.FieldWords{Rules: &catalog.Rules{Required: s.variant%4 == 0}}
			}
			return p.DB.DescribeTable(p.ctx, a, d.id, sequenceTable(s), w)
		}),
		edit("set sample", nil, func(p *sequencePlay, d *modelDraft, s sequenceStep, a catalog.Actor, _ int64) error {
			return p.DB.SetSample(p.ctx, a, d.id, sequenceTable(s), fmt.Appendf(nil, `[{"a":"%d"}]`, s.variant))
		}),
		edit("keep table", added, func(p *sequencePlay, d *modelDraft, s sequenceStep, a catalog.Actor, _ int64) error {
			return p.DB.KeepTable(p.ctx, a, d.id, sequenceTable(s))
		}),
		edit("change draft", nil, func(p *sequencePlay, d *modelDraft, s sequenceStep, a catalog.Actor, version int64) error {
			_, err := p.DB.UpdateDraft(p.ctx, a, d.id, version, store.DraftEdit{Notes: catalog.Text{Zh: fmt.Sprint("说明", s.variant)}})
			return err
		}),
		{"keep tables", catalog.EditDraft, nil, nil, append(added, "wrong_state", "unknown_file"), func(p *sequencePlay, d *modelDraft, _ sequenceStep, a catalog.Actor, _ int64) error {
			if d == nil {
				return nil
			}
			_, err := p.DB.KeepTables(p.ctx, a, d.id)
			return err
		}},
		{"finish check", "", nil, nil, nil, (*sequencePlay).finish},
		{"submit", catalog.EditDraft, states(catalog.Ready), states(catalog.InReview), []string{"unsettled_findings", "base_changed", "major_change"}, func(p *sequencePlay, d *modelDraft, _ sequenceStep, a catalog.Actor, version int64) error {
			return second(p.DB.Submit(p.ctx, a, d.id, version))
		}},
		{"take back", catalog.EditDraft, states(catalog.InReview), states(catalog.Ready), nil, func(p *sequencePlay, d *modelDraft, _ sequenceStep, a catalog.Actor, version int64) error {
			return second(p.DB.TakeBack(p.ctx, a, d.id, version))
		}},
		{"return", catalog.ReviewDraft, states(catalog.InReview, catalog.Approved), states(catalog.Returned), nil, func(p *sequencePlay, d *modelDraft, _ sequenceStep, a catalog.Actor, version int64) error {
			return second(p.DB.Return(p.ctx, a, d.id, "why", nil, version))
		}},
		{"approve", catalog.ReviewDraft, states(catalog.InReview), states(catalog.Approved), []string{"own_draft"}, func(p *sequencePlay, d *modelDraft, _ sequenceStep, a catalog.Actor, version int64) error {
			return second(p.DB.Approve(p.ctx, a, d.id, version))
		}},
		{"schedule", catalog.ReviewDraft, states(catalog.Approved), states(catalog.Scheduled), nil, func(p *sequencePlay, d *modelDraft, s sequenceStep, a catalog.Actor, version int64) error {
			return second(p.DB.Schedule(p.ctx, a, d.id, p.now().Add(time.Duration(1+s.variant)*time.Minute), version))
		}},
		{"unschedule", catalog.ReviewDraft, states(catalog.Scheduled), states(catalog.Approved), nil, func(p *sequencePlay, d *modelDraft, _ sequenceStep, a catalog.Actor, version int64) error {
			return second(p.DB.Unschedule(p.ctx, a, d.id, version))
		}},
		{"publish", catalog.ReviewDraft, states(catalog.Approved, catalog.Scheduled), states(catalog.Published), []string{"base_changed"}, func(p *sequencePlay, d *modelDraft, _ sequenceStep, a catalog.Actor, version int64) error {
			return second(p.DB.Publish(p.ctx, a, d.id, version))
		}},
		{"publish due", "", nil, nil, nil, (*sequencePlay).due},
		{"abandon", catalog.EditDraft, sequenceDrafts, states(catalog.Abandoned), nil, func(p *sequencePlay, d *modelDraft, _ sequenceStep, a catalog.Actor, version int64) error {
			return second(p.DB.Abandon(p.ctx, a, d.id, version))
		}},
		{"withdraw", catalog.WithdrawRelease, nil, nil, []string{"unknown_release", "wrong_state"}, func(p *sequencePlay, _ *modelDraft, s sequenceStep, a catalog.Actor, _ int64) error {
			return second(p.DB.Withdraw(p.ctx, a, p.dataset.Slug, 1+s.variant%6, "why"))
		}},
		{"restore", catalog.WithdrawRelease, nil, nil, []string{"unknown_release", "wrong_state"}, func(p *sequencePlay, _ *modelDraft, s sequenceStep, a catalog.Actor, _ int64) error {
			return second(p.DB.Restore(p.ctx, a, p.dataset.Slug, 1+s.variant%6))
		}},
		{"two at once", "", nil, nil, nil, (*sequencePlay).race},
	}
}

func sequenceFile(s sequenceStep) string  { return fmt.Sprintf("t%d.csv", s.file+1) }
func sequenceTable(s sequenceStep) string { return fmt.Sprintf("t%d", s.file+1) }

// goesOn are the verbs that bring a draft on from each state.
func (p *sequencePlay) goesOn(d *modelDraft, s sequenceStep) string {
	live := 0
	for _, d := range p.drafts {
		if d.state.IsDraft() {
			live++
		}
	}
	switch {
	case d == nil && len(p.drafts) > 0 && s.variant > 3:
		if slices.ContainsFunc(p.drafts, func(d *modelDraft) bool { return d.state == catalog.Withdrawn }) {
			return "restore"
		}
		return "withdraw"
	case d == nil, live < 2 && len(p.drafts) > 1 && s.variant > 4: // two side by side
		return "create draft"
	}
	switch d.state {
	case catalog.Uploading:
		if slices.ContainsFunc(p.drafts, func(d *modelDraft) bool { return d.state == catalog.Published }) {
			return []string{"keep tables", "keep table", "append or upsert", "put file", "keep tables", "keep table", "append or upsert", "keep tables"}[s.variant]
		}
		return "put file"
	case catalog.Checking:
		return "finish check"
	case catalog.Rejected:
		return "remove file"
	case catalog.Ready:
		if len(p.last[d.id].Unsettled()) > 0 {
			return "settle"
		}
		return []string{"submit", "submit", "submit", "submit", "submit", "describe", "describe", "keep tables"}[s.variant]
	case catalog.InReview:
		return []string{"approve", "approve", "approve", "return"}[s.variant%4]
	case catalog.Returned:
		return "change draft"
	case catalog.Approved:
		return []string{"publish", "schedule"}[s.variant%2]
	case catalog.Scheduled:
		return []string{"publish due", "publish due", "publish due", "unschedule"}[s.variant%4]
	}
	return "create draft"
}

// tables are those of a draft, else of the newest release.
func (p *sequencePlay) tables(d *modelDraft) []catalog.Table {
	if d != nil && len(p.last[d.id].Tables) > 0 {
		return p.last[d.id].Tables
	}
	var tables []catalog.Table
	number := 0
	for _, d := range p.drafts {
		if d.state == catalog.Published && d.number > number {
			tables, number = p.last[d.id].Tables, d.number
		}
	}
	return tables
}

// modelDraft is what the model keeps of a draft, or release.
type modelDraft struct {
	id       string
	state    catalog.State
	version  int64
	contents string // what is in it
	number   int
}

// sequenceWorld is a store that sequences are played on, each on a dataset of its own.
type sequenceWorld struct {
	*storetest.World
	t      *testing.T
	clock  atomic.Int64 // microseconds
	played int
	actors []catalog.Actor
	trace  []string // what the last sequence did, step by step
}

func newSequenceWorld(t *testing.T, dsn string) *sequenceWorld {
	t.Helper()
	w := &sequenceWorld{t: t}
	w.clock.Store(catalog.Now().UnixMicro())
	w.World = storetest.NewWorld(t, storetest.Open(t, dsn, store.Options{Clock: w.now}))
	w.actors = []catalog.Actor{w.Steward, w.Reviewer, w.Admin, w.Stranger, {}, catalog.SystemActor}
	return w
}

func (w *sequenceWorld) now() time.Time { return time.UnixMicro(w.clock.Load()).UTC() }

func (w *sequenceWorld) advance(d time.Duration) { w.clock.Add(d.Microseconds()) }

// sequencePlay is one sequence while it is played.
type sequencePlay struct {
	*sequenceWorld
	ctx     context.Context
	dataset *catalog.Dataset
	drafts  []*modelDraft
	last    map[string]*catalog.Release // as it was read after the last step
	events  int
	all     bool // the step's end looks at every draft and at the events, not only at the draft it was about
	changed bool // something did since the last such look
}

// play plays a sequence and returns the first thing that must not be.
func (w *sequenceWorld) play(ctx context.Context, steps []sequenceStep, done map[string]int) error {
	w.played++
	w.trace = nil
	p := &sequencePlay{sequenceWorld: w, ctx: ctx, dataset: w.NewDataset(w.t, fmt.Sprintf("sequence-%d", w.played)), last: map[string]*catalog.Release{}, events: 1}
	for i, s := range steps {
		w.advance(time.Second)
		p.all = i%4 == 3 || i == len(steps)-1
		name, err := p.step(s)
		if err != nil {
			return fmt.Errorf("step %d, %s: %w", i, name, err)
		}
		if name != "" {
			done[name]++
		}
	}
	if err := w.DB.CheckEvents(ctx); err != nil {
		return fmt.Errorf("at the end: %w", err)
	}
	return nil
}

// step does one step and looks at everything. It returns what was done, where
// something was.
func (p *sequencePlay) step(s sequenceStep) (string, error) {
	var d *modelDraft
	v := sequenceVerbs[s.verb]
	going := p.drafts
	if v.name == "go on" {
		going = slices.DeleteFunc(slices.Clone(going), func(d *modelDraft) bool { return !d.state.IsDraft() })
	}
	if len(going) > 0 {
		d = going[s.draft%len(going)]
	}
	if v.name == "go on" {
		name := p.goesOn(d, s)
		i := slices.IndexFunc(sequenceVerbs, func(v sequenceVerb) bool { return v.name == name })
		v = sequenceVerbs[i]
		if name == "finish check" && s.variant > 3 {
			s.variant = 0
		}
		if i := slices.IndexFunc(p.drafts, func(d *modelDraft) bool { return d.state == catalog.Withdrawn }); i >= 0 && name == "restore" {
			s.variant = p.drafts[i].number - 1
		}
		if tables := p.tables(d); len(tables) > 0 && (name == "describe" || name == "append or upsert" || name == "keep table") {
			s.file = int(tables[s.file%len(tables)].Name[1] - '1')
		}
		if name == "remove file" || name == "settle" { // those that are to be mended
			if i := slices.IndexFunc(p.last[d.id].Files, func(f catalog.File) bool { return f.State == catalog.FileRefused || len(f.Unsettled()) > 0 }); i >= 0 {
				name := p.last[d.id].Files[i].Name
				s.variant = map[bool]int{true: 1, false: 0}[strings.HasPrefix(name, "more-")]
				s.file = int(strings.TrimPrefix(name, "more-")[1] - '1')
			}
		}
	}
	if d == nil && (v.from != nil || v.action == "") {
		return "", nil
	}
	a := p.actors[s.actor%len(p.actors)]
	if s.rightful {
		a = map[catalog.Action]catalog.Actor{catalog.EditDraft: p.Steward, catalog.ReviewDraft: p.Reviewer, catalog.WithdrawRelease: p.Admin}[v.action]
	}
	version := int64(0)
	if s.stale && d != nil {
		version = max(1, d.version-1)
	}
	wasState, wasVersion := catalog.State(""), int64(0)
	if d != nil {
		wasState, wasVersion = d.state, d.version
	}
	err := v.do(p, d, s, a, version)
	who := []string{"steward", "reviewer", "admin", "stranger", "nobody", "system"}[max(0, slices.IndexFunc(p.actors, func(x catalog.Actor) bool { return x.ID() == a.ID() }))]
	p.trace = append(p.trace, fmt.Sprintf("%s by %s, draft %d, which was %s, file %d, variant %d, row_version %d: %v", v.name, who, slices.Index(p.drafts, d), wasState, s.file, s.variant, version, err))
	if err != nil && catalog.KindOf(err) == "" {
		return v.name, fmt.Errorf("an internal error: %w", err)
	}
	if err == nil && v.action != "" {
		if refused := catalog.Can(a, v.action, catalog.ObjectOf(p.dataset)); refused != nil && !(v.name == "keep tables" && d == nil) {
			return v.name, fmt.Errorf("done by %q, who may not", a.ID())
		}
	}
	if v.from != nil {
		allowed := catalog.Can(a, v.action, catalog.ObjectOf(p.dataset)) == nil
		begins := slices.Contains(v.from, wasState)
		code := catalog.CodeOf(err)
		switch {
		case err == nil && !begins:
			return v.name, fmt.Errorf("done in state %s", wasState)
		case err == nil && version != 0 && version != wasVersion && usesVersion(v.name):
			return v.name, fmt.Errorf("done with row_version %d of %d", version, wasVersion)
		case err != nil && allowed && begins && !slices.Contains(v.may, code) && (code != "stale_row_version" || version == 0):
			return v.name, fmt.Errorf("refused in state %s: %w", wasState, err)
		case err != nil && allowed && !begins && code != "wrong_state" && code != "stale_row_version":
			return v.name, fmt.Errorf("in state %s the answer is %w", wasState, err)
		}
	} else if err != nil && v.action != "" && catalog.Can(a, v.action, catalog.ObjectOf(p.dataset)) == nil && !slices.Contains(v.may, catalog.CodeOf(err)) {
		return v.name, fmt.Errorf("refused: %w", err)
	}
	changed, wrong := p.look(d, v, err)
	if wrong != nil {
		return v.name, wrong
	}
	if err == nil && changed {
		return v.name, nil
	}
	return "", nil
}

// usesVersion reports whether a verb compares row_version.
func usesVersion(name string) bool {
	return slices.Contains([]string{"change draft", "submit", "take back", "return", "approve", "schedule", "unschedule", "publish", "abandon"}, name)
}

// finish ends the check of a draft's file, well or not, in time or late.
func (p *sequencePlay) finish(d *modelDraft, s sequenceStep, _ catalog.Actor, _ int64) error {
	r := p.last[d.id]
	i := slices.IndexFunc(r.Files, func(f catalog.File) bool { return f.State == catalog.FilePending })
	if i < 0 && len(r.Files) == 0 {
		return nil
	}
	f := r.Files[max(i, 0)] // where none is pending: the job runs twice
	name := strings.TrimSuffix(strings.TrimPrefix(f.Name, "more-"), ".csv")
	columns := []string{"a", "b"}
	if s.variant == 5 {
		columns = append(columns, "c")
	}
	o := storetest.Outcome(name, columns...)
	o.Tables[0].ContentSHA256 = f.Blob.SHA256
	contract, err := p.DB.FileContract(p.ctx, f.ID)
	if err != nil {
		return err
	}
	o.Contract = contract
	if f.Options.Mode != "" {
		if o.Report.Base, _, err = p.DB.BaseTable(p.ctx, &f); err != nil {
			return err
		}
	}
	sha := f.Blob.SHA256
	switch s.variant {
	case 2:
		o = refused
	case 3:
		o.Report.Findings = []catalog.Finding{{Severity: catalog.ToSettle, Code: "duplicate_content", Measures: []catalog.Measure{catalog.Accept}}}
	case 4:
		o = store.IngestOutcome{Report: catalog.Report{Accepted: true}, Attachment: true}
	case 6: // of bytes that were replaced
		sha = storetest.Blob("others").SHA256
	case 7: // held to another contract
		o.Contract = &catalog.Contract{Dataset: "another"}
	}
	return p.DB.FinishIngest(p.ctx, f.ID, sha, f.Options, o)
}

// due runs the job of a publication, at its time or not.
func (p *sequencePlay) due(d *modelDraft, s sequenceStep, _ catalog.Actor, _ int64) error {
	if at := p.last[d.id].PublishAt; d.state == catalog.Scheduled && at != nil && s.variant > 1 && at.After(p.now()) {
		p.advance(at.Sub(p.now()))
	}
	return p.DB.PublishDue(p.ctx, d.id)
}

// race does two verbs to a draft at once.
func (p *sequencePlay) race(d *modelDraft, s sequenceStep, _ catalog.Actor, _ int64) error {
	names := [][2]string{{"publish", "publish"}, {"publish", "abandon"}, {"publish", "unschedule"}, {"approve", "take back"}, {"publish due", "unschedule"}, {"publish due", "abandon"}, {"submit", "put file"}, {"finish check", "remove file"}}[s.variant]
	errs := make([]error, 2)
	var both sync.WaitGroup
	for i, name := range names {
		v := sequenceVerbs[slices.IndexFunc(sequenceVerbs, func(v sequenceVerb) bool { return v.name == name })]
		both.Go(func() { errs[i] = v.do(p, d, sequenceStep{file: s.file}, catalog.SystemActor, 0) })
	}
	both.Wait()
	for _, err := range errs {
		if err != nil && catalog.KindOf(err) == "" {
			return err
		}
	}
	return nil
}

// contentsOf is all of a release that a reader or a reviewer sees of it.
func contentsOf(r *catalog.Release) string {
	b, err := json.Marshal([]any{r.Tables, r.Files, r.Notes, r.DataDate, r.LikeNumber})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// look reads everything anew and holds it to the model; it reports whether anything
// changed.
func (p *sequencePlay) look(target *modelDraft, v sequenceVerb, said error) (changed bool, wrong error) {
	several := v.name == "keep tables" || v.name == "two at once"
	for i, d := range p.drafts {
		if !p.all && d != target && d.contents != "" && v.action != catalog.WithdrawRelease {
			continue
		}
		r, err := p.DB.Draft(p.ctx, catalog.SystemActor, d.id)
		if err != nil {
			return false, err
		}
		if err := p.lookAt(d, r, target, v, said, several); err != nil {
			return changed, fmt.Errorf("draft %d, %s, was %s: %w", i, r.State, d.state, err)
		}
		if r.RowVersion != d.version || d.contents == "" {
			changed, p.changed = true, true
		}
		d.state, d.version, d.contents, d.number = r.State, r.RowVersion, contentsOf(r), r.Number
		p.last[d.id] = r
	}
	latest, numbers := 0, map[int]bool{}
	for _, d := range p.drafts {
		switch {
		case d.number > 0 && numbers[d.number]:
			return changed, fmt.Errorf("number %d was given twice", d.number)
		case d.number > 0:
			numbers[d.number] = true
		}
		if d.state == catalog.Published {
			latest = max(latest, d.number)
		}
	}
	for n := 1; n <= len(numbers); n++ {
		if !numbers[n] {
			return changed, fmt.Errorf("of %d releases none has the number %d", len(numbers), n)
		}
	}
	if !p.all {
		return changed, nil
	}
	d, err := p.DB.Dataset(p.ctx, catalog.SystemActor, p.dataset.Slug)
	if err != nil {
		return changed, err
	}
	if d.LatestNumber != latest {
		return changed, fmt.Errorf("latest is %d, want %d", d.LatestNumber, latest)
	}
	events, err := p.DB.Events(p.ctx, p.dataset.ID)
	if err != nil {
		return changed, err
	}
	if grown := len(events) > p.events; grown != p.changed {
		return changed, fmt.Errorf("something changed since the last look: %v, events were written: %v", p.changed, grown)
	}
	p.events, p.changed = len(events), false
	if err := catalog.CheckChain(events); err != nil {
		return changed, err
	}
	return changed, p.told(events)
}

// lookAt holds one draft, as it is now, to what it was.
func (p *sequencePlay) lookAt(d *modelDraft, r *catalog.Release, target *modelDraft, v sequenceVerb, said error, several bool) error {
	contents := contentsOf(r)
	same := r.State == d.state && contents == d.contents
	switch {
	case d.contents == "": // made now
		if r.State != catalog.Uploading || r.Number != 0 || r.RowVersion != 1 {
			return errors.New("a draft begins otherwise")
		}
		return nil
	case r.RowVersion < d.version || r.RowVersion == d.version && !same:
		return fmt.Errorf("row_version was %d and is %d, the contents are the same: %v", d.version, r.RowVersion, contents == d.contents)
	case r.RowVersion != d.version && said != nil && !several:
		return fmt.Errorf("refused (%w), and it changed", said)
	case r.RowVersion != d.version && d != target && v.action != catalog.WithdrawRelease:
		return fmt.Errorf("%s of another draft changed it", v.name)
	case !slices.Contains(sequenceEdits, d.state) && contents != d.contents && !(several && r.State != d.state):
		return errors.New("what was handed in, or published, is not what it was")
	case (r.Number > 0) != (r.State == catalog.Published || r.State == catalog.Withdrawn):
		return fmt.Errorf("it has the number %d", r.Number)
	case d.number > 0 && r.Number != d.number:
		return fmt.Errorf("its number was %d and is %d", d.number, r.Number)
	case (r.State == catalog.Scheduled) != (r.PublishAt != nil) && r.Number == 0 && r.State != catalog.Abandoned:
		return fmt.Errorf("it is to be published at %v", r.PublishAt)
	}
	if r.State != d.state && !several && !legal(d.state, r.State) {
		return errors.New("no arrow leads there")
	}
	if v.from != nil && d == target && said == nil && r.RowVersion != d.version && !slices.Contains(v.next, r.State) {
		return fmt.Errorf("%s leads there", v.name)
	}
	if slices.Contains(sequenceReads, r.State) {
		if want := stateOf(r.Files); r.State != want {
			return fmt.Errorf("its files make it %s", want)
		}
	}
	if r.Number > 0 && d.number == 0 { // published now
		if len(r.Unsettled()) > 0 {
			return errors.New("it has findings that nobody settled")
		}
		for _, f := range r.Files {
			if f.State != catalog.FileAccepted {
				return fmt.Errorf("its file %s is %s", f.Name, f.State)
			}
			if f.Options.Mode != "" && f.Options.Mode != catalog.KeptFile && f.Report.Base != p.newestBefore(r.Number) {
				return fmt.Errorf("rows were added to release %d, the newest was %d", f.Report.Base, p.newestBefore(r.Number))
			}
		}
		if d.state == catalog.Scheduled && v.name == "publish due" && r.PublishedAt.Before(*r.PublishAt) {
			return fmt.Errorf("published at %v, its time is %v", r.PublishedAt, r.PublishAt)
		}
	}
	return nil
}

// newestBefore is the newest release that stood when another came.
func (p *sequencePlay) newestBefore(number int) int {
	newest := 0
	for _, d := range p.drafts {
		if d.state == catalog.Published && d.number < number {
			newest = max(newest, d.number)
		}
	}
	return newest
}

// stateOf is what a draft's files make of it.
func stateOf(files []catalog.File) catalog.State {
	state := catalog.Ready
	if len(files) == 0 {
		state = catalog.Uploading
	}
	for _, f := range files {
		switch {
		case f.State == catalog.FilePending:
			return catalog.Checking
		case f.State == catalog.FileRefused:
			state = catalog.Rejected
		}
	}
	return state
}

// legal reports whether arrows lead from one state to another. One change of files can
// take several, between states in which they may be changed: the last refused file is
// removed, and there is nothing.
func legal(from, to catalog.State) bool {
	return from.CanBecome(to) || slices.Contains(sequenceEdits, from) && slices.Contains(sequenceReads, to)
}

// told replays the events: what they say of each draft is where it stands.
func (p *sequencePlay) told(events []catalog.Event) error {
	leads := map[string]catalog.State{"draft.submitted": catalog.InReview, "draft.taken_back": catalog.Ready, "draft.approved": catalog.Approved, "draft.returned": catalog.Returned, "draft.scheduled": catalog.Scheduled, "draft.unscheduled": catalog.Approved,
		"draft.abandoned": catalog.Abandoned, "release.published": catalog.Published, "release.withdrawn": catalog.Withdrawn, "release.restored": catalog.Published}
	at := map[string]catalog.State{}
	for _, e := range events {
		next, moves := leads[e.Verb]
		switch was := at[e.Object]; {
		case e.Verb == "dataset.created":
		case moves && was == catalog.Uploading && next != catalog.InReview && next != catalog.Abandoned, moves && was != catalog.Uploading && !was.CanBecome(next):
			return fmt.Errorf("event %d, %s, comes after %s", e.Sequence, e.Verb, was)
		case moves:
			at[e.Object] = next
		case !slices.Contains(sequenceEdits, was) && was != "":
			return fmt.Errorf("event %d, %s, of one that is %s", e.Sequence, e.Verb, was)
		default:
			at[e.Object] = catalog.Uploading // or where its files put it
		}
	}
	for _, d := range p.drafts {
		if told := at[d.id]; told != d.state && !(told == catalog.Uploading && slices.Contains(sequenceReads, d.state)) && !(told == catalog.Ready && slices.Contains(sequenceReads, d.state)) {
			return fmt.Errorf("the events say %s of draft %d, which is %s", told, slices.Index(p.drafts, d), d.state)
		}
	}
	return nil
}

// shortened leaves out steps as long as the sequence still fails, and returns what
// is left.
func (w *sequenceWorld) shortened(ctx context.Context, steps []sequenceStep) string {
	fails := func(steps []sequenceStep) error { return w.play(ctx, steps, map[string]int{}) }
	for again := true; again; {
		again = false
		for i := len(steps) - 1; i >= 0; i-- {
			if fewer := slices.Delete(slices.Clone(steps), i, i+1); fails(fewer) != nil {
				steps, again = fewer, true
			}
		}
	}
	err := fails(steps)
	return fmt.Sprintf("  %s\n  %v", strings.Join(w.trace, "\n  "), err)
}
