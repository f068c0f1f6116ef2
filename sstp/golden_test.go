package sstp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// golden is a command and its octets, written out by hand from [MS-GRVSSTP] 2.2 and
// wire profile 1: header, then one string for each field.
type golden struct {
	name    string
	version Version
	cmd     Command
	octets  []string
}

var goldens = []golden{
	{
		"Connect", Version16,
		&Connect{
			Version:             Version16,
			TargetDeviceURL:     "grooveDNS://r",
			SourceDeviceURLs:    []string{"dpp:///a", "dpp:///b"},
			AuthenticationToken: []byte{1, 2, 3},
			PeerProductVersion:  "Groove Client 14.0 4006",
		},
		[]string{
			"01 4500", "01 06 00", "67726f6f7665444e533a2f2f72 00",
			"02", "6470703a2f2f2f61 00", "6470703a2f2f2f62 00",
			"0300 010203", "47726f6f766520436c69656e742031342e302034303036 00", "00",
		},
	},
	{
		"Connect without strings", Version15, &Connect{Version: Version15},
		[]string{"01 0c00", "01 05 00", "00", "00", "0000", "00", "00"},
	},
	{
		"ConnectResponse", Version15,
		&ConnectResponse{
			Version: Version16, Response: ResponseTryLater, RetryTime: 0x01020304,
			AuthenticationToken: []byte{0xff}, PeerProductVersion: "A", PeerProductCapabilities: "B",
		},
		[]string{"02 1100", "01 06", "02", "04030201", "0100 ff", "41 00", "42 00"},
	},
	{
		"ConnectAuthenticate", Version15,
		&ConnectAuthenticate{AuthenticationToken: []byte{9, 8}},
		[]string{"03 0700", "0200 0908"},
	},
	{
		"ConnectClose", Version15,
		&ConnectClose{Reason: ReasonResting, MessageCount: 3, ReturnTime: 600},
		[]string{"04 0c00", "01", "03000000", "58020000"},
	},
	{
		"Open", Version15,
		&Open{SessionID: 0x80000001, ResourceURL: "res", IdentityURL: "id", DeviceURL: "", IdentityTargeted: true},
		[]string{"05 1200", "01000080", "72657300", "696400", "00", "01", "0000"},
	},
	{
		"FanoutOpen 1.5", Version15,
		&FanoutOpen{
			SessionID: 7, ResourceURL: "r",
			Entries: []FanoutDeviceEntry{
				{IdentityURL: "i", DeviceURL: "d", RelayURL: "x"},
				{IdentityURL: "j"},
			},
		},
		[]string{"06 1800", "07000000", "7200", "00", "0200", "6900 6400 7800", "6a00 00 00", "0000"},
	},
	{
		"FanoutOpen 1.6", Version16,
		&FanoutOpen{
			SessionID: 7, ResourceURL: "r", IdentityTargeted: true,
			Entries: []FanoutDeviceEntry{
				{IdentityURL: "i", DeviceURL: "d", RelayURL: "x"},
				{IdentityURL: "j", FailoverDeviceURLs: "f"},
			},
		},
		[]string{"06 1b00", "07000000", "7200", "01", "0200", "6900 6400 7800 00", "6a00 00 00 6600", "0000"},
	},
	{
		"FanoutOpen without entries", Version16,
		&FanoutOpen{SessionID: 1, ResourceURL: "r"},
		[]string{"06 0e00", "01000000", "7200", "00", "0000", "0000"},
	},
	{
		"OpenResponse", Version15,
		&OpenResponse{SessionID: 5, Response: OpenOkStopSending},
		[]string{"07 0800", "05000000", "0b"},
	},
	{
		"Attach", Version15,
		&Attach{EventID: 2, ResourceURL: "", AccountURL: "a", AuthenticationToken: []byte{1}},
		[]string{"08 0d00", "02000000", "00", "6100", "0100 01"},
	},
	{
		"AttachResponse", Version15,
		&AttachResponse{EventID: 2, Response: ResponseAuthenticationFailed, AuthenticationToken: []byte{1}},
		[]string{"09 0b00", "02000000", "06", "0100 01"},
	},
	{
		"AttachAuthenticate", Version15,
		&AttachAuthenticate{EventID: 2, AuthenticationToken: []byte{1}},
		[]string{"0a 0a00", "02000000", "0100 01"},
	},
	{
		"Register", Version15,
		&Register{EventID: 2, ResourceURL: "r", AccountURL: "a", AuthenticationToken: []byte{1}},
		[]string{"0b 0e00", "02000000", "7200", "6100", "0100 01"},
	},
	{
		"RegisterResponse", Version15,
		&RegisterResponse{EventID: 2, Response: ResponseConnectRejected},
		[]string{"0c 0a00", "02000000", "09", "0000"},
	},
	{
		"Message", Version15,
		&Message{SessionID: 1, MessageCount: 2, Flags: FlagTrack | FlagAcknowledgeImmediately | FlagDoNotDeliverIfOffline, UserRef: "u"},
		[]string{"0d 0e00", "01000000", "02000000", "25", "7500"},
	},
	{
		"Message with all groups", Version16,
		&Message{
			SessionID: 1, Flags: FlagFragmentation | FlagStreamSize | FlagEphemeral, Ephemeral: 60,
			StreamSize:    [24]byte{0: 0xaa, 23: 0xbb},
			Fragmentation: []byte{1, 2, 3},
		},
		[]string{
			"0d 2c00", "01000000", "00000000", "52", "00", "3c000000",
			"aa" + strings.Repeat("00", 22) + "bb", "010203",
		},
	},
	{
		"Data", Version15,
		&Data{SessionID: 1, Payload: []byte("hello")},
		[]string{"0e 0c00", "01000000", "68656c6c6f"},
	},
	{
		"EndMessage", Version15,
		&EndMessage{SessionID: 0x01020304},
		[]string{"0f 0700", "04030201"},
	},
	{
		"Noop", Version15,
		&Noop{MessageCount: 4},
		[]string{"10 0700", "04000000"},
	},
	{
		"Close", Version15,
		&Close{SessionID: 1, Reason: ReasonEmptySession},
		[]string{"11 0800", "01000000", "15"},
	},
	{
		"SessionStatus for one", Version15,
		&SessionStatus{SessionID: 1, Status: StatusLockedOut, DeviceURL: "d", IdentityURL: "i"},
		[]string{"12 0d00", "01000000", "05", "00", "6400", "6900"},
	},
	{
		"SessionStatus for many", Version16,
		&SessionStatus{SessionID: 1, Status: StatusHostNotReachable, DeviceURL: "d", Indexes: []uint16{0, 0x0102}},
		[]string{"12 1200", "01000000", "02", "00", "6400", "00", "0200", "0000", "0201"},
	},
	{
		"SessionStatus for none of many", Version16,
		&SessionStatus{SessionID: 1, Status: StatusHostNotReachable, Indexes: []uint16{}},
		[]string{"12 0d00", "01000000", "02", "00", "00", "00", "0000"},
	},
}

