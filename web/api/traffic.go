package api

import (
	"net/http"
	"strconv"
	"time"

	"furrow/relay/traffic"
)

// usualDays is how many days the report of traffic has if none are asked for.
const usualDays = 30

// TrafficRecord is what the box's relay has carried in the minute, hour or day that begins at Time.
type TrafficRecord struct {
	Time time.Time `json:"time"`
	traffic.Sum
}

// Heading implements [Record].
func (TrafficRecord) Heading() []string {
	return []string{"time", "messagesIn", "bytesIn", "messagesOut", "bytesOut", "online"}
}

// Values implements [Record].
func (t TrafficRecord) Values() []string {
	number := func(n uint64) string { return strconv.FormatUint(n, 10) }
	return []string{
		moment(t.Time), number(t.MessagesIn), number(t.BytesIn), number(t.MessagesOut), number(t.BytesOut), strconv.Itoa(t.Online),
	}
}

// trafficReport returns the last hour by minutes, the last day by hours, or days.
func (h *handler) trafficReport(r *http.Request) ([]TrafficRecord, error) {
	if h.Traffic == nil {
		return nil, errNoRelay()
	}
	q := r.URL.Query()
	to := h.Now()
	from := to.AddDate(0, 0, -usualDays+1)
	for name, day := range map[string]*time.Time{"from": &from, "to": &to} {
		if s := q.Get(name); s != "" {
			var err error
			if *day, err = time.Parse(time.DateOnly, s); err != nil {
				return nil, &Error{Code: "invalid", Field: name, Message: name + " is not a day such as 2026-03-14"}
			}
		}
	}
	var points []traffic.Point
	switch q.Get("by") {
	case "minute":
		points = h.Traffic.Minutes()
	case "hour":
		points = h.Traffic.Hours()
	case "", "day":
		points = h.Traffic.Days(from, to)
	default:
		return nil, &Error{Code: "invalid", Field: "by", Message: "traffic is by minute, hour or day"}
	}
	rows := make([]TrafficRecord, len(points))
	for i, p := range points {
		rows[i] = TrafficRecord(p)
	}
	return rows, nil
}
