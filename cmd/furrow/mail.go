package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"furrow/web/api"
)

type mailCmd struct {
	Set    mailSetCmd    `cmd:"" help:"Say through which mail server the box sends mail."`
	Show   mailShowCmd   `cmd:"" help:"Show through which mail server the box sends mail."`
	Test   mailTestCmd   `cmd:"" help:"Send a test message now."`
	List   mailListCmd   `cmd:"" help:"List mail that waits or was given up."`
	Retry  mailRetryCmd  `cmd:"" help:"Try a message again now."`
	Remove mailRemoveCmd `cmd:"" help:"Take a message out of the outbox, unsent."`
	Clear  mailClearCmd  `cmd:"" help:"Send no mail any more."`
}

type mailSetCmd struct {
	Server       string `arg:"" help:"The mail server, host or host:port."`
	From         string `required:"" help:"Sender's address, such as 'Groove <groove@example.com>'." placeholder:"ADDRESS"`
	Security     string `enum:"starttls,tls,plain" default:"starttls" help:"How the connection is protected: starttls, tls or plain."`
	Login        string `help:"Login of the mail account." placeholder:"NAME"`
	PasswordFile string `help:"File with the password of the mail account, - for standard input; without it the password stays." placeholder:"FILE"`
	Authority    string `help:"PEM file with a certificate to trust beside those of the system." placeholder:"FILE" type:"existingfile"`
}

func (c *mailSetCmd) Run(s *session) error {
	settings := api.MailSettings{Server: c.Server, Security: c.Security, From: c.From, Login: c.Login}
	var err error
	if settings.Password, err = readSecret(c.PasswordFile); err != nil {
		return err
	}
	if err := readAuthority(c.Authority, &settings.Authority); err != nil {
		return err
	}
	return s.mailSettings(func(ctx context.Context, client *api.Client) (api.MailSettings, error) {
		return client.SetMail(ctx, settings)
	})
}

// readAuthority puts the certificate in a file into authority, which stays without a file.
func readAuthority(path string, authority *string) error {
	if path == "" {
		return nil
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("certificate to trust: %w", err)
	}
	*authority = string(pem)
	return nil
}

// maxSecret bounds a file that holds a password.
const maxSecret = 4096

// readSecret reads a password, the first line of a file or of standard input; none from no file.
func readSecret(path string) (string, error) {
	var from io.Reader
	switch path {
	case "":
		return "", nil
	case "-":
		from = os.Stdin
	default:
		f, err := os.Open(path)
		if err != nil {
			return "", fmt.Errorf("password: %w", err)
		}
		defer f.Close()
		from = f
	}
	text, err := io.ReadAll(io.LimitReader(from, maxSecret))
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", fmt.Errorf("%s: there is no password in the first line", path)
	}
	return line, nil
}

type mailShowCmd struct{}

func (mailShowCmd) Run(s *session) error {
	return s.mailSettings(func(ctx context.Context, client *api.Client) (api.MailSettings, error) {
		return client.MailSettings(ctx)
	})
}

type mailClearCmd struct{}

func (mailClearCmd) Run(s *session) error {
	return s.mailSettings(func(ctx context.Context, client *api.Client) (api.MailSettings, error) {
		return client.ClearMail(ctx)
	})
}

// mailSettings does one thing that yields the settings, and prints them.
func (s *session) mailSettings(act func(context.Context, *api.Client) (api.MailSettings, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	settings, err := act(s.ctx, client)
	if err != nil {
		return err
	}
	return s.out.print(settings, func(w io.Writer) error {
		if settings.Server == "" {
			_, err := fmt.Fprintln(w, "no mail is sent; furrow mail set says how")
			return err
		}
		return facts(w,
			[2]string{"server", settings.Server},
			[2]string{"security", settings.Security},
			[2]string{"from", settings.From},
			[2]string{"login", settings.Login},
		)
	})
}

type mailTestCmd struct {
	To string `arg:"" help:"Who is to get it."`
}

func (c *mailTestCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	sent, err := client.TestMail(s.ctx, c.To)
	if err != nil {
		return err
	}
	return s.out.print(sent, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "the mail server has taken a test message to %s\n", sent.To)
		return err
	})
}

type mailListCmd struct{}

func (mailListCmd) Run(s *session) error { return s.outbox((*api.Client).Outbox) }

type mailRetryCmd struct {
	ID string `arg:"" help:"ID of the message, as mail list shows it."`
}

func (c *mailRetryCmd) Run(s *session) error {
	return s.outbox(func(client *api.Client, ctx context.Context) ([]api.WaitingMail, error) {
		return client.RetryMail(ctx, c.ID)
	})
}

type mailRemoveCmd struct {
	ID string `arg:"" help:"ID of the message, as mail list shows it."`
}

func (c *mailRemoveCmd) Run(s *session) error {
	return s.outbox(func(client *api.Client, ctx context.Context) ([]api.WaitingMail, error) {
		return client.RemoveMail(ctx, c.ID)
	})
}

// outbox does one thing that yields the outbox, and prints it.
func (s *session) outbox(act func(*api.Client, context.Context) ([]api.WaitingMail, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	list, err := act(client, s.ctx)
	if err != nil {
		return err
	}
	return s.out.print(list, func(w io.Writer) error {
		if len(list) == 0 {
			_, err := fmt.Fprintln(w, "nothing waits")
			return err
		}
		rows := make([][]string, len(list))
		for i, m := range list {
			next := "given up"
			if !m.Next.IsZero() {
				next = m.Next.Local().Format(time.DateTime)
			}
			rows[i] = []string{m.ID, m.To, m.Entered.Local().Format(time.DateTime), strconv.Itoa(m.Attempts), next, m.Error}
		}
		return table(w, []string{"ID", "TO", "ENTERED", "ATTEMPTS", "NEXT", "PROBLEM"}, rows)
	})
}
