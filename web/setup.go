package web

import (
	"bytes"
	"errors"
	"net/mail"
	"strings"

	"furrow/web/api"
)

// setUpSteps are the pages of the set-up in order.
func setUpSteps() []string {
	return []string{"/setup", "/setup/factor", "/setup/address", "/setup/domain", "/setup/mail", "/setup/members", "/setup/done"}
}

// maxFirstMembers bounds what is pasted in the set-up; more people come by the roster on the members' page.
const maxFirstMembers = 100

// setUpPage is what the templates of the set-up show.
type setUpPage struct {
	Form *form
	Step int // from 1
	Of   int
	Next string // path of the step after, for those that may be left out
	// Of the single steps.
	Passkeys bool
	Reach    reach
	Domains  []api.Domain
	Members  []api.Member
	Address  string
	Doctor   examinationPage
}

func (v *visit) setUpPage(f *form) setUpPage {
	p := setUpPage{Form: f, Of: len(setUpSteps()), Address: v.site.ServerURL}
	for i, path := range setUpSteps() {
		if path == v.page.path {
			p.Step = i + 1
			if i+1 < p.Of {
				p.Next = setUpSteps()[i+1]
			}
		}
	}
	return p
}

func (v *visit) firstPersonForm() *form {
	return v.form("setup.begin",
		input{name: "setupCode", required: true, autocomplete: "off", wide: true},
		input{name: "fullName", autocomplete: "name", wide: true},
		input{name: "name", required: true, autocomplete: "username", wide: true},
		input{name: "newPassword", kind: "password", required: true, autocomplete: "new-password", wide: true, live: "meter"},
	)
}

func getSetUp(v *visit) error {
	return v.render("setup.html", v.setUpPage(v.firstPersonForm()))
}

func postSetUp(v *visit) error {
	f := v.firstPersonForm()
	if !f.complete() {
		return v.again("setup.html", v.setUpPage(f))
	}
	_, err := v.client.SetUp(v.ctx(), api.Setup{
		Code: f.value("setupCode"), Name: f.value("name"), DisplayName: f.value("fullName"), Password: f.value("newPassword"),
	})
	if err != nil {
		err = renamed(renamed(err, "password", "newPassword"), "displayName", "fullName")
		if err := v.notProved(f, "setupCode", err); err != nil {
			return err
		}
		return v.again("setup.html", v.setUpPage(f))
	}
	in, err := v.site.Access.SignIn(v.ctx(), f.value("name"), f.value("newPassword"), visitor(v.r))
	if err != nil {
		return err
	}
	v.setCookie(sessionCookie, in.Token, 0)
	v.redirect("/setup/factor")
	return nil
}

func getSetUpFactor(v *visit) error {
	p := v.setUpPage(nil)
	p.Passkeys = v.origin() != ""
	return v.render("setup-factor.html", p)
}

func (v *visit) firstDomainForm() *form {
	return v.form("setup.next",
		input{name: "organization", required: true, autocomplete: "organization", wide: true},
		input{name: "domainName", required: true, autocomplete: "off", wide: true},
	)
}

func getSetUpDomain(v *visit) error {
	p := v.setUpPage(v.firstDomainForm())
	var err error
	if p.Domains, err = v.client.Domains(v.ctx()); err != nil {
		return err
	}
	return v.render("setup-domain.html", p)
}

func postSetUpDomain(v *visit) error {
	f := v.firstDomainForm()
	if f.complete() {
		_, err := v.client.CreateDomain(v.ctx(), api.NewDomain{Name: f.value("domainName"), Organization: f.value("organization")})
		if err == nil {
			v.redirect("/setup/mail")
			return nil
		}
		if err = f.refused(renamed(err, "name", "domainName")); err != nil {
			return err
		}
	}
	return v.again("setup-domain.html", v.setUpPage(f))
}

// renamed is a refusal of a field that a form calls otherwise.
func renamed(err error, from, to string) error {
	var refusal *api.Error
	if errors.As(err, &refusal) && refusal.Field == from {
		changed := *refusal
		changed.Field = to
		return &changed
	}
	return err
}

func (v *visit) firstMailForm() *form {
	return v.form("setup.mail.test", append(v.mailInputs(), input{name: "testTo", kind: "email", required: true, autocomplete: "email"})...)
}

func getSetUpMail(v *visit) error { return v.render("setup-mail.html", v.setUpPage(v.firstMailForm())) }

// postSetUpMail keeps the settings and sends a message at once: settings that do not work are worse than none.
func postSetUpMail(v *visit) error {
	f := v.firstMailForm()
	if f.complete() {
		err := v.keepMail(f)
		if err == nil {
			return v.done("/setup/members", "done.mailWorks", "address", f.value("testTo"))
		}
		if err = f.refused(err); err != nil {
			return err
		}
	}
	return v.again("setup-mail.html", v.setUpPage(f))
}

