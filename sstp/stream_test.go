package sstp

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

func encode(t testing.TB, v Version, cmds ...Command) []byte {
	t.Helper()
	var out []byte
	for _, cmd := range cmds {
		var err error
		if out, err = Append(out, cmd, v); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// bigFanout is a command far larger than a Reader's buffer.
func bigFanout() *FanoutOpen {
	f := &FanoutOpen{SessionID: 1, ResourceURL: "r", Entries: make([]FanoutDeviceEntry, 700)}
	for i := range f.Entries {
		f.Entries[i].IdentityURL = IdentityScheme + strings.Repeat("a", 60)
	}
	return f
}

func TestReaderTakesCommandsHoweverTheyArrive(t *testing.T) {
	cmds := []Command{
		&Noop{},
		bigFanout(),
		&Message{SessionID: 1, UserRef: "u"},
		&Data{SessionID: 1, Payload: bytes.Repeat([]byte{7}, MaxDataSize)},
		&Data{SessionID: 1, Payload: []byte{1}},
		bigFanout(),
		&EndMessage{SessionID: 1},
	}
	stream := encode(t, Version15, cmds...)
	for _, source := range []struct {
		name string
		src  io.Reader
	}{
		{"at once", bytes.NewReader(stream)},
		{"octet by octet", iotest.OneByteReader(bytes.NewReader(stream))},
		{"in halves", iotest.HalfReader(bytes.NewReader(stream))},
		{"with the end", iotest.DataErrReader(bytes.NewReader(stream))},
		{"after empty reads", &hesitant{src: bytes.NewReader(stream)}},
	} {
		t.Run(source.name, func(t *testing.T) {
			r := NewReader(source.src)
			for i, want := range cmds {
				got, err := r.ReadCommand()
				if err != nil {
					t.Fatalf("command %d: %v", i, err)
				}
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("command %d is %+v, want %+v", i, got, want)
				}
			}
			for range 2 {
				if _, err := r.ReadCommand(); err != io.EOF {
					t.Fatalf("at the end: %v", err)
				}
			}
			if len(r.buf) > readerSize {
				t.Errorf("the Reader holds %d octets, at most %d are allowed", len(r.buf), readerSize)
			}
		})
	}
}

func TestIdleReaderIsSmall(t *testing.T) {
	stream := encode(t, Version15, bigFanout(), &Data{Payload: make([]byte, MaxDataSize)}, bigFanout())
	noop := encode(t, Version15, &Noop{})
	r := NewReader(io.MultiReader(bytes.NewReader(stream), bytes.NewReader(noop), bytes.NewReader(noop)))
	for i, want := range []int{maxCommandSize, readerSize, maxCommandSize, readerSize, idleSize} {
		if _, err := r.ReadCommand(); err != nil {
			t.Fatal(err)
		}
		if len(r.buf) > want {
			t.Errorf("after command %d the Reader holds %d octets, want at most %d", i, len(r.buf), want)
		}
	}
	if r.data.Payload != nil {
		t.Error("the Reader holds on to the last Data")
	}
}

// hesitant returns nothing before it returns something.
type hesitant struct {
	src   io.Reader
	ready bool
}

func (h *hesitant) Read(p []byte) (int, error) {
	h.ready = !h.ready
	if h.ready {
		return 0, nil
	}
	return h.src.Read(p[:min(len(p), 1000)])
}

func TestReaderFollowsTheVersion(t *testing.T) {
	entry := FanoutDeviceEntry{IdentityURL: "i"}
	stream := encode(t, Version15, &FanoutOpen{Entries: []FanoutDeviceEntry{entry}})
	stream = append(stream, encode(t, Version16, &FanoutOpen{Entries: []FanoutDeviceEntry{entry}})...)
	r := NewReader(bytes.NewReader(stream))
	if _, err := r.ReadCommand(); err != nil {
		t.Fatal(err)
	}
	r.SetVersion(Version16)
	if _, err := r.ReadCommand(); err != nil {
		t.Fatal(err)
	}
}

func TestReaderErrors(t *testing.T) {
	broken := errors.New("broken")
	noop := encode(t, Version15, &Noop{})
	for _, tt := range []struct {
		name  string
		src   io.Reader
		after int // good commands before the error
		want  func(error) bool
	}{
		{"nothing", strings.NewReader(""), 0, func(err error) bool { return err == io.EOF }},
		{"half a header", bytes.NewReader(noop[:2]), 0, func(err error) bool { return err == io.ErrUnexpectedEOF }},
		{"half a command", bytes.NewReader(append(bytes.Clone(noop), noop[:5]...)), 1, func(err error) bool { return err == io.ErrUnexpectedEOF }},
		{"broken stream", iotest.ErrReader(broken), 0, func(err error) bool { return errors.Is(err, broken) }},
		{"no progress", iotest.ErrReader(nil), 0, func(err error) bool { return errors.Is(err, io.ErrNoProgress) }},
		{"HTTP", strings.NewReader("GET / HTTP/1.1\r\n\r\n"), 0, isParseError},
		{"TLS", strings.NewReader("\x16"), 0, isParseError},
		{"length 2", strings.NewReader("\x10\x02\x00"), 0, isParseError},
		{"long Close, header only", strings.NewReader("\x11\x09\x00"), 0, isParseError},
		{"long Data, header only", strings.NewReader("\x0e\x08\x08"), 0, isParseError},
		{"long Open, header only", strings.NewReader("\x05\x08\x08"), 0, isParseError},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewReader(tt.src)
			for range tt.after {
				if _, err := r.ReadCommand(); err != nil {
					t.Fatal(err)
				}
			}
			cmd, first := r.ReadCommand()
			if cmd != nil || !tt.want(first) {
				t.Fatalf("%+v, %v", cmd, first)
			}
			if _, again := r.ReadCommand(); again != first {
				t.Errorf("then %v", again)
			}
		})
	}
}

