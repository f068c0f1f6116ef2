package bench

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// shop is a post office in memory that can be made to err.
type shop struct {
	mu      sync.Mutex
	routes  []Route
	boxes   map[int][][]byte
	deliver func(letters [][]byte) [][]byte // what becomes of a mailbox
	full    error                           // what Send comes to
}

func (s *shop) Usage() (Usage, error) { return Usage{RSS: 1 << 20}, nil }

func (*shop) Explain(err error) error { return err }

func (s *shop) Enrol(_ context.Context, routes []Route) error {
	s.routes, s.boxes = routes, make(map[int][][]byte)
	return nil
}

func (s *shop) Sender(_ context.Context, route int) (Sender, error) { return shopSender{s, route}, nil }

type shopSender struct {
	shop  *shop
	route int
}

func (s shopSender) Send(_ context.Context, body []byte) error {
	s.shop.mu.Lock()
	defer s.shop.mu.Unlock()
	for _, to := range s.shop.routes[s.route].To {
		s.shop.boxes[to] = append(s.shop.boxes[to], append([]byte(nil), body...))
	}
	return s.shop.full
}

func (shopSender) Close() error { return nil }

func (s *shop) Drain(ctx context.Context, person int, took func([]byte) error) error {
	for _, body := range s.deliver(s.boxes[person]) {
		if err := took(body); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return nil
}

func silent(string, int, int) {}

// TestMail has a post office lose, damage, double and misdirect: a figure is told
// only of what has really come.
func TestMail(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		name    string
		deliver func([][]byte) [][]byte
		full    error
		want    string
	}{
		{"sound", func(l [][]byte) [][]byte { return l }, nil, ""},
		{"refused", func(l [][]byte) [][]byte { return l }, broken, "broken"},
		{"lost", func(l [][]byte) [][]byte { return l[1:] }, nil, "too late"},
		{"twice", func(l [][]byte) [][]byte { return append(l[:1:1], l...) }, nil, "twice"},
		{"short", func(l [][]byte) [][]byte { return [][]byte{l[0][1:]} }, nil, "octets has come"},
		{"damaged", func(l [][]byte) [][]byte { l[0][50] ^= 1; return l }, nil, "not what was sent"},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if test.want == "too late" { // what else would have come is here
				time.AfterFunc(50*time.Millisecond, func() { cancel(errors.New("too late")) })
			}
			s := &shop{deliver: test.deliver, full: test.full}
			r, err := OneToOne{Pairs: 2, Messages: 10, Size: 100, Window: 3}.Run(ctx, s, silent)
			if test.want == "" {
				if err != nil || r.Phases[0].Operations != 20 || r.Phases[1].Operations != 20 || r.Clients != 4 {
					t.Errorf("%+v, %v", r, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
	t.Run("another's", func(t *testing.T) {
		s := &shop{}
		s.deliver = func([][]byte) [][]byte { return s.boxes[1] }
		_, err := OneToOne{Pairs: 2, Messages: 10, Size: 100, Window: 3}.Run(t.Context(), s, silent)
		if err == nil || !strings.Contains(err.Error(), "of route 0 has come to") {
			t.Error(err)
		}
	})
}

func TestLatency(t *testing.T) {
	var measured []time.Duration
	for i := 100; i >= 1; i-- {
		measured = append(measured, time.Duration(i)*time.Millisecond)
	}
	if got, want := latencyOf(measured), (Latency{50, 90, 99, 100}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got, want := latencyOf([]time.Duration{time.Second}), (Latency{1000, 1000, 1000, 1000}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := latencyOf(nil); got != (Latency{}) {
		t.Errorf("%+v", got)
	}
}

func TestProcess(t *testing.T) {
	u, err := ProcessUsage(os.Getpid())
	if err != nil || u.RSS < 1<<20 {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := ProcessUsage(-1); err == nil {
		t.Error("there is no such process")
	}
	cpu, err := parseCPU([]byte("1 (a) b) c) S 1 1 1 0 -1 4194560 1 0 0 0 150 25 0 0 20"))
	if err != nil || cpu != 1750*time.Millisecond {
		t.Errorf("%v, %v", cpu, err)
	}
	for _, bad := range []string{"", "1 (a) S 1", "1 (a) S 1 1 1 0 -1 4194560 1 0 0 0 x 25"} {
		if _, err := parseCPU([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if rss, err := parseRSS([]byte("Name:\ta\nVmRSS:\t    1024 kB\n")); err != nil || rss != 1<<20 {
		t.Errorf("%d, %v", rss, err)
	}
	for _, bad := range []string{"", "VmRSS: 3", "VmRSS: x kB"} {
		if _, err := parseRSS([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestPlan(t *testing.T) {
	p, err := Plan{Full: true, Watchers: 7}.complete()
	if err != nil || p.Watchers != 7 || p.Connections != full().Connections {
		t.Errorf("%+v, %v", p, err)
	}
	for _, bad := range []Plan{{Pairs: -1}, {Pairs: maxSize + 1}} {
		if _, err := bad.complete(); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	if _, err := (Plan{}).Run(t.Context(), "idle", &shop{}, silent); !errors.Is(err, ErrNotOffered) {
		t.Error(err)
	}
}
