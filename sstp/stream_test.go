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
			if len(r.buf) != readerSize {
				t.Errorf("the idle Reader holds %d octets, want %d", len(r.buf), readerSize)
			}
		})
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
	for _, arriving := range []int{3, 100, readerSize, 10000, 50000} {
		stream := "\x06\xff\xff" + strings.Repeat("a", arriving-3)
		r := NewReader(strings.NewReader(stream))
		if _, err := r.ReadCommand(); err != io.ErrUnexpectedEOF {
			t.Fatal(err)
		}
		if most := max(readerSize, 2*arriving); len(r.buf) > most {
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
	src := bytes.NewReader(stream)
	r := NewReader(src)
	w := NewWriter(io.Discard)
	if err := w.WriteCommand(&Noop{}); err != nil {
		t.Fatal(err)
	}
	got := testing.AllocsPerRun(100, func() {
		src.Reset(stream)
		for range 3 {
			cmd, err := r.ReadCommand()
			if err != nil {
				t.Fatal(err)
			}
			if err := w.WriteCommand(cmd); err != nil {
				t.Fatal(err)
			}
		}
	})
	if got != 0 {
		t.Errorf("%v allocations to relay a message, want none", got)
	}
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

// sink records writes and fails after some.
type sink struct {
	writes [][]byte
	fail   error
	short  bool
}

func (s *sink) Write(p []byte) (int, error) {
	if s.fail != nil {
		return 0, s.fail
	}
	if s.short {
		return len(p) - 1, nil
	}
	s.writes = append(s.writes, bytes.Clone(p))
	return len(p), nil
}

func TestWriterGathers(t *testing.T) {
	s := &sink{}
	w := NewWriter(s)
	var want []byte
	write := func(cmd Command) {
		t.Helper()
		want = append(want, encode(t, Version15, cmd)...)
		if err := w.WriteCommand(cmd); err != nil {
			t.Fatal(err)
		}
	}
	write(&Noop{})
	write(&EndMessage{})
	if len(s.writes) != 0 || w.Buffered() != len(want) {
		t.Fatalf("%d writes, %d octets wait", len(s.writes), w.Buffered())
	}
	if err := w.WriteCommand(&Data{}); err == nil {
		t.Fatal("an empty Data was written")
	}
	for range 10 {
		write(&Data{SessionID: 1, Payload: make([]byte, MaxDataSize)})
	}
	write(bigFanout())
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if got := bytes.Join(s.writes, nil); !bytes.Equal(got, want) {
		t.Errorf("%d octets were written, want %d", len(got), len(want))
	}
	if n := len(s.writes); n > 7 {
		t.Errorf("%d writes of the stream, want one for two Data", n)
	}
	if cap(w.buf) > writerSize {
		t.Errorf("the idle Writer holds %d octets", cap(w.buf))
	}
}

func TestWriterFollowsTheVersion(t *testing.T) {
	s := &sink{}
	w := NewWriter(s)
	w.SetVersion(Version16)
	cmd := &FanoutOpen{Entries: make([]FanoutDeviceEntry, 1)}
	if err := w.WriteCommand(cmd); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if want := encode(t, Version16, cmd); len(s.writes) != 1 || !bytes.Equal(s.writes[0], want) {
		t.Errorf("wrote %x, want %x", s.writes, want)
	}
}

func TestWriterErrorsAreFinal(t *testing.T) {
	broken := errors.New("broken")
	for _, tt := range []struct {
		name string
		sink *sink
		want error
	}{
		{"broken", &sink{fail: broken}, broken},
		{"short", &sink{short: true}, io.ErrShortWrite},
	} {
		w := NewWriter(tt.sink)
		if err := w.WriteCommand(&Noop{}); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{w.Flush(), w.Flush(), w.WriteCommand(&Noop{})} {
			if !errors.Is(err, tt.want) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
}