func (g *golden) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Join(g.octets, ""), " ", ""))
	if err != nil {
		t.Fatalf("%s: %v", g.name, err)
	}
	return b
}

func TestGoldenLayouts(t *testing.T) {
	seen := map[CommandID]bool{}
	for _, g := range goldens {
		t.Run(g.name, func(t *testing.T) {
			seen[g.cmd.ID()] = true
			want := g.bytes(t)
			got, err := Append(nil, g.cmd, g.version)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("encoded\n %x, want\n %x", got, want)
			}
			cmd, err := Decode(want, g.version)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(cmd, g.cmd) {
				t.Errorf("decoded\n %+v, want\n %+v", cmd, g.cmd)
			}
		})
	}
	for id := range kinds {
		if id := CommandID(id); id.kind() != nil && !seen[id] {
			t.Errorf("no layout of %v", id)
		}
	}
}

func TestTableOfCommands(t *testing.T) {
	count := 0
	for i := range 256 {
		id := CommandID(i)
		k := id.kind()
		if k == nil {
			if !strings.HasPrefix(id.String(), "Command(0x") {
				t.Errorf("unknown %#x is called %v", i, id)
			}
			continue
		}
		count++
		cmd := k.empty()
		if cmd.ID() != id || reflect.TypeOf(cmd).Elem().Name() != id.String() {
			t.Errorf("%#x is %v, makes %T with ID %v", i, id, cmd, cmd.ID())
		}
	}
	if count != 18 {
		t.Errorf("%d commands, want the 18 of [MS-GRVSSTP] 2.2", count)
	}
}

// TestTruncation cuts every command at every octet, once as it is and once with
// a CommandLength that agrees with the cut.
func TestTruncation(t *testing.T) {
	for _, g := range goldens {
		whole := g.bytes(t)
		for n := range whole {
			if cmd, err := Decode(whole[:n], g.version); !isParseError(err) {
				t.Errorf("%s cut to %d of %d octets: %+v, %v", g.name, n, len(whole), cmd, err)
			}
			if n < headerSize {
				continue
			}
			cut := bytes.Clone(whole[:n])
			cut[1], cut[2] = byte(n), 0
			cmd, err := Decode(cut, g.version)
			if stillWhole(cmd, g.cmd) {
				continue
			}
			if !isParseError(err) {
				t.Errorf("%s shortened to %d of %d octets: %+v, %v", g.name, n, len(whole), cmd, err)
			}
		}
	}
}

