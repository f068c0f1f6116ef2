package spmr

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"furrow/appliance/keys"
)

// What stands in a management server's registry file (MS-GRVSPMR appendix B note
// <5>).
const (
	registryHeader = "REGEDIT4"
	// registryHeader5 is that of the same format in UTF-16, to which regedit turns
	// a file when it exports the key.
	registryHeader5 = "Windows Registry Editor Version 5.00"

	registryKey = `HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Office Server\Groove\Groove Relay\Parameters\ManagementServers\`
	// registryParent ends the parent key in every place: on 64-bit Windows the
	// whole is below Wow6432Node.
	registryParent = `\groove relay\parameters\managementservers\`

	valueGUID         = "GUID"
	valueOrganization = "Organization"
	valueServerURL    = "ServerURL"
	valueCertificate  = "Certificate"
)

const (
	// registryLine is the length at which regedit wraps hexadecimal digits.
	registryLine = 80

	// maxRegistryValues bounds the values in a file. Ours has four.
	maxRegistryValues = 64
)

// EncodeRegistry returns the registry file, as regedit would write it: ANSI, CRLF,
// hexadecimal digits wrapped (reading F4). Characters of the organization that the
// code page has not become question marks; nothing depends on them.
func (id *ManagerIdentity) EncodeRegistry() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\r\n\r\n[%s%s]\r\n", registryHeader, registryKey, id.Name)
	for _, v := range [][2]string{
		{valueGUID, id.GUID}, {valueOrganization, id.Organization}, {valueServerURL, id.ServerURL},
	} {
		fmt.Fprintf(&b, "%s=%s\r\n", quote(v[0]), quote(v[1]))
	}
	writeHex(&b, quote(valueCertificate)+"=hex:", id.Certificate.DER())
	b.WriteString("\r\n")
	return encodeANSI(b.String())
}

func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

func writeHex(b *strings.Builder, line string, data []byte) {
	for i, c := range data {
		part := fmt.Sprintf("%02x", c)
		if i < len(data)-1 {
			part += ","
		}
		if len(line)+len(part)+len(`\`) > registryLine {
			b.WriteString(line + "\\\r\n")
			line = "  "
		}
		line += part
	}
	b.WriteString(line + "\r\n")
}

// ParseManagerIdentity reads a registry file in any of the forms that reading F4
// names. Its errors are for the administrator who handed the file over.
func ParseManagerIdentity(file []byte) (*ManagerIdentity, error) {
	id, err := parseManagerIdentity(file)
	if err != nil {
		return nil, fmt.Errorf("spmr: reading the management server's registry file: %w", err)
	}
	return id, nil
}

func parseManagerIdentity(file []byte) (*ManagerIdentity, error) {
	if len(file) > MaxIdentityFile {
		return nil, fmt.Errorf("%d bytes, at most %d are read", len(file), MaxIdentityFile)
	}
	text, err := decodeText(file)
	if err != nil {
		return nil, err
	}
	name, values, err := readRegistry(text)
	if err != nil {
		return nil, err
	}
	id := &ManagerIdentity{Name: name}
	for _, v := range []struct {
		name string
		to   *string
	}{{valueGUID, &id.GUID}, {valueOrganization, &id.Organization}, {valueServerURL, &id.ServerURL}} {
		if *v.to, err = unquote(values[strings.ToLower(v.name)]); err != nil {
			return nil, fmt.Errorf("%s: %w", v.name, err)
		}
	}
	if err := id.Check(); err != nil {
		return nil, err
	}
	der, err := readHex(values[strings.ToLower(valueCertificate)])
	if err != nil {
		return nil, fmt.Errorf("%s: %w", valueCertificate, err)
	}
	if id.Certificate, err = keys.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("%s: %w", valueCertificate, err)
	}
	return id, nil
}

// readRegistry returns the name of the one management server in a registry text
// and the values below its key, by their names in lower case.
func readRegistry(text string) (server string, values map[string]string, err error) {
	lines := joinLines(text)
	if len(lines) == 0 || lines[0] != registryHeader && lines[0] != registryHeader5 {
		return "", nil, fmt.Errorf("does not begin with %s", registryHeader)
	}
	values = map[string]string{}
	found := false
	for _, line := range lines[1:] {
		if strings.HasPrefix(line, "[") {
			if found {
				return "", nil, errors.New("has more than one key")
			}
			found = true
			if server, err = serverOfKey(line); err != nil {
				return "", nil, err
			}
			continue
		}
		if !found {
			return "", nil, errors.New("has a value before any key")
		}
		name, value, err := cutValue(line)
		if err != nil {
			return "", nil, err
		}
		if _, twice := values[name]; twice {
			return "", nil, fmt.Errorf("has the value %q twice", name)
		}
		if values[name] = value; len(values) > maxRegistryValues {
			return "", nil, errors.New("has too many values")
		}
	}
	if !found {
		return "", nil, errors.New("has no key")
	}
	return server, values, nil
}

// joinLines returns the lines that are not empty and no comments, each with its
// continuations: those of a value end in a backslash, and those of a key, which
// the published text prints on two lines, run to the bracket.
func joinLines(text string) []string {
	var lines []string
	var whole strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, ";") {
			continue
		}
		isKey := strings.HasPrefix(line, "[") || strings.HasPrefix(whole.String(), "[")
		if isKey && whole.Len() > 0 {
			whole.WriteByte(' ')
		}
		part, continued := line, isKey && !strings.HasSuffix(line, "]")
		if !isKey {
			part, continued = strings.CutSuffix(line, `\`)
		}
		whole.WriteString(part)
		if !continued {
			lines = append(lines, whole.String())
			whole.Reset()
		}
	}
	if whole.Len() > 0 {
		lines = append(lines, whole.String())
	}
	return lines
}

// serverOfKey returns the last part of a key of a management server.
func serverOfKey(line string) (string, error) {
	key, closed := strings.CutSuffix(strings.TrimPrefix(line, "["), "]")
	at := strings.Index(strings.ToLower(key), registryParent)
	if !closed || at < 0 || len(strings.ToLower(key)) != len(key) {
		return "", errors.New("key is not one of a management server")
	}
	return key[at+len(registryParent):], nil
}

// cutValue splits "name"=value and returns the name in lower case.
func cutValue(line string) (name, value string, err error) {
	if !strings.HasPrefix(line, `"`) {
		return "", "", errors.New("has a line that is no value")
	}
	name, value, ok := strings.Cut(line[1:], `"=`)
	if !ok {
		return "", "", errors.New("has a line that is no value")
	}
	return strings.ToLower(name), value, nil
}

// unquote reads a string value.
func unquote(value string) (string, error) {
	if value == "" {
		return "", errors.New("missing")
	}
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return "", errors.New("not a string")
	}
	var s strings.Builder
	inner := value[1 : len(value)-1]
	for i := 0; i < len(inner); i++ {
		c := inner[i]
		if c == '\\' {
			if i++; i == len(inner) {
				return "", errors.New("ends in a backslash")
			}
			c = inner[i]
		} else if c == '"' {
			return "", errors.New("has a quotation mark within")
		}
		s.WriteByte(c)
	}
	return s.String(), nil
}

// readHex reads a binary value.
func readHex(value string) ([]byte, error) {
	digits, ok := strings.CutPrefix(strings.ToLower(value), "hex:")
	if !ok {
		// The same type, by its number.
		if digits, ok = strings.CutPrefix(strings.ToLower(value), "hex(3):"); !ok {
			return nil, errors.New("not a binary value")
		}
	}
	var data []byte
	for part := range strings.SplitSeq(digits, ",") {
		b, err := hex.DecodeString(strings.TrimSpace(part))
		if err != nil || len(b) != 1 {
			return nil, errors.New("not pairs of hexadecimal digits between commas")
		}
		data = append(data, b[0])
	}
	return data, nil
}
