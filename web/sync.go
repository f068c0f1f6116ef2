package web

import (
	"net/url"

	"furrow/gms/ldapsync"
	"furrow/web/api"
)

// directoryPage is what directory.html shows.
type directoryPage struct {
	directoryRow
	Reports []ldapsync.Report
	Test    *api.LDAPTest // nil if none was made
	Problem string        // why the directory server could not be read
}

// ReportPath is the page of a report.
func (p directoryPage) ReportPath(id string) string {
	return p.Path + "/reports/" + url.PathEscape(id)
}

func (v *visit) directoryPage() (directoryPage, error) {
	s, err := v.directory()
	if err != nil {
		return directoryPage{}, err
	}
	row, reports, err := v.directoryRow(s)
	return directoryPage{directoryRow: row, Reports: reports}, err
}

func getDirectory(v *visit) error {
	p, err := v.directoryPage()
	if err != nil {
		return err
	}
	return v.render("directory.html", p)
}

func backToDirectory(v *visit) error {
	v.redirect(directoryPath(v.r.PathValue("name"), ""))
	return nil
}

// postTestDirectory reads the directory server once and shows what it has, or what it said.
func postTestDirectory(v *visit) error {
	p, err := v.directoryPage()
	if err != nil {
		return err
	}
	test, err := v.client.TestLDAP(v.ctx(), p.Name)
	if text, refused := refusalText(err); refused {
		p.Problem = text
		return v.again("directory.html", p)
	}
	if err != nil {
		return err
	}
	p.Test = &test
	return v.render("directory.html", p)
}

// syncPage is what sync.html shows: what a sync would do, or has done.
type syncPage struct {
	ldapsync.Report
	List    *list
	Shown   []ldapsync.Line
	Dry     bool   // nothing has been done
	Act     string // path that does it
	Problem string
	Tallies []tally
}

// tally is how often something is done.
type tally struct {
	Action ldapsync.Action
	N      int
	Mark   string // class of it
}

// syncActions are all, in the order in which they are counted on the page.
func syncActions() []tally {
	return []tally{
		{ldapsync.Add, 0, "active"}, {ldapsync.Merge, 0, "active"}, {ldapsync.Update, 0, "pending"}, {ldapsync.Enable, 0, "active"},
		{ldapsync.Disable, 0, "disabled"}, {ldapsync.Hold, 0, "deleted"}, {ldapsync.Skip, 0, ""},
	}
}

// Mark is the class of an action.
func (p syncPage) Mark(a ldapsync.Action) string {
	for _, t := range syncActions() {
		if t.Action == a {
			return t.Mark
		}
	}
	return ""
}

// Changes says whether there is anything to do.
func (p syncPage) Changes() bool {
	for _, t := range p.Tallies {
		if t.N > 0 && t.Action != ldapsync.Skip && t.Action != ldapsync.Hold {
			return true
		}
	}
	return false
}

func (v *visit) syncPage(r ldapsync.Report) syncPage {
	p := syncPage{Report: r}
	p.List = v.list(column{name: "doing"}, column{name: "member"}, column{name: "details"}, column{name: "entry"})
	var kinds []option
	for _, t := range syncActions() {
		if t.N = r.Counts[t.Action]; t.N > 0 {
			p.Tallies = append(p.Tallies, t)
			kinds = append(kinds, option{Value: string(t.Action), Label: v.T("sync." + string(t.Action))})
		}
	}
	kind := p.List.filter("doing", kinds...)
	var lines []ldapsync.Line
	for _, l := range r.Lines {
		if (kind == "" || string(l.Action) == kind) && p.List.finds(l.Name+" "+l.Entry+" "+l.Reason) {
			lines = append(lines, l)
		}
	}
	p.Shown = of(p.List, lines)
	return p
}

// getSync shows what a sync would do.
func getSync(v *visit) error {
	s, err := v.ofDirectory()
	if err != nil {
		return err
	}
	v.title = v.T("sync.preview")
	report, err := v.client.PreviewLDAP(v.ctx(), s.Name, v.forced())
	text, refused := refusalText(err)
	if err != nil && !refused {
		return err
	}
	p := v.syncPage(report)
	p.Dry, p.Problem, p.Act = true, text, directoryPath(s.Name, "/sync")
	return v.render("sync.html", p)
}

// forced says whether the sync that is asked about may disable however many.
func (v *visit) forced() bool { return v.r.URL.Query().Get("force") != "" }

// postSync does it.
func postSync(v *visit) error {
	s, err := v.ofDirectory()
	if err != nil {
		return err
	}
	report, err := v.client.SyncLDAP(v.ctx(), s.Name, v.forced())
	if err != nil {
		return err
	}
	page := directoryPath(s.Name, "/reports/"+url.PathEscape(report.ID))
	if report.Error != "" || report.Stopped != "" {
		v.redirect(page)
		return nil
	}
	return v.done(page, "done.synced", "name", s.Name)
}

// getSyncReport shows what a sync has done.
func getSyncReport(v *visit) error {
	s, err := v.ofDirectory()
	if err != nil {
		return err
	}
	v.title = v.T("sync.report")
	report, err := v.client.LDAPReport(v.ctx(), s.Name, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	p := v.syncPage(report)
	p.Act = directoryPath(s.Name, "/sync")
	return v.render("sync.html", p)
}

// outcome is how a sync ended, in a word.
type outcome struct{ Text, Mark string }

// Outcome is that of a report.
func (v *visit) Outcome(r ldapsync.Report) outcome {
	switch {
	case r.Error != "":
		return outcome{v.T("sync.failed"), "deleted"}
	case r.Stopped != "":
		return outcome{v.T("sync.held"), "disabled"}
	}
	return outcome{v.T("sync.ended"), "active"}
}
