package web

import (
	"cmp"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"furrow/web/api"
)

// backupPage is what backup.html shows.
type backupPage struct {
	api.BackupPlan
	Kind     string // of the target
	Interval time.Duration
}

// Percent is how far the backup is that is being made.
func (p backupPage) Percent() int {
	if p.Running == nil || p.Running.Total <= 0 {
		return 0
	}
	return int(min(100, p.Running.Done*100/p.Running.Total))
}

// backupKinds are the kinds of targets, by what the names of their fields and texts have in them.
func backupKinds() []string { return []string{"folder", "sftp", "s3"} }

// kindOfTarget is the kind of a target's address.
func kindOfTarget(address string) string {
	switch {
	case strings.HasPrefix(address, "sftp:"):
		return "sftp"
	case strings.HasPrefix(address, "s3:"), strings.HasPrefix(address, "s3+http:"):
		return "s3"
	}
	return "folder"
}

func (v *visit) backup() (backupPage, error) {
	plan, err := v.client.BackupPlan(v.ctx())
	if err != nil {
		return backupPage{}, err
	}
	shown := backupPage{BackupPlan: plan, Kind: kindOfTarget(plan.Target)}
	if plan.Every != "" {
		if shown.Interval, err = time.ParseDuration(plan.Every); err != nil {
			return backupPage{}, err
		}
	}
	return shown, nil
}

func getBackup(v *visit) error {
	plan, err := v.backup()
	if err != nil {
		return err
	}
	return v.render("backup.html", plan)
}

func liveBackup(v *visit) error {
	return v.live("backup.html", "backup-state", func() (any, error) { return v.backup() })
}

// postBackup has a backup made now.
func postBackup(v *visit) error {
	if _, err := v.client.StartBackup(v.ctx()); err != nil {
		return err
	}
	return v.done("/backup", "done.backupBegun")
}

// backupSettingsPage is what backup-settings.html shows.
type backupSettingsPage struct {
	Form  *form
	Kind  string
	Kinds []string
}

// Values of the choice when backups are made; others are times between them.
const (
	backupAsked = "asked"
	backupDaily = "daily"
)

// backupIntervals are the times between backups that are offered, as the interface writes them.
func backupIntervals() []string { return []string{"1h0m0s", "3h0m0s", "6h0m0s", "12h0m0s"} }

// backupSettings is the form for a plan, or one that was posted.
func (v *visit) backupSettings(plan backupPage) backupSettingsPage {
	kind := cmp.Or(v.r.FormValue("kind"), plan.Kind)
	if !slices.Contains(backupKinds(), kind) {
		kind = plan.Kind
	}
	fields := []input{{name: "backupTarget", required: true, autocomplete: "off", wide: true}}
	switch kind {
	case "sftp":
		fields = append(fields, input{name: "backupLogin", required: true, autocomplete: "off"},
			input{name: "backupPassword", kind: "password", autocomplete: "off"},
			input{name: "backupPrivateKey", kind: "textarea", rows: 3, wide: true},
			input{name: "backupHostKey", required: true, autocomplete: "off", wide: true})
	case "s3":
		fields = append(fields, input{name: "backupAccessKey", required: true, autocomplete: "off"},
			input{name: "backupSecretKey", kind: "password", autocomplete: "off"},
			input{name: "backupRegion", autocomplete: "off"})
	}
	when := []option{{Value: backupDaily, Label: v.T("backup.daily")}}
	intervals := backupIntervals()
	if plan.Every != "" && !slices.Contains(intervals, plan.Every) {
		intervals = append(intervals, plan.Every)
	}
	for _, every := range intervals {
		if span, err := time.ParseDuration(every); err == nil {
			when = append(when, option{Value: every, Label: v.T("backup.every", "time", v.Duration(span))})
		}
	}
	when = append(when, option{Value: backupAsked, Label: v.T("backup.asked")})
	known := plan.Target != ""
	fields = append(fields,
		input{name: "backupWhen", kind: "select", options: when, required: true},
		input{name: "backupTime", kind: "time"},
		input{name: "backupKeep", kind: "number", required: true},
		input{name: "backupNewPassphrase", kind: "password", autocomplete: "new-password", required: !known},
		input{name: "backupPassphraseAgain", kind: "password", autocomplete: "new-password", required: !known})
	f := v.form("backup.save", fields...)
	f.Back = "/backup"
	f.Hidden = []hidden{{"kind", kind}}
	for i := range f.Fields {
		if f.Fields[i].Name == "backupTarget" {
			f.Fields[i].Label, f.Fields[i].Help = v.T("backup.target."+kind), v.T("backup.help."+kind)
		}
	}
	v.under(v.T("backup.title"), "/backup")
	return backupSettingsPage{f, kind, backupKinds()}
}

