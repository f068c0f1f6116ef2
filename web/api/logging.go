package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"furrow/appliance/actionlog"
	"furrow/web/access"
)

// Logged reports whether whoever asks this is written down: for what changes something, and for what opens somebody's
// account.
func (r *Route) Logged() bool { return r.Changes() || r.Secret }

const (
	// maxShown bounds each value in the action log, maxAsked all of a question or of a thing, in octets.
	maxShown = 200
	maxAsked = 8 << 10
	// maxCompared bounds the answers in which the changes are looked for: a member or policy has some kilobytes.
	maxCompared = 256 << 10
)

// logged takes the action of a route between its two lines in the action log. What is not logged is not done. view is
// what viewOf says.
func (h *handler) logged(route, view *Route, actor access.Actor, w http.ResponseWriter, r *http.Request) {
	if !route.Logged() || h.Actions == nil {
		route.serve(w, r)
		return
	}
	action := actionOf(route, actor, r)
	if route.question != nil {
		var asked []byte
		asked, r.Body = readAhead(r.Body)
		action.Asked = shown(asked)
	}
	if route.Open {
		h.loggedIfDone(route, action, w, r)
		return
	}
	before := before(view, r)
	sequence, err := h.Actions.Begin(action)
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	kept := &keptAnswer{ResponseWriter: w, keep: route.answer != nil}
	result := actionlog.Result{Outcome: actionlog.Aborted}
	defer func() {
		if err := h.Actions.End(sequence, result); err != nil {
			h.Log.Error("the end of an action is not in the action log", "action", action.What, "target", action.Target, "outcome", result.Outcome, "error", err)
		}
		kept.send(h)
	}()
	route.serve(kept, r)
	result = resultOf(kept, before)
}

// loggedIfDone is logged for what anybody may try who can reach the box: attempts that fail must not fill the log, so
// what succeeds is written down right after it, and before it is confirmed. A crash between the two leaves no line.
func (h *handler) loggedIfDone(route *Route, action actionlog.Action, w http.ResponseWriter, r *http.Request) {
	if action.Who == "" {
		action.Who, action.Address = "(not signed in)", hostOf(r.RemoteAddr)
	}
	kept := &keptAnswer{ResponseWriter: w, keep: true}
	route.serve(kept, r)
	if kept.status < http.StatusBadRequest {
		sequence, err := h.Actions.Begin(action)
		if err == nil {
			err = h.Actions.End(sequence, resultOf(kept, nil))
		}
		if err != nil {
			h.Log.Error("an action is not in the action log", "action", action.What, "error", err)
		}
	}
	kept.send(h)
}

// forbidden writes down what somebody's role did not let them do.
func (h *handler) forbidden(route *Route, actor access.Actor, r *http.Request) {
	if !route.Logged() || h.Actions == nil {
		return
	}
	sequence, err := h.Actions.Begin(actionOf(route, actor, r))
	if err == nil {
		err = h.Actions.End(sequence, actionlog.Result{Outcome: actionlog.Forbidden})
	}
	if err != nil {
		h.Log.Error("a forbidden action is not in the action log", "who", actor.Name, "action", route.Path, "error", err)
	}
}

func actionOf(route *Route, actor access.Actor, r *http.Request) actionlog.Action {
	target := strings.TrimPrefix(r.URL.Path, "/v1/")
	given := url.Values{}
	for name, values := range r.URL.Query() {
		if slices.Contains(route.Query, name) && !secret(name) {
			given[name] = values
		}
	}
	if len(given) > 0 {
		target += "?" + given.Encode()
	}
	return actionlog.Action{
		Who: actor.Name, Role: string(actor.Role), Origin: string(actor.Origin), Address: actor.Address,
		What: route.Method + " " + route.Path, Summary: route.Summary, Target: cut(target),
	}
}

// readAhead reads what fits into the log of a body, and returns it and the body as if nothing had been read.
func readAhead(body io.ReadCloser) ([]byte, io.ReadCloser) {
	ahead, err := io.ReadAll(io.LimitReader(body, maxCompared))
	rest := io.Reader(body)
	if err != nil {
		rest = failing{err}
	}
	return ahead, struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(ahead), rest), body}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// before is what a route is about to change, as its view answers; nil if it has none or it is not there.
