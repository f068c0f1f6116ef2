package appliance

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"time"

	"furrow/gms/signin"
	"furrow/gms/signin/kerberos"
	"furrow/gms/signin/ldapbind"
	"furrow/gms/signin/logins"
)

// ldapTimeout is how long a directory server may take that has no other time set.
const ldapTimeout = 10 * time.Second

// newSignin makes what authenticates the requests of those who have a login name in the place of a code. A keytab that
// is missing stops only the tickets: it may come, and the box has others to serve.
func (a *Appliance) newSignin() (*signin.Authenticator, error) {
	settings := a.opts.Config.Signin
	c := signin.Config{PlainHTTP: settings.AllowPlainHTTP, Now: a.opts.Now, Log: a.opts.Log}
	for _, rule := range settings.Names {
		c.Names = append(c.Names, signin.Rule(rule))
	}
	for _, source := range settings.Sources() {
		switch source {
		case "file":
			c.Passwords = append(c.Passwords, logins.Open(filepath.Join(a.opts.DataDir, logins.FileName)))
		case "ldap":
			l := settings.LDAP
			directory, err := ldapbind.New(ldapbind.Config{
				URL: l.URL, Authority: l.Authority, Pattern: l.BindPattern, Base: l.Base, Filter: l.Filter,
				BindDN: l.BindDN, PasswordFile: l.PasswordFile, Timeout: cmp.Or(l.Timeout, ldapTimeout),
			})
			if err != nil {
				return nil, fmt.Errorf("signin: %w", err)
			}
			c.Passwords = append(c.Passwords, directory)
		}
	}
	if k := settings.Kerberos; k.Keytab != "" {
		tickets := kerberos.New(kerberos.Config{
			Keytab: k.Keytab, Realms: k.Realms, Skew: cmp.Or(k.ClockSkew, kerberos.DefaultSkew), Now: a.opts.Now,
		})
		if err := tickets.Check(); err != nil {
			a.opts.Log.Error("nobody can sign in by ticket", "error", err)
		}
		c.Tickets = tickets
	}
	return signin.New(c), nil
}

// announceTLS reports whether clients are to ask over TLS for what needs a login though the server URL has none:
// GMSConfig can tell them the protocol, but no port (MS-GRVSPCM 2.2.3.49), so both have to be the usual ones.
func (a *Appliance) announceTLS() bool {
	server, err := url.Parse(a.serverURL)
	if err != nil || server.Scheme != "http" || server.Port() != "" || a.https == nil || a.opts.Config.Signin.AllowPlainHTTP {
		return false
	}
	_, port, err := net.SplitHostPort(a.https.Addr().String())
	return err == nil && port == "443"
}
