package spmr

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"
)

func testManager(t testing.TB) *ManagerIdentity {
	t.Helper()
	return &ManagerIdentity{
		Name:         "groove.contoso.com/gms.dll",
		GUID:         "9557EB24-5779-4635-BA83-4C4AD001B4F1",
		Organization: `Contoso "Süd" \ €`,
		ServerURL:    "http://groove.contoso.com/gms.dll",
		Certificate:  certificate(t, managerKeys(), "groove.contoso.com"),
	}
}

func equalManagers(a, b *ManagerIdentity) bool {
	return a.Name == b.Name && a.GUID == b.GUID && a.Organization == b.Organization &&
		a.ServerURL == b.ServerURL && a.Certificate.Equal(b.Certificate)
}

// template is note <5> of appendix B as it is printed, the key on two lines.
const template = `REGEDIT4

[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Office Server\Groove\Groove
Relay\Parameters\ManagementServers\[[ - hostname - ]]/gms.dll]
"GUID"="[[ - management server GUID - ]]"
"Organization"="[[ - management server organization name - ]]"
"ServerURL"="http://[[ - hostname - ]]/gms.dll"
"Certificate"=hex:[[ - certificate in hex - ]]
`

func fillTemplate(id *ManagerIdentity) string {
	digits := strings.TrimSuffix(fmt.Sprintf("% x", id.Certificate.DER()), " ")
	return strings.NewReplacer(
		"[[ - hostname - ]]", "groove.contoso.com",
		"[[ - management server GUID - ]]", id.GUID,
		"[[ - management server organization name - ]]", `Contoso \"Süd\" \\ €`,
		"[[ - certificate in hex - ]]", strings.ReplaceAll(digits, " ", ","),
	).Replace(template)
}