func TestAnnouncedLengthTakesNoMemory(t *testing.T) {
	// A FanoutOpen of 65535 octets of which only some arrive.
	for _, arriving := range []int{3, 100, idleSize, 10000, readerSize, 50000} {
		stream := "\x06\xff\xff" + strings.Repeat("a", arriving-3)
		r := NewReader(strings.NewReader(stream))
		if _, err := r.ReadCommand(); err != io.ErrUnexpectedEOF {
			t.Fatal(err)
		}
		if most := max(idleSize, 2*arriving); len(r.buf) > most {
			t.Errorf("the Reader took %d octets when %d arrived, want at most %d", len(r.buf), arriving, most)
		}
	}
}

func TestAnnouncedCountTakesNoMemory(t *testing.T) {
	for _, tt := range []struct {
		name   string
		octets []byte
	}{
		{"Connect", []byte("\x01\x0c\x00\x01\x05\x00\x00\xff\x00\x00\x00\x00")},
		{"FanoutOpen", []byte("\x06\x0e\x00\x01\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00")},
		{"SessionStatus", []byte("\x12\x0f\x00\x01\x00\x00\x00\x01\x00\x00\x00\xff\xff\x00\x00")},
		{"Attach", []byte("\x08\x0d\x00\x01\x00\x00\x00\x00\x00\xff\xff\x00\x00")},
	} {
		var cmd Command
		var err error
		per := allocated(func() { cmd, err = Decode(tt.octets, Version16) })
		if !isParseError(err) {
			t.Errorf("%s: %+v, %v", tt.name, cmd, err)
		}
		// The command, the error and its copy of the octets; a list of 65535
		// would be hundreds of thousands.
		if per > 1024 {
			t.Errorf("%s takes %d octets of memory", tt.name, per)
		}
	}
}

// allocated returns how many octets of memory a call of f takes.
func allocated(f func()) uint64 {
	const runs = 100
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		f()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / runs
}

func TestHotPathAllocatesNothing(t *testing.T) {
	stream := encode(t, Version16,
		&Message{SessionID: 1, MessageCount: 3, Flags: FlagFragmentation, Fragmentation: []byte{1, 2}},
		&Data{SessionID: 1, Payload: make([]byte, MaxDataSize)},
		&Data{SessionID: 1, Payload: make([]byte, 100)},
	)
	r := NewReader(&endless{stream: stream})
	w := &Conn{cfg: Config{}.complete(), version: Version16, out: make([]byte, 0, writeSize)}
	relay := func() {
		w.out = w.out[:0]
		for range 3 {
			cmd, err := r.ReadCommand()
			if err != nil {
				t.Fatal(err)
			}
			if err := w.put(cmd); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range 100 { // until the Reader has found its size
		relay()
	}
	got := testing.AllocsPerRun(100, relay)
	if got != 0 {
		t.Errorf("%v allocations to relay a message, want none", got)
	}
}

// endless returns a stream again and again.
type endless struct {
	stream []byte
	at     int
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		m := copy(p[n:], e.stream[e.at:])
		n, e.at = n+m, (e.at+m)%len(e.stream)
	}
	return n, nil
}

func TestPayloadIsNotCopied(t *testing.T) {
	octets := encode(t, Version15, &Data{SessionID: 1, Payload: []byte("hello")})
	cmd, err := Decode(octets, Version15)
	if err != nil {
		t.Fatal(err)
	}
	payload := cmd.(*Data).Payload
	if &payload[0] != &octets[dataOverhead] {
		t.Error("the payload is a copy")
	}
	if cap(payload) != len(payload) {
		t.Error("appending to the payload would overwrite what follows")
	}
}
