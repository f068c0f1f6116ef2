package spmr

import (
	"errors"
	"fmt"

	"github.com/beevik/etree"

	"furrow/gms/soap"
)

// Fault codes of a relay (MS-GRVSPMR 2.2.2.2.4). There is no 302 and no 307.
// CodeFaultFailed is never sent by this project: its faults are fixed texts,
// whose building cannot fail.
const (
	CodeContentType    soap.Code = 301
	CodePayloadMissing soap.Code = 303
	CodeRegister       soap.Code = 304
	CodeDecryption     soap.Code = 305
	CodeException      soap.Code = 306
	CodeFaultFailed    soap.Code = 308
	CodeMethod         soap.Code = 309
	CodeInvalidInput   soap.Code = 310
	CodeNoInput        soap.Code = 311
	CodeMissingInput   soap.Code = 312
	CodeDisabled       soap.Code = 313
)

// FaultText returns the description of MS-GRVSPMR 2.2.2.2.4, "" for a code that
// is not in its table.
func FaultText(code soap.Code) string {
	switch code {
	case CodeContentType:
		return "Required HTTP Content-Type header field missing"
	case CodePayloadMissing:
		return "Payload missing"
	case CodeRegister:
		return "Registration required"
	case CodeDecryption:
		return "Decryption failed"
	case CodeException:
		return "Exception occurred while processing a message"
	case CodeFaultFailed:
		return "Exception occurred while building a Fault response message"
	case CodeMethod:
		return "Invalid method name in a request message"
	case CodeInvalidInput:
		return "Invalid input data in a request message"
	case CodeNoInput:
		return "No input data in a request message"
	case CodeMissingInput:
		return "Missing some input data in a request message"
	case CodeDisabled:
		return "SOAP message processing disabled"
	}
	return ""
}

// NewFault returns a fault with the published description of a relay's code. The
// cause, which may be nil, is for our log and never part of the answer.
func NewFault(code soap.Code, cause error) *soap.Fault {
	f := soap.NewFault(code, cause)
	f.Text = FaultText(code)
	return f
}

// FaultFrom returns the fault to answer for err: the outermost fault of a relay's
// table that it wraps, and 306 for an error that nobody has given one.
func FaultFrom(err error) *soap.Fault {
	if f, ok := errors.AsType[*soap.Fault](err); ok && FaultText(f.Code) != "" {
		return f
	}
	return NewFault(CodeException, err)
}

// invalid is fault 310 for what package soap refused with a code of a management
// server.
func invalid(err error) error {
	if err == nil {
		return nil
	}
	return NewFault(CodeInvalidInput, err)
}

// present returns fault 312 if e lacks one of the attributes.
func present(e *etree.Element, names ...string) error {
	a := soap.AttributesOf(e)
	for _, name := range names {
		if !a.Has(name) {
			return NewFault(CodeMissingInput, fmt.Errorf("%s/@%s missing", e.Tag, name))
		}
	}
	return nil
}

// parse reads a payload whose root has the given name.
func parse(payload []byte, limit int, name string) (*etree.Element, error) {
	e, err := soap.ParsePayload(payload, limit, name)
	return e, invalid(err)
}

// only returns the one child of e with this name: fault 311 if there is none, 310
// if there are several.
func only(e *etree.Element, name string) (*etree.Element, error) {
	child, err := soap.Child(e, name)
	if err != nil {
		return nil, invalid(err)
	}
	if child == nil {
		return nil, NewFault(CodeNoInput, fmt.Errorf("%s/%s missing", e.Tag, name))
	}
	return child, nil
}
