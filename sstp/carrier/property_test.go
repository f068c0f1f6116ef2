package carrier

import (
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// Octets arrive whole and in order however they are written, read and timed, in
// both directions at once.
func TestAnyInterleavingArrives(t *testing.T) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				steps := rapid.SliceOfN(rapid.Custom(drawStep), 1, 6)
				up, down := steps.Draw(rt, "up"), steps.Draw(rt, "down")
				synctest.Test(t, func(t *testing.T) {
					b := newBox(t, ServerConfig{})
					client, relay := b.connect(b.config(m))
					var all sync.WaitGroup
					all.Go(func() { playWrites(t, client, 1, up) })
					all.Go(func() { playReads(t, relay, 1, up) })
					all.Go(func() { playWrites(t, relay, 2, down) })
					all.Go(func() { playReads(t, client, 2, down) })
					all.Wait()
				})
			})
		})
	}
}

// step is one write or, at the other end, how the same octets are read.
type step struct {
	size        int
	before      time.Duration // the writer's pause
	chunk       int           // of the reader
	beforeChunk time.Duration // the reader's pause
}

func drawStep(t *rapid.T) step {
	pause := rapid.SampledFrom([]time.Duration{0, 0, time.Millisecond, answerTime, time.Second, 5 * time.Second, 50 * time.Second})
	return step{
		size:        rapid.OneOf(rapid.IntRange(1, 100), rapid.IntRange(maxBody-300, maxBody+300), rapid.IntRange(1, 2*bufferSize)).Draw(t, "size"),
		before:      pause.Draw(t, "before"),
		chunk:       rapid.OneOf(rapid.IntRange(100, 2000), rapid.Just(bufferSize)).Draw(t, "chunk"),
		beforeChunk: rapid.SampledFrom([]time.Duration{0, 0, 0, time.Millisecond, 20 * time.Millisecond}).Draw(t, "before chunk"),
	}
}

func playWrites(t *testing.T, w io.Writer, seed uint64, steps []step) {
	for i, s := range steps {
		time.Sleep(s.before)
		if _, err := w.Write(random(seed<<32+uint64(i), s.size)); err != nil {
			t.Error("writing: ", err)
			return
		}
	}
}

func playReads(t *testing.T, r io.Reader, seed uint64, steps []step) {
	for i, s := range steps {
		got := make([]byte, s.size)
		for have := 0; have < len(got); {
			time.Sleep(s.beforeChunk)
			n, err := r.Read(got[have:min(have+s.chunk, len(got))])
			if err != nil {
				t.Errorf("reading step %d of %d: %v", i, len(steps), err)
				return
			}
			have += n
		}
		if string(got) != string(random(seed<<32+uint64(i), s.size)) {
			t.Errorf("step %d: what arrived is not what was sent", i)
			return
		}
	}
}
