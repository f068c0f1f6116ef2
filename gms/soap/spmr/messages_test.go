package spmr

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"furrow/gms/soap"
)

// The users of section 4.3.
var exampleUsers = []string{
	"0C68C31C-7EB1-43DA-8B20-B9CF1F604EB0", "05A8DAC9-28EA-457B-8A2E-E1939A72D9B1",
	"1AD36E9A-DDC5-4368-89F5-4C9F9FC1150D", "695ACC95-1E8A-46C2-ACF0-A6AC3E63E024",
}

func erase[M any](decode func([]byte) (M, error)) func([]byte) (any, error) {
	return func(b []byte) (any, error) { return decode(b) }
}

func decodeResponseOf(method string) func([]byte) (any, error) {
	return func(b []byte) (any, error) { return DecodeResponse(b, method) }
}

// TestLayouts compares each message with the layout of its section, and with the
// examples.
func TestLayouts(t *testing.T) {
	for _, test := range []struct {
		section string
		message interface{ Encode() []byte }
		decode  func([]byte) (any, error)
		want    string
	}{
		{"2.2.3.5.1 and 4.2", &RegistrationResponse{3}, erase(DecodeRegistrationResponse),
			`<Registration epoch="3"><Registration ErrorMessage="Success Registration." Status="0"/></Registration>`},
		{"2.2.3.6.1", &RelayDefault{30, 100, 60, 200, true, false}, erase(DecodeRelayDefault),
			`<RelayDefault><relay deviceLifetime="30" deviceTargetQuotaSize="100" identityLifetime="60" identityTargetQuotaSize="200" purgeEnabled="1" quotaEnabled="0"/></RelayDefault>`},
		{"2.2.3.7.1", &Response{MethodRelayDefault, 7}, decodeResponseOf(MethodRelayDefault), `<RelayDefault epoch="7"/>`},
		{"2.2.3.8.1 and 4.3", &RelayQuiescent{true}, erase(DecodeRelayQuiescent), `<RelayQuiescent><relay status="1"/></RelayQuiescent>`},
		{"2.2.3.8.1 and 4.3", &RelayQuiescent{false}, erase(DecodeRelayQuiescent), `<RelayQuiescent><relay status="0"/></RelayQuiescent>`},
		{"2.2.3.9.1 and 4.3", &Response{MethodRelayQuiescent, 3}, decodeResponseOf(MethodRelayQuiescent), `<RelayQuiescent epoch="3"/>`},
		{"2.2.3.10.1 and 4.3", &UserAdd{exampleUsers}, erase(DecodeUserAdd),
			`<userAdd rowCount="4"><user userId="0C68C31C-7EB1-43DA-8B20-B9CF1F604EB0"/><user userId="05A8DAC9-28EA-457B-8A2E-E1939A72D9B1"/>` +
				`<user userId="1AD36E9A-DDC5-4368-89F5-4C9F9FC1150D"/><user userId="695ACC95-1E8A-46C2-ACF0-A6AC3E63E024"/></userAdd>`},
		{"2.2.3.11.1 and 4.3", &Response{MethodUserAdd, 4}, decodeResponseOf(MethodUserAdd), `<userAdd epoch="4"/>`},
		{"2.2.3.12.1", &UserPurge{exampleUsers[:1]}, erase(DecodeUserPurge),
			`<userPurge rowCount="1"><user userId="0C68C31C-7EB1-43DA-8B20-B9CF1F604EB0"/></userPurge>`},
		{"2.2.3.13.1", &Response{MethodUserPurge, 5}, decodeResponseOf(MethodUserPurge), `<userPurge epoch="5"/>`},
		{"2.2.3.1.1 and 4.4.2", &AccountModify{[]UserLockout{{exampleUsers[0], false}, {exampleUsers[1], true}}}, erase(DecodeAccountModify),
			`<accountModify rowCount="2"><user lockout="0" userId="0C68C31C-7EB1-43DA-8B20-B9CF1F604EB0"/>` +
				`<user lockout="1" userId="05A8DAC9-28EA-457B-8A2E-E1939A72D9B1"/></accountModify>`},
		{"2.2.3.2.1 and 4.4.1", &Response{MethodAccountModify, 1}, decodeResponseOf(MethodAccountModify), `<accountModify epoch="1"/>`},
	} {
		t.Run(test.section, func(t *testing.T) {
			encoded := test.message.Encode()
			if want := soap.Prolog + test.want; string(encoded) != want {
				t.Errorf("encoded:\n%s\nwant:\n%s", encoded, want)
			}
			decoded, err := test.decode(encoded)
			if err != nil || !reflect.DeepEqual(decoded, test.message) {
				t.Errorf("decoded %+v, %v, want %+v", decoded, err, test.message)
			}
		})
	}
}

