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

	"furrow/appliance/checkup"
	"furrow/web/api"
)

// Config is what an examination works with.
type Config struct {
	// DataDir is the data directory of the running box.
	DataDir string
	// Version is that of the program that asks.
	Version string
	Now     func() time.Time
	Log     *slog.Logger // of the simulated clients
	// Report is told of each finding as it is made, in order.
	Report func(checkup.Finding)
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

// ending is how a check ends if all is not plainly well: an error that names the remedy.
type ending struct {
	outcome checkup.Outcome
	found   string
	remedy  string
}

func (e *ending) Error() string { return e.found }

// failed, warn and notTried make endings.
func failed(remedy, format string, args ...any) error {
	return &ending{checkup.Failed, fmt.Sprintf(format, args...), remedy}
}

func warn(remedy, format string, args ...any) error {
	return &ending{checkup.Warning, fmt.Sprintf(format, args...), remedy}
}

func notTried(format string, args ...any) error {
	return &ending{checkup.NotTried, fmt.Sprintf(format, args...), ""}
}

// check is one of the list. run returns what was found if all is well.
type check struct {
	name  string
	tried string
	run   func(context.Context, *examination) (found string, err error)
	// remedy is what to do about an error that is no ending.
	remedy string
}

// Run examines the box. It returns the findings; an error means that the examination itself could not be carried out.
func Run(ctx context.Context, c Config) ([]checkup.Finding, error) {
	e := &examination{Config: c, api: api.NewClient(c.DataDir)}
	defer e.api.Close()
	var findings []checkup.Finding
	do := func(list []check) {
		for _, k := range list {
			if ctx.Err() != nil {
				return
			}
			findings = append(findings, e.perform(ctx, k))
		}
	}
	do(machineChecks())
	do(clientChecks())
	// What was made is taken away even when somebody has pressed Ctrl-C.
	if e.people != nil {
		findings = append(findings, e.perform(context.WithoutCancel(ctx), cleanUp()))
	}
	return findings, context.Cause(ctx)
}

func (e *examination) perform(ctx context.Context, k check) checkup.Finding {
	ctx, cancel := context.WithTimeoutCause(ctx, checkTimeout, fmt.Errorf("gave up after %v", checkTimeout))
	defer cancel()
	began := e.Now()
	found, err := k.run(ctx, e)
	f := checkup.Finding{Check: k.name, Tried: k.tried, Outcome: checkup.Well, Found: found}
	if err != nil {
		f.Outcome, f.Found, f.Remedy = checkup.Failed, oneLine(err), k.remedy
		if end := (*ending)(nil); errors.As(err, &end) {
			f.Outcome, f.Found, f.Remedy = end.outcome, end.found, end.remedy
		}
	}
	f.Took = e.Now().Sub(began)
	e.Report(f)
	return f
}

// oneLine is an error on one line.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// Worst is the worst outcome of the findings.
func Worst(findings []checkup.Finding) checkup.Outcome {
	worst := checkup.Well
	rank := map[checkup.Outcome]int{checkup.Well: 0, checkup.NotTried: 1, checkup.Warning: 2, checkup.Failed: 3}
	for _, f := range findings {
		if rank[f.Outcome] > rank[worst] {
			worst = f.Outcome
		}
	}
	return worst
}
