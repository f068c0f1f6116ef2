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

type relayCollector struct {
	relay Relay

	connections, devices, relays, online, subscriptions, notified   figure
	receivedMessages, receivedBytes, sentMessages, sentBytes        figure
	forwardedMessages, forwardedBytes                               figure
	storedMessages, storedBytes                                     figure
	delivered, expired, purged, discarded, refused, failed, givenUp figure
	fanouts, faults, turnedAway, dialFailures, routes, routesDown   figure
	queues, waiting, waitingBytes, oldest                           figure
	spoolMessages, spoolBytes, spoolSegments, spoolDamaged          figure
}

func newRelayCollector(r Relay) *relayCollector {
	return &relayCollector{
		relay:         r,
		connections:   gauge("relay_connections", "SSTP connections that stand, by the encapsulation in HTTP; none is SSTP itself.", "encapsulation"),
		devices:       gauge("relay_device_connections", "Connections of devices that have proved who they are."),
		relays:        gauge("relay_relay_connections", "Connections that other relays have made."),
		online:        gauge("relay_devices_online", "Devices that say they are online."),
		subscriptions: gauge("relay_presence_subscriptions", "Devices that are watched, once for each who watches."),
		notified:      counter("relay_presence_notifications_total", "States of devices that others were told."),

		receivedMessages:  counter("relay_received_messages_total", "Messages from devices and other relays."),
		receivedBytes:     counter("relay_received_bytes_total", "Octets in them."),
		sentMessages:      counter("relay_sent_messages_total", "Messages to devices, with repetitions."),
		sentBytes:         counter("relay_sent_bytes_total", "Octets in them."),
		forwardedMessages: counter("relay_forwarded_messages_total", "Messages to other relays, with repetitions."),
		forwardedBytes:    counter("relay_forwarded_bytes_total", "Octets in them."),
		storedMessages:    counter("relay_stored_messages_total", "Messages that were stored."),
		storedBytes:       counter("relay_stored_bytes_total", "Octets in them."),
		delivered:         counter("relay_delivered_messages_total", "Messages that a recipient has acknowledged, once for each."),
		expired:           counter("relay_expired_messages_total", "Messages thrown away for their age, once for each recipient."),
		purged:            counter("relay_purged_messages_total", "Messages thrown away by a management server or an administrator, once for each recipient."),
		discarded:         counter("relay_discarded_messages_total", "Messages that were wanted online only by a recipient who was not."),
		refused:           counter("relay_refused_messages_total", "Recipients for whom a message was not taken.", "reason"),
		failed:            counter("relay_unstored_messages_total", "Messages not stored for trouble of this relay."),
		givenUp:           counter("relay_given_up_messages_total", "Messages that another relay kept refusing."),
		fanouts:           counter("relay_fanout_sessions_total", "Sessions with several recipients."),
		faults:            counter("relay_fanout_faults_total", "Recipients who dropped out of such sessions."),
		turnedAway:        counter("relay_turned_away_connections_total", "Connections beyond the limit."),
		dialFailures:      counter("relay_dial_failures_total", "Attempts to reach another relay that failed."),
		routes:            gauge("relay_routes", "Other relays that messages go to."),
		routesDown:        gauge("relay_routes_down", "Those among them that could not be reached the last time."),

		queues:       gauge("relay_queues", "Queues in which something waits, by what empties them.", "recipient"),
		waiting:      gauge("relay_waiting_messages", "Messages that wait, once for each recipient.", "recipient"),
		waitingBytes: gauge("relay_waiting_bytes", "Octets in them.", "recipient"),
		oldest:       gauge("relay_oldest_waiting_timestamp_seconds", "When the message that has waited longest came.", "recipient"),

		spoolMessages: gauge("spool_messages", "Messages in the spool that somebody waits for, once each."),
		spoolBytes:    gauge("spool_bytes", "Octets that the spool takes on the disk."),
		spoolSegments: gauge("spool_segments", "Files of the spool."),
		spoolDamaged:  gauge("spool_damaged_messages", "Messages lost to damage of the disk, found at the start or since."),
	}
}

