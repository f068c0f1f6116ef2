package soap

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// base64Encoding checks the unused bits of the last digit too.
var base64Encoding = base64.StdEncoding.Strict()

// DecodeBase64 reads base64 as the messages carry it (RFC 4648). The alphabet,
// the padding and the unused bits of the last digit are checked, so that no
// two texts on one line mean the same bytes. Line breaks are accepted anywhere
// (reading B14), white space at both ends. No text is nil.
func DecodeBase64(s string) ([]byte, error) {
	b, err := base64Encoding.DecodeString(strings.Trim(s, whiteSpace))
	if err != nil {
		return nil, fmt.Errorf("decoding base64: %w", err)
	}
	if len(b) == 0 {
		return nil, nil
	}
	return b, nil
}

// EncodeBase64 returns b in base64 without line breaks.
func EncodeBase64(b []byte) string { return base64Encoding.EncodeToString(b) }
