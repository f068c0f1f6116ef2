// Package doctor examines a running box as its users meet it. It makes a hidden domain with two members, joins both as
// real clients over real sockets, lets them send, receive and see each other by every way in, and looks at the machine
// below: disk, clock, names, ports and certificates. What it has made it takes away again, whatever it has found.
//
// An examination is a list of checks in order. Each says what it tried, what it found and, if that is not well, what to
// do. A check that needs what an earlier one has not brought about is not tried, and says so.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"furrow/web/api"
)

// Outcome is what a check came to.
type Outcome string

const (
	Well     Outcome = "well"
	Warning  Outcome = "warning" // works, but somebody should look
	Failed   Outcome = "failed"
	NotTried Outcome = "not tried" // for want of something that failed before, or that this box does not have
)

// Result is what one check found.
type Result struct {
	Check   string        `json:"check"` // a stable name, such as offline-delivery
	Tried   string        `json:"tried"` // in words
	Outcome Outcome       `json:"outcome"`
	Found   string        `json:"found"`
	Remedy  string        `json:"remedy,omitempty"` // what to do
	Took    time.Duration `json:"tookNanoseconds"`
}

// Config is what an examination works with.
type Config struct {
	// DataDir is the data directory of the running box.
	DataDir string
	// Version is that of the program that asks.
	Version string
	Now     func() time.Time
	Log     *slog.Logger // of the simulated clients
	// Report is told of each result as it is found, in order.
	Report func(Result)
}

// checkTimeout bounds one check: the longest, joining, makes keys for seconds on a small box.
const checkTimeout = 2 * time.Minute

// examination is one that is under way.
type examination struct {
	Config
	api    *api.Client
	status api.Status // of the box, once it has answered
	people *people    // the test members, once they are there
}

// finding is how a check ends if all is not plainly well: an error that names the remedy.
type finding struct {
	outcome Outcome
	found   string
	remedy  string
}

func (f *finding) Error() string { return f.found }

// failed and warn make findings.
func failed(remedy, format string, args ...any) error {
	return &finding{Failed, fmt.Sprintf(format, args...), remedy}
}

func warn(remedy, format string, args ...any) error {
	return &finding{Warning, fmt.Sprintf(format, args...), remedy}
}

func notTried(format string, args ...any) error {
	return &finding{NotTried, fmt.Sprintf(format, args...), ""}
}

// check is one of the list. run returns what was found if all is well.
type check struct {
	name  string
	tried string
	run   func(context.Context, *examination) (found string, err error)
	// remedy is what to do about an error that is no finding.
	remedy string
}

// Run examines the box. It returns the results; an error means that the examination itself could not be carried out.
func Run(ctx context.Context, c Config) ([]Result, error) {
	e := &examination{Config: c, api: api.NewClient(c.DataDir)}
	defer e.api.Close()
	var results []Result
	do := func(list []check) {
		for _, k := range list {
			if ctx.Err() != nil {
				return
			}
			results = append(results, e.perform(ctx, k))
		}
	}
	do(machineChecks())
	do(clientChecks())
	// What was made is taken away even when somebody has pressed Ctrl-C.
	if e.people != nil {
		results = append(results, e.perform(context.WithoutCancel(ctx), cleanUp()))
	}
	return results, context.Cause(ctx)
}

func (e *examination) perform(ctx context.Context, k check) Result {
	ctx, cancel := context.WithTimeoutCause(ctx, checkTimeout, fmt.Errorf("gave up after %v", checkTimeout))
	defer cancel()
	began := e.Now()
	found, err := k.run(ctx, e)
	r := Result{Check: k.name, Tried: k.tried, Outcome: Well, Found: found}
	if err != nil {
		r.Outcome, r.Found, r.Remedy = Failed, oneLine(err), k.remedy
		if f := (*finding)(nil); errors.As(err, &f) {
			r.Outcome, r.Found, r.Remedy = f.outcome, f.found, f.remedy
		}
	}
	r.Took = e.Now().Sub(began)
	e.Report(r)
	return r
}

// oneLine is an error on one line.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// Worst is the worst outcome of the results.
func Worst(results []Result) Outcome {
	worst := Well
	rank := map[Outcome]int{Well: 0, NotTried: 1, Warning: 2, Failed: 3}
	for _, r := range results {
		if rank[r.Outcome] > rank[worst] {
			worst = r.Outcome
		}
	}
	return worst
}