// stillWhole allows for what ends with a tail of any length, or with an optional
// list: such a command cut there is another good command.
func stillWhole(cmd, of Command) bool {
	switch cmd := cmd.(type) {
	case *Data:
		return len(cmd.Payload) < len(of.(*Data).Payload)
	case *Message:
		return len(cmd.Fragmentation) < len(of.(*Message).Fragmentation)
	case *SessionStatus:
		return cmd.Indexes == nil && of.(*SessionStatus).Indexes != nil
	default:
		return false
	}
}

func TestTrailingOctets(t *testing.T) {
	for _, g := range goldens {
		longer := append(g.bytes(t), 0)
		if _, err := Decode(longer, g.version); !isParseError(err) {
			t.Errorf("%s with an octet behind it: %v", g.name, err)
		}
		longer[1]++
		cmd, err := Decode(longer, g.version)
		switch g.cmd.ID() {
		case IDData:
			continue // the octet is payload
		case IDMessage:
			if g.cmd.(*Message).Flags&FlagFragmentation != 0 {
				continue // the octet is fragmentation
			}
		}
		if !isParseError(err) {
			t.Errorf("%s with an octet more: %+v, %v", g.name, cmd, err)
		}
	}
}

func isParseError(err error) bool {
	var parse *ParseError
	return errors.As(err, &parse)
}

func TestReservedIsIgnored(t *testing.T) {
	for _, tt := range []struct {
		name   string
		hex    string
		offset int
		with   byte
	}{
		{"Connect", "010c00010500000000000000", 5, 0xff},
		{"Open flags", "050d00" + "01000000" + "000000" + "00" + "0000", 10, 0xfe},
		{"Open", "050d00" + "01000000" + "000000" + "00" + "0000", 12, 0xff},
		{"FanoutOpen", "060d00" + "01000000" + "00" + "00" + "0000" + "0000", 12, 0xff},
		{"Message flags", "0d0d00" + "01000000" + "00000000" + "00" + "00", 11, 0x88},
		{"SessionStatus", "120b00" + "01000000" + "01" + "00" + "0000", 8, 0xff},
	} {
		octets, err := hex.DecodeString(tt.hex)
		if err != nil {
			t.Fatal(err)
		}
		clean, err := Decode(octets, Version15)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		octets[tt.offset] |= tt.with
		marked, err := Decode(octets, Version15)
		if err != nil || !reflect.DeepEqual(clean, marked) {
			t.Errorf("%s: %+v, %v, want %+v", tt.name, marked, err, clean)
		}
	}
}

func TestVersionsDiffer(t *testing.T) {
	for _, g := range goldens {
		if g.version != Version16 || g.cmd.ID() != IDFanoutOpen && g.cmd.ID() != IDSessionStatus {
			continue
		}
		if f, ok := g.cmd.(*FanoutOpen); ok && len(f.Entries) == 0 {
			continue // the same in both
		}
		if _, err := Decode(g.bytes(t), Version15); !isParseError(err) {
			t.Errorf("%s read as 1.5: %v", g.name, err)
		}
		if out, err := Append([]byte("kept"), g.cmd, Version15); err == nil || string(out) != "kept" {
			t.Errorf("%s written as 1.5: %x, %v", g.name, out, err)
		}
	}
}

func TestNotEncodable(t *testing.T) {
	for _, tt := range []struct {
		name string
		cmd  Command
	}{
		{"zero in a string", &Open{ResourceURL: "a\x00b"}},
		{"not ASCII", &Open{ResourceURL: "é"}},
		{"not UTF-8", &Open{ResourceURL: "\xff"}},
		{"Open too long", &Open{ResourceURL: strings.Repeat("a", maxPlainSize)}},
		{"Message too long", &Message{UserRef: strings.Repeat("a", maxPlainSize)}},
		{"ConnectAuthenticate too long", &ConnectAuthenticate{AuthenticationToken: make([]byte, maxPlainSize)}},
		{"Attach too long", &Attach{AuthenticationToken: make([]byte, 65535)}},
		{"blob too long", &Attach{AuthenticationToken: make([]byte, 65536)}},
		{"too many sources", &Connect{SourceDeviceURLs: make([]string, 256)}},
		{"too many entries", &FanoutOpen{Entries: make([]FanoutDeviceEntry, 65536)}},
		{"empty Data", &Data{}},
		{"Data too long", &Data{Payload: make([]byte, MaxDataSize+1)}},
		{"Ephemeral without flag", &Message{Ephemeral: 1}},
		{"StreamSize without flag", &Message{StreamSize: [24]byte{1}}},
		{"Fragmentation without flag", &Message{Fragmentation: []byte{1}}},
	} {
		if out, err := Append([]byte("kept"), tt.cmd, Version16); err == nil || string(out) != "kept" {
			t.Errorf("%s: %d octets, %v", tt.name, len(out), err)
		}
	}
}
