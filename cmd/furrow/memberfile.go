package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"furrow/gms/roster"
	"furrow/web/api"
)

type memberImportCmd struct {
	File         string   `arg:"" help:"File of members in CSV or XML; - for standard input."`
	Domain       string   `help:"Name or GUID of the domain; without it the only one." placeholder:"NAME"`
	Format       string   `enum:",csv,xml" default:"" help:"csv or xml; without it as the file's name ends." placeholder:"FORMAT"`
	DryRun       bool     `help:"Say what would be done, and do nothing."`
	SkipBad      bool     `help:"Leave out lines with a problem. Without this one of them is enough for nothing to be done."`
	Update       string   `enum:",guid,email,login" default:"" help:"Change members whom a line finds by guid, email or login, and add the others." placeholder:"KEY"`
	CreateGroups bool     `help:"Make the groups that are not there."`
	Ignore       []string `help:"Columns or elements to read over." placeholder:"NAME"`
	Send         bool     `help:"Mail their codes to those who are added."`
	Language     string   `help:"Language of these mails, en or de; without it that of the domain." placeholder:"LANGUAGE"`
}

func (c *memberImportCmd) Run(s *session) (err error) {
	file := os.Stdin
	if c.File != "-" {
		if file, err = os.Open(c.File); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
	}
	format := c.Format
	if format == "" {
		format = strings.TrimPrefix(filepath.Ext(c.File), ".")
	}
	client := api.NewClient(s.data)
	defer client.Close()
	report, err := client.ImportMembers(s.ctx, api.MemberImport{
		Domain: c.Domain, Format: format, Update: c.Update, Ignore: c.Ignore, CreateGroups: c.CreateGroups,
		SkipBad: c.SkipBad, DryRun: c.DryRun, Send: c.Send, Language: c.Language,
	}, io.NopCloser(file)) // closed here
	if err != nil {
		return err
	}
	if err := s.out.print(report, func(w io.Writer) error { return importText(w, &report) }); err != nil {
		return err
	}
	switch {
	case report.Applied || report.DryRun && (report.Bad == 0 || c.SkipBad):
		return nil
	case report.DryRun:
		return fmt.Errorf("%d lines have a problem: nothing would be done", report.Bad)
	}
	return fmt.Errorf("%d lines have a problem: nothing was done", report.Bad)
}

// importText shows what an import has done.
func importText(w io.Writer, r *roster.Report) error {
	if r.DryRun {
		rows := make([][]string, len(r.Lines))
		for i, l := range r.Lines {
			rows[i] = []string{strconv.Itoa(l.Line), string(l.Action), l.FullName, l.Email}
		}
		if err := table(w, []string{"LINE", "ACTION", "NAME", "E-MAIL"}, rows); err != nil {
			return err
		}
	}
	for _, p := range r.Problems {
		if _, err := fmt.Fprintln(w, p.Error()); err != nil {
			return err
		}
	}
	if more := r.Bad - len(r.Problems); more > 0 {
		if _, err := fmt.Fprintf(w, "and %d more lines with a problem\n", more); err != nil {
			return err
		}
	}
	if !r.Applied && !r.DryRun {
		return nil
	}
	return facts(w,
		[2]string{"added", strconv.Itoa(r.Created)},
		[2]string{"changed", strconv.Itoa(r.Updated)},
		[2]string{"as they were", strconv.Itoa(r.Kept)},
		[2]string{"mailed", strconv.Itoa(r.Mailed)},
		[2]string{"left out", strconv.Itoa(r.Bad)},
		[2]string{"groups made", strings.Join(r.Groups, ", ")},
	)
}

type memberExportCmd struct {
	Domain    string `help:"Name or GUID of the domain; without it the only one." placeholder:"NAME"`
	Group     string `help:"Only members in this group, by path or GUID." placeholder:"GROUP"`
	Format    string `enum:"csv,xml" default:"csv" help:"csv or xml."`
	Separator string `enum:"comma,semicolon,tab" default:"comma" help:"What separates values in csv: comma, semicolon, as German spreadsheets like it, or tab."`
}

// Run prints the file whether or not JSON is asked for: it is not for a person either.
func (c *memberExportCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	return client.ExportMembers(s.ctx, api.MemberExport{
		Domain: c.Domain, Group: c.Group, Format: c.Format, Separator: c.Separator,
	}, s.out.w)
}