// TestRefusals has a row for everything a request's payload can be refused for.
func TestRefusals(t *testing.T) {
	user := func(attrs string) string { return `<user ` + attrs + `/>` }
	long := strings.Repeat("x", maxUserID+1)
	for _, test := range []struct {
		section, payload string
		decode           func([]byte) (any, error)
		want             soap.Code
	}{
		{"2.2.3.10.1 no XML", `<userAdd`, erase(DecodeUserAdd), CodeInvalidInput},
		{"2.2.3.10.1 empty", ``, erase(DecodeUserAdd), CodeInvalidInput},
		{"2.2.3.10.1 another root", `<userPurge rowCount="0"/>`, erase(DecodeUserAdd), CodeInvalidInput},
		{"2.2.3.10.1 no rowCount", `<userAdd>` + user(`userId="a"`) + `</userAdd>`, erase(DecodeUserAdd), CodeMissingInput},
		{"2.2.3.10.1 rowCount no number", `<userAdd rowCount="x">` + user(`userId="a"`) + `</userAdd>`, erase(DecodeUserAdd), CodeInvalidInput},
		{"2.2.3.10.1 no users", `<userAdd rowCount="0"/>`, erase(DecodeUserAdd), CodeNoInput},
		{"2.2.2.3.3 fewer users", `<userAdd rowCount="2">` + user(`userId="a"`) + `</userAdd>`, erase(DecodeUserAdd), CodeMissingInput},
		{"2.2.2.3.3 more users", `<userAdd rowCount="1">` + user(`userId="a"`) + user(`userId="b"`) + `</userAdd>`, erase(DecodeUserAdd), CodeInvalidInput},
		{"2.2.2.3.3 negative", `<userAdd rowCount="-1">` + user(`userId="a"`) + `</userAdd>`, erase(DecodeUserAdd), CodeInvalidInput},
		{"2.2.2.3.4 no userId", `<userAdd rowCount="1"><user/></userAdd>`, erase(DecodeUserAdd), CodeMissingInput},
		{"2.2.2.3.4 empty userId", `<userAdd rowCount="1">` + user(`userId=""`) + `</userAdd>`, erase(DecodeUserAdd), CodeInvalidInput},
		{"2.2.2.3.4 overlong userId", `<userAdd rowCount="1">` + user(`userId="`+long+`"`) + `</userAdd>`, erase(DecodeUserAdd), CodeInvalidInput},
		{"2.2.2.3.4 control character", `<userAdd rowCount="1">` + user(`userId="a&#9;b"`) + `</userAdd>`, erase(DecodeUserAdd), CodeInvalidInput},
		{"2.2.3.12.1 no users", `<userPurge rowCount="0"/>`, erase(DecodeUserPurge), CodeNoInput},
		{"2.2.3.12.1 no userId", `<userPurge rowCount="1"><user/></userPurge>`, erase(DecodeUserPurge), CodeMissingInput},
		{"2.2.3.1.1 no users", `<accountModify rowCount="0"/>`, erase(DecodeAccountModify), CodeNoInput},
		{"2.2.3.1.1 no lockout", `<accountModify rowCount="1">` + user(`userId="a"`) + `</accountModify>`, erase(DecodeAccountModify), CodeMissingInput},
		{"2.2.3.1.1 no userId", `<accountModify rowCount="1">` + user(`lockout="1"`) + `</accountModify>`, erase(DecodeAccountModify), CodeMissingInput},
		{"2.2.2.2.1 lockout", `<accountModify rowCount="1">` + user(`lockout="true" userId="a"`) + `</accountModify>`, erase(DecodeAccountModify), CodeInvalidInput},
		{"2.2.3.6.1 no relay", `<RelayDefault/>`, erase(DecodeRelayDefault), CodeNoInput},
		{"2.2.3.6.1 two relays", `<RelayDefault><relay/><relay/></RelayDefault>`, erase(DecodeRelayDefault), CodeInvalidInput},
		{"2.2.3.6.1 no attribute", `<RelayDefault><relay/></RelayDefault>`, erase(DecodeRelayDefault), CodeMissingInput},
		{"2.2.2.2.1 purgeEnabled", `<RelayDefault><relay deviceLifetime="1" deviceTargetQuotaSize="1" identityLifetime="1" identityTargetQuotaSize="1" purgeEnabled="2" quotaEnabled="0"/></RelayDefault>`,
			erase(DecodeRelayDefault), CodeInvalidInput},
		{"2.2.3.8.1 no relay", `<RelayQuiescent/>`, erase(DecodeRelayQuiescent), CodeNoInput},
		{"2.2.3.8.1 no status", `<RelayQuiescent><relay/></RelayQuiescent>`, erase(DecodeRelayQuiescent), CodeMissingInput},
		{"2.2.3.8.1 status no number", `<RelayQuiescent><relay status="x"/></RelayQuiescent>`, erase(DecodeRelayQuiescent), CodeInvalidInput},
	} {
		t.Run(test.section, func(t *testing.T) {
			_, err := test.decode([]byte(test.payload))
			if err == nil || code(err) != test.want {
				t.Errorf("refused with %v, want fault %d", err, test.want)
			}
		})
	}
}

