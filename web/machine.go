package web

import (
	"net/http"
	"strings"

	"furrow/web/api"
)

// updatesPage is what updates.html shows.
type updatesPage struct {
	api.Machine
	Form    *form
	Version string // of the program that runs
}

func (v *visit) updates() (updatesPage, error) {
	machine, err := v.client.Machine(v.ctx())
	if err != nil {
		return updatesPage{}, err
	}
	status, err := v.client.Status(v.ctx())
	if err != nil {
		return updatesPage{}, err
	}
	return updatesPage{Machine: machine, Version: status.Version, Form: v.form("updates.install",
		input{name: "updateOlder", kind: "checkbox", wide: true},
		input{name: "updateBundle", kind: "file", accept: ".update", required: true, wide: true},
	)}, nil
}

func getUpdates(v *visit) error {
	p, err := v.updates()
	if err != nil {
		return err
	}
	return v.render("updates.html", p)
}

func liveUpdates(v *visit) error {
	return v.live("updates.html", "installing", func() (any, error) { return v.updates() })
}

// postUpdate hands the bundle on as it comes: it is larger than the memory of a small box.
func postUpdate(v *visit) error {
	bundle, err := v.uploadStream("updateBundle")
	if err != nil {
		return err
	}
	p, err := v.updates()
	if err != nil {
		return err
	}
	if bundle == nil {
		p.Form.wrong("updateBundle", v.T("error.required"))
	} else {
		installed, err := v.client.InstallUpdate(v.ctx(), bundle, v.formValue("updateOlder") == "yes")
		if err == nil {
			return v.render("going.html", going{v.T("updates.installed", "version", installed.Version), true})
		}
		if err = p.Form.refused(err); err != nil {
			return err
		}
	}
	v.drain()
	return v.again("updates.html", p)
}

// going is what going.html shows: the machine is about to stop.
type going struct {
	Text  string
	Comes bool // back, by itself
}

// powerAction is something that a person has done to the machine.
type powerAction struct {
	Name   string // of the path, and in the texts' keys
	Here   bool   // needs nothing of the machine
	Danger bool   // asks for a word to be typed
	Comes  bool   // the machine comes back by itself
	act    func(*api.Client, *visit) error
}

func powerActions() []powerAction {
	return []powerAction{
		{Name: "again", Here: true, Comes: true, act: func(c *api.Client, v *visit) error {
			_, err := c.Restart(v.ctx())
			return err
		}},
		{Name: "restart", Comes: true, act: func(c *api.Client, v *visit) error {
			_, err := c.RestartMachine(v.ctx())
			return err
		}},
		{Name: "off", act: func(c *api.Client, v *visit) error {
			_, err := c.PowerOffMachine(v.ctx())
			return err
		}},
		{Name: "erase", Danger: true, Comes: true, act: func(c *api.Client, v *visit) error {
			_, err := c.FactoryReset(v.ctx())
			return err
		}},
	}
}

// powerPage is what power.html shows.
type powerPage struct {
	api.Machine
	Actions []powerAction
}

func getPower(v *visit) error {
	machine, err := v.client.Machine(v.ctx())
	if err != nil {
		return err
	}
	return v.render("power.html", powerPage{machine, powerActions()})
}

// powerQuestion asks before the action in the path.
func (v *visit) powerQuestion() (powerAction, confirmation, bool) {
	for _, action := range powerActions() {
		if action.Name != v.r.PathValue("action") {
			continue
		}
		v.under(v.T("power.title"), "/power")
		v.title = v.T("power." + action.Name)
		c := confirmation{Text: v.T("power.question." + action.Name), Button: v.T("power." + action.Name), Back: "/power"}
		if action.Danger {
			c.Form = v.form("power.erase", input{name: "eraseWord", required: true, autocomplete: "off", wide: true})
		}
		return action, c, true
	}
	return powerAction{}, confirmation{}, false
}

func getPowerQuestion(v *visit) error {
	_, question, ok := v.powerQuestion()
	if !ok {
		v.refuse(http.StatusNotFound, "error.notFound")
		return nil
	}
	return v.confirm(question)
}

func postPower(v *visit) error {
	action, question, ok := v.powerQuestion()
	if !ok {
		v.refuse(http.StatusNotFound, "error.notFound")
		return nil
	}
	if action.Danger && !strings.EqualFold(question.Form.value("eraseWord"), v.T("power.word")) {
		question.Form.wrong("eraseWord", v.T("power.otherWord"))
		return v.again("confirm.html", question)
	}
	if err := action.act(v.client, v); err != nil {
		return err
	}
	return v.render("going.html", going{v.T("power.going." + action.Name), action.Comes})
}
