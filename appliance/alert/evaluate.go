package alert

import (
	"cmp"
	"slices"
	"time"
)

// repeatAfter is how often people are reminded of an alert that lasts.
const repeatAfter = 24 * time.Hour

// Evaluate returns what is raised after readings, and what people are to be told. It changes nothing of what it is
// given. States of kinds that no rule is for are dropped in silence: somebody has switched them off.
func Evaluate(rules []Rule, states []State, seen Observations, now time.Time) (next []State, notices []Notice) {
	for _, rule := range rules {
		known := map[string]State{}
		for _, s := range states {
			if s.Kind == rule.Kind {
				known[s.Subject] = s
			}
		}
		readings, looked := seen[rule.Kind]
		for _, r := range readings {
			s, ok := known[r.Subject]
			if !ok {
				s = State{Kind: rule.Kind, Subject: r.Subject}
			}
			delete(known, r.Subject)
			s.Value, s.Detail = r.Value, r.Detail
			event := s.advance(rule, now)
			if event != "" {
				notices = append(notices, Notice{event, now, s, rule})
			}
			if s.Level != None || s.next != None {
				next = append(next, s)
			}
		}
		for _, s := range known {
			switch {
			case !looked:
				next = append(next, s)
			case s.Level != None:
				s.Level = None
				notices = append(notices, Notice{Cleared, now, s, rule})
			}
		}
	}
	slices.SortFunc(next, func(a, b State) int { return cmp.Compare(a.key(), b.key()) })
	slices.SortStableFunc(notices, func(a, b Notice) int { return cmp.Compare(a.key(), b.key()) })
	return next, notices
}

// advance takes the state on to its value, and says what people are to be told, if anything.
func (s *State) advance(rule Rule, now time.Time) Event {
	shown := rule.level(s.Level, s.Value)
	if shown != s.next || now.Before(s.since) { // the clock may have been set back
		s.next, s.since = shown, now
	}
	if shown != s.Level && now.Sub(s.since) >= rule.Hold {
		return s.become(shown, now)
	}
	if s.Level != None && now.Sub(s.Notified).Abs() >= repeatAfter {
		s.Notified = now
		return Lasting
	}
	return ""
}

func (s *State) become(level Level, now time.Time) Event {
	was := s.Level
	s.Level, s.Notified = level, now
	switch {
	case was == None:
		s.Raised = now
		return Raised
	case level == None:
		return Cleared
	case level > was:
		return Worsened
	default:
		return Eased
	}
}
