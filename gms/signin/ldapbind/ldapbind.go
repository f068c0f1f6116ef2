// Package ldapbind checks passwords by binding to a directory server with them (LDAP, RFC 4511 and 4513): OpenLDAP,
// Active Directory and others.
//
// The entry to bind as is made of the login name by a pattern, or searched for with a filter by an account of the box.
// What a person typed becomes part of either only after escaping. The connection is protected by TLS always; there is a
// new one for each check, so nothing is kept open and no bind reaches into the next.
package ldapbind

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"furrow/gms/signin"
)

// Placeholder stands for the login name in a filter or pattern.
const Placeholder = "{login}"

// maxSecret bounds the file with the password of the searching account, in octets.
const maxSecret = 4096

// Config says which server is asked, and how. Either Pattern or Filter is set.
type Config struct {
	// URL is ldaps://host[:port], or ldap://host[:port] for StartTLS.
	URL string
	// Authority is a PEM file with the certificates to trust in the place of the system's; "" for those.
	Authority string
	// Pattern makes the name to bind as, such as uid={login},ou=people,dc=example,dc=com, or {login}@example.com.
	Pattern string
	// Base and Filter find the entry to bind as, such as (uid={login}).
	Base, Filter string
	// BindDN and PasswordFile are those of the account that searches. Without a BindDN nobody in particular searches.
	BindDN, PasswordFile string
	// Timeout bounds a check as a whole.
	Timeout time.Duration
}

// Directory is a directory server. It is a [signin.Passwords].
type Directory struct {
	Config
	host, port string
	startTLS   bool
}

// New checks the form of the settings. It opens nothing.
func New(c Config) (*Directory, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || (u.Scheme != "ldaps" && u.Scheme != "ldap") || strings.Trim(u.Path, "/") != "" || u.User != nil {
		return nil, fmt.Errorf("ldap url %q: want ldaps://host, or ldap://host for StartTLS", c.URL)
	}
	switch {
	case (c.Pattern == "") == (c.Filter == ""):
		return nil, errors.New("ldap: want either a bind pattern or a filter")
	case !strings.Contains(c.Pattern+c.Filter, Placeholder):
		return nil, fmt.Errorf("ldap: %q has no %s in it", c.Pattern+c.Filter, Placeholder)
	case c.Filter != "" && c.Base == "":
		return nil, errors.New("ldap: a filter needs a base to search from")
	case (c.BindDN == "") != (c.PasswordFile == ""):
		return nil, errors.New("ldap: a bind DN and a password file need each other")
	case c.Timeout <= 0:
		return nil, errors.New("ldap: the timeout is not positive")
	}
	if c.Filter != "" {
		if _, err := ldap.CompileFilter(strings.ReplaceAll(c.Filter, Placeholder, "x")); err != nil {
			return nil, fmt.Errorf("ldap filter %q: %w", c.Filter, err)
		}
	}
	d := &Directory{Config: c, host: u.Hostname(), port: u.Port(), startTLS: u.Scheme == "ldap"}
	switch {
	case d.port != "":
	case d.startTLS:
		d.port = "389"
	default:
		d.port = "636"
	}
	return d, nil
}

// Ready implements [signin.Passwords].
func (d *Directory) Ready() bool { return true }

// Check implements [signin.Passwords]. With a pattern a name that the server does not know cannot be told from a wrong
// password, and is refused.
func (d *Directory) Check(ctx context.Context, login, password string) (err error) {
	if password == "" {
		return fmt.Errorf("%w: no password", signin.ErrRefused) // a bind without would succeed for anybody (RFC 4513 5.1.2)
	}
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	conn, err := d.connect(ctx)
	if err != nil {
		return fmt.Errorf("directory server %s: %w", d.URL, err)
	}
	defer func() { _ = conn.Close() }() // there is nothing left on it to lose
	dn, err := d.find(conn, login)
	if errors.Is(err, signin.ErrUnknown) {
		// Takes about as long as for a name that is there; there is no such entry.
		_ = conn.Bind("cn=furrow,"+d.Base, password)
		return err
	}
	if err == nil {
		err = refusal(conn.Bind(dn, password))
	}
	if err != nil && !errors.Is(err, signin.ErrRefused) {
		return fmt.Errorf("directory server %s: %w", d.URL, errors.Join(err, ctx.Err()))
	}
	return err
}

// connect opens a connection that is protected, and ends with ctx.
func (d *Directory) connect(ctx context.Context) (*ldap.Conn, error) {
	config := &tls.Config{ServerName: d.host, MinVersion: tls.VersionTLS12}
	if d.Authority != "" {
		pem, err := os.ReadFile(d.Authority)
		if err != nil {
			return nil, fmt.Errorf("certificates to trust: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("certificates to trust: %s holds none in PEM", d.Authority)
		}
	}
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort(d.host, d.port))
	if err != nil {
		return nil, err
	}
	// The library waits without a limit for some answers. Closing what is below it ends that.
	context.AfterFunc(ctx, func() { _ = raw.Close() })
	if d.startTLS {
		conn := ldap.NewConn(raw, false)
		conn.Start()
		if err := conn.StartTLS(config); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return conn, nil
	}
	protected := tls.Client(raw, config)
	if err := protected.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	conn := ldap.NewConn(protected, true)
	conn.Start()
	return conn, nil
}

// find returns the name to bind as.
func (d *Directory) find(conn *ldap.Conn, login string) (dn string, err error) {
	if d.Pattern != "" {
		return strings.ReplaceAll(d.Pattern, Placeholder, ldap.EscapeDN(login)), nil
	}
	if d.BindDN != "" {
		secret, err := readSecret(d.PasswordFile)
		if err != nil {
			return "", err
		}
		if err := conn.Bind(d.BindDN, secret); err != nil {
			return "", fmt.Errorf("the box as %s: %w", d.BindDN, err)
		}
	}
	filter := strings.ReplaceAll(d.Filter, Placeholder, ldap.EscapeFilter(login))
	const atMost = 2 // two say already that the filter is ambiguous
	found, err := conn.Search(ldap.NewSearchRequest(d.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases,
		atMost, int(d.Timeout/time.Second), false, filter, []string{"1.1"}, nil)) // 1.1: no attributes (RFC 4511 4.5.1.8)
	if err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) {
		return "", fmt.Errorf("searching: %w", err)
	}
	switch {
	case err != nil || len(found.Entries) > 1:
		return "", fmt.Errorf("%w: several entries match %s", signin.ErrRefused, filter)
	case len(found.Entries) == 0 || found.Entries[0].DN == "":
		return "", signin.ErrUnknown
	}
	return found.Entries[0].DN, nil
}

// refusal is the result of a bind, with those that say no told from those that say nothing.
func refusal(err error) error {
	if ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultNoSuchObject, ldap.LDAPResultInvalidDNSyntax,
		ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultConstraintViolation, ldap.LDAPResultInsufficientAccessRights,
		ldap.LDAPResultUnwillingToPerform) {
		return fmt.Errorf("%w: %w", signin.ErrRefused, err)
	}
	return err
}

// readSecret returns the first line of a file.
func readSecret(path string) (string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("password of the searching account: %w", err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" || len(line) > maxSecret {
		return "", fmt.Errorf("password of the searching account: %s holds none in its first line", path)
	}
	return line, nil
}
