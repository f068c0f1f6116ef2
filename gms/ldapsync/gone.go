package ldapsync

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"furrow/gms/directory"
)

// fewDisables is the number of members that a sync may disable whatever part of all they are: in a small office one
// person is many percent.
const fewDisables = 5

// gone disables the members whose entry is not in the list any more.
func (p *planner) gone() {
	for _, key := range slices.Sorted(maps.Keys(p.links)) {
		l := p.links[key]
		if m := p.members[l.Member]; m != nil && !p.seen[key] && m.Status != directory.Disabled {
			p.disable(l, m, "", "is not in the directory any more")
		}
	}
}

// limitDisabling holds back the whole plan when it disables too many, unless it is forced. A list that is wrong about who
// has gone is not right about who has come; and newcomers would make those who are to be disabled a smaller part of all,
// so that the next sync disabled them.
func (p *planner) limitDisabling(force bool, entries int) {
	disables := 0
	for _, c := range p.plan.changes {
		if c.Action == Disable {
			disables++
		}
	}
	stopped := ""
	switch {
	case disables == 0 || force:
		return
	case entries == 0:
		stopped = "the directory server shows nobody at all; nothing is changed"
	case p.keyless > 0:
		stopped = fmt.Sprintf("%d entries have no key and may be anybody; nothing is changed", p.keyless)
	case disablesTooMany(disables, p.enabled, p.source.MaxDisablePercent):
		stopped = fmt.Sprintf("%d of %d members would be disabled; nothing is changed", disables, p.enabled)
	default:
		return
	}
	p.plan.stopped = stopped
	for i := range p.plan.changes {
		c := &p.plan.changes[i]
		c.Reason = strings.TrimSuffix(string(c.Action)+": "+c.Reason, ": ")
		c.Action = Hold
	}
}

// disablesTooMany is the safety stop: a wrong filter or a lost right to read must not lock out an office. Too many are
// more than percent of the members that come from the source and are not disabled, if they are fewDisables at least, and
// all of them when there are more than one.
func disablesTooMany(disables, enabled, percent int) bool {
	return disables == enabled && enabled > 1 || disables >= fewDisables && disables*100 > enabled*percent
}
