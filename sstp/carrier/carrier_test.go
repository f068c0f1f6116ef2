package carrier

import (
	"sync"
	"testing"
)

func TestOctetsArriveInBothDirections(t *testing.T) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			b := newBox(t, ServerConfig{}).listen()
			client, relay := b.connect(b.config(m))
			up, down := random(1, 1<<20), random(2, 1<<20)
			var both sync.WaitGroup
			both.Go(func() {
				if err := transfer(client, relay, up); err != nil {
					t.Error("to the relay: ", err)
				}
			})
			both.Go(func() {
				if err := transfer(relay, client, down); err != nil {
					t.Error("to the client: ", err)
				}
			})
			both.Wait()
			if err := client.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
