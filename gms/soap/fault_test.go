package soap

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

// TestFaultFrom: whatever happened, the peer reads a code and its published
// text.
func TestFaultFrom(t *testing.T) {
	inner := NewFault(CodeDomainNotFound, io.EOF)
	for _, test := range []struct {
		name string
		err  error
		code Code
		text string
	}{
		{"fault", inner, CodeDomainNotFound, "Domain not found."},
		{"wrapped", fmt.Errorf("service: %w", inner), CodeDomainNotFound, "Domain not found."},
		{"joined", errors.Join(io.ErrUnexpectedEOF, inner), CodeDomainNotFound, "Domain not found."},
		{"fault from fault", NewFault(CodeSecurity, inner), CodeSecurity, "Unknown security error processing event"},
		{"other", &os.PathError{Op: "open", Path: "/var/lib/secret", Err: os.ErrNotExist}, CodeProcessing, "Error Processing event"},
		{"parameter", InvalidParameter("Event/@GUID", "secret reason"), CodeParameter,
			"A required parameter was missing or invalid. Event/@GUID"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := FaultFrom(test.err)
			if f.Code != test.code || f.Text != test.text {
				t.Errorf("got %d %q", f.Code, f.Text)
			}
			if answer := string(f.Encode()); strings.Contains(answer, "secret") || !strings.Contains(answer, test.text) {
				t.Errorf("answer %s", answer)
			}
		})
	}
	if f := FaultFrom(io.EOF); !errors.Is(f, io.EOF) || !strings.Contains(f.Error(), "EOF") {
		t.Errorf("cause lost for the log: %v", f)
	}
}

// TestFaultCodes compares with the table of MS-GRVSPCM 2.2.2.2.15.
func TestFaultCodes(t *testing.T) {
	published := []Code{105, 200, 201, 203, 204, 205, 207, 208, 209, 210, 211, 212, 214, 215, 216, 217, 218,
		221, 222, 225, 226, 227, 401, 402, 403}
	if len(faultTexts) != len(published) {
		t.Errorf("%d texts for %d codes", len(faultTexts), len(published))
	}
	for _, c := range published {
		if faultTexts[c] == "" {
			t.Errorf("no text for %d", int32(c))
		}
	}
	if got := Code(304).String(); got != "fault code 304" {
		t.Errorf("code of a relay: %q", got)
	}
}
