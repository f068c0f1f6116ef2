package web

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"furrow/web/api"
)

func memberRows(v *visit, f api.ReportFilter) (reportRows, error) {
	found, err := v.client.MemberReport(v.ctx(), f)
	if err != nil {
		return reportRows{}, err
	}
	var shown reportRows
	counts := map[string]int{}
	for _, m := range found {
		counts[m.Status]++
		shown.Rows = append(shown.Rows, []cell{
			statusCell(m.Status), memberCell(m.FullName, m.Member), textCell(m.Email), textCell(m.Login), textCell(m.Domain), textCell(m.Group), timeCell(m.Created),
		})
	}
	var parts []share
	for _, status := range []string{"active", "pending", "disabled", "deleted", "migrated"} {
		parts = append(parts, share{Label: v.T("status." + status), Class: status, N: counts[status]})
	}
	shown.Shares = shares(parts...)
	return shown, nil
}

func contactRows(v *visit, f api.ReportFilter) (reportRows, error) {
	found, err := v.client.ContactReport(v.ctx(), f)
	if err != nil {
		return reportRows{}, err
	}
	box, err := v.client.Overview(v.ctx()) // knows what time it is
	if err != nil {
		return reportRows{}, err
	}
	var shown reportRows
	var day, month, longer, never int
	for _, c := range found {
		switch silent := box.Now.Sub(c.LastContact); {
		case c.LastContact.IsZero():
			never++
		case silent < 48*time.Hour:
			day++
		case silent < 30*24*time.Hour:
			month++
		default:
			longer++
		}
		shown.Rows = append(shown.Rows, []cell{
			timeCell(c.LastContact), memberCell(c.FullName, c.Member), textCell(c.Email), statusCell(c.Status), textCell(c.Domain),
		})
	}
	shown.Shares = shares(
		share{Label: v.T("reports.contact.day"), Class: "active", N: day}, share{Label: v.T("reports.contact.month"), Class: "pending", N: month},
		share{Label: v.T("reports.contact.longer"), Class: "disabled", N: longer}, share{Label: v.T("reports.contact.never"), Class: "none", N: never},
	)
	return shown, nil
}

func backupRows(v *visit, f api.ReportFilter) (reportRows, error) {
	found, err := v.client.BackupReport(v.ctx(), f)
	if err != nil {
		return reportRows{}, err
	}
	var shown reportRows
	var fresh, late, none int
	for _, b := range found {
		switch {
		case b.Stored.IsZero():
			none++
		case b.IntervalHours > 0 && float64(b.AgeHours) > b.IntervalHours:
			late++
		default:
			fresh++
		}
		age := cell{Kind: "number", N: int64(b.AgeHours), Text: v.Duration(time.Duration(b.AgeHours) * time.Hour)}
		interval := cell{Kind: "number", Text: v.T("reports.backups.noInterval")}
		if b.IntervalHours > 0 {
			interval = cell{Kind: "number", N: int64(b.IntervalHours), Text: v.Duration(time.Duration(b.IntervalHours * float64(time.Hour)))}
		}
		shown.Rows = append(shown.Rows, []cell{
			timeCell(b.Stored), age, interval, sizeCell(b.Size), memberCell(b.FullName, b.Member), textCell(b.Email), textCell(b.Device), textCell(b.Domain),
		})
	}
	shown.Shares = shares(
		share{Label: v.T("reports.backups.fresh"), Class: "active", N: fresh}, share{Label: v.T("reports.backups.late"), Class: "disabled", N: late},
		share{Label: v.T("reports.backups.none"), Class: "late", N: none},
	)
	return shown, nil
}

