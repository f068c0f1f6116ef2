package directory

import (
	"errors"
	"fmt"
)

// What a caller can tell apart with errors.Is. Errors of the store, such as
// state.ErrFull, come through wrapped.
var (
	ErrNoServerURL          = errors.New("server URL is not set")
	ErrDomainNotFound       = errors.New("domain not found")
	ErrMemberNotFound       = errors.New("member not found")
	ErrAccountNotFound      = errors.New("account not found")
	ErrDeviceNotFound       = errors.New("device account not found")
	ErrTemplateNotFound     = errors.New("policy template not found")
	ErrRelaySetNotFound     = errors.New("relay set not found")
	ErrRelayNotFound        = errors.New("relay not found")
	ErrNameTaken            = errors.New("name is taken")
	ErrDomainNotEmpty       = errors.New("domain has members")
	ErrGroupNotFound        = errors.New("group not found")
	ErrGroupNotEmpty        = errors.New("group has members or groups")
	ErrGroupCycle           = errors.New("group would be in itself")
	ErrTooDeep              = errors.New("groups would nest too deep")
	ErrRelaySetAssigned     = errors.New("relay set is assigned")
	ErrTemplateAssigned     = errors.New("policy template is assigned")
	ErrTrustNotFound        = errors.New("trusted domain not found")
	ErrTrusted              = errors.New("domain is trusted already")
	ErrFingerprint          = errors.New("certificate has another fingerprint")
	ErrTooManyAccounts      = errors.New("too many accounts")
	ErrOtherSignatureKey    = errors.New("account is registered with another signature key")
	ErrOutdated             = errors.New("account was registered by a newer request")
	ErrEnrolledWithOtherKey = errors.New("member is enrolled with another contact key")
	ErrBoundElsewhere       = errors.New("member or identity is bound elsewhere")
	ErrLoginTaken           = errors.New("login name is taken")
	ErrFragment             = errors.New("fragment does not fit its backup")
	ErrNoBackup             = errors.New("no backup")
	ErrNotPublished         = errors.New("contact is not published")
	ErrListingFixed         = errors.New("policy decides whether the contact is published")
	ErrResetNotFound        = errors.New("password reset request not found")
	ErrResetDecided         = errors.New("password reset request is decided")
	ErrResetElsewhere       = errors.New("another device has asked for a password reset")
	ErrResetNotAllowed      = errors.New("policy does not allow this password reset")
	ErrOtherRecoveryKey     = errors.New("master keys are encrypted to another recovery key")

	// ErrStatus is what every StatusError is.
	ErrStatus = errors.New("member status does not allow this")
	// ErrInvalid is what every ValidationError is.
	ErrInvalid = errors.New("invalid value")
)

// ValidationError says which value was refused and why, in words for the one
// who entered it. It is ErrInvalid.
type ValidationError struct {
	Field  string // in the spelling of the JSON form, such as fullName
	Reason string // completes the sentence "fullName ..."
}

func (e *ValidationError) Error() string { return e.Field + " " + e.Reason }

// Unwrap returns ErrInvalid.
func (e *ValidationError) Unwrap() error { return ErrInvalid }

// StatusError says that a member's life cycle does not allow an action. It is
// ErrStatus.
type StatusError struct {
	Member string // GUID
	Status Status
	Action string // such as enroll
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("cannot %s member %s: it is %s", e.Action, e.Member, e.Status)
}

// Unwrap returns ErrStatus.
func (e *StatusError) Unwrap() error { return ErrStatus }