func (v *visit) firstMembersForm() *form {
	return v.form("setup.members.add", input{name: "people", kind: "textarea", rows: 8, wide: true},
		input{name: "memberFile", kind: "file", wide: true, accept: memberFiles})
}

func getSetUpMembers(v *visit) error {
	return v.render("setup-members.html", v.setUpPage(v.firstMembersForm()))
}

// postSetUpMembers adds those who were typed, and those of a file: all of it, or nothing.
func postSetUpMembers(v *visit) error {
	f := v.firstMembersForm()
	people, wrong := parsePeople(v.words, f.value("people"))
	if wrong != "" {
		f.wrong("people", wrong)
	}
	file, err := v.upload("memberFile")
	if err != nil {
		return err
	}
	if len(people) == 0 && len(file) == 0 && wrong == "" {
		f.wrong("people", v.T("error.required"))
	}
	if !f.complete() {
		return v.again("setup-members.html", v.setUpPage(f))
	}
	domains, err := v.client.Domains(v.ctx())
	if err != nil {
		return err
	}
	if len(domains) == 0 {
		v.redirect("/setup/domain")
		return nil
	}
	added := 0
	if len(file) > 0 {
		report, err := v.client.ImportMembers(v.ctx(), api.MemberImport{
			Domain: domains[0].GUID, Format: formatOfFile(file), CreateGroups: true,
		}, bytes.NewReader(file))
		switch {
		case err != nil:
			if err = f.refused(err); err != nil {
				return err
			}
		case !report.Applied:
			f.wrong("memberFile", report.Problems[0].Error())
		}
		if f.Failed() {
			return v.again("setup-members.html", v.setUpPage(f))
		}
		added = report.Created
	}
	for i, person := range people {
		if _, err := v.client.CreateMember(v.ctx(), api.NewMember{Domain: domains[0].GUID, MemberDetails: person}); err != nil {
			// Those before are members now; what is left can be put right and sent again.
			f.fill(map[string]string{"people": writePeople(people[i:])})
			if err := f.refused(renamed(renamed(err, "fullName", "people"), "email", "people")); err != nil {
				return err
			}
			return v.again("setup-members.html", v.setUpPage(f))
		}
	}
	return v.done("/setup/done", "done.membersAdded", "n", added+len(people))
}

// parsePeople reads one person a line, as mail programs write them, Ann Smith <ann@example.com>, or with a comma,
// semicolon or tab between name and address. It returns what is wrong with the first line that is neither.
func parsePeople(w *words, text string) (people []api.MemberDetails, wrong string) {
	for i, line := range strings.Split(strings.ReplaceAll(text, "\r", ""), "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		if len(people) == maxFirstMembers {
			return nil, w.T("setup.members.tooMany", "n", maxFirstMembers)
		}
		person, ok := parsePerson(line)
		if !ok {
			return nil, w.T("setup.members.line", "line", i+1, "text", line)
		}
		people = append(people, person)
	}
	return people, ""
}

func parsePerson(line string) (api.MemberDetails, bool) {
	if a, err := mail.ParseAddress(line); err == nil && a.Name != "" {
		return api.MemberDetails{FullName: a.Name, Email: a.Address}, true
	}
	at := strings.LastIndexAny(line, ",;\t<")
	if at < 0 {
		return api.MemberDetails{}, false
	}
	name := strings.Trim(line[:at], " \t\"")
	address, err := mail.ParseAddress(strings.Trim(line[at+1:], " \t>"))
	if err != nil || name == "" {
		return api.MemberDetails{}, false
	}
	return api.MemberDetails{FullName: name, Email: address.Address}, true
}

// writePeople is the reverse of parsePeople.
func writePeople(people []api.MemberDetails) string {
	var lines []string
	for _, p := range people {
		lines = append(lines, p.FullName+", "+p.Email)
	}
	return strings.Join(lines, "\n")
}

func getSetUpDone(v *visit) error {
	p := v.setUpPage(nil)
	list, err := v.client.MemberList(v.ctx(), api.MemberQuery{Order: "created", Limit: 10})
	if err != nil {
		return err
	}
	p.Members = list.Members
	if p.Doctor, err = v.examination(); err == nil && p.Doctor.Began.IsZero() && v.May("/doctor") {
		if _, err = v.client.Examine(v.ctx()); err == nil {
			p.Doctor, err = v.examination()
		}
	}
	if err != nil {
		return err
	}
	return v.render("setup-done.html", p)
}
