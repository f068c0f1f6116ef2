package metrics

import (
	"iter"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"furrow/appliance/spool"
	"furrow/relay"
	"furrow/relay/presence"
	"furrow/relay/queue"
)

// Relay is the relay of a box.
type Relay interface {
	Stats() relay.Stats
	Presence() presence.Stats
	// Spool is what the messages take on the disk.
	Spool() spool.Stats
	// Queues yields every queue in which something waits, in no order.
	Queues() iter.Seq2[queue.Address, spool.Usage]
	// Encapsulated counts the SSTP connections in HTTP, by encapsulation.
	Encapsulated() map[string]int
}

// relayCollector measures a relay at each scrape.
type relayCollector struct{ Relay }

// Describe implements [prometheus.Collector]. What there is differs: times that have not been are left out.
func (c relayCollector) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector].
func (c relayCollector) Collect(to chan<- prometheus.Metric) {
	f, stats := figures(to), c.Stats()
	c.sendConnections(f, stats)
	c.sendMessages(f, stats)
	c.sendQueues(f)
	spooled := c.Spool()
	f.send(gauge("spool_messages", "Messages in the spool that somebody waits for, once each."), float64(spooled.Messages))
	f.send(gauge("spool_bytes", "Octets that the spool takes on the disk."), float64(spooled.DiskBytes))
	f.send(gauge("spool_segments", "Files of the spool."), float64(spooled.Segments))
	f.send(gauge("spool_damaged_messages", "Messages lost to damage of the disk, found at the start or since."), float64(spooled.Damaged))
}

func (c relayCollector) sendConnections(f figures, stats relay.Stats) {
	connections := gauge("relay_connections", "SSTP connections that stand, by the encapsulation in HTTP; none is SSTP itself.", "encapsulation")
	plain := stats.Connections
	for encapsulation, n := range c.Encapsulated() {
		f.send(connections, float64(n), encapsulation)
		plain -= n
	}
	f.send(connections, float64(max(plain, 0)), "none") // the two are not counted at the same moment
	f.send(gauge("relay_device_connections", "Connections of devices that have proved who they are."), float64(stats.Devices))
	f.send(gauge("relay_relay_connections", "Connections that other relays have made."), float64(stats.Relays))
	f.send(counter("relay_fanout_sessions_total", "Sessions with several recipients."), float64(stats.FanoutSessions))
	f.send(counter("relay_fanout_faults_total", "Recipients who dropped out of such sessions."), float64(stats.Faults))
	f.send(counter("relay_turned_away_connections_total", "Connections beyond the limit."), float64(stats.TurnedAway))
	f.send(counter("relay_dial_failures_total", "Attempts to reach another relay that failed."), float64(stats.DialFailures))
	down := 0
	for _, r := range stats.Forwarders {
		if r.Down != "" {
			down++
		}
	}
	f.send(gauge("relay_routes", "Other relays that messages go to."), float64(len(stats.Forwarders)))
	f.send(gauge("relay_routes_down", "Those among them that could not be reached the last time."), float64(down))
	seen := c.Presence()
	f.send(gauge("relay_devices_online", "Devices that say they are online."), float64(seen.Online))
	f.send(gauge("relay_presence_subscriptions", "Devices that are watched, once for each who watches."), float64(seen.Subscriptions))
	f.send(counter("relay_presence_notifications_total", "States of devices that others were told."), float64(seen.Notified))
}

func (c relayCollector) sendMessages(f figures, stats relay.Stats) {
	f.send(counter("relay_received_messages_total", "Messages from devices and other relays."), float64(stats.MessagesReceived))
	f.send(counter("relay_received_bytes_total", "Octets in them."), float64(stats.BytesReceived))
	f.send(counter("relay_sent_messages_total", "Messages to devices, with repetitions."), float64(stats.MessagesSent))
	f.send(counter("relay_sent_bytes_total", "Octets in them."), float64(stats.BytesSent))
	f.send(counter("relay_forwarded_messages_total", "Messages to other relays, with repetitions."), float64(stats.MessagesForwarded))
	f.send(counter("relay_forwarded_bytes_total", "Octets in them."), float64(stats.BytesForwarded))
	f.send(counter("relay_unstored_messages_total", "Messages not stored for trouble of this relay."), float64(stats.NotStored))
	f.send(counter("relay_given_up_messages_total", "Messages that another relay kept refusing."), float64(stats.GivenUp))
	queued := stats.Queues
	f.send(counter("relay_stored_messages_total", "Messages that were stored."), float64(queued.Messages))
	f.send(counter("relay_stored_bytes_total", "Octets in them."), float64(queued.Bytes))
	f.send(counter("relay_delivered_messages_total", "Messages that a recipient has acknowledged, once for each."), float64(queued.Delivered))
	f.send(counter("relay_expired_messages_total", "Messages thrown away for their age, once for each recipient."), float64(queued.Expired))
	f.send(counter("relay_purged_messages_total", "Messages thrown away by a management server or an administrator, once for each recipient."), float64(queued.Purged))
	f.send(counter("relay_discarded_messages_total", "Messages that were wanted online only by a recipient who was not."), float64(queued.Discarded))
	refused := counter("relay_refused_messages_total", "Recipients for whom a message was not taken.", "reason")
	f.send(refused, float64(queued.Unknown), "unknown")
	f.send(refused, float64(queued.LockedOut), "locked_out")
	f.send(refused, float64(queued.NoRoom), "no_room")
	f.send(refused, float64(queued.TooLarge), "too_large")
}

// sendQueues says what waits for devices, identities and other relays.
func (c relayCollector) sendQueues(f figures) {
	type sum struct {
		queues, messages int
		bytes            int64
		oldest           time.Time
	}
	sums := map[string]*sum{"device": {}, "identity": {}, "relay": {}}
	for address, usage := range c.Queues() {
		s := sums[address.Kind()]
		s.queues++
		s.messages += usage.Messages
		s.bytes += usage.Bytes
		if s.oldest.IsZero() || usage.Oldest.Before(s.oldest) {
			s.oldest = usage.Oldest
		}
	}
	queues := gauge("relay_queues", "Queues in which something waits, by what empties them.", "recipient")
	messages := gauge("relay_waiting_messages", "Messages that wait, once for each recipient.", "recipient")
	octets := gauge("relay_waiting_bytes", "Octets in them.", "recipient")
	oldest := gauge("relay_oldest_waiting_timestamp_seconds", "When the message that has waited longest came.", "recipient")
	for kind, s := range sums {
		f.send(queues, float64(s.queues), kind)
		f.send(messages, float64(s.messages), kind)
		f.send(octets, float64(s.bytes), kind)
		f.when(oldest, s.oldest, kind)
	}
}
