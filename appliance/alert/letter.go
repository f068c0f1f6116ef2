package alert

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"furrow/appliance/mail"
)

// shownTime is how people are told a time.
const shownTime = "2006-01-02 15:04 UTC"

// maxDetail bounds what is shown of a detail, in octets: an error may quote much.
const maxDetail = 2000

// headline is a notice in one line.
func (n Notice) headline() string {
	what := n.Rule.Title
	if n.Subject != "" {
		what += ": " + n.Subject
	}
	switch n.Event {
	case Cleared:
		return "over: " + what
	case Tested:
		return "this is a test"
	default:
		return n.Level.String() + ": " + what
	}
}

// reading is the value with its thresholds.
func (n Notice) reading() string {
	if n.Rule.Unit == "" {
		return ""
	}
	than := "from"
	if n.Rule.Below {
		than = "up to"
	}
	return fmt.Sprintf("%s %s (warning %s %s, critical %s %s)", number(n.Value), n.Rule.Unit,
		than, number(n.Rule.Warning), than, number(n.Rule.Critical))
}

// number is a value for a person.
func number(v float64) string { return strconv.FormatFloat(v, 'f', decimals(v), 64) }

func decimals(v float64) int {
	if v == float64(int64(v)) || v >= 100 || v <= -100 {
		return 0
	}
	return 1
}

// letter is a notice as mail, without its recipient.
func (n Notice) letter(box string) mail.Message {
	var body strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&body, format+"\n", args...) }
	line("%s, %s", box, n.Time.UTC().Format(shownTime))
	line("")
	line("%s", n.headline())
	for _, more := range []string{n.reading(), clip(n.Detail)} {
		if more != "" {
			line("%s", more)
		}
	}
	switch n.Event {
	case Cleared:
		line("")
		line("It began at %s and lasted %s. Nothing is to be done.", n.Raised.UTC().Format(shownTime), lasted(n.Time.Sub(n.Raised)))
	case Tested:
		line("")
		line("Alerts of this box reach you. Nothing is to be done.")
	default:
		line("")
		line("What to do: %s", n.Rule.Remedy)
		line("")
		line("Since %s. You will be reminded daily while it lasts, and told when it is over; furrow alert list shows what is raised.",
			n.Raised.UTC().Format(shownTime))
	}
	return mail.Message{Subject: oneLine("[Furrow " + box + "] " + n.headline()), Body: body.String()}
}

// maxHeadline keeps a subject within what mail takes, whatever a subject is called.
const maxHeadline = 300

func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxHeadline {
		s = strings.ToValidUTF8(s[:maxHeadline], "") + "…"
	}
	return s
}

func clip(s string) string {
	s = strings.ReplaceAll(s, "\x00", " ")
	if len(s) > maxDetail {
		return strings.ToValidUTF8(s[:maxDetail], "") + "…"
	}
	return s
}

func lasted(d time.Duration) string {
	if d < time.Minute {
		return "less than a minute"
	}
	return d.Round(time.Minute).String()
}
