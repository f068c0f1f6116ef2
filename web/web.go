// Package web is the box's own pages: what a person with a browser sees of it, in front of the services that programs
// use at the same address.
//
// # How a page is made
//
// A page is one line in the table of pages (pages.go): where it is, who may see it, its title, its place in the
// navigation, and two functions. A noun of the field has one Go file with those functions and one template:
//
//	{path: "/domains", role: access.Member, title: "domains.title", nav: sectionPeople, icon: "domain", get: getDomains, post: postDomains},
//
//	func getDomains(v *visit) error {
//		domains, err := v.client.Domains(v.ctx())
//		if err != nil {
//			return err
//		}
//		return v.render("domains.html", domains)
//	}
//
// A visit is one request of a signed-in person. It has the client of the administration interface that acts as that
// person (every page reads and changes the box through it, so that pages can do nothing that the interface would
// refuse), the words of the person's language, and what pages have in common: forms whose fields show what the
// interface refused (form.go), files that are uploaded (upload.go), lists that are searched, sorted and paged by parameters of the address (list.go),
// questions before something dangerous (confirm.go), a message on the next page after a change (flash.go), live parts
// (live.go), downloads (download.go). A template defines "content" and sees the visit, and what render was given as .Data.
//
// A function that returns an error has shown nothing: the frame answers with a page that says so. After a change it
// returns v.done(path, key, ...), which shows the message of that key at path.
//
// # Words
//
// No page has words of its own. Each is a key of a file in text/en and text/de (frame.json has what pages share, a noun
// its own file), written {{$.T "domains.title"}} in templates and v.T("domains.title") in Go; {name} stands for an argument, and a text that counts something has a form
// for each plural. A test finds keys that are missing, unused or differ in their arguments.
//
// # Without scripts
//
// Every page works without, but for making a passkey and signing in with one, which browsers do for scripts only
// (passkey.go); whoever has none signs in with a password. assets/furrow.js puts times into the reader's zone, keeps live parts live and watches
// passwords as they are typed; htmx, where the build has it (make assets), filters lists while one types.
//
// # Safety
//
// Pages are served over TLS only, with a policy that lets nothing run but the box's own files; a change must come from
// a page of the box (http.CrossOriginProtection) and from a session, whose cookie scripts cannot read. Until the first
// administrator exists there is nothing but the set-up. Roles are checked where the table is walked, and again by the
// interface.
package web

import (
	"context"
	"log/slog"
	"net/http"

	"furrow/web/access"
)

// Config is what the pages show and act on.
type Config struct {
	// Next serves what is no page.
	Next http.Handler
	// ServerURL is the address that clients are told.
	ServerURL string
	// Secure is where TLS is listened for, host:port; empty for a box without, which has no pages either.
	Secure string
	// Access knows administrators and sessions.
	Access *access.Control
	// API is the administration interface.
	API http.Handler
	// Reach looks whether the address that clients are told leads here; the function of that name but in tests.
	Reach func(ctx context.Context, serverURL string) reach
	// Stopping ends the streams of live pages.
	Stopping context.Context
	Log      *slog.Logger
}

// site is the pages of a box.
type site struct {
	Config
	templates templates
	catalogue *catalogue
	assets    assets
}

// NewHandler returns Next with the pages in front of it.
func NewHandler(c Config) (http.Handler, error) {
	s := &site{Config: c}
	var err error
	if s.catalogue, err = loadCatalogue(); err != nil {
		return nil, err
	}
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.templates, err = loadTemplates(s.assets); err != nil {
		return nil, err
	}
	own := http.NewServeMux()
	mux := http.NewServeMux()
	mux.Handle("/", c.Next)
	served := s.guard(own)
	for _, p := range pages() {
		pattern := p.path
		if pattern == "/" {
			pattern = "/{$}"
		}
		mux.Handle("GET "+pattern, served)
		own.Handle("GET "+pattern, s.page(p, p.get))
		if p.post != nil {
			mux.Handle("POST "+pattern, served)
			own.Handle("POST "+pattern, s.page(p, p.post))
		}
	}
	mux.Handle("GET /assets/{name...}", served)
	own.Handle("GET /assets/{name...}", s.assets)
	return mux, nil
}
