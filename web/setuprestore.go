package web

import (
	"furrow/web/api"
)

// restorePage is what setup-restore.html shows.
type restorePage struct {
	Form *form
	// Restored is the backup that takes the place of this box, nil for none yet.
	Restored *api.Restored
}

// restoreForm has the file last: what it takes to read it must be there before it comes.
func (v *visit) restoreForm() *form {
	f := v.form("setup.restore.button",
		input{name: "setupCode", required: true, autocomplete: "off", wide: true},
		input{name: "backupPassphrase", kind: "password", required: true, autocomplete: "off", wide: true},
		input{name: "backupFile", kind: "file", required: true, wide: true},
	)
	f.Back = "/setup"
	f.Progress = true
	return f
}

func getSetUpRestore(v *visit) error {
	return v.render("setup-restore.html", restorePage{Form: v.restoreForm()})
}

func postSetUpRestore(v *visit) error {
	file, err := v.uploadStream("backupFile")
	if err != nil {
		return err
	}
	f := v.restoreForm()
	if file == nil {
		f.wrong("backupFile", v.T("error.required"))
	}
	if f.complete() {
		var restored api.Restored
		if restored, err = v.client.Restore(v.ctx(), f.value("setupCode"), f.value("backupPassphrase"), file); err == nil {
			return v.render("setup-restore.html", restorePage{Restored: &restored})
		}
		v.drain()
		if err = v.restoreRefused(f, err); err != nil {
			return err
		}
	}
	return v.again("setup-restore.html", restorePage{Form: f})
}

// restoreRefused puts a refusal to its field.
func (v *visit) restoreRefused(f *form, err error) error {
	if isRefused(err, "refused") {
		f.wrong("setupCode", v.T("setup.restore.code"))
		return nil
	}
	return f.refused(renamed(renamed(err, "password", "backupPassphrase"), "backup", "backupFile"))
}
