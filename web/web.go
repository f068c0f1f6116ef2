// Package web is what a person sees who opens the box's address in a browser, in front of the services that programs
// use there.
package web

import (
	"embed"
	"html/template"
	"net"
	"net/http"
	"strings"
)

//go:embed front.html
var files embed.FS

// Site is what the pages tell of the box.
type Site struct {
	// ServerURL is the address that clients are told.
	ServerURL string
	// Secure is where TLS is listened for, host:port; empty for a box without.
	Secure string
}

// handler serves the pages, and everything else by next.
type handler struct {
	site  Site
	front *template.Template
}

// NewHandler returns next with the pages in front of it. A page asked for without TLS is asked for again with it.
func NewHandler(next http.Handler, site Site) http.Handler {
	h := &handler{site: site, front: template.Must(template.ParseFS(files, "front.html"))}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.serveFront)
	mux.Handle("/", next)
	return mux
}

// serveFront shows who is here. Nothing in it helps an attacker choose: no version, no numbers.
func (h *handler) serveFront(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	if r.TLS == nil && h.site.Secure != "" {
		http.Redirect(w, r, "https://"+h.secureAuthority(r.Host)+"/", http.StatusFound)
		return
	}
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	_ = h.front.Execute(w, h.site) // fails if the browser has gone
}

// secureAuthority is how the person who typed host reaches the same box by TLS.
func (h *handler) secureAuthority(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	_, port, err := net.SplitHostPort(h.site.Secure)
	switch {
	case err == nil && port != "443":
		return net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		return "[" + host + "]"
	}
	return host
}
