package spcm

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// PathGMSConfig is where a client asks for the paths of the services by HTTP
// GET (MS-GRVSPCM 2.2.3.48).
const PathGMSConfig = "/GMSConfig"

// Config tells a client where the services are, in headers of the response to
// GMSConfig (MS-GRVSPCM 2.2.3.49):
//
//	ServerVersion:  14
//	NormalProtocol: http://
//	NormalPath:     /gms.dll/
//	AuthProtocol:   https://
//	AuthPath:       /AutoActivate/gms.dll/
type Config struct {
	// Version is the major version of the server. Clients of 2010 follow the
	// other headers from 14 on and take the paths of 2007 below.
	Version int
	Normal  Endpoint // not authenticated
	Auth    Endpoint // authenticated by HTTP
}

// Endpoint is the place of services on the server's host.
type Endpoint struct {
	TLS  bool
	Path string // such as "/gms.dll", without the slash at the end that the header has
}

// Schemes as the headers have them.
const (
	schemeHTTP  = "http://"
	schemeHTTPS = "https://"
)

func (e Endpoint) scheme() string {
	if e.TLS {
		return schemeHTTPS
	}
	return schemeHTTP
}

// SetHeader adds the configuration to h. Names are in the case of the
// specification.
func (c Config) SetHeader(h http.Header) {
	for name, value := range map[string]string{
		"ServerVersion":  strconv.Itoa(c.Version),
		"NormalProtocol": c.Normal.scheme(),
		"NormalPath":     c.Normal.Path + "/",
		"AuthProtocol":   c.Auth.scheme(),
		"AuthPath":       c.Auth.Path + "/",
	} {
		h[name] = []string{value} // Set would write Serverversion
	}
}

// DecodeConfig reads the configuration from h.
//
// MS-GRVSPCM 2.2.3.49 has a path "enclosed between /" and leaves open whether
// that is the service or its folder (reading C3): a path that does not end in
// .dll is taken for the folder of gms.dll.
func DecodeConfig(h http.Header) (Config, error) {
	var c Config
	var err error
	if c.Version, err = strconv.Atoi(headerValue(h, "ServerVersion")); err != nil {
		return Config{}, fmt.Errorf("spcm: GMSConfig: ServerVersion is no number")
	}
	if c.Normal, err = decodeEndpoint(h, "Normal"); err != nil {
		return Config{}, err
	}
	if c.Auth, err = decodeEndpoint(h, "Auth"); err != nil {
		return Config{}, err
	}
	return c, nil
}

func decodeEndpoint(h http.Header, kind string) (Endpoint, error) {
	var e Endpoint
	switch headerValue(h, kind+"Protocol") {
	case schemeHTTP:
	case schemeHTTPS:
		e.TLS = true
	default:
		return Endpoint{}, fmt.Errorf("spcm: GMSConfig: %sProtocol is neither http:// nor https://", kind)
	}
	path := headerValue(h, kind+"Path")
	if len(path) < 2 || !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/") || !isPath(path) {
		return Endpoint{}, fmt.Errorf("spcm: GMSConfig: %sPath is not a path between slashes", kind)
	}
	e.Path = strings.TrimSuffix(path, "/")
	if !strings.HasSuffix(strings.ToLower(e.Path), ".dll") {
		e.Path += "/gms.dll"
	}
	return e, nil
}

// isPath reports whether path cannot lead to another host or query: it has
// nothing but the plain characters of paths and no empty segment.
func isPath(path string) bool {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/"
	return strings.Trim(path, plain) == "" && !strings.Contains(path, "//")
}

// headerValue finds a header by either its canonical or its published name.
func headerValue(h http.Header, name string) string {
	if v := h.Get(name); v != "" {
		return v
	}
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}
