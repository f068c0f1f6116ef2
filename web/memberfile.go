package web

import (
	"bytes"
	"encoding/base64"
	"io"
	"strconv"

	"furrow/gms/roster"
	"furrow/web/api"
)

const (
	// maxMemberFile bounds a file of members that is imported by a page, in octets: 10,000 have 2 MB. The command line
	// takes larger ones.
	maxMemberFile = 4 << 20
	// maxImport bounds what is posted: the file goes back and forth as text between what would be done and doing it.
	maxImport = maxMemberFile/3*4 + 1<<16
	// maxShownLines bounds the lines of a file of which a page says what becomes of them.
	maxShownLines = 200
)

// memberFiles are the files that members are taken from, as HTML has it.
const memberFiles = ".csv,.xml,.txt,text/csv,application/xml"

// memberImport is what member-import.html shows of a file before it is imported.
type memberImport struct {
	roster.Report
	Shown   []roster.Line
	Hidden  []hidden
	More    int  // lines that are not shown
	Ready   bool // to be imported as it is
	Without bool // to be imported without the bad lines
}

func (v *visit) importForm(domains []api.DomainName) *form {
	v.under(v.T("members.title"), "/members")
	inputs := []input{{name: "memberFile", kind: "file", required: true, wide: true, accept: memberFiles}}
	if len(domains) > 1 {
		inputs = append(inputs, input{name: "domain", kind: "select", required: true, wide: true, options: domainOptions(domains)})
	}
	update := []option{{Value: "", Label: v.T("members.addOnly")}}
	for _, key := range []string{roster.Email, roster.Login, roster.GUID} {
		update = append(update, option{Value: key, Label: v.T("members.by." + key)})
	}
	inputs = append(inputs, input{name: "updateBy", kind: "select", wide: true, options: update})
	if v.May("/groups/new") {
		inputs = append(inputs, input{name: "makeGroups", kind: "checkbox", wide: true})
	}
	inputs = append(inputs, input{name: "skipBad", kind: "checkbox", wide: true}, input{name: "sendCodes", kind: "checkbox", wide: true})
	f := v.form("members.check", inputs...)
	f.Back = "/members"
	return f
}

func getImport(v *visit) error {
	domains, err := v.client.DomainNames(v.ctx())
	if err != nil {
		return err
	}
	return v.render("member-file.html", v.importForm(domains))
}

// postImport shows what a file would do, and does it when that is confirmed. The page between the two carries the file, so
// that nothing is kept that nobody may come back for.
func postImport(v *visit) error {
	domains, err := v.client.DomainNames(v.ctx())
	if err != nil {
		return err
	}
	f := v.importForm(domains)
	var file []byte
	carried := v.r.PostForm.Has("carried")
	if carried {
		if file, err = base64.RawURLEncoding.DecodeString(v.formValue("carried")); err != nil {
			f.wrong("memberFile", v.T("error.required"))
		}
	} else if file, err = v.uploaded(f, "memberFile"); err != nil {
		return err
	}
	if len(file) > maxMemberFile {
		f.wrong("memberFile", v.T("members.tooLarge", "size", v.Size(maxMemberFile)))
	}
	if !f.complete() {
		return v.again("member-file.html", f)
	}
	asked := api.MemberImport{
		Domain: f.value("domain"), Format: formatOfFile(file), Update: f.value("updateBy"),
		CreateGroups: f.value("makeGroups") != "", SkipBad: f.value("skipBad") != "", Send: f.value("sendCodes") != "",
		DryRun: !carried,
	}
	report, err := v.client.ImportMembers(v.ctx(), asked, bytes.NewReader(file))
	switch {
	case err != nil:
		if err = f.refused(err); err != nil {
			return err
		}
		return v.again("member-file.html", f)
	case report.Applied:
		return v.done("/members?sort=-created", "done.imported", "created", report.Created, "updated", report.Updated, "bad", report.Bad)
	}
	shown := memberImport{Report: report, Shown: report.Lines[:min(len(report.Lines), maxShownLines)]}
	shown.More = len(report.Lines) - len(shown.Shown)
	useful := report.Created+report.Updated > 0
	shown.Ready = useful && (report.Bad == 0 || asked.SkipBad)
	shown.Without = useful && !shown.Ready
	shown.Hidden = []hidden{{"carried", base64.RawURLEncoding.EncodeToString(file)}}
	for _, field := range f.Fields {
		if field.Kind != "file" && field.Name != "skipBad" {
			shown.Hidden = append(shown.Hidden, hidden{field.Name, field.Value})
		}
	}
	return v.render("member-import.html", shown)
}

// formatOfFile says which of the two a file is: XML begins with an element, whatever its encoding is.
func formatOfFile(file []byte) string {
	if bytes.HasPrefix(bytes.TrimLeft(file, "\xef\xbb\xbf\xff\xfe\x00 \t\r\n"), []byte("<")) {
		return string(roster.XML)
	}
	return string(roster.CSV)
}

// memberExport is what member-export.html shows.
type memberExport struct{ Domains []api.DomainName }

// getExport sends the members of a domain in a file, or shows which files there are.
func getExport(v *visit) error {
	asked := v.r.URL.Query()
	format := asked.Get("format")
	if format == "" {
		v.under(v.T("members.title"), "/members")
		domains, err := v.client.DomainNames(v.ctx())
		if err != nil {
			return err
		}
		return v.render("member-export.html", memberExport{domains})
	}
	export := api.MemberExport{Domain: asked.Get("domain"), Format: format, Separator: asked.Get("separator")}
	// Any format that there is not is refused before the first octet.
	return v.downloadStream("members."+format, "application/octet-stream", func(w io.Writer) error {
		return v.client.ExportMembers(v.ctx(), export, w)
	})
}

// Lines says which lines problems are in, for a headline.
func (m memberImport) Lines() string {
	lines := ""
	for i, p := range m.Problems {
		if i > 0 {
			lines += ", "
		}
		if i == 10 {
			return lines + "…"
		}
		lines += strconv.Itoa(p.Line)
	}
	return lines
}
