// Package config holds what an administrator may set from outside: addresses to listen on, the address clients
// are told to use, and how much is logged. Everything else is state and is changed through the admin API.
//
// Settings come from three places, the later winning: the defaults, a TOML file, the command line.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"

	"github.com/BurntSushi/toml"
)

// FileName is the configuration file looked for in the data directory when none is named.
const FileName = "furrow.toml"

// maxFileSize bounds the configuration file; a real one has a few hundred bytes.
const maxFileSize = 1 << 20

// Config is one complete set of settings. The TOML keys are the field names in snake case.
type Config struct {
	// ServerURL is the address that clients and signed objects name, http://host[:port]/gms.dll
	// (MS-GRVSPCM 3.2.1). Empty: made of the host's name and the port of Listen.HTTP.
	ServerURL string `toml:"server_url"`
	// LogLevel is the least severe level logged: debug, info, warn or error.
	LogLevel slog.Level `toml:"log_level"`
	// Listen says where each service accepts connections.
	Listen Listen `toml:"listen"`
	// Relay tunes the relay. Its quotas and lifetimes are not here: management servers set them.
	Relay Relay `toml:"relay"`
	// PasswordReset tunes how forgotten passphrases are replaced.
	PasswordReset PasswordReset `toml:"password_reset"`
	// Signin says by what people prove who they are to the management server.
	Signin Signin `toml:"signin"`
}

// Relay tunes the relay of this box.
type Relay struct {
	// MaxMessageMB bounds one message, in megabytes of 1,000,000 octets. Zero: 250.
	MaxMessageMB int64 `toml:"max_message_mb"`
	// SpareRecentOnPurge leaves a user's messages alone when one came within the last minute, as the products do
	// ([MS-GRVSPMR] note <6>).
	SpareRecentOnPurge bool `toml:"spare_recent_on_purge"`
	// Diagnose logs the first octets of what cannot be parsed, to correct the wire profile by an original client.
	Diagnose bool `toml:"diagnose"`
}

const (
	megabyte = 1_000_000
	// maxMessageMB is the largest message that may be configured: positions within a message stay far from overflowing.
	maxMessageMB = 1_000_000
)

// MaxMessageBytes is MaxMessageMB in octets; 0 for the default.
func (r Relay) MaxMessageBytes() int64 { return r.MaxMessageMB * megabyte }

// Listen names the TCP address of each service, host:port; an empty host means every address of the box.
type Listen struct {
	// HTTP serves the management server, /gms.dll, /AutoActivate/gms.dll and /GMSConfig, and the relay to clients whose
	// way to it is HTTP only.
	HTTP string `toml:"http"`
	// HTTPS serves the box over TLS, and the relay to clients that may connect to this port only and send no TLS there.
	// Empty: neither.
	HTTPS string `toml:"https"`
	// SSTP serves the relay. Empty: this box is no relay.
	SSTP string `toml:"sstp"`
	// BehindProxies are networks of load balancers and the like whose connections to the three above begin with a header
	// of the PROXY protocol that names the peer. Empty: there are none.
	BehindProxies []netip.Prefix `toml:"behind_proxies"`
	// RelayAdmin serves relay-management SOAP, and only if an outside management server is known. Empty: never.
	RelayAdmin string `toml:"relay_admin"`
}

// Default returns the settings of a box nobody has configured. A privileged process takes the
// protocol's own ports, any other the same ports in the unprivileged range.
func Default(privileged bool) Config {
	listen := Listen{HTTP: ":8080", HTTPS: ":8443", SSTP: ":2492", RelayAdmin: ":8009"}
	if privileged {
		listen.HTTP, listen.HTTPS = ":80", ":443"
	}
	return Config{Listen: listen}
}

// Load reads a TOML file over base. A key it does not know is an error: a misspelt setting must not be
// silently without effect. A missing file is an error that satisfies errors.Is(err, fs.ErrNotExist).
func Load(path string, base Config) (Config, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Config{}, fmt.Errorf("configuration file: %w", err)
	}
	if info.Size() > maxFileSize {
		return Config{}, fmt.Errorf("configuration file %s: %d bytes, at most %d are allowed", path, info.Size(), maxFileSize)
	}
	cfg := base
	meta, err := toml.DecodeFile(path, &cfg)
	if err != nil {
		var parse toml.ParseError
		if errors.As(err, &parse) {
			return Config{}, fmt.Errorf("configuration file %s, line %d: %s", path, parse.Position.Line, parse.Message)
		}
		return Config{}, fmt.Errorf("configuration file %s: %w", path, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return Config{}, fmt.Errorf("configuration file %s: unknown setting %q", path, unknown[0].String())
	}
	return cfg, nil
}

// LoadIfPresent is Load for a file that may be absent.
func LoadIfPresent(path string, base Config) (Config, error) {
	cfg, err := Load(path, base)
	if errors.Is(err, fs.ErrNotExist) {
		return base, nil
	}
	return cfg, err
}

// SetListen applies one NAME=ADDRESS of the command line.
func (c *Config) SetListen(name, address string) error {
	switch name {
	case "http":
		c.Listen.HTTP = address
	case "https":
		c.Listen.HTTPS = address
	case "sstp":
		c.Listen.SSTP = address
	case "relay-admin":
		c.Listen.RelayAdmin = address
	default:
		return fmt.Errorf("listen: there is no service %q (known: http, https, sstp, relay-admin)", name)
	}
	return nil
}

// Validate checks what can be checked without opening anything. The form of ServerURL is the directory's rule.
func (c Config) Validate() error {
	for _, l := range []struct {
		name, address string
		optional      bool
	}{
		{"http", c.Listen.HTTP, false},
		{"https", c.Listen.HTTPS, true},
		{"sstp", c.Listen.SSTP, true},
		{"relay-admin", c.Listen.RelayAdmin, true},
	} {
		if l.address == "" && l.optional {
			continue
		}
		if _, _, err := net.SplitHostPort(l.address); err != nil {
			return fmt.Errorf("listen %s: %q is not host:port: %w", l.name, l.address, err)
		}
	}
	if c.Relay.MaxMessageMB < 0 || c.Relay.MaxMessageMB > maxMessageMB {
		return fmt.Errorf("relay max_message_mb: %d, want 1 to %d", c.Relay.MaxMessageMB, maxMessageMB)
	}
	return errors.Join(c.PasswordReset.validate(), c.Signin.validate())
}

// EffectiveServerURL is ServerURL or, when that is empty, the address made of hostname and the port that the
// management server really listens on.
func (c Config) EffectiveServerURL(hostname string, http net.Addr) string {
	if c.ServerURL != "" {
		return c.ServerURL
	}
	return "http://" + Authority(hostname, http, "80") + "/gms.dll"
}

// Authority is how peers name a service that listens on addr: by the address it is bound to or, when that is every
// address, by hostname, with the port unless it is the usual one.
func Authority(hostname string, addr net.Addr, usualPort string) string {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return hostname
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = strings.ToLower(hostname)
	}
	return HostPort(host, port, usualPort)
}

// HostPort is a host and a port as a URL has them: without the port if it is none or the usual one, and with an IPv6
// address in brackets.
func HostPort(host, port, usualPort string) string {
	switch {
	case port != "" && port != usualPort:
		return net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		return "[" + host + "]"
	}
	return host
}
