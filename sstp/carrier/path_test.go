package carrier

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"
)

// idleCutter is a path that forgets connections on which nothing has happened for
// a time. It returns how many it has cut.
func (b *box) idleCutter(limit time.Duration) (dial func(context.Context) (net.Conn, error), cut func() int) {
	var mu sync.Mutex
	count := 0
	dial = func(ctx context.Context) (net.Conn, error) {
		onward, err := b.dial(ctx)
		if err != nil {
			return nil, err
		}
		near, far := net.Pipe()
		closeBoth := func() { _, _ = far.Close(), onward.Close() } // both sides are told so
		w := newIdleWatch(limit, func() {
			mu.Lock()
			defer mu.Unlock()
			count++
			closeBoth()
		})
		pass := func(to, from net.Conn) {
			buf := make([]byte, 4096)
			for {
				n, err := from.Read(buf)
				w.touch()
				if n > 0 { // a pipe passes on a write of nothing, as a read of nothing
					if _, werr := to.Write(buf[:n]); werr != nil {
						err = werr
					}
				}
				if err != nil {
					closeBoth()
					w.stop()
					return
				}
			}
		}
		b.serving.Go(func() { pass(onward, far) })
		b.serving.Go(func() { pass(far, onward) })
		return near, nil
	}
	return dial, func() int {
		mu.Lock()
		defer mu.Unlock()
		return count
	}
}

func TestPathThatCutsIdleConnections(t *testing.T) {
	for _, m := range []Mode{KeepAlive, Polling} {
		bubble(t, m.String(), ServerConfig{}, func(t *testing.T, b *box) {
			cfg := b.config(m)
			dial, cut := b.idleCutter(time.Minute)
			cfg.Dial = dial
			client, relay := b.connect(cfg)
			for _, pause := range []time.Duration{0, 10 * time.Second, 59 * time.Second, time.Minute, 61 * time.Second, time.Hour} {
				time.Sleep(pause)
				write(t, client, "up")
				expectStream(t, relay, "up")
				time.Sleep(pause)
				write(t, relay, "down")
				expectStream(t, client, "down")
			}
			if err := client.Close(); err != nil {
				t.Error(err)
			}
			if n := cut(); n > 0 {
				t.Errorf("%d connections were idle for too long", n)
			}
		})
	}
	bubble(t, "KeepAlive, POST only and fast", ServerConfig{}, func(t *testing.T, b *box) {
		cfg := b.config(KeepAlive)
		fast, cut := b.idleCutter(5 * time.Second)
		dialled := 0
		cfg.Dial = func(ctx context.Context) (net.Conn, error) {
			if dialled++; dialled == 1 { // the GET
				return b.dial(ctx)
			}
			return fast(ctx)
		}
		client, relay := b.connect(cfg)
		for range 3 {
			time.Sleep(6 * time.Second)
			write(t, client, "up")
			expectStream(t, relay, "up")
		}
		if n := cut(); n < 3 {
			t.Errorf("%d connections cut", n)
		}
	})
	// The 45 s for which a GET is held are too much here. The stream ends rather
	// than lose anything.
	bubble(t, "KeepAlive, too fast", ServerConfig{}, func(t *testing.T, b *box) {
		cfg := b.config(KeepAlive)
		cfg.Dial, _ = b.idleCutter(30 * time.Second)
		client, relay := b.connect(cfg)
		expectClosed(t, client)
		expectClosed(t, relay)
	})
	bubble(t, "LongLived, without a Noop", ServerConfig{}, func(t *testing.T, b *box) {
		cfg := b.config(LongLived)
		cfg.Dial, _ = b.idleCutter(time.Minute)
		client, relay := b.connect(cfg)
		expectClosed(t, client)
		expectClosed(t, relay)
	})
}
