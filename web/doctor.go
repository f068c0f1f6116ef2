package web

import (
	"furrow/appliance/checkup"
)

// examinationPage is what doctor.html shows.
type examinationPage struct {
	checkup.Report
	Findings []finding
	// Troubles is how many findings ask for something to be done.
	Troubles int
}

// finding is one as it is shown.
type finding struct {
	checkup.Finding
	Name, Outcome, Class string
}

func (v *visit) examination() (examinationPage, error) {
	report, err := v.client.Examination(v.ctx())
	if err != nil {
		return examinationPage{}, err
	}
	p := examinationPage{Report: report}
	for _, f := range report.Findings {
		shown := finding{Finding: f, Name: f.Check}
		if key := "doctor.check." + f.Check; v.has(key) {
			shown.Name = v.T(key)
		}
		switch f.Outcome {
		case checkup.Well:
			shown.Outcome, shown.Class = v.T("doctor.well"), "good"
		case checkup.Warning:
			shown.Outcome, shown.Class = v.T("doctor.warning"), "warn"
			p.Troubles++
		case checkup.Failed:
			shown.Outcome, shown.Class = v.T("doctor.failed"), "bad"
			p.Troubles++
		default:
			shown.Outcome = v.T("doctor.notTried")
		}
		p.Findings = append(p.Findings, shown)
	}
	return p, nil
}

func getDoctor(v *visit) error {
	p, err := v.examination()
	if err != nil {
		return err
	}
	return v.render("doctor.html", p)
}

func liveDoctor(v *visit) error {
	return v.live("doctor.html", "examination", func() (any, error) { return v.examination() })
}

func postDoctor(v *visit) error {
	if _, err := v.client.Examine(v.ctx()); err != nil {
		return err
	}
	v.redirect("/doctor")
	return nil
}