func getBackupSettings(v *visit) error {
	plan, err := v.backup()
	if err != nil {
		return err
	}
	p := v.backupSettings(plan)
	values := map[string]string{"backupWhen": backupDaily, "backupTime": "02:30", "backupKeep": "7"}
	if plan.Target != "" {
		values["backupWhen"], values["backupKeep"] = backupAsked, strconv.Itoa(plan.Keep)
	}
	if plan.Daily != "" {
		values["backupWhen"], values["backupTime"] = backupDaily, plan.Daily
	} else if plan.Every != "" {
		values["backupWhen"] = plan.Every
	}
	if p.Kind == plan.Kind {
		values["backupTarget"], values["backupRegion"], values["backupHostKey"] = plan.Target, plan.Region, plan.HostKey
		values["backupLogin"], values["backupAccessKey"] = plan.Login, plan.Login
	}
	p.Form.fill(values)
	return v.render("backup-settings.html", p)
}

func postBackupSettings(v *visit) error {
	plan, err := v.backup()
	if err != nil {
		return err
	}
	p := v.backupSettings(plan)
	if p.settle(v) {
		_, err := v.client.SetBackup(v.ctx(), p.settings())
		if err == nil {
			return v.done("/backup", "done.backupPlanned")
		}
		if err = p.Form.refused(renamed(err, "every", "backupWhen")); err != nil {
			return err
		}
	}
	return v.again("backup-settings.html", p)
}

// settle finds what the interface could not: it is never told of the repetition, nor which kind was meant.
func (p backupSettingsPage) settle(v *visit) bool {
	f := p.Form
	f.complete()
	if target := f.value("backupTarget"); target != "" && (kindOfTarget(target) != p.Kind || p.Kind == "folder" && !strings.HasPrefix(target, "/")) {
		f.wrong("backupTarget", v.T("backup.otherKind."+p.Kind))
	}
	if f.value("backupNewPassphrase") != f.value("backupPassphraseAgain") {
		f.wrong("backupPassphraseAgain", v.T("backup.differs"))
	}
	if _, err := strconv.Atoi(f.value("backupKeep")); err != nil && f.value("backupKeep") != "" {
		f.wrong("backupKeep", v.T("backup.noNumber"))
	}
	if f.value("backupWhen") == backupDaily && f.value("backupTime") == "" {
		f.wrong("backupTime", v.T("error.required"))
	}
	return !f.Failed()
}

// settings are those that a form without mistakes asks for.
func (p backupSettingsPage) settings() api.BackupSettings {
	value := p.Form.value
	s := api.BackupSettings{
		Target: value("backupTarget"), Login: cmp.Or(value("backupLogin"), value("backupAccessKey")),
		HostKey: value("backupHostKey"), Region: value("backupRegion"),
		Password: cmp.Or(value("backupPassword"), value("backupSecretKey")), PrivateKey: value("backupPrivateKey"),
		Passphrase: value("backupNewPassphrase"),
	}
	if s.PrivateKey != "" {
		s.PrivateKey += "\n" // PEM ends with one; forms lose it
	}
	s.Keep, _ = strconv.Atoi(value("backupKeep")) // settle has looked
	switch when := value("backupWhen"); when {
	case backupAsked:
	case backupDaily:
		s.Daily = value("backupTime")
	default:
		s.Every = when
	}
	return s
}

// getBackupFiles asks the target, which may be slow to answer; so it has a page of its own.
func getBackupFiles(v *visit) error {
	files, err := v.client.BackupFiles(v.ctx())
	if err != nil {
		return err
	}
	slices.Reverse(files)
	v.under(v.T("backup.title"), "/backup")
	return v.render("backup-files.html", files)
}

func (v *visit) backupDownloadForm(plan backupPage) *form {
	f := v.form("backup.download",
		input{name: "backupOwnPassphrase", kind: "password", autocomplete: "new-password", required: plan.Target == "", wide: true})
	f.Back = "/backup"
	v.under(v.T("backup.title"), "/backup")
	return f
}

func getBackupDownload(v *visit) error {
	plan, err := v.backup()
	if err != nil {
		return err
	}
	return v.render("form.html", v.backupDownloadForm(plan))
}

func postBackupDownload(v *visit) error {
	plan, err := v.backup()
	if err != nil {
		return err
	}
	f := v.backupDownloadForm(plan)
	if f.complete() {
		host := "furrow"
		if server, err := url.Parse(v.site.ServerURL); err == nil {
			host += "-" + server.Hostname()
		}
		name := host + "-" + time.Now().UTC().Format("20060102T150405Z") + ".backup"
		err := v.downloadStream(name, "application/octet-stream", func(w io.Writer) error {
			return v.client.DownloadBackup(v.ctx(), w, api.BackupDownload{Password: f.value("backupOwnPassphrase")})
		})
		if err == nil {
			return nil
		}
		if err = f.refused(err); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}

func getEndBackups(v *visit) error {
	v.under(v.T("backup.title"), "/backup")
	return v.confirm(confirmation{Text: v.T("backup.end.text"), Button: v.T("backup.end"), Back: "/backup"})
}

func postEndBackups(v *visit) error {
	if _, err := v.client.ClearBackup(v.ctx()); err != nil {
		return err
	}
	return v.done("/backup", "done.backupEnded")
}