func before(view *Route, r *http.Request) map[string]json.RawMessage {
	if view == nil {
		return nil
	}
	// The names in the path belong to both.
	asked := r.WithContext(r.Context())
	asked.Method, asked.Body = http.MethodGet, http.NoBody
	kept := &keptAnswer{ResponseWriter: nowhere{http.Header{}}, keep: true}
	view.serve(kept, asked)
	return kept.object()
}

// viewOf is the route that shows what another answers: the GET of the same type with the longest path that the other's
// begins with.
func (h *handler) viewOf(route *Route) (view *Route) {
	if route.answer == nil || !route.Changes() {
		return nil
	}
	for _, other := range h.routes() {
		if other.Method == http.MethodGet && other.answer == route.answer && strings.HasPrefix(route.Path+"/", other.Path+"/") &&
			(view == nil || len(other.Path) > len(view.Path)) {
			view = &other
		}
	}
	return view
}

// resultOf is what came of an action by its answer.
func resultOf(kept *keptAnswer, before map[string]json.RawMessage) actionlog.Result {
	after := kept.object()
	if kept.status >= http.StatusBadRequest {
		return actionlog.Result{Outcome: actionlog.Refused, Reason: cut(text(after["message"])), Name: nameOf(before)}
	}
	result := actionlog.Result{Outcome: actionlog.Done, Name: cmp.Or(nameOf(after), nameOf(before))}
	if before == nil || after == nil {
		return result
	}
	total := 0
	for _, field := range fieldsOf(before, after) {
		if bytes.Equal(before[field], after[field]) {
			continue
		}
		change := actionlog.Change{Field: field, Before: shownValue(field, before[field]), After: shownValue(field, after[field])}
		if total += len(change.Before) + len(change.After); total > maxAsked {
			break
		}
		result.Changes = append(result.Changes, change)
	}
	return result
}

func fieldsOf(objects ...map[string]json.RawMessage) []string {
	var fields []string
	for _, o := range objects {
		for field := range o {
			fields = append(fields, field)
		}
	}
	slices.Sort(fields)
	return slices.Compact(fields)
}

// nameOf is what a person calls a thing.
func nameOf(thing map[string]json.RawMessage) string {
	for _, field := range []string{"fullName", "name"} {
		if name := text(thing[field]); name != "" {
			return cut(name)
		}
	}
	return ""
}

// text is a JSON string, "" for anything else.
func text(value json.RawMessage) (s string) {
	if err := json.Unmarshal(value, &s); err != nil {
		return ""
	}
	return s
}

// keptAnswer is an answer that is kept back until the action log says what it is about to say, or, if it is no JSON,
// passed on with only its status kept.
type keptAnswer struct {
	http.ResponseWriter
	keep   bool
	status int // 0 before the head
	body   bytes.Buffer
}

func (k *keptAnswer) WriteHeader(status int) {
	k.status = status
	if !k.holds() {
		k.ResponseWriter.WriteHeader(status)
	}
}

func (k *keptAnswer) Write(data []byte) (int, error) {
	if k.status == 0 {
		k.WriteHeader(http.StatusOK)
	}
	if k.holds() {
		return k.body.Write(data)
	}
	return k.ResponseWriter.Write(data)
}

// Unwrap lets http.ResponseController reach the connection.
func (k *keptAnswer) Unwrap() http.ResponseWriter { return k.ResponseWriter }

// holds reports whether the answer is kept back: refusals are JSON always.
func (k *keptAnswer) holds() bool { return k.keep || k.status >= http.StatusBadRequest }

func (k *keptAnswer) send(h *handler) {
	if !k.holds() || k.status == 0 {
		return
	}
	k.ResponseWriter.WriteHeader(k.status)
	if _, err := k.ResponseWriter.Write(k.body.Bytes()); err != nil {
		h.Log.Debug("admin answer not delivered", "error", err)
	}
}

// object is the answer, if it is a JSON object that is not too large.
func (k *keptAnswer) object() (object map[string]json.RawMessage) {
	if k.body.Len() > maxCompared || json.Unmarshal(k.body.Bytes(), &object) != nil {
		return nil
	}
	return object
}

// nowhere takes the head of an answer that nobody is sent.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header { return n.header }

func (nowhere) WriteHeader(int) {}

func (nowhere) Write([]byte) (int, error) { return 0, errors.New("nobody reads this") }