// TestTolerance has the rows of what appendix B says is no fault.
func TestTolerance(t *testing.T) {
	got, err := DecodeRelayDefault([]byte(`<RelayDefault><relay deviceLifetime="-1" deviceTargetQuotaSize="many"` +
		` identityLifetime="99999999999" identityTargetQuotaSize="5" purgeEnabled="0" quotaEnabled="1"/></RelayDefault>`))
	if want := (RelayDefault{-1, 0, 0, 5, false, true}); err != nil || *got != want {
		t.Errorf("note <2>: %+v, %v, want %+v", got, err, want)
	}
	for _, status := range []string{"2", "-1", "2147483647"} {
		got, err := DecodeRelayQuiescent([]byte(`<RelayQuiescent><relay status="` + status + `"/></RelayQuiescent>`))
		if err != nil || !got.Inactive {
			t.Errorf("note <4>: status %s is %+v, %v", status, got, err)
		}
	}
}

func TestResponseRefusals(t *testing.T) {
	for _, payload := range []string{``, `<userPurge epoch="1"/>`, `<userAdd/>`, `<userAdd epoch=""/>`, `<userAdd epoch="2147483648"/>`} {
		if m, err := DecodeResponse([]byte(payload), MethodUserAdd); err == nil {
			t.Errorf("%s is accepted as %+v", payload, m)
		}
	}
	for _, payload := range []string{
		`<Registration epoch="1"/>`, `<Registration><Registration ErrorMessage="" Status="0"/></Registration>`,
		`<Registration epoch="1"><Registration ErrorMessage="no" Status="1"/></Registration>`,
		`<Registration epoch="1"><Registration ErrorMessage="no"/></Registration>`,
	} {
		if m, err := DecodeRegistrationResponse([]byte(payload)); err == nil {
			t.Errorf("%s is accepted as %+v", payload, m)
		}
	}
}

// TestFaultTable has the whole table of 2.2.2.2.4.
func TestFaultTable(t *testing.T) {
	for want, text := range map[soap.Code]string{
		301: "Required HTTP Content-Type header field missing",
		303: "Payload missing",
		304: "Registration required",
		305: "Decryption failed",
		306: "Exception occurred while processing a message",
		308: "Exception occurred while building a Fault response message",
		309: "Invalid method name in a request message",
		310: "Invalid input data in a request message",
		311: "No input data in a request message",
		312: "Missing some input data in a request message",
		313: "SOAP message processing disabled",
	} {
		f := NewFault(want, nil)
		if f.Code != want || f.Text != text {
			t.Errorf("fault %d is %q, want %q", f.Code, f.Text, text)
		}
		response, err := soap.DecodeResponse(f.Encode(), MaxResponseSize, MethodUserAdd, soap.RelayResponse)
		if err != nil || response.Fault == nil || response.Fault.Code != want || response.Fault.Text != text {
			t.Errorf("fault %d is read as %+v, %v", want, response, err)
		}
	}
	for c := soap.Code(300); c < 320; c++ {
		if known := FaultText(c) != ""; known != (c >= 301 && c <= 313 && c != 302 && c != 307) {
			t.Errorf("fault %d: %v", c, known)
		}
	}
	if got := code(fmt.Errorf("wrapped: %w", NewFault(CodeNoInput, nil))); got != CodeNoInput {
		t.Errorf("a wrapped fault is answered with %d", got)
	}
	// One of a management server's table must not reach a peer of a relay.
	if got := FaultFrom(soap.NewFault(soap.CodeParameter, nil)); got.Code != CodeException || got.Text != FaultText(CodeException) {
		t.Errorf("fault 204 is answered with %d %q", got.Code, got.Text)
	}
}

func TestCodecs(t *testing.T) {
	id := rapid.StringMatching(`[!-~äß€ ]{1,40}`).Filter(func(s string) bool { return strings.TrimSpace(s) != "" })
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfN(id, 1, 20).Draw(t, "users")
		number := rapid.Int32()
		lockouts := make([]UserLockout, len(ids))
		for i, id := range ids {
			lockouts[i] = UserLockout{id, rapid.Bool().Draw(t, "lockout")}
		}
		roundTrip(t, &UserAdd{ids}, DecodeUserAdd)
		roundTrip(t, &UserPurge{ids}, DecodeUserPurge)
		roundTrip(t, &AccountModify{lockouts}, DecodeAccountModify)
		roundTrip(t, &RelayQuiescent{rapid.Bool().Draw(t, "inactive")}, DecodeRelayQuiescent)
		roundTrip(t, &RelayDefault{number.Draw(t, "a"), number.Draw(t, "b"), number.Draw(t, "c"), number.Draw(t, "d"),
			rapid.Bool().Draw(t, "e"), rapid.Bool().Draw(t, "f")}, DecodeRelayDefault)
		roundTrip(t, &RegistrationResponse{number.Draw(t, "epoch")}, DecodeRegistrationResponse)
		roundTrip(t, &Response{MethodUserAdd, number.Draw(t, "epoch")},
			func(b []byte) (*Response, error) { return DecodeResponse(b, MethodUserAdd) })
	})
}

func roundTrip[M interface{ Encode() []byte }](t *rapid.T, m M, decode func([]byte) (M, error)) {
	t.Helper()
	got, err := decode(m.Encode())
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Fatalf("%s is read as %+v, %v", m.Encode(), got, err)
	}
}
