package web

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"furrow/web/access"
	"furrow/web/api"
)

// visit is one request for a page. Templates see its exported methods.
type visit struct {
	*words
	site   *site
	page   page
	w      http.ResponseWriter
	r      *http.Request
	person *access.Administrator // nil for who has not signed in
	client *api.Client           // acts as person, or as somebody unknown
	crumbs []crumb
	title  string // instead of the page's
	data   any
	said   *flash // of the page before
}

// crumb is a step on the way to a page.
type crumb struct{ Title, Path string }

// page makes a handler of one of a page's functions.
func (s *site) page(p page, serve func(*visit) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, cmp.Or(p.limit, maxForm))
		v := &visit{words: s.catalogue.of(r), site: s, page: p, w: w, r: r}
		if closed := !s.Access.IsSetUp(); closed && !p.setUp || !closed && p.setUp && p.role == nobody {
			v.redirect(map[bool]string{true: "/setup", false: "/"}[closed])
			return
		}
		actor := access.Actor{Origin: access.Page, Address: visitor(r).Address}
		if v.person = s.administrator(r); v.person != nil {
			actor.Name, actor.Role, actor.Session = v.person.Name, v.person.Role, v.session()
		}
		v.client = api.NewClientOf(s.API, actor)
		if !v.mayEnter() {
			return
		}
		err := v.parse()
		if err == nil {
			err = serve(v)
		}
		if err != nil {
			v.fail(err)
		}
	})
}

// errForm: an address or a form is none.
var errForm = errors.New("form not understood")

// parse reads what was posted, so that a form never goes on with a part of it.
func (v *visit) parse() error {
	if v.page.streams {
		v.r.Form, v.r.PostForm = v.r.URL.Query(), url.Values{} // or the first look for a value would read everything
		return nil
	}
	err := v.r.ParseForm()
	if err == nil {
		err = v.r.ParseMultipartForm(maxForm)
	}
	if err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return fmt.Errorf("%w: %w", errForm, err)
	}
	return nil
}

// mayEnter lets in whom the table of pages allows, and answers all others.
func (v *visit) mayEnter() bool {
	switch {
	case v.page.role == nobody:
		return true
	case v.person == nil && v.r.Method == http.MethodGet:
		v.redirect("/sign-in?" + url.Values{"next": {v.r.URL.RequestURI()}}.Encode())
	case v.person == nil:
		// What was posted is lost with the session; the page it came from is what can be shown again.
		v.redirect("/sign-in?" + url.Values{"next": {v.r.URL.Path}}.Encode())
	case !v.person.Role.May(v.page.need(v.r.Method)):
		v.refuse(http.StatusForbidden, "error.role")
	default:
		return true
	}
	return false
}

func (v *visit) ctx() context.Context { return v.r.Context() }

// redirect goes to a path of this site by GET.
func (v *visit) redirect(path string) {
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
}

// done goes to path after a change and has it say the text of a key there.
func (v *visit) done(path, key string, args ...any) error {
	v.say(flash{Key: key, Args: args})
	v.redirect(path)
	return nil
}

// render shows the page by its template.
func (v *visit) render(template string, data any) error {
	return v.show(http.StatusOK, template, data)
}

// again shows a form once more that has been refused.
func (v *visit) again(template string, data any) error {
	return v.show(http.StatusUnprocessableEntity, template, data)
}

func (v *visit) show(status int, template string, data any) error {
	v.data = data
	v.said = v.heard()
	var page bytes.Buffer
	if err := v.site.templates[template].ExecuteTemplate(&page, "layout", v); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, _ = v.w.Write(page.Bytes()) // fails if the browser has gone
	return nil
}

// fail shows that a page could not be shown.
func (v *visit) fail(err error) {
	status, key := http.StatusInternalServerError, "error.internal"
	var refusal *api.Error
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		status, key = http.StatusRequestEntityTooLarge, "error.tooLarge"
	case errors.Is(err, errForm):
		status, key = http.StatusBadRequest, "error.form"
	case errors.As(err, &refusal):
		status, key = statusOf(refusal.Code)
	}
	if status == http.StatusInternalServerError {
		v.site.Log.Error("page failed", "method", v.r.Method, "path", v.r.URL.Path, "error", err)
	}
	v.refusal(status, key, err)
}

// statusOf is how a refusal of the interface is answered when a page has nothing better to do with it.
func statusOf(code string) (status int, key string) {
	switch code {
	case "notFound":
		return http.StatusNotFound, "error.notFound"
	case "forbidden":
		return http.StatusForbidden, "error.role"
	case "readOnly":
		return http.StatusServiceUnavailable, "error.readOnly"
	case "internal", "failed":
		return http.StatusInternalServerError, "error.internal"
	}
	return http.StatusConflict, "error.refused"
}

func (v *visit) refuse(status int, key string) { v.refusal(status, key, nil) }

func (v *visit) refusal(status int, key string, cause error) {
	shown := refusal{Text: v.T(key)}
	if refused := (*api.Error)(nil); errors.As(cause, &refused) && refused.Code != "internal" {
		shown.Cause = refused.Message
	}
	v.title = v.T("error.title")
	if err := v.show(status, "error.html", shown); err != nil {
		v.site.Log.Error("page failed", "path", v.r.URL.Path, "error", err)
		http.Error(v.w, shown.Text, http.StatusInternalServerError)
	}
}

// refusal is what error.html shows.
type refusal struct{ Text, Cause string }

// formValue is a value that was posted, without the space around it that is pasted so easily.
func (v *visit) formValue(name string) string { return strings.TrimSpace(v.r.PostFormValue(name)) }

// under puts the page below another one, in the way that is shown above the title.
func (v *visit) under(title, path string) { v.crumbs = append(v.crumbs, crumb{title, path}) }
