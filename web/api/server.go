package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"furrow/appliance/actionlog"
	"furrow/appliance/alert"
	"furrow/appliance/backup"
	"furrow/appliance/backup/plan"
	"furrow/appliance/checkup"
	"furrow/appliance/machine"
	"furrow/appliance/mail"
	"furrow/appliance/recentlog"
	"furrow/appliance/state"
	"furrow/appliance/tlscert"
	"furrow/gms/audit"
	"furrow/gms/directory"
	"furrow/gms/invitation"
	"furrow/gms/ldapsync"
	"furrow/gms/relaylink"
	"furrow/gms/statistics"
	"furrow/relay/traffic"
	"furrow/web/access"
)

// maxQuestion bounds a request body; the largest, a new member with every attribute, has under 20 KB.
const maxQuestion = 1 << 20

// Config is what the interface acts on.
type Config struct {
	Directory *directory.Directory
	Store     *state.Store
	// Recovery is what Open found damaged; nil when the state is sound.
	Recovery *state.Recovery
	Version  string
	// Links manages the relays of the directory; nil in recovery mode.
	Links *relaylink.Links
	// Listeners says where each service listens.
	Listeners map[string]string
	// Relay is the relay of this box; nil when it runs none.
	Relay RelayBox
	// Traffic is what that relay has carried.
	Traffic *traffic.Book
	Mail    *mail.Post
	// Invitations gets configuration codes to members.
	Invitations *invitation.Desk
	LDAP        *ldapsync.Syncer
	// Backup is of the whole box.
	Backup *plan.Plan
	// Audit and Statistics are what clients have reported.
	Audit      *audit.Archive
	Statistics *statistics.Book
	// Access are the administrators.
	Access *access.Control
	// RecentLog is what the box has logged lately.
	RecentLog *recentlog.Ring
	// Checkup is where the box is examined.
	Checkup *checkup.Room
	// Machine has done to the machine what the box itself may not do.
	Machine *machine.Machine
	// Restart has the box end, and the process start it again.
	Restart func()
	// ChooseHost has clients find the box under another name from its next start on, and returns the new address; nil
	// where the configuration says what it is.
	ChooseHost func(ctx context.Context, host string) (serverURL string, err error)
	// TLS keeps the certificate of the box.
	TLS *tlscert.Keeper
	// DataDir is the data directory, Started when the box began to serve.
	DataDir string
	Started time.Time
	// Actions is where every change is written down; nil, in tests, nowhere.
	Actions *actionlog.Log
	Alerts  *alert.Monitor
	// Metrics answers a scrape.
	Metrics http.Handler
	// Restore makes ready that a backup takes the place of the box.
	Restore func(ctx context.Context, r io.Reader, password string) (backup.Manifest, error)
	Now     func() time.Time
	Log     *slog.Logger
}

// NewHandler returns the interface as an HTTP handler. It takes whoever asks from the request's context (access.Actor),
// where the way in has put it, and refuses requests without one.
func NewHandler(c Config) http.Handler {
	h := &handler{Config: c}
	mux := http.NewServeMux()
	routes := h.routes()
	for i := range routes {
		mux.Handle(routes[i].Method+" "+routes[i].Path, h.guard(&routes[i]))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		h.write(w, http.StatusNotFound, &Error{Code: "notFound", Message: "there is no such resource"})
	})
	return mux
}

type handler struct{ Config }

// boxRoutes are about the box itself.
func (h *handler) boxRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/status", Role: access.Member, Summary: "How the box is",
			action: answer(h, h.status),
		},
		{
			Method: "POST", Path: "/v1/recovery/accept", Role: access.Server,
			Summary: "Accept a state restored from damaged files", action: answer(h, h.acceptRecovery),
		},
	}
}

func (h *handler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, refusal := refuse(err)
	if refusal.Code == "internal" {
		h.Log.Error("admin request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	h.write(w, status, refusal)
}

func (h *handler) write(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store") // answers hold configuration codes
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		h.Log.Debug("admin answer not delivered", "error", err)
	}
}

// question reads a request's body into a value. An attribute it does not know is refused: a misspelt one must not be lost.
func question(r *http.Request, into any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return &Error{Code: "invalid", Message: "the request is not understood: " + err.Error()}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return &Error{Code: "invalid", Message: "the request is not understood: something follows it"}
	}
	return nil
}

func (h *handler) status(*http.Request) (Status, error) {
	address, err := h.Directory.ServerURL()
	if err != nil && !errors.Is(err, directory.ErrNoServerURL) {
		return Status{}, err
	}
	status := Status{
		Version:   h.Version,
		ServerURL: address,
		Domains:   len(h.listedDomains()),
		Listeners: h.Listeners,
		Members:   total(h.Directory.CountMembers("")),
	}
	if errors.Is(h.Store.Err(), state.ErrRecovery) {
		status.Recovery = &Recovery{Damage: h.Recovery.String(), Files: h.Recovery.Files}
	}
	return status, nil
}

func (h *handler) acceptRecovery(r *http.Request) (Status, error) {
	if err := h.Store.AcceptRecovery(r.Context()); err != nil {
		return Status{}, err
	}
	h.Log.Warn("restored state accepted", "damage", h.Recovery.String())
	return h.status(r)
}

