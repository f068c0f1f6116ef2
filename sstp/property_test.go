package sstp

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var (
	text    = rapid.StringMatching(`[\x01-\x7f]{0,40}`)
	token   = blob(300)
	version = rapid.SampledFrom([]Version{Version15, Version16})
)

// blob draws octets as they are read: none are nil.
func blob(most int) *rapid.Generator[[]byte] {
	return rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, most), func(b []byte) []byte {
		if len(b) == 0 {
			return nil
		}
		return b
	})
}

// drawCommand draws any command that version v can carry.
func drawCommand(t *rapid.T, v Version) Command {
	id := rapid.Uint32().Draw(t, "id")
	switch rapid.IntRange(1, 18).Draw(t, "command") {
	case 1:
		c := &Connect{
			Version:                 NewVersion(rapid.Uint8().Draw(t, "major"), rapid.Uint8().Draw(t, "minor")),
			TargetDeviceURL:         text.Draw(t, "target"),
			AuthenticationToken:     token.Draw(t, "token"),
			PeerProductVersion:      text.Draw(t, "product"),
			PeerProductCapabilities: text.Draw(t, "capabilities"),
		}
		for range rapid.IntRange(0, 255).Draw(t, "sources") {
			c.SourceDeviceURLs = append(c.SourceDeviceURLs, "s")
		}
		return c
	case 2:
		return &ConnectResponse{
			Version:                 NewVersion(1, rapid.Uint8().Draw(t, "minor")),
			Response:                ResponseID(rapid.Uint8().Draw(t, "response")),
			RetryTime:               rapid.Uint32().Draw(t, "retry"),
			AuthenticationToken:     token.Draw(t, "token"),
			PeerProductVersion:      text.Draw(t, "product"),
			PeerProductCapabilities: text.Draw(t, "capabilities"),
		}
	case 3:
		return &ConnectAuthenticate{token.Draw(t, "token")}
	case 4:
		return &ConnectClose{Reason(rapid.Uint8().Draw(t, "reason")), rapid.Uint32().Draw(t, "count"), rapid.Uint32().Draw(t, "return")}
	case 5:
		return &Open{id, text.Draw(t, "resource"), text.Draw(t, "identity"), text.Draw(t, "device"), rapid.Bool().Draw(t, "I")}
	case 6:
		f := &FanoutOpen{SessionID: id, ResourceURL: text.Draw(t, "resource"), IdentityTargeted: rapid.Bool().Draw(t, "I")}
		for range rapid.IntRange(0, 20).Draw(t, "entries") {
			e := FanoutDeviceEntry{IdentityURL: text.Draw(t, "identity"), DeviceURL: text.Draw(t, "device"), RelayURL: text.Draw(t, "relay")}
			if v == Version16 {
				e.FailoverDeviceURLs = text.Draw(t, "failover")
			}
			f.Entries = append(f.Entries, e)
		}
		return f
	case 7:
		return &OpenResponse{id, OpenResponseID(rapid.Uint8().Draw(t, "response"))}
	case 8:
		return &Attach{id, text.Draw(t, "resource"), text.Draw(t, "account"), token.Draw(t, "token")}
	case 9:
		return &AttachResponse{id, ResponseID(rapid.Uint8().Draw(t, "response")), token.Draw(t, "token")}
	case 10:
		return &AttachAuthenticate{id, token.Draw(t, "token")}
	case 11:
		return &Register{id, text.Draw(t, "resource"), text.Draw(t, "account"), token.Draw(t, "token")}
	case 12:
		return &RegisterResponse{id, ResponseID(rapid.Uint8().Draw(t, "response")), token.Draw(t, "token")}
	case 13:
		return drawMessage(t, id)
	case 14:
		return &Data{id, rapid.SliceOfN(rapid.Byte(), 1, MaxDataSize).Draw(t, "payload")}
	case 15:
		return &EndMessage{id}
	case 16:
		return &Noop{id}
	case 17:
		return &Close{id, Reason(rapid.Uint8().Draw(t, "reason"))}
	default:
		s := &SessionStatus{SessionID: id, Status: StatusID(rapid.Uint8().Draw(t, "status")), DeviceURL: text.Draw(t, "device"), IdentityURL: text.Draw(t, "identity")}
		if v == Version16 && rapid.Bool().Draw(t, "many") {
			s.Indexes = rapid.SliceOfN(rapid.Uint16(), 0, 300).Draw(t, "indexes")
		}
		return s
	}
}

func drawMessage(t *rapid.T, id uint32) *Message {
	m := &Message{
		SessionID:    id,
		MessageCount: rapid.Uint32().Draw(t, "count"),
		Flags:        MessageFlags(rapid.Uint8().Draw(t, "flags")) & definedFlags,
		UserRef:      text.Draw(t, "userRef"),
	}
	if m.Flags&FlagEphemeral != 0 {
		m.Ephemeral = rapid.Uint32().Draw(t, "ephemeral")
	}
	if m.Flags&FlagStreamSize != 0 {
		copy(m.StreamSize[:], rapid.SliceOfN(rapid.Byte(), 24, 24).Draw(t, "streamSize"))
	}
	if m.Flags&FlagFragmentation != 0 {
		m.Fragmentation = blob(200).Draw(t, "fragmentation")
	}
	return m
}

func TestStreamRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := version.Draw(t, "version")
		var cmds []Command
		for range rapid.IntRange(1, 8).Draw(t, "commands") {
			cmds = append(cmds, drawCommand(t, v))
		}
		var octets []byte
		for _, cmd := range cmds {
			var err error
			if octets, err = Append(octets, cmd, v); err != nil {
				t.Fatal(err)
			}
		}
		pieces := rapid.IntRange(1, 5000).Draw(t, "pieces")
		r := NewReader(&pieceReader{bytes.NewReader(octets), pieces})
		r.SetVersion(v)
		for i, want := range cmds {
			got, err := r.ReadCommand()
			if err != nil {
				t.Fatalf("command %d, %v: %v", i, want.ID(), err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("command %d is %+v, want %+v", i, got, want)
			}
		}
		if _, err := r.ReadCommand(); err != io.EOF {
			t.Fatalf("at the end: %v", err)
		}
	})
}

// pieceReader returns at most so many octets at once.
type pieceReader struct {
	src  io.Reader
	most int
}

func (p *pieceReader) Read(b []byte) (int, error) { return p.src.Read(b[:min(len(b), p.most)]) }

// checkDecode holds for any octets: no command, or one that encodes to octets of
// the same length which decode to the same.
func checkDecode(t interface {
	Fatalf(format string, args ...any)
}, octets []byte, v Version) {
	cmd, err := Decode(octets, v)
	if err != nil {
		var parse *ParseError
		if cmd != nil || !errors.As(err, &parse) {
			t.Fatalf("%v with %T, %v", cmd, err, err)
		}
		if parse.Offset > len(octets) || !bytes.HasPrefix(octets, parse.Head) || len(parse.Head) > headSize {
			t.Fatalf("%+v does not fit %x", parse, octets)
		}
		return
	}
	again, err := Append(nil, cmd, v)
	if err != nil || len(again) != len(octets) {
		t.Fatalf("%+v encodes to %x, %v, from %x", cmd, again, err, octets)
	}
	same, err := Decode(again, v)
	if err != nil || !reflect.DeepEqual(same, cmd) {
		t.Fatalf("%+v becomes %+v, %v", cmd, same, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, g := range goldens {
		f.Add(g.bytes(f), g.version == Version16)
	}
	f.Fuzz(func(t *testing.T, octets []byte, new bool) {
		v := Version15
		if new {
			v = Version16
		}
		checkDecode(t, octets, v)
	})
}

// FuzzReader compares a stream that arrives in pieces with one that is there.
func FuzzReader(f *testing.F) {
	var all []byte
	for _, g := range goldens {
		if g.version == Version15 {
			all = append(all, g.bytes(f)...)
		}
		f.Add(g.bytes(f), uint16(1))
	}
	f.Add(all, uint16(7))
	f.Fuzz(func(t *testing.T, stream []byte, pieces uint16) {
		whole := NewReader(bytes.NewReader(stream))
		pieced := NewReader(&pieceReader{bytes.NewReader(stream), int(pieces) + 1})
		for {
			a, errA := whole.ReadCommand()
			b, errB := pieced.ReadCommand()
			if !reflect.DeepEqual(a, b) || (errA == nil) != (errB == nil) || isParseError(errA) != isParseError(errB) {
				t.Fatalf("%+v, %v and %+v, %v", a, errA, b, errB)
			}
			if errA != nil {
				return
			}
		}
	})
}

func TestParseErrorHidesOctetsUntilAsked(t *testing.T) {
	octets := encode(t, Version15, &Attach{EventID: 1, AccountURL: "grooveAccount://secret", AuthenticationToken: make([]byte, 100)})
	octets[1]-- // one octet short
	octets = octets[:len(octets)-1]
	_, err := Decode(octets, Version15)
	var parse *ParseError
	if !errors.As(err, &parse) {
		t.Fatal(err)
	}
	const tokenAt = 3 + 4 + 1 + 23
	if parse.What != "Attach" || parse.Offset != tokenAt || parse.Length != len(octets) || !bytes.Equal(parse.Head, octets[:headSize]) {
		t.Errorf("%+v", parse)
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the text shows octets: %v", err)
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "parse", parse.Diagnostic())
	for _, want := range []string{"parse.what=Attach", "parse.offset=31", "parse.head=08", "parse.problem="} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in %s", want, log.String())
		}
	}
	octets[headSize-1]++
	if parse.Head[headSize-1] == octets[headSize-1] {
		t.Error("Head shares memory with the octets")
	}
}
