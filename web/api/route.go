package api

import (
	"cmp"
	"net/http"
	"reflect"
	"slices"

	"furrow/web/access"
)

// Route is one request that the interface answers. The table of all of them is the authority on who may do what; who
// walks it misses nothing.
type Route struct {
	Method string
	// Path is a pattern of net/http.ServeMux.
	Path string
	// Role is the least role that may ask this.
	Role access.Role
	// Open says that nobody need be known to ask this; it has no role.
	Open bool
	// Own says that it is about the one who asks, so that every role may.
	Own bool
	// Reads says that a method other than GET changes nothing, such as a dry run.
	Reads bool
	// Secret says that the answer opens somebody's account.
	Secret bool
	// Query are the names of the parameters in the address.
	Query []string
	// Summary is one line for a person.
	Summary string
	action
}

// action is how a route is answered.
type action struct {
	serve http.HandlerFunc
	// question and answer are the types in the bodies, nil for none. An answer that is not JSON has a content type and no
	// type.
	question, answer reflect.Type
	content          string
	// limit bounds the request's body, in octets; 0 for maxQuestion.
	limit int64
}

// Question is the type of the request's body, nil for none.
func (r *Route) Question() reflect.Type { return r.question }

// Answer is the type of the answer, nil if that is a stream of octets or of lines.
func (r *Route) Answer() reflect.Type { return r.answer }

// Changes reports whether the request changes something.
func (r *Route) Changes() bool { return r.Method != http.MethodGet && !r.Reads }

// Need is what the route asks of an actor.
func (r *Route) Need() access.Need {
	if r.Own {
		return access.Need{}
	}
	return access.Need{Role: r.Role, Writes: r.Changes() || r.Secret}
}

// Routes returns the table.
func Routes() []Route { return new(handler).routes() }

func (h *handler) routes() []Route {
	return slices.Concat(
		h.boxRoutes(), h.domainRoutes(), h.memberRoutes(), h.memberChangeRoutes(), h.passwordResetRoutes(),
		h.relayRoutes(), h.mailRoutes(), h.ldapRoutes(), h.groupRoutes(), h.policyRoutes(), h.trustRoutes(), h.auditRoutes(), h.migrationRoutes(),
		h.statisticsRoutes(), h.administratorRoutes(), h.accountRoutes(), h.tokenRoutes(), h.setupRoutes(), h.openAPIRoutes(), h.boxBackupRoutes(),
		h.reportRoutes(), h.actionRoutes(), h.alertRoutes(), h.invitationRoutes(), h.rosterRoutes(),
		h.overviewRoutes(), h.queueRoutes(), h.memberListRoutes(), h.memberDeviceRoutes(), h.deviceRoutes(),
		h.logRoutes(), h.examinationRoutes(), h.certificateRoutes(), h.addressRoutes(), h.machineRoutes(), h.metricsRoutes(),
		h.machineNetworkRoutes(), h.supportRoutes(),
	)
}

// guard takes the steps that every request takes before its action.
func (h *handler) guard(route *Route) http.Handler {
	view := h.viewOf(route)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, known := access.ActorOf(r.Context())
		switch {
		case !known && !route.Open:
			h.refuse(w, r, errNobody())
		case !route.Open && !actor.Role.May(route.Need()):
			h.forbidden(route, actor, r)
			h.refuse(w, r, errForbidden(actor.Role))
		default:
			r.Body = http.MaxBytesReader(w, r.Body, cmp.Or(route.limit, maxQuestion))
			h.logged(route, view, actor, w, r)
		}
	})
}

// errNobody answers those who have not said who they are.
func errNobody() error {
	return &refusal{http.StatusUnauthorized, &Error{Code: "unauthenticated", Message: "sign in first"}}
}

func errForbidden(role access.Role) error {
	return &refusal{http.StatusForbidden, &Error{
		Code: "forbidden", Message: "the role " + string(role) + " may not do this",
	}}
}

// answer makes an action of a function that returns what to send.
func answer[Answer any](h *handler, f func(*http.Request) (Answer, error)) action {
	return h.answering(reflect.TypeFor[Answer](), func(r *http.Request) (any, error) { return f(r) })
}

// ask makes an action of a function that answers a question in the request's body.
func ask[Question, Answer any](h *handler, f func(*http.Request, Question) (Answer, error)) action {
	asked := h.answering(reflect.TypeFor[Answer](), func(r *http.Request) (any, error) {
		var q Question
		if err := question(r, &q); err != nil {
			return nil, err
		}
		return f(r, q)
	})
	asked.question = reflect.TypeFor[Question]()
	return asked
}

// answering is answer without its type.
func (h *handler) answering(kind reflect.Type, f func(*http.Request) (any, error)) action {
	return action{answer: kind, serve: func(w http.ResponseWriter, r *http.Request) {
		value, err := f(r)
		if err != nil {
			h.refuse(w, r, err)
			return
		}
		h.write(w, http.StatusOK, value)
	}}
}

// stream makes an action of a handler that sends something other than one JSON value.
func stream(content string, serve http.HandlerFunc) action {
	return action{content: content, serve: serve}
}
