package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"furrow/web/access"
	"furrow/web/api"
)

type adminCmd struct {
	List          adminListCmd     `cmd:"" help:"List administrators."`
	Add           adminAddCmd      `cmd:"" help:"Let somebody administer the box over the network."`
	Edit          adminEditCmd     `cmd:"" help:"Change somebody's name or role."`
	Remove        adminRemoveCmd   `cmd:"" help:"Let somebody administer the box no longer."`
	ResetPassword adminPasswordCmd `cmd:"" help:"Give somebody another password, who is then signed out everywhere."`
	Sessions      adminSessionsCmd `cmd:"" help:"List where somebody is signed in."`
	Revoke        adminRevokeCmd   `cmd:"" help:"Sign somebody out, in one place or everywhere."`
}

type adminListCmd struct{}

func (adminListCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	all, err := client.Administrators(s.ctx)
	if err != nil {
		return err
	}
	return s.out.print(all, func(w io.Writer) error {
		if len(all) == 0 {
			_, err := fmt.Fprintln(w, "there is no administrator yet; furrow setup-code says how to make the first one")
			return err
		}
		rows := make([][]string, len(all))
		for i, a := range all {
			rows[i] = []string{a.Name, a.DisplayName, string(a.Role), factors(a), strconv.Itoa(a.Sessions), when(a.LastSignIn)}
		}
		return table(w, []string{"NAME", "DISPLAYED", "ROLE", "SECOND FACTOR", "SESSIONS", "LAST SIGN-IN"}, rows)
	})
}

func factors(a api.Administrator) string {
	switch {
	case a.TOTP && a.Passkeys > 0:
		return "app, passkey"
	case a.TOTP:
		return "app"
	case a.Passkeys > 0:
		return "passkey"
	}
	return "none"
}

// when shows a time; that of what never was is "never".
func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Local().Format(time.DateTime)
}

type adminAddCmd struct {
	Name         string `arg:"" help:"Name to sign in with."`
	Role         string `required:"" enum:"server,domain,member,auditor" help:"What they may do: server (everything), domain, member (help desk) or auditor (read only)."`
	PasswordFile string `required:"" help:"File with the password in its first line, - for standard input." placeholder:"FILE"`
	DisplayName  string `help:"Name to show." placeholder:"NAME"`
}

func (c *adminAddCmd) Run(s *session) error {
	password, err := readSecret(c.PasswordFile)
	if err != nil {
		return err
	}
	return s.administrator(func(client *api.Client) (api.Administrator, error) {
		return client.AddAdministrator(s.ctx, api.NewAdministrator{
			Name: c.Name, DisplayName: c.DisplayName, Role: access.Role(c.Role), Password: password,
		})
	})
}

type adminEditCmd struct {
	Name        string       `arg:"" help:"The administrator."`
	Role        *access.Role `help:"server, domain, member or auditor."`
	DisplayName *string      `help:"Name to show." placeholder:"NAME"`
}

func (c *adminEditCmd) Run(s *session) error {
	return s.administrator(func(client *api.Client) (api.Administrator, error) {
		return client.EditAdministrator(s.ctx, c.Name, api.AdministratorChange{DisplayName: c.DisplayName, Role: c.Role})
	})
}

type adminRemoveCmd struct {
	Name string `arg:"" help:"The administrator."`
}

func (c *adminRemoveCmd) Run(s *session) error {
	return s.administrator(func(client *api.Client) (api.Administrator, error) {
		return client.RemoveAdministrator(s.ctx, c.Name)
	})
}

// administrator does one thing that yields an administrator, and prints it.
func (s *session) administrator(act func(*api.Client) (api.Administrator, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	a, err := act(client)
	if err != nil {
		return err
	}
	return s.out.print(a, func(w io.Writer) error { return administratorFacts(w, a) })
}

func administratorFacts(w io.Writer, a api.Administrator, more ...[2]string) error {
	return facts(w, append([][2]string{
		{"name", a.Name}, {"displayed", a.DisplayName}, {"role", string(a.Role)}, {"second factor", factors(a)},
	}, more...)...)
}

type adminPasswordCmd struct {
	Name         string `arg:"" help:"The administrator."`
	PasswordFile string `help:"File with the password in its first line, - for standard input; without it a random one is made and printed." placeholder:"FILE"`
	Factors      bool   `help:"Also remove authenticator app and passkeys, which are lost."`
}

func (c *adminPasswordCmd) Run(s *session) error {
	password, err := readSecret(c.PasswordFile)
	if err != nil {
		return err
	}
	client := api.NewClient(s.data)
	defer client.Close()
	changed, err := client.SetAdministratorPassword(s.ctx, c.Name, api.PasswordChange{Password: password, RemoveFactors: c.Factors})
	if err != nil {
		return err
	}
	return s.out.print(changed, func(w io.Writer) error {
		return administratorFacts(w, changed.Administrator, [2]string{"password", changed.Password})
	})
}

type adminSessionsCmd struct {
	Name string `arg:"" help:"The administrator."`
}

func (c *adminSessionsCmd) Run(s *session) error {
	return s.sessions(func(client *api.Client) ([]api.AdministratorSession, error) {
		return client.AdministratorSessions(s.ctx, c.Name)
	})
}

type adminRevokeCmd struct {
	Name string `arg:"" help:"The administrator."`
	ID   string `arg:"" optional:"" help:"The session, as admin sessions shows it; without it all of them."`
}

func (c *adminRevokeCmd) Run(s *session) error {
	return s.sessions(func(client *api.Client) ([]api.AdministratorSession, error) {
		return client.RevokeSession(s.ctx, c.Name, c.ID)
	})
}

// sessions does one thing that yields sessions, and prints them.
func (s *session) sessions(act func(*api.Client) ([]api.AdministratorSession, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	list, err := act(client)
	if err != nil {
		return err
	}
	return s.out.print(list, func(w io.Writer) error {
		if len(list) == 0 {
			_, err := fmt.Fprintln(w, "signed in nowhere")
			return err
		}
		rows := make([][]string, len(list))
		for i, one := range list {
			rows[i] = []string{one.ID, when(one.Created), when(one.LastSeen), one.Address, one.Browser}
		}
		return table(w, []string{"ID", "SINCE", "LAST SEEN", "ADDRESS", "BROWSER"}, rows)
	})
}

type setupCodeCmd struct{}

func (setupCodeCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	code, err := client.SetupCode(s.ctx)
	if err != nil {
		return err
	}
	return s.out.print(code, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, code.Code)
		return err
	})
}