func usageRows(v *visit, f api.ReportFilter) (reportRows, error) {
	found, err := v.client.UsageReport(v.ctx(), f)
	if err != nil {
		return reportRows{}, err
	}
	var shown reportRows
	for _, u := range found {
		name := textCell(u.Name)
		if f.By == "member" && u.Key != u.Name {
			name = memberCell(u.Name, u.Key)
		}
		shown.Rows = append(shown.Rows, []cell{name, numberCell(u.Uses), numberCell(u.Elapsed), numberCell(int64(u.Days)), numberCell(u.Count)})
	}
	days, err := v.client.Usage(v.ctx(), api.UsageFilter{Domain: f.Domain, From: f.From, To: f.To})
	if err != nil {
		return reportRows{}, err
	}
	uses := map[string]uint64{}
	for _, d := range days {
		uses[d.Day] += uint64(max(d.Uses, 0))
	}
	c := &chart{Title: v.T("reports.usage.chart"), Step: "day", Words: v.words, Series: []series{{Name: v.T("column.uses")}}}
	known := slices.Sorted(maps.Keys(uses))
	if len(known) == 0 {
		return shown, nil
	}
	last := known[len(known)-1]
	for t, err := time.Parse(time.DateOnly, known[0]); err == nil && t.Format(time.DateOnly) <= last && len(c.Times) < maxChartDays; t = t.AddDate(0, 0, 1) {
		c.Times = append(c.Times, t)
		c.Series[0].Values = append(c.Series[0].Values, uses[t.Format(time.DateOnly)])
	}
	shown.Charts = []*chart{c}
	return shown, nil
}

// maxChartDays bounds the days of a chart: what is older than ten years is seen in the rows. A client may report any day.
const maxChartDays = 3660

func trafficRows(v *visit, f api.ReportFilter) (reportRows, error) {
	found, err := v.client.TrafficReport(v.ctx(), f)
	if err != nil {
		return reportRows{}, err
	}
	shown := reportRows{Charts: []*chart{v.bytesChart(v.T("reports.traffic.bytes"), "day", found), v.messagesChart(v.T("reports.traffic.messages"), "day", found)}}
	for _, t := range found {
		when := cell{Kind: "text", Time: t.Time, Text: t.Time.Format(time.DateOnly)}
		shown.Rows = append(shown.Rows, []cell{
			when, numberCell(int64(t.MessagesIn)), sizeCell(int64(t.BytesIn)), numberCell(int64(t.MessagesOut)), sizeCell(int64(t.BytesOut)), numberCell(int64(t.Online)),
		})
	}
	return shown, nil
}

// bytesChart and messagesChart draw traffic.
func (v *visit) bytesChart(title, step string, points []api.TrafficRecord) *chart {
	c := v.trafficChart(title, step, points, func(t api.TrafficRecord) (in, out uint64) { return t.BytesIn, t.BytesOut })
	c.Bytes = true
	return c
}

func (v *visit) messagesChart(title, step string, points []api.TrafficRecord) *chart {
	return v.trafficChart(title, step, points, func(t api.TrafficRecord) (in, out uint64) { return t.MessagesIn, t.MessagesOut })
}

func (v *visit) trafficChart(title, step string, points []api.TrafficRecord, of func(api.TrafficRecord) (in, out uint64)) *chart {
	c := &chart{Title: title, Step: step, Words: v.words, Series: []series{{Name: v.T("traffic.in")}, {Name: v.T("traffic.out")}}}
	for _, p := range points {
		in, out := of(p)
		c.Times = append(c.Times, p.Time)
		c.Series[0].Values, c.Series[1].Values = append(c.Series[0].Values, in), append(c.Series[1].Values, out)
	}
	return c
}

func queueRows(v *visit, f api.ReportFilter) (reportRows, error) {
	found, err := v.client.QueueReport(v.ctx(), f)
	if err != nil {
		return reportRows{}, err
	}
	var shown reportRows
	for _, q := range found {
		shown.Rows = append(shown.Rows, []cell{
			memberCell(cmp.Or(q.FullName, "–"), q.Member), sizeCell(q.Bytes), numberCell(int64(q.Messages)), timeCell(q.Oldest), textCell(v.T("queue." + q.Kind)), textCell(q.Target),
		})
	}
	return shown, nil
}

func failureRows(v *visit, f api.ReportFilter) (reportRows, error) {
	found, err := v.client.FailureReport(v.ctx(), f)
	if err != nil {
		return reportRows{}, err
	}
	var shown reportRows
	for _, d := range found {
		shown.Rows = append(shown.Rows, []cell{
			timeCell(d.Last), timeCell(d.First), numberCell(int64(d.Count)), textCell(d.Description), memberCell(cmp.Or(d.MemberName, d.Account), d.Member),
			textCell(cmp.Or(d.DeviceName, d.Device)), textCell(d.Domain),
		})
	}
	return shown, nil
}
