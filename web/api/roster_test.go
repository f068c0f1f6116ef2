package api

import (
	"strings"
	"testing"
)

// TestImportAndMail imports members whose codes are mailed, and shows that neither exists without the other.
func TestImportAndMail(t *testing.T) {
	client, _, ann := office(t)
	ctx := t.Context()
	file := func() *strings.Reader { return strings.NewReader("fullName;email;group\nBo;bo@example.com;Sales\n") }
	i := MemberImport{Format: "csv", CreateGroups: true, Send: true, Language: "de"}
	_, err := client.ImportMembers(ctx, i, file())
	refused(t, "without a mail server", err, "noMail")
	_, err = client.Invite(ctx, Invitation{Members: []string{ann.GUID}})
	refused(t, "without a mail server", err, "noMail")
	must[MailSettings](t)(client.SetMail(ctx, MailSettings{Server: "mail.example.com", Security: "plain", From: "groove@example.com"}))

	i.DryRun = true
	if report, err := client.ImportMembers(ctx, i, file()); err != nil || report.Applied || report.Mailed != 1 {
		t.Errorf("dry run: %+v, %v", report, err)
	}
	if waiting := must[[]WaitingMail](t)(client.Outbox(ctx)); len(waiting) != 0 {
		t.Errorf("a dry run mailed %+v", waiting)
	}
	i.DryRun = false
	report, err := client.ImportMembers(ctx, i, file())
	if err != nil || !report.Applied || report.Mailed != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	bo := must[Member](t)(client.Member(ctx, report.Lines[0].GUID))
	if bo.CodeMailed == nil || bo.CodeMailed.To != "bo@example.com" || bo.Group != "Sales" {
		t.Errorf("%+v", bo)
	}
	renewed := must[Member](t)(client.NewCode(ctx, bo.GUID, false, false))
	if renewed.CodeMailed != nil {
		t.Error("the new code was mailed to nobody")
	}
	must[[]Member](t)(client.Invite(ctx, Invitation{Members: []string{ann.GUID, bo.GUID}}))
	_, err = client.Invite(ctx, Invitation{Members: []string{ann.GUID, "nobody"}})
	refused(t, "to nobody", err, "notFound")
	if waiting := must[[]WaitingMail](t)(client.Outbox(ctx)); len(waiting) != 3 {
		t.Errorf("waiting %+v", waiting)
	}
	if sheet, err := client.Welcome(ctx, bo.GUID); err != nil || sheet.Code != renewed.ConfigurationCode || sheet.Domain != "Office" {
		t.Errorf("%+v, %v", sheet, err)
	}

	own := TemplateText{"Code for {{.Name}}", "{{.Code}} at {{.Server}}"}
	if set := must[Template](t)(client.SetTemplate(ctx, "", "de", own)); !set.Own || set.Used {
		t.Errorf("%+v", set)
	}
	if filled, err := client.PreviewTemplate(ctx, "", "de", TemplatePreview{Member: bo.GUID}); err != nil ||
		filled.Subject != "Code for Bo" || !strings.HasPrefix(filled.Body, welcomeCode(t, client, bo)) {
		t.Errorf("%+v, %v", filled, err)
	}
	_, err = client.SetTemplate(ctx, "", "de", TemplateText{"s", "{{.Secret}}"})
	refused(t, "unknown field", err, "invalid")
	_, err = client.Template(ctx, "", "fr")
	refused(t, "unknown language", err, "notFound")

	var exported strings.Builder
	if err := client.ExportMembers(ctx, MemberExport{Format: "xml", Group: "Sales"}, &exported); err != nil || !strings.Contains(exported.String(), bo.GUID) ||
		strings.Contains(exported.String(), ann.GUID) {
		t.Errorf("%v:\n%s", err, exported.String())
	}
	if report, err := client.ImportMembers(ctx, MemberImport{Format: "csv"}, strings.NewReader("shoe size\n")); err != nil || report.Applied || report.Problems[0].Line != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

func welcomeCode(t *testing.T, client *Client, m Member) string {
	t.Helper()
	f, err := client.Welcome(t.Context(), m.GUID)
	if err != nil {
		t.Fatal(err)
	}
	return f.Code
}