func (h *handler) domains(r *http.Request) ([]Domain, error) {
	listed := h.listedDomains()
	if asked, err := flag(r, "all"); err != nil {
		return nil, err
	} else if asked {
		listed = h.Directory.AllDomains()
	}
	domains := []Domain{}
	for _, d := range listed {
		shown, err := h.showDomain(d)
		if err != nil {
			return nil, err
		}
		domains = append(domains, shown)
	}
	return domains, nil
}

func (h *handler) domain(r *http.Request) (Domain, error) {
	d, err := h.Directory.FindDomain(r.PathValue("domain"))
	if err != nil {
		return Domain{}, err
	}
	return h.showDomain(d)
}

func (h *handler) createDomain(r *http.Request, q NewDomain) (Domain, error) {
	create := h.Directory.CreateDomain
	if q.Hidden {
		create = h.Directory.CreateHiddenDomain
	}
	d, err := create(r.Context(), q.Name, q.Organization)
	if err != nil {
		return Domain{}, err
	}
	if h.Relay != nil {
		if err := h.Relay.AssignToEmptySets(r.Context()); err != nil {
			return Domain{}, err
		}
	}
	return h.showDomain(d)
}

func (h *handler) showDomain(d directory.Domain) (Domain, error) {
	address, err := h.Directory.ServerURL()
	if err != nil {
		return Domain{}, err
	}
	return Domain{
		GUID:         d.GUID,
		Name:         d.Name,
		Organization: d.Organization,
		ServerURL:    address,
		Certificate:  d.Certificate,
		Members:      total(h.Directory.CountMembers(d.GUID)),
		Created:      d.Created,
		Hidden:       d.Hidden,
		Deleted:      d.Deleted,
	}, nil
}

func (h *handler) members(r *http.Request) ([]Member, error) {
	listed := h.listedMembers
	if query := r.URL.Query(); query.Get("domain") != "" || query.Get("group") != "" {
		d, err := h.domainOf(r)
		if err != nil {
			return nil, err
		}
		filter := directory.MemberFilter{Domain: d.GUID}
		if filter.Group, err = h.groupGUID(d.GUID, r.URL.Query().Get("group")); err != nil {
			return nil, err
		}
		listed = func() []directory.Member { return h.Directory.Members(filter) }
	}
	members := []Member{}
	for _, m := range listed() {
		shown, err := h.showMember(r.Context(), m)
		if err != nil {
			return nil, err
		}
		members = append(members, shown)
	}
	return members, nil
}

func (h *handler) member(r *http.Request) (Member, error) {
	m, err := h.Directory.Member(r.PathValue("guid"))
	if err != nil {
		return Member{}, err
	}
	return h.showMember(r.Context(), m)
}

func (h *handler) createMember(r *http.Request, q NewMember) (Member, error) {
	d, err := h.Directory.FindDomain(q.Domain)
	if err != nil {
		return Member{}, err
	}
	var details directory.MemberDetails
	q.take(&details)
	if details.Group, err = h.groupGUID(d.GUID, q.Group); err != nil {
		return Member{}, err
	}
	m, err := h.orInvited(r, func(b directory.MemberBatch) (directory.Member, error) {
		return b.Create(d.GUID, details)
	}, func() (directory.Member, error) {
		return h.Directory.CreateMember(r.Context(), d.GUID, details)
	})
	if err != nil {
		return Member{}, err
	}
	h.nudge()
	return h.showMember(r.Context(), m)
}

// act makes a handler of a change of the member in the path.
func (h *handler) act(change func(context.Context, string) (directory.Member, error)) func(*http.Request) (Member, error) {
	return func(r *http.Request) (Member, error) {
		m, err := change(r.Context(), r.PathValue("guid"))
		if err != nil {
			return Member{}, err
		}
		h.nudge()
		return h.showMember(r.Context(), m)
	}
}

// showMember shows a member to the one who asks.
func (h *handler) showMember(ctx context.Context, m directory.Member) (Member, error) {
	d, err := h.Directory.Domain(m.Domain)
	if err != nil {
		return Member{}, err
	}
	code, err := h.Directory.ConfigurationCode(m.GUID)
	if err != nil {
		return Member{}, err
	}
	backup, err := h.lastBackup(m)
	if err != nil {
		return Member{}, err
	}
	template, set, err := h.Directory.MemberInheritance(m.GUID)
	if err != nil {
		return Member{}, err
	}
	shown := Member{
		GUID:              m.GUID,
		Domain:            d.Name,
		DomainGUID:        d.GUID,
		Group:             h.Directory.GroupPathOf(m.Group),
		MemberDetails:     shownDetails(m.MemberDetails),
		Holds:             Holds{h.showTemplateHolding(template), h.showRelaySetHolding(set)},
		Status:            m.Status.String(),
		ConfigurationCode: code,
		IdentityURL:       m.IdentityURL,
		AccountGUID:       m.AccountGUID,
		Created:           m.Created,
		CodeMailed:        (*CodeMail)(m.CodeMailed),
		LastBackup:        backup,
		MigrationServer:   m.MigrationServer,
	}
	if actor, _ := access.ActorOf(ctx); !actor.Role.May(access.Need{Role: access.Member, Writes: true}) {
		shown.ConfigurationCode = "" // whoever has it can be the member
	}
	if m.Migration != nil {
		shown.MigrationMember, shown.MigratedDomain = m.Migration.Member, m.Migration.DomainName
		shown.MigrationFailure = m.Migration.Failure
	}
	return shown, nil
}

// total is how many members there are of every status.
func total(counts map[directory.Status]int) (n int) {
	for _, count := range counts {
		n += count
	}
	return n
}
