package relay

import (
	"context"
	"fmt"
	"time"

	"furrow/relay/queue"
	"furrow/relay/registry"
)

// Purger carries out userPurge ([MS-GRVSPMR] 3.2.4.6) on the queues.
type Purger struct {
	Registry *registry.Registry
	Queues   *queue.Queues
	// SpareRecent leaves the queues alone into which a message came within the
	// last minute, as the products do (note <6>).
	SpareRecent bool
}

// spared is the minute of note <6>.
const spared = time.Minute

// Purge discards what is kept there and returns when that is durable. What is
// being delivered at the moment may still arrive.
func (p Purger) Purge(ctx context.Context, holdings []registry.Holding) error {
	identities, devices := make(map[string]bool), make(map[string]bool)
	for _, h := range holdings {
		for _, url := range h.IdentityURLs {
			identities[url] = true
		}
		if h.Devices {
			for _, url := range p.Registry.DevicesOf(h.AccountURL) {
				devices[url] = true
			}
		}
	}
	var grace time.Duration
	if p.SpareRecent {
		grace = spared
	}
	p.Queues.Purge(func(a queue.Address) bool { return identities[a.Identity] || devices[a.Device] }, grace)
	if err := p.Queues.Maintain(ctx); err != nil {
		return fmt.Errorf("purging users' messages: %w", err)
	}
	return nil
}
