package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"furrow/web/api"
)

type templateCmd struct {
	List    templateListCmd    `cmd:"" help:"List the templates of a domain."`
	Show    templateShowCmd    `cmd:"" help:"Print a template, in the form that set takes."`
	Set     templateSetCmd     `cmd:"" help:"Give a domain a template of its own."`
	Reset   templateResetCmd   `cmd:"" help:"Go back to the program's template."`
	Preview templatePreviewCmd `cmd:"" help:"Show what a mail looks like."`
	Use     templateUseCmd     `cmd:"" help:"Say which template members get, where they get the program, and whom they ask."`
}

// templateOf is the argument of the commands about one template.
type templateOf struct {
	Language string `arg:"" help:"Language: en or de."`
	Domain   string `help:"Name or GUID of the domain; without it the only one." placeholder:"NAME"`
}

type templateListCmd struct {
	Domain string `help:"Name or GUID of the domain; without it the only one." placeholder:"NAME"`
}

func (c *templateListCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	list, err := client.Templates(s.ctx, c.Domain)
	if err != nil {
		return err
	}
	return s.out.print(list, func(w io.Writer) error {
		var rows [][]string
		for _, t := range list {
			of, used := "program", ""
			if t.Own {
				of = "domain"
			}
			if t.Used {
				used = "yes"
			}
			rows = append(rows, []string{t.Language, used, of, t.Subject})
		}
		return table(w, []string{"LANGUAGE", "USED", "WRITTEN BY", "SUBJECT"}, rows)
	})
}

type templateShowCmd struct{ templateOf }

func (c *templateShowCmd) Run(s *session) error {
	return s.template(func(client *api.Client) (api.Template, error) { return client.Template(s.ctx, c.Domain, c.Language) })
}

type templateResetCmd struct{ templateOf }

func (c *templateResetCmd) Run(s *session) error {
	return s.template(func(client *api.Client) (api.Template, error) {
		return client.ResetTemplate(s.ctx, c.Domain, c.Language)
	})
}

type templateSetCmd struct {
	templateOf
	File string `arg:"" help:"File with the line 'Subject: ...', an empty line, and the body; - for standard input."`
}

func (c *templateSetCmd) Run(s *session) error {
	text, err := readTemplate(c.File)
	if err != nil {
		return err
	}
	return s.template(func(client *api.Client) (api.Template, error) {
		return client.SetTemplate(s.ctx, c.Domain, c.Language, text)
	})
}

// template does one thing that yields a template, and prints it.
func (s *session) template(act func(*api.Client) (api.Template, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	t, err := act(client)
	if err != nil {
		return err
	}
	return s.out.print(t, func(w io.Writer) error { return writeTemplate(w, t.TemplateText) })
}

type templatePreviewCmd struct {
	templateOf
	Member string `help:"GUID of the member to write to; without it a sample." placeholder:"GUID"`
	File   string `help:"File to show instead of the template, as set takes it." placeholder:"FILE"`
}

func (c *templatePreviewCmd) Run(s *session) error {
	question := api.TemplatePreview{Member: c.Member}
	if c.File != "" {
		text, err := readTemplate(c.File)
		if err != nil {
			return err
		}
		question.Text = &text
	}
	client := api.NewClient(s.data)
	defer client.Close()
	filled, err := client.PreviewTemplate(s.ctx, c.Domain, c.Language, question)
	if err != nil {
		return err
	}
	return s.out.print(filled, func(w io.Writer) error { return writeTemplate(w, filled) })
}

type templateUseCmd struct {
	Domain   string  `help:"Name or GUID of the domain; without it the only one." placeholder:"NAME"`
	Language *string `help:"Language of the mails, en or de." placeholder:"LANGUAGE"`
	Download *string `help:"Where members get the program, one line." placeholder:"TEXT"`
	Help     *string `name:"help-line" help:"Whom members ask, one line." placeholder:"TEXT"`
}

func (c *templateUseCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	settings, err := client.TemplateSettings(s.ctx, c.Domain)
	if err != nil {
		return err
	}
	for from, to := range map[*string]*string{
		c.Language: &settings.Language, c.Download: &settings.Download, c.Help: &settings.Help,
	} {
		if from != nil {
			*to = *from
		}
	}
	if settings, err = client.SetTemplateSettings(s.ctx, c.Domain, settings); err != nil {
		return err
	}
	return s.out.print(settings, func(w io.Writer) error {
		return facts(w,
			[2]string{"language", settings.Language}, [2]string{"download", settings.Download}, [2]string{"help", settings.Help},
		)
	})
}

const (
	subjectLabel = "Subject: "
	// maxTemplateFile bounds a file with a template, in octets; the box takes less.
	maxTemplateFile = 64 << 10
)

func writeTemplate(w io.Writer, t api.TemplateText) error {
	_, err := fmt.Fprintf(w, "%s%s\n\n%s\n", subjectLabel, t.Subject, strings.TrimSuffix(t.Body, "\n"))
	return err
}

// readTemplate reads what writeTemplate writes.
func readTemplate(path string) (t api.TemplateText, err error) {
	file := os.Stdin
	if path != "-" {
		if file, err = os.Open(path); err != nil {
			return t, err
		}
		defer func() { err = errors.Join(err, file.Close()) }()
	}
	text, err := io.ReadAll(io.LimitReader(file, maxTemplateFile+1))
	if err != nil {
		return t, fmt.Errorf("reading the template: %w", err)
	}
	if len(text) > maxTemplateFile {
		return t, fmt.Errorf("%s is too long for a template", path)
	}
	head, body, ok := strings.Cut(strings.ReplaceAll(string(text), "\r\n", "\n"), "\n\n")
	if !ok || !strings.HasPrefix(head, subjectLabel) {
		return t, fmt.Errorf("%s does not begin with a line %q and an empty line", path, subjectLabel+"...")
	}
	return api.TemplateText{Subject: strings.TrimPrefix(head, subjectLabel), Body: body}, nil
}
