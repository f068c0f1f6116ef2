package web

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/language"

	"furrow/gms/directory"
	"furrow/gms/policy"
)

// settings are the settings of both kinds of policies.
func settings() []policy.Setting {
	return slices.Concat(directory.IdentityKind.Sheet().Settings(), directory.DeviceKind.Sheet().Settings())
}

// TestSettingTexts finds settings of policies without a label, and without what explains them in other languages than
// English.
func TestSettingTexts(t *testing.T) {
	c, err := loadCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range languages() {
		v := &visit{words: c.words[tag]}
		used := map[string]bool{}
		for _, one := range settings() {
			_, short, _ := strings.Cut(one.Key, ".")
			used["explain."+one.Key], used["explain."+short] = true, true
			if v.settingLabel(&one) == "" || !v.has("section."+one.Section) || one.Unit != "" && !v.has("measure."+one.Unit) {
				t.Errorf("%s: %s has no label, section or unit", tag, one.Key)
			}
			for _, name := range one.Choices {
				if v.ofSetting("choice.", one.Key+"."+name) == "" {
					t.Errorf("%s: %s of %s has no name", tag, name, one.Key)
				}
			}
			if has := v.ofSetting("explain.", one.Key) != ""; has == (tag == language.English) {
				t.Errorf("%s: explanation of %s is in the catalogue: %v", tag, one.Key, has)
			}
		}
		for key := range maps.Keys(c.words[tag].messages) {
			if strings.HasPrefix(key, "explain.") && !used[key] {
				t.Errorf("%s: %s is of no setting", tag, key)
			}
		}
	}
}

func TestEnteredSettings(t *testing.T) {
	for _, one := range settings() {
		if one.Kind == policy.SettingDuration && unitOf(&one) == 0 {
			t.Errorf("%s is a duration in no unit that forms know", one.Key)
		}
	}
	hours := &policy.Setting{Kind: policy.SettingDuration, Unit: "hours"}
	days := &policy.Setting{Kind: policy.SettingDuration, Unit: "days"}
	on := &policy.Setting{Kind: policy.SettingSwitch}
	for _, test := range []struct {
		one           *policy.Setting
		text, entered string
	}{
		{hours, "1d", "24"}, {hours, "90m", "1.5"}, {hours, "0", "0"}, {days, "42d", "42"}, {days, "12h", "0.5"},
		{on, "true", "yes"}, {on, "false", ""},
	} {
		if got := entered(test.one, test.text); got != test.entered {
			t.Errorf("%s is entered as %q, want %q", test.text, got, test.entered)
		}
	}
	for text, want := range map[string]string{"1.5": "1h30m0s", "": "0", "2d": "2d", "1e300": "1e300", "NaN": "NaN", "soon": "soon"} {
		if got := fromEntered(hours, text); got != want {
			t.Errorf("entered %q is %q, want %q", text, got, want)
		}
	}
	if d, err := time.ParseDuration(fromEntered(days, "100000")); err != nil || d < 0 {
		t.Errorf("the longest is %v, %v", d, err)
	}
}

func TestPolicyPages(t *testing.T) {
	b := newBox(t)
	b.office()
	list := b.get("/policies?policyKind=identity")
	standard := b.link(list, "Default")
	b.contains(b.get(standard), "It holds for 3 members of the domain Office.", "with a warning", "Account backup every (hours)")
	edit := b.get(standard + "/edit")
	b.contains(edit, `name="identity.backupInterval" type="text" value="24"`, `name="dataRecovery.resetInstructions" rows="3"`, "How often a client backs")

	form := b.formOf(edit)
	if to := b.post(standard+"/edit", form); to != standard {
		t.Errorf("nothing changed leads to %s", to)
	}
	b.contains(b.get(standard), "Nothing was changed")
	form.Set("identity.backupInterval", "-3")
	w := b.do(http.MethodPost, standard+"/edit", form)
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("refused field: %d", w.Code)
	}
	b.contains(w.Body.String(), `id="f-identity.backupInterval-error"`)
	form.Set("identity.backupInterval", "12")
	form.Set("identity.lockVCard", "yes")
	form.Set("identity.pki", "yes")
	form.Set("identity.pki.feature", "yes")
	form.Set("identity.pki.feature.required", "yes")
	form.Set("policyName", "Usual")
	w = b.do(http.MethodPost, standard+"/edit", form)
	diff := w.Body.String()
	b.contains(diff, "3 members have this policy", "<td>24</td><td><strong>12</strong>", "Usual", "Lock vCards", `value="identity.pki.feature.required=on"`)
	b.contains(b.get(standard), "<dd>no</dd>") // nothing has changed yet
	reviewed := b.formOf(diff)
	reviewed.Set("reviewed", "back")
	b.contains(b.do(http.MethodPost, standard+"/edit", reviewed).Body.String(), `name="identity.backupInterval" type="text" value="12"`, `value="Usual"`)
	reviewed.Set("reviewed", "yes")
	b.post(standard+"/edit", reviewed)
	b.contains(b.get(standard), "The policy Usual is changed.", "<strong>12</strong>", "Members must have one")
	form = b.formOf(b.get(standard + "/edit"))
	form.Del("identity.pki") // its parts stay in the form
	w = b.do(http.MethodPost, standard+"/edit", form)
	b.contains(w.Body.String(), `value="identity.pki=off"`)
	b.post(standard+"/edit", url.Values{"policyName": {"Usual"}, "set": {"identity.pki=off"}, "reviewed": {"yes"}})

	b.contains(b.get("/policies/new"), "for devices")
	w = b.do(http.MethodPost, "/policies/new", url.Values{"policyName": {"usual"}, "policyKind": {"identity"}})
	b.contains(w.Body.String(), `class="note bad"`)
	strict := strings.TrimSuffix(b.post(standard+"/copy", url.Values{"policyName": {"Strict"}}), "/edit")
	b.contains(b.get(strict), "It holds for 0 members", "<strong>12</strong>")
	sales := b.post("/groups/new", url.Values{"groupName": {"Sales"}})
	b.contains(b.get(strict+"/assign"), "Group Sales", "Everybody in the domain Office")
	b.post(strict+"/assign", url.Values{"giveTo": {strings.TrimPrefix(sales, "/groups/")}})
	b.contains(b.get(strict), "It is given to these groups:", "Sales")
	if w := b.do(http.MethodPost, strict+"/delete", nil); w.Code != http.StatusConflict {
		t.Errorf("a policy in use is deleted: %d", w.Code)
	}
	b.post(strict+"/assign", url.Values{"giveTo": {"domain"}})
	b.contains(b.get(strict), "It is the domain&#39;s default")
	b.post(sales+"/delete", nil)
	b.contains(b.get(standard+"/delete"), "with all its settings")
	b.post(standard+"/delete", nil)
	b.contains(b.get("/policies"), "The policy Usual is deleted.")

	devices := b.link(b.get("/policies?policyKind=device"), "Default")
	b.contains(b.get(devices), "It holds for 0 devices", "1,2,4,-3,15,60,300")
	b.contains(b.get(devices+"/edit"), "From 0 to 1,000.")
}
