package web

import (
	"net"
	"net/http"
	"strings"

	"furrow/appliance/config"
)

// guard is what every page and file of the pages goes through.
func (s *site) guard(next http.Handler) http.Handler {
	protected := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil {
			s.toTLS(w, r)
			return
		}
		header := w.Header()
		// Nothing runs, is loaded or framed but files of this box; forms go to it only.
		header.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "+
			"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		// The time is short because a box's name may be given to another machine one day; without subdomains because
		// those are none of the box's business.
		header.Set("Strict-Transport-Security", "max-age=2592000")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cross-Origin-Opener-Policy", "same-origin")
		header.Set("Cross-Origin-Resource-Policy", "same-origin")
		header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		header.Set("Cache-Control", "no-store")
		protected.ServeHTTP(w, r)
	})
}

// toTLS sends a browser that asked without TLS to the same page with it. What it posted is lost on purpose: it has
// been on the wire in clear.
func (s *site) toTLS(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if s.Secure == "" {
		http.Error(w, "This Groove server has no pages: it does not listen for https.", http.StatusNotFound)
		return
	}
	http.Redirect(w, r, "https://"+secureAuthority(r.Host, s.Secure)+r.URL.EscapedPath(), http.StatusSeeOther)
}

// secureAuthority is how the person who typed host reaches the same box by TLS, which listens at secure.
func secureAuthority(host, secure string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	_, port, _ := net.SplitHostPort(secure) // none is the usual one
	return config.HostPort(strings.Trim(host, "[]"), port, "443")
}

// localPath is where to go next as an address may ask for it: a path of this site, or the first page.
func localPath(next string) string {
	// A browser takes // and /\ for the beginning of another host, and drops tabs and line breaks before it looks.
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsFunc(next, func(c rune) bool { return c == '\\' || c < ' ' || c == 0x7f }) {
		return "/"
	}
	return next
}
