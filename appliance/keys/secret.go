package keys

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

const redactedText = "[redacted]"

var errSecretEncoding = errors.New("a secret is not encoded as text or JSON; seal it in a Vault")

// hidden holds a secret where reflection cannot follow. A pointer would not do:
// for a verb that does not fit it, fmt shows what it points to.
type hidden[T any] func() T

func hide[T any](secret T) hidden[T] { return func() T { return secret } }

// redacted is embedded in the types that hold secrets and keeps them out of
// logs, messages and API answers. It cannot act when such a value sits in an
// unexported field, where fmt calls no methods: there the secret is hidden.
type redacted struct{}

// String returns a fixed text.
func (redacted) String() string { return redactedText }

// Format writes a fixed text, for %x and %#v as well.
func (redacted) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, redactedText) // fmt.State reports its own write errors
}

// LogValue returns a fixed text.
func (redacted) LogValue() slog.Value { return slog.StringValue(redactedText) }

// MarshalText refuses, and so do encoding/json and encoding/xml, which call it.
func (redacted) MarshalText() ([]byte, error) { return nil, errSecretEncoding }
