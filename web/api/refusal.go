package api

import (
	"errors"
	"net/http"

	"furrow/appliance/actionlog"
	"furrow/appliance/alert"
	"furrow/appliance/backup"
	"furrow/appliance/backup/plan"
	"furrow/appliance/backup/target"
	"furrow/appliance/checkup"
	"furrow/appliance/keys"
	"furrow/appliance/machine"
	"furrow/appliance/mail"
	"furrow/appliance/setting"
	"furrow/appliance/state"
	"furrow/appliance/support"
	"furrow/appliance/tlscert"
	"furrow/gms/audit"
	"furrow/gms/directory"
	"furrow/gms/invitation"
	"furrow/gms/ldapsync"
	"furrow/gms/roster"
	"furrow/gms/statistics"
	"furrow/web/access"
)

// refusals says how each kind of error is answered; the first that fits counts. An error in none of these kinds is
// internal: its text goes to the log only.
func refusals() []struct {
	kind   error
	status int
	code   string
} {
	return []struct {
		kind   error
		status int
		code   string
	}{
		{access.ErrUnknown, http.StatusNotFound, "notFound"},
		{access.ErrTaken, http.StatusConflict, "conflict"},
		{access.ErrLastServer, http.StatusConflict, "conflict"},
		{access.ErrIsSetUp, http.StatusConflict, "conflict"},
		{access.ErrRefused, http.StatusForbidden, "refused"},
		{access.ErrSignedOut, http.StatusUnauthorized, "unauthenticated"},
		{access.ErrBusy, http.StatusServiceUnavailable, "busy"},
		{directory.ErrInvalid, http.StatusBadRequest, "invalid"},
		{ldapsync.ErrInvalid, http.StatusBadRequest, "invalid"},
		{ldapsync.ErrUnknown, http.StatusNotFound, "notFound"},
		{ldapsync.ErrBusy, http.StatusConflict, "conflict"},
		{plan.ErrInvalid, http.StatusBadRequest, "invalid"},
		{target.ErrInvalid, http.StatusBadRequest, "invalid"},
		{plan.ErrNoTarget, http.StatusConflict, "noTarget"},
		{plan.ErrBusy, http.StatusConflict, "conflict"},
		{backup.ErrNoPassword, http.StatusBadRequest, "invalid"},
		{tlscert.ErrRefused, http.StatusBadRequest, "invalid"},
		{checkup.ErrNone, http.StatusConflict, "unavailable"},
		{machine.ErrNotImage, http.StatusConflict, "unavailable"},
		{support.ErrInvalid, http.StatusBadRequest, "invalid"},
		{machine.ErrInvalid, http.StatusBadRequest, "invalid"},
		{machine.ErrBusy, http.StatusConflict, "conflict"},
		{checkup.ErrBusy, http.StatusConflict, "conflict"},
		{roster.ErrInvalid, http.StatusBadRequest, "invalid"},
		{invitation.ErrInvalid, http.StatusBadRequest, "invalid"},
		{invitation.ErrLanguage, http.StatusNotFound, "notFound"},
		{mail.ErrInvalid, http.StatusBadRequest, "invalid"},
		{mail.ErrUnknown, http.StatusNotFound, "notFound"},
		{mail.ErrNoServer, http.StatusConflict, "noMail"},
		{mail.ErrFull, http.StatusInsufficientStorage, "full"},
		{actionlog.ErrInvalid, http.StatusBadRequest, "invalid"},
		{actionlog.ErrFailed, http.StatusServiceUnavailable, "failed"},
		{alert.ErrInvalid, http.StatusBadRequest, "invalid"},
		{audit.ErrInvalid, http.StatusBadRequest, "invalid"},
		{statistics.ErrInvalid, http.StatusBadRequest, "invalid"},
		{audit.ErrFileNotFound, http.StatusNotFound, "notFound"},
		{directory.ErrDomainNotFound, http.StatusNotFound, "notFound"},
		{directory.ErrMemberNotFound, http.StatusNotFound, "notFound"},
		{directory.ErrResetNotFound, http.StatusNotFound, "notFound"},
		{directory.ErrResetDecided, http.StatusConflict, "conflict"},
		{directory.ErrOtherRecoveryKey, http.StatusConflict, "conflict"},
		{keys.ErrEscrow, http.StatusConflict, "conflict"},
		{directory.ErrRelaySetNotFound, http.StatusNotFound, "notFound"},
		{directory.ErrRelayNotFound, http.StatusNotFound, "notFound"},
		{directory.ErrNoBackup, http.StatusNotFound, "notFound"},
		{directory.ErrLoginTaken, http.StatusConflict, "conflict"},
		{directory.ErrGroupNotFound, http.StatusNotFound, "notFound"},
		{directory.ErrTemplateNotFound, http.StatusNotFound, "notFound"},
		{directory.ErrTrustNotFound, http.StatusNotFound, "notFound"},
		{directory.ErrDeviceNotFound, http.StatusNotFound, "notFound"},
		{directory.ErrGroupNotEmpty, http.StatusConflict, "conflict"},
		{directory.ErrGroupCycle, http.StatusConflict, "conflict"},
		{directory.ErrTooDeep, http.StatusConflict, "conflict"},
		{directory.ErrRelaySetAssigned, http.StatusConflict, "conflict"},
		{directory.ErrTemplateAssigned, http.StatusConflict, "conflict"},
		{directory.ErrTrusted, http.StatusConflict, "conflict"},
		{directory.ErrFingerprint, http.StatusConflict, "conflict"},
		{directory.ErrNameTaken, http.StatusConflict, "conflict"},
		{directory.ErrDomainNotEmpty, http.StatusConflict, "conflict"},
		{directory.ErrNotMigrating, http.StatusConflict, "conflict"},
		{directory.ErrStatus, http.StatusConflict, "conflict"},
		{state.ErrNotRecovering, http.StatusConflict, "conflict"},
		{directory.ErrNoServerURL, http.StatusServiceUnavailable, "readOnly"},
		{state.ErrRecovery, http.StatusServiceUnavailable, "readOnly"},
		{state.ErrFull, http.StatusInsufficientStorage, "full"},
		{state.ErrFailed, http.StatusServiceUnavailable, "failed"},
		{state.ErrClosed, http.StatusServiceUnavailable, "failed"},
	}
}

// refusal is an Error with its HTTP status.
type refusal struct {
	status int
	answer *Error
}

func (r *refusal) Error() string { return r.answer.Message }

func refuse(err error) (int, *Error) {
	if known := (*refusal)(nil); errors.As(err, &known) {
		return known.status, known.answer
	}
	if invalid := (*access.Error)(nil); errors.As(err, &invalid) {
		return http.StatusBadRequest, &Error{Code: "invalid", Message: invalid.Message, Field: invalid.Field}
	}
	if wait := (*access.WaitError)(nil); errors.As(err, &wait) {
		return http.StatusTooManyRequests, &Error{Code: "wait", Message: wait.Error()}
	}
	if invalid := (*Error)(nil); errors.As(err, &invalid) {
		return http.StatusBadRequest, invalid
	}
	for _, r := range refusals() {
		if !errors.Is(err, r.kind) {
			continue
		}
		answer := &Error{Code: r.code, Message: err.Error()}
		var invalid *directory.ValidationError
		if errors.As(err, &invalid) {
			answer.Field = invalid.Field
		}
		var named *setting.Error
		if errors.As(err, &named) {
			answer.Field = named.Field
		}
		return r.status, answer
	}
	return http.StatusInternalServerError, &Error{Code: "internal", Message: "the request failed; the log says why"}
}
