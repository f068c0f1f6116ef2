package api

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"furrow/web/access"
)

const (
	// NetworkPrefix is where the interface is found over the network: /api/v1/status for /v1/status.
	NetworkPrefix = "/api"
	// MetricsPath is where the metrics are besides.
	MetricsPath = "/metrics"
	// tokenRate is how many requests a second one token is good for, and tokenBurst how many at once: a program that
	// writes a member for each line of a file is not slowed down much, one that went wild leaves the box to others.
	tokenRate  = 50
	tokenBurst = 200
)

// NewNetworkHandler returns an interface of NewHandler for the network: over TLS only, with a token of access in the
// header Authorization. MetricsPath is there besides NetworkPrefix. Until there is an administrator it serves nothing but
// the set-up.
func NewNetworkHandler(next http.Handler, control *access.Control, log *slog.Logger) http.Handler {
	n := &networkHandler{
		handler: &handler{Config: Config{Log: log}}, next: next, control: control, budgets: make(map[string]*rate.Limiter),
	}
	mux := http.NewServeMux()
	mux.HandleFunc(NetworkPrefix+"/", n.serveAPI)
	mux.HandleFunc("GET "+MetricsPath, n.serveMetrics)
	return mux
}

type networkHandler struct {
	*handler // to refuse
	next     http.Handler
	control  *access.Control

	mu      sync.Mutex
	budgets map[string]*rate.Limiter // by name of the token; guarded by mu
}

func (n *networkHandler) serveAPI(w http.ResponseWriter, r *http.Request) {
	http.StripPrefix(NetworkPrefix, http.HandlerFunc(func(w http.ResponseWriter, stripped *http.Request) {
		n.serve(w, stripped)
		r.Pattern = stripped.Pattern // so that who counts requests knows the route
	})).ServeHTTP(w, r)
}

// serveMetrics answers where Prometheus looks if nobody tells it otherwise.
func (n *networkHandler) serveMetrics(w http.ResponseWriter, r *http.Request) {
	asked := r.Clone(r.Context())
	asked.URL.Path, asked.URL.RawPath = metricsPath, ""
	n.serve(w, asked)
}

func (n *networkHandler) serve(w http.ResponseWriter, r *http.Request) {
	actor, err := n.actor(r)
	if err != nil {
		var wait *access.WaitError
		if errors.As(err, &wait) {
			w.Header().Set("Retry-After", strconv.Itoa(int(wait.Wait/time.Second)+1))
		}
		if errors.Is(err, access.ErrSignedOut) {
			w.Header().Set("WWW-Authenticate", `Bearer realm="furrow"`)
		}
		n.refuse(w, r, err)
		return
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	known := r.WithContext(access.WithActor(r.Context(), actor))
	n.next.ServeHTTP(w, known)
	r.Pattern = known.Pattern
}

// actor says who asks.
func (n *networkHandler) actor(r *http.Request) (access.Actor, error) {
	address := hostOf(r.RemoteAddr)
	if r.TLS == nil {
		// A token that came this way is known to who listens; nothing is said about whether it was good.
		return access.Actor{}, &refusal{http.StatusForbidden, &Error{Code: "forbidden", Message: "use https"}}
	}
	if !n.control.IsSetUp() {
		if r.Method != http.MethodPost || r.URL.Path != setupPath && r.URL.Path != restorePath {
			return access.Actor{}, &refusal{http.StatusForbidden, &Error{Code: "forbidden", Message: "the box is not set up yet"}}
		}
		return access.Actor{Name: "set-up", Origin: access.API, Address: address}, nil
	}
	secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return access.Actor{}, access.ErrSignedOut
	}
	actor, err := n.control.TokenActor(r.Context(), secret, address)
	if err != nil {
		return access.Actor{}, err
	}
	if !n.budget(actor.Name).Allow() {
		return access.Actor{}, &access.WaitError{Wait: time.Second}
	}
	return actor, nil
}

// budget is what a token may still ask. There are as many as there are tokens.
func (n *networkHandler) budget(token string) *rate.Limiter {
	n.mu.Lock()
	defer n.mu.Unlock()
	limiter, ok := n.budgets[token]
	if !ok {
		limiter = rate.NewLimiter(tokenRate, tokenBurst)
		n.budgets[token] = limiter
	}
	return limiter
}
