package web

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"furrow/gms/sheet"
	"furrow/web/access"
	"furrow/web/api"
)

// report is a kind of report. Its title is the text "reports." + name, what it says "reports.about." + name.
type report struct {
	name    string // in the address here and at the interface
	role    access.Role
	columns []column
	sort    string // the order it comes in
	domain  bool   // can be of one domain
	period  bool   // has a begin and an end
	status  bool   // can be of members of one status
	// by is what it can be added up by, as the interface knows it, the usual first; each is the text choice.by.VALUE.
	by   []string
	rows func(v *visit, f api.ReportFilter) (reportRows, error)
}

// reportRows are a report: its rows, and pictures of them.
type reportRows struct {
	Rows   [][]cell
	Shares []share
	Charts []*chart
}

// reports are all there are.
func reports() []report {
	name, email, status, domain := column{name: "name", sortable: true}, column{name: "email", sortable: true},
		column{name: "status", sortable: true}, column{name: "domain", sortable: true}
	return []report{
		{
			name: "members", role: access.Member, domain: true, rows: memberRows, sort: "status",
			status:  true,
			columns: []column{status, name, email, {name: "login", sortable: true}, domain, {name: "group", sortable: true}, {name: "created", sortable: true}},
		},
		{
			name: "contact", role: access.Member, domain: true, rows: contactRows, sort: "lastContact",
			columns: []column{{name: "lastContact", sortable: true}, name, email, status, domain},
		},
		{
			name: "backups", role: access.Member, domain: true, rows: backupRows, sort: "stored",
			columns: []column{{name: "stored", sortable: true}, {name: "age", sortable: true, right: true}, {name: "interval", sortable: true, right: true},
				{name: "bytes", sortable: true, right: true}, name, email, {name: "device", sortable: true}, domain},
		},
		{
			name: "usage", role: access.Domain, domain: true, period: true, rows: usageRows, sort: "-uses",
			by: []string{"member", "space", "tool"},
			columns: []column{name, {name: "uses", sortable: true, right: true}, {name: "elapsed", sortable: true, right: true},
				{name: "days", sortable: true, right: true}, {name: "count", sortable: true, right: true}},
		},
		{
			name: "traffic", role: access.Member, period: true, rows: trafficRows, sort: "-time",
			columns: []column{{name: "time", sortable: true}, {name: "messagesIn", sortable: true, right: true}, {name: "bytesIn", sortable: true, right: true},
				{name: "messagesOut", sortable: true, right: true}, {name: "bytesOut", sortable: true, right: true}, {name: "online", sortable: true, right: true}},
		},
		{
			name: "queues", role: access.Member, rows: queueRows, sort: "-bytes",
			columns: []column{name, {name: "bytes", sortable: true, right: true}, {name: "messages", sortable: true, right: true},
				{name: "oldest", sortable: true}, {name: "kind", sortable: true}, {name: "target", sortable: true}},
		},
		{
			name: "failures", role: access.Member, domain: true, rows: failureRows, sort: "-last",
			columns: []column{{name: "last", sortable: true}, {name: "first", sortable: true}, {name: "times", sortable: true, right: true},
				{name: "description", sortable: true}, name, {name: "device", sortable: true}, domain},
		},
	}
}

// reportPage is what report.html shows.
type reportPage struct {
	reportRows
	Name, About string
	List        *list
	Empty       bool // without any filter
	NoRelay     bool
}

func getReports(v *visit) error {
	var shown []report
	for _, r := range reports() {
		if v.person.Role.May(access.Need{Role: r.role}) {
			shown = append(shown, r)
		}
	}
	return v.render("reports.html", shown)
}

// Name, Title and About are for templates.
func (r report) Name() string          { return r.name }
func (r report) Title(w *words) string { return w.T("reports." + r.name) }
func (r report) About(w *words) string { return w.T("reports.about." + r.name) }

// report is the one in the path; false if there is none, which is answered then.
func (v *visit) report() (report, bool) {
	i := slices.IndexFunc(reports(), func(r report) bool { return r.name == v.r.PathValue("report") })
	if i < 0 {
		v.refuse(http.StatusNotFound, "error.notFound")
		return report{}, false
	}
	r := reports()[i]
	v.under(v.T("reports.title"), "/reports")
	v.title = r.Title(v.words)
	return r, true
}

// reportFilter is what the address asks of a report.
func (v *visit) reportFilter(r report) (*list, api.ReportFilter, error) {
	l := v.list(r.columns...)
	if l.Sort() == "" {
		l.sort = r.sort
	}
	var f api.ReportFilter
	if r.domain {
		var err error
		if _, f.Domain, err = v.ofDomain(l); err != nil {
			return nil, f, err
		}
	}
	if r.status {
		f.Status = l.filter("status", v.statusOptions()...)
	}
	if r.by != nil {
		var options []option
		for _, value := range r.by {
			options = append(options, option{Value: value, Label: v.T("choice.by." + value)})
		}
		f.By = r.by[0]
		if asked := v.r.URL.Query().Get("by"); slices.Contains(r.by, asked) {
			f.By = asked
		}
		l.choice("by", f.By, options...)
	}
	if r.period {
		from, until := l.period()
		f.From, f.To = dayOf(from), dayOf(until.AddDate(0, 0, -1))
		if until.IsZero() {
			f.To = ""
		}
	}
	return l, f, nil
}

// dayOf is a day as the interface has it, empty for none.
func dayOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func getReport(v *visit) error {
	r, ok := v.report()
	if !ok {
		return nil
	}
	l, f, err := v.reportFilter(r)
	if err != nil {
		return err
	}
	shown := reportPage{Name: r.name, About: r.About(v.words), List: l}
	shown.reportRows, err = r.rows(v, f)
	if isRefused(err, "noRelay") {
		shown.NoRelay, err = true, nil
	}
	if err != nil {
		return err
	}
	shown.Empty = len(shown.Rows) == 0 && !l.Narrowed()
	shown.Rows = arrange(l, shown.Rows)
	return v.render("report.html", shown)
}

// getReportSheet is a report as a file, with all its rows.
func getReportSheet(v *visit) error {
	r, ok := v.report()
	if !ok {
		return nil
	}
	_, f, err := v.reportFilter(r)
	if err != nil {
		return err
	}
	content, err := v.client.ReportSheet(v.ctx(), r.name, f)
	if err != nil {
		return err
	}
	return v.downloadStream(r.name+".csv", sheet.ContentType, func(w io.Writer) error {
		_, err := io.Copy(w, content)
		return errors.Join(err, content.Close())
	})
}

func (v *visit) statisticsSettingsForm() *form {
	v.under(v.T("reports.title"), "/reports")
	f := v.form("reports.save", input{name: "usageDays", kind: "number", required: true, wide: true},
		input{name: "rawDays", kind: "number", required: true, wide: true})
	f.Back = "/reports"
	return f
}

func getStatisticsSettings(v *visit) error {
	now, err := v.client.StatisticsSettings(v.ctx())
	if err != nil {
		return err
	}
	return v.render("form.html", v.statisticsSettingsForm().fill(map[string]string{
		"usageDays": strconv.Itoa(now.Days), "rawDays": strconv.Itoa(now.RawDays),
	}))
}

func postStatisticsSettings(v *visit) error {
	f := v.statisticsSettingsForm()
	days, ok := f.days("usageDays")
	raw, fine := f.days("rawDays")
	if ok && fine {
		_, err := v.client.SetStatisticsSettings(v.ctx(), api.StatisticsSettings{Days: days, RawDays: raw})
		if err == nil {
			return v.done("/reports", "done.statisticsSet")
		}
		if err = f.refused(err); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}
