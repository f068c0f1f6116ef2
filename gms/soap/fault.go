package soap

import (
	"errors"
	"fmt"
)

// Code is a fault code. Management and relay servers have tables of their own
// (MS-GRVSPCM 2.2.2.2.15, MS-GRVSPMR 2.2.2.2.4); the constants are the codes
// of a management server.
type Code int32

// Fault codes of a management server (MS-GRVSPCM 2.2.2.2.15).
const (
	CodeMalformed                 Code = 105
	CodeAccountNotFound           Code = 200
	CodeAccountVerificationFailed Code = 201
	CodeProcessing                Code = 203
	CodeParameter                 Code = 204
	CodeSecurity                  Code = 205
	CodeContactFetch              Code = 207
	CodeDomainJoin                Code = 208
	CodeDomainNotFound            Code = 209
	CodeReenrollment              Code = 210
	CodeUserNotFound              Code = 211
	CodeAccountBackup             Code = 212
	CodeAuditFileQuery            Code = 214
	CodeAuditFileUpload           Code = 215
	CodeAuditLogUpload            Code = 216
	CodeAuditLogQuery             Code = 217
	CodePasswordReset             Code = 218
	CodeAuthenticationMethod      Code = 221
	CodeRemoteUserEmpty           Code = 222
	CodeNoBackups                 Code = 225
	CodeBackupFetch               Code = 226
	CodeAutoConfigurationOff      Code = 227
	CodeActivationInvalid         Code = 401
	CodeActivationEnrolled        Code = 402
	CodeEnrollmentSignature       Code = 403
)

// faultTexts holds the descriptions of MS-GRVSPCM 2.2.2.2.15.
var faultTexts = map[Code]string{
	CodeMalformed:                 "Malformed SOAP request",
	CodeAccountNotFound:           "Account not found",
	CodeAccountVerificationFailed: "Account verification failed",
	CodeProcessing:                "Error Processing event",
	CodeParameter:                 "A required parameter was missing or invalid.",
	CodeSecurity:                  "Unknown security error processing event",
	CodeContactFetch:              "Exception during contact fetch",
	CodeDomainJoin:                "Domain join failed.",
	CodeDomainNotFound:            "Domain not found.",
	CodeReenrollment:              "Re-enrollment is required.",
	CodeUserNotFound:              "User not found.",
	CodeAccountBackup:             "Account backup failed.",
	CodeAuditFileQuery:            "Audit file upload query failed.",
	CodeAuditFileUpload:           "Audit file upload failed.",
	CodeAuditLogUpload:            "Audit log upload failed.",
	CodeAuditLogQuery:             "Audit log upload query failed.",
	CodePasswordReset:             "Password reset failed.",
	CodeAuthenticationMethod:      "Invalid authentication method",
	CodeRemoteUserEmpty:           "Remote user name is empty.",
	CodeNoBackups:                 "No backups",
	CodeBackupFetch:               "Fetching backup failed.",
	CodeAutoConfigurationOff:      "Not configured for auto account configuration",
	CodeActivationInvalid:         "Activation code invalid.",
	CodeActivationEnrolled:        "Activation code already enrolled.",
	CodeEnrollmentSignature:       "Signature verification failure during enrollment",
}

// String returns the published description of a management server's code, or
// its number.
func (c Code) String() string {
	if text, ok := faultTexts[c]; ok {
		return text
	}
	return fmt.Sprintf("fault code %d", int32(c))
}

// Fault is the fault answer to a request (MS-GRVSPCM 2.2.3.29). Code and Text
// travel to the peer; the cause does not.
type Fault struct {
	Code  Code
	Text  string
	cause error
}

// NewFault returns a fault with the published description of the code as its
// text. The cause, which may be nil, is for our log: it is part of the error's
// message and never of the answer.
func NewFault(code Code, cause error) *Fault {
	return &Fault{Code: code, Text: code.String(), cause: cause}
}

// invalidParameter returns the fault for a missing or invalid element or
// attribute.
func invalidParameter(name string, cause error) *Fault {
	f := NewFault(CodeParameter, cause)
	f.Text += " " + name
	return f
}

// InvalidParameter returns fault 204 that names the element or attribute which
// is missing or invalid, as an XPath ends in MS-GRVSPCM 2.2. The name is sent
// back to the peer; the reason is for our log and no place for what the peer
// has sent.
func InvalidParameter(name, reason string) *Fault {
	return invalidParameter(name, errors.New(reason))
}

// Error returns code and text, and the cause for the log.
func (f *Fault) Error() string {
	if f.cause == nil {
		return fmt.Sprintf("soap: fault %d: %s", int32(f.Code), f.Text)
	}
	return fmt.Sprintf("soap: fault %d: %s: %v", int32(f.Code), f.Text, f.cause)
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.cause }

// FaultFrom returns the fault to answer for err: the outermost one it wraps,
// or, for an error that nobody has given a code, 203 with its published
// description, so that a peer never reads of our internals.
func FaultFrom(err error) *Fault {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	return NewFault(CodeProcessing, err)
}
