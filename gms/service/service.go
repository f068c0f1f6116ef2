// Package service is the HTTP side of the management server: the services of
// [MS-GRVSPCM] 3.2.5 over the directory.
//
// A request goes through one function to each layer, and whatever goes wrong on
// the way comes back as an error that holds the fault to answer:
//
//	ServeHTTP           path and method                       http.go
//	  post              body within its limit and time        body.go
//	    answer          envelope, panics, replays             exchange.go
//	      pipeline      fragment, key, opening and securing   accountkey.go, codekey.go
//	                    or who HTTP says it is from           remoteuser.go
//	        service     validation rows and data processing   a file to each service
//	          directory one durable transaction
//
// Each service is a row of the table in [New]: its messages (package spcm), the
// pipeline of the key that secures it, and whether it changes anything. A
// service that does answers a byte-identical request as it did the first
// ([soap.Replays]); it is carried out to its end even if its client has gone.
//
// Checks come in the order of the sections: the form of the message (105, 204),
// domain (209), account (200) or configuration code (401), integrity (205), the
// form of the payload (204), and then the rows of the service. Nothing is
// changed before the last of them, and nothing is answered before the change is
// durable, because [directory.Directory] returns only then.
//
// Faults are answered with HTTP status 200 (reading C4), as clients of this
// protocol look for them in the body. Other statuses are for what is no SOAP:
// another path or method, a body too large or too slow, credentials missing.
//
// [MS-GRVSPCM]: https://learn.microsoft.com/openspecs/sharepoint_protocols/ms-grvspcm
package service

import (
	"context"
	"log/slog"
	"time"

	"furrow/gms/audit"
	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
	"furrow/gms/statistics"
)

// Config is what a Server works with.
type Config struct {
	Directory *directory.Directory
	// Audit takes audit logs and files, Statistics the reports of use.
	Audit      *audit.Archive
	Statistics *statistics.Book
	// Now gives the time for the replay window and the durations in the log.
	Now func() time.Time
	Log *slog.Logger
	// RemoteUser authenticates for AutoAccountCodeConfiguration and
	// AutoActivation. If it is nil, they refuse everyone.
	RemoteUser RemoteUser
	// Mail sends the temporary passwords of automatic resets; nil: the server
	// refuses those.
	Mail Mail
	// AuthTLS reports whether clients are to use TLS for the services that
	// need to know, though the server URL is one without. Nil: they are not.
	AuthTLS func() bool
}

// Server serves the management services over HTTP. It is an [http.Handler],
// safe for concurrent use, and has nothing to close.
type Server struct {
	directory *directory.Directory
	now       func() time.Time
	log       *slog.Logger
	mail      Mail // nil for none
	services  map[string]service
	replays   *soap.Replays
	counts    counts
	pace      pace

	audit      *audit.Archive
	statistics *statistics.Book
	remoteUser RemoteUser    // nil for none
	authTLS    func() bool   // nil for false
	restores   chan struct{} // holds a token for each backup being made an answer
}

// service is a row of the dispatch table.
type service struct {
	spcm.Service
	changes bool // whether it changes the directory
	begin   pipeline
}

// pipeline does what can be done of a request without the directory, and
// returns the rest.
type pipeline func(s *Server, svc spcm.Service, x *exchange, payload []byte) (action, error)

// action carries a request out and returns the envelope of the response.
type action func(ctx context.Context) ([]byte, error)

// New returns a server.
func New(c Config) *Server {
	s := &Server{
		directory: c.Directory,
		now:       c.Now,
		log:       c.Log,
		mail:      c.Mail,
		services:  map[string]service{},
		replays:   soap.NewReplays(c.Now),
		pace:      defaultPace,

		audit:      c.Audit,
		statistics: c.Statistics,
		remoteUser: c.RemoteUser,
		authTLS:    c.AuthTLS,
		restores:   make(chan struct{}, maxRestores),
	}
	s.offer(spcm.ServiceKeyActivation, false, codeSecured(keyActivation))
	s.offer(spcm.ServiceCreateAccount, true, createAccount)
	s.offer(spcm.ServiceDomainEnrollment, true, codeSecured(domainEnrollment))
	s.offer(spcm.ServiceEnrollment, true, accountSecured(enrollment))
	s.offer(spcm.ServiceAccountHeartbeat, true, accountSecured(accountHeartbeat))
	s.offer(spcm.ServiceManagedObjectStatus, false, accountSecured(managedObjectStatus))
	s.offer(spcm.ServiceManagedObjectInstall, true, accountSecured(managedObjectInstall))
	s.offer(spcm.ServiceAccountStore, true, accountSecured(accountStore))
	s.offer(spcm.ServiceAutoAccountCodeConfiguration, false, autoAccountCodeConfiguration)
	s.offer(spcm.ServiceAutoActivation, false, accountSecured(autoActivation))
	s.offer(spcm.ServiceIdentityPublish, true, accountSecured(identityPublish))
	s.offer(spcm.ServiceContactSearch, false, accountSecured(contactSearch))
	s.offer(spcm.ServiceContactFetch, false, accountSecured(contactFetch))
	s.offer(spcm.ServicePassphraseResetRequest, true, accountSecured(passphraseResetRequest))
	s.offer(spcm.ServicePassphraseResetStatus, false, accountSecured(passphraseResetStatus))
	s.offer(spcm.ServiceAutomaticPasswordReset, true, accountSecured(automaticPasswordReset))
	s.offer(spcm.ServiceAuditLogUpload, true, accountSecured(auditLogUpload))
	s.offer(spcm.ServiceAuditLogUploadQuery, false, accountSecured(auditLogUploadQuery))
	s.offer(spcm.ServiceFileUpload, true, accountSecured(fileUpload))
	s.offer(spcm.ServiceFileUploadQuery, false, accountSecured(fileUploadQuery))
	s.offer(spcm.ServiceStatisticsPackage, true, accountSecured(statisticsPackage))
	s.offer(spcm.ServiceFailures, true, accountSecured(failures))
	s.offer(spcm.ServiceDomainMigrationStatus, true, accountSecured(domainMigrationStatus))
	return s
}

func (s *Server) offer(name string, changes bool, begin pipeline) {
	if messages, ok := spcm.LookupService(name); ok {
		s.services[name] = service{messages, changes, begin}
	}
}

// rule is the rule of [soap.DecodeRequest] over the services that are offered.
func (s *Server) rule(name string) (soap.RequestRule, bool) {
	svc, ok := s.services[name]
	return soap.RequestRule{Shape: svc.Request, Limit: svc.Limit}, ok
}