func utf16LE(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

// TestManagerIdentityForms reads every form of reading F4.
func TestManagerIdentityForms(t *testing.T) {
	id := testManager(t)
	filled := fillTemplate(id)
	ansi := func(s string) string { return string(encodeANSI(s)) }
	written := string(id.EncodeRegistry())
	version5 := strings.Replace(filled, "REGEDIT4", "Windows Registry Editor Version 5.00", 1)
	for name, file := range map[string]string{
		"note <5> as printed":              ansi(filled),
		"note <5> with CRLF":               ansi(strings.ReplaceAll(filled, "\n", "\r\n")),
		"as written":                       written,
		"UTF-8 with mark":                  utf8Mark + filled,
		"UTF-16 with mark":                 utf16LEMark + utf16LE(version5),
		"UTF-16 without mark":              utf16LE(version5),
		"UTF-16 with mark, mark in text":   utf16LEMark + utf16LE(strings.ReplaceAll(version5, "\n", "\r\n")),
		"upper case digits and names":      ansi(strings.NewReplacer(`"GUID"`, `"guid"`, "hex:30", "HEX:30", ",0a", ",0A").Replace(filled)),
		"type by number":                   ansi(strings.Replace(filled, "hex:", "hex(3):", 1)),
		"64-bit Windows":                   ansi(strings.Replace(filled, `SOFTWARE\Microsoft`, `SOFTWARE\Wow6432Node\Microsoft`, 1)),
		"comments and other values":        ansi(strings.Replace(filled, "\n\"GUID\"", "\n; a comment\n\"Other\"=dword:00000001\n\"GUID\"", 1)),
		"spaces around":                    ansi(strings.ReplaceAll(filled, "\n", " \n\t")),
		"no end of line":                   strings.TrimRight(written, "\r\n"),
		"digits wrapped without backslash": strings.ReplaceAll(written, "\\\r\n  ", "\\\n"),
	} {
		got, err := ParseManagerIdentity([]byte(file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !equalManagers(got, id) {
			t.Errorf("%s: read %+v, want %+v", name, got, id)
		}
	}
}

// TestManagerIdentityWritten shows the file as regedit writes it.
func TestManagerIdentityWritten(t *testing.T) {
	file := string(testManager(t).EncodeRegistry())
	want := "REGEDIT4\r\n\r\n" +
		`[HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Office Server\Groove\Groove Relay\Parameters\ManagementServers\groove.contoso.com/gms.dll]` + "\r\n" +
		`"GUID"="9557EB24-5779-4635-BA83-4C4AD001B4F1"` + "\r\n" +
		`"Organization"="Contoso \"S` + "\xFC" + `d\" \\ ` + "\x80\"\r\n" +
		`"ServerURL"="http://groove.contoso.com/gms.dll"` + "\r\n" +
		`"Certificate"=hex:30,82,`
	if !strings.HasPrefix(file, want) {
		t.Fatalf("written:\n%s\nwant it to begin with:\n%s", file, want)
	}
	lines := strings.Split(file[strings.Index(file, `"Certificate"`):], "\r\n")
	digits := regexp.MustCompile(`^("Certificate"=hex:|  )([0-9a-f]{2},)*[0-9a-f]{2}(,\\)?$`)
	for i, line := range lines[:len(lines)-2] {
		last := i == len(lines)-3
		if !digits.MatchString(line) || strings.HasSuffix(line, `\`) == last || len(line) > registryLine || !last && len(line) < registryLine-3 {
			t.Errorf("line %d of the certificate: %q", i, line)
		}
	}
	if lines[len(lines)-1] != "" || lines[len(lines)-2] != "" {
		t.Errorf("ends in %q", lines[len(lines)-2:])
	}
}

func TestManagerIdentityRefusals(t *testing.T) {
	sound := fillTemplate(testManager(t))
	for name, change := range map[string][2]string{
		"header":                 {"REGEDIT4", "REGEDIT5"},
		"another key":            {"ManagementServers", "Servers"},
		"key deleted":            {"[HKEY", "[-HKEY_X\\y]\n[HKEY"},
		"no key":                 {"[HKEY", `"HKEY"="`},
		"key not closed":         {"gms.dll]\n\"GUID\"", "gms.dll\n\"GUID\""},
		"two keys":               {"\"ServerURL\"", "[HKEY_LOCAL_MACHINE\\Groove Relay\\Parameters\\ManagementServers\\x]\n\"ServerURL\""},
		"subkey":                 {"ManagementServers\\", "ManagementServers\\x\\"},
		"no name":                {"ManagementServers\\groove.contoso.com/gms.dll", "ManagementServers\\"},
		"name beyond ASCII":      {"ManagementServers\\g", "ManagementServers\\ü"},
		"GUID missing":           {`"GUID"`, `"Guide"`},
		"GUID twice":             {`"GUID"=`, "\"guid\"=\"x\"\n\"GUID\"="},
		"GUID empty":             {`"9557EB24-5779-4635-BA83-4C4AD001B4F1"`, `""`},
		"GUID no string":         {`"9557EB24-5779-4635-BA83-4C4AD001B4F1"`, `dword:1`},
		"GUID not closed":        {`4C4AD001B4F1"`, `4C4AD001B4F1`},
		"GUID with a quote":      {"9557EB24", `9557"EB24`},
		"GUID with a tab":        {"9557EB24", "9557\tEB24"},
		"GUID ending in escape":  {`4C4AD001B4F1"`, `4C4AD001B4F1\"`},
		"server URL":             {`"http://`, `"ftp://`},
		"certificate missing":    {`"Certificate"`, `"Zertifikat"`},
		"certificate type":       {"hex:", "hex(2):"},
		"certificate digits":     {"hex:30,82", "hex:30,8x"},
		"certificate half digit": {"hex:30,82", "hex:30,8"},
		"certificate cut":        {"hex:30,82,", "hex:82,"},
		"certificate empty":      {"hex:30,82", "hex:\n;30,82"},
		"no value":               {`"ServerURL"=`, `ServerURL=`},
		"no equal sign":          {`"ServerURL"=`, `"ServerURL" `},
	} {
		changed := strings.Replace(sound, change[0], change[1], 1)
		if changed == sound {
			t.Errorf("%s: nothing was changed", name)
		}
		if id, err := ParseManagerIdentity([]byte(changed)); err == nil {
			t.Errorf("%s: accepted as %+v", name, id)
		}
	}
	for name, file := range map[string]string{
		"empty":      "",
		"odd UTF-16": utf16LEMark + utf16LE("REGEDIT4\n") + "x",
		"too long":   sound + strings.Repeat("\n", MaxIdentityFile),
		"many values": sound + func() (s string) {
			for i := range maxRegistryValues {
				s += fmt.Sprintf("\"x%d\"=\"\"\n", i)
			}
			return s
		}(),
	} {
		if id, err := ParseManagerIdentity([]byte(file)); err == nil {
			t.Errorf("%s: accepted as %+v", name, id)
		}
	}
}

// TestManagerIdentityRoundTrip writes any text that the code page has.
func TestManagerIdentityRoundTrip(t *testing.T) {
	id := *testManager(t)
	text := rapid.StringMatching(`[ -~¡-ÿ€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]{0,60}`)
	rapid.Check(t, func(t *rapid.T) {
		id := id
		id.Organization = text.Draw(t, "organization")
		id.GUID = rapid.StringMatching(`[0-9A-F-]{1,40}`).Draw(t, "GUID")
		host := rapid.StringMatching(`[a-zA-Z0-9]{1,20}(:[1-9][0-9]{0,3})?`).Draw(t, "host")
		id.Name, id.ServerURL = host+"/gms.dll", "http://"+host+"/gms.dll"
		got, err := ParseManagerIdentity(id.EncodeRegistry())
		if err != nil || !equalManagers(got, &id) {
			t.Fatalf("%+v is read as %+v, %v", id, got, err)
		}
	})
	// What it has not becomes a question mark and does no harm.
	id.Organization = "日本 \uFFFD"
	if err := id.Check(); err == nil {
		t.Error("U+FFFD is accepted as text")
	}
	id.Organization = "日本"
	got, err := ParseManagerIdentity(id.EncodeRegistry())
	if err != nil || got.Organization != "??" {
		t.Errorf("read %+v, %v", got, err)
	}
}

func TestManagerName(t *testing.T) {
	if got := ManagerName("http://Host:8080/gms.dll"); got != "Host:8080/gms.dll" {
		t.Errorf("name %q", got)
	}
	for _, spelling := range []string{"HostName1/gms.dll", "hostname1/GMS.dll", "http://hostname1/gms.dll", "https://HOSTNAME1/gms.dll"} {
		if got := FoldManagerName(spelling); got != "hostname1/gms.dll" {
			t.Errorf("%s is folded to %q", spelling, got)
		}
	}
}