// Describe implements [prometheus.Collector]. What there is differs: times that have not been are left out.
func (c *relayCollector) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector].
func (c *relayCollector) Collect(to chan<- prometheus.Metric) {
	f, stats := figures(to), c.relay.Stats()
	c.sendConnections(f, stats)
	c.sendMessages(f, stats)
	c.sendQueues(f)
	spooled := c.relay.Spool()
	f.send(c.spoolMessages, float64(spooled.Messages))
	f.send(c.spoolBytes, float64(spooled.DiskBytes))
	f.send(c.spoolSegments, float64(spooled.Segments))
	f.send(c.spoolDamaged, float64(spooled.Damaged))
}

func (c *relayCollector) sendConnections(f figures, stats relay.Stats) {
	plain := stats.Connections
	for encapsulation, n := range c.relay.Encapsulated() {
		f.send(c.connections, float64(n), encapsulation)
		plain -= n
	}
	f.send(c.connections, float64(max(plain, 0)), "none") // the two are not counted at the same moment
	f.send(c.devices, float64(stats.Devices))
	f.send(c.relays, float64(stats.Relays))
	f.send(c.fanouts, float64(stats.FanoutSessions))
	f.send(c.faults, float64(stats.Faults))
	f.send(c.turnedAway, float64(stats.TurnedAway))
	f.send(c.dialFailures, float64(stats.DialFailures))
	down := 0
	for _, r := range stats.Forwarders {
		if r.Down != "" {
			down++
		}
	}
	f.send(c.routes, float64(len(stats.Forwarders)))
	f.send(c.routesDown, float64(down))
	seen := c.relay.Presence()
	f.send(c.online, float64(seen.Online))
	f.send(c.subscriptions, float64(seen.Subscriptions))
	f.send(c.notified, float64(seen.Notified))
}

func (c *relayCollector) sendMessages(f figures, stats relay.Stats) {
	f.send(c.receivedMessages, float64(stats.MessagesReceived))
	f.send(c.receivedBytes, float64(stats.BytesReceived))
	f.send(c.sentMessages, float64(stats.MessagesSent))
	f.send(c.sentBytes, float64(stats.BytesSent))
	f.send(c.forwardedMessages, float64(stats.MessagesForwarded))
	f.send(c.forwardedBytes, float64(stats.BytesForwarded))
	f.send(c.failed, float64(stats.NotStored))
	f.send(c.givenUp, float64(stats.GivenUp))
	queued := stats.Queues
	f.send(c.storedMessages, float64(queued.Messages))
	f.send(c.storedBytes, float64(queued.Bytes))
	f.send(c.delivered, float64(queued.Delivered))
	f.send(c.expired, float64(queued.Expired))
	f.send(c.purged, float64(queued.Purged))
	f.send(c.discarded, float64(queued.Discarded))
	f.send(c.refused, float64(queued.Unknown), "unknown")
	f.send(c.refused, float64(queued.LockedOut), "locked_out")
	f.send(c.refused, float64(queued.NoRoom), "no_room")
	f.send(c.refused, float64(queued.TooLarge), "too_large")
}

// sendQueues says what waits for devices, identities and other relays.
func (c *relayCollector) sendQueues(f figures) {
	type sum struct {
		queues, messages int
		bytes            int64
		oldest           time.Time
	}
	sums := map[string]*sum{"device": {}, "identity": {}, "relay": {}}
	for address, usage := range c.relay.Queues() {
		s := sums[address.Kind()]
		s.queues++
		s.messages += usage.Messages
		s.bytes += usage.Bytes
		if s.oldest.IsZero() || usage.Oldest.Before(s.oldest) {
			s.oldest = usage.Oldest
		}
	}
	for kind, s := range sums {
		f.send(c.queues, float64(s.queues), kind)
		f.send(c.waiting, float64(s.messages), kind)
		f.send(c.waitingBytes, float64(s.bytes), kind)
		f.when(c.oldest, s.oldest, kind)
	}
}
