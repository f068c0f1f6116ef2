package relay

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"furrow/sstp"
	"furrow/sstp/auth"
	"furrow/sstp/wandpp"
)

// present is a client that counts what it is told of presence. Its transport is in
// memory, so that thousands do not need as many descriptors.
type present struct {
	testClient
	session *outbox
	told    atomic.Int64 // devices
	notify  func()       // called after each document
}

func (c *present) Closed(error) {}

func (c *present) Open(*sstp.InboundSession, *sstp.Open) (sstp.Receiver, sstp.OpenResponseID) {
	return c, sstp.OpenOk
}

// Message implements [sstp.Receiver].
func (c *present) Message(m *sstp.Incoming) {
	go func() {
		body, err := io.ReadAll(m)
		if err != nil {
			return
		}
		m.Complete()
		c.told.Add(int64(bytes.Count(body, []byte("<Device "))))
		if c.notify != nil {
			c.notify()
		}
	}()
}

// bePresent connects somebody over memory.
func (b *box) bePresent(t testing.TB, p *person, notify func()) *present {
	c := &present{testClient: testClient{person: p}, notify: notify}
	ours, theirs := net.Pipe()
	b.server.Adopt(theirs)
	login, token, err := auth.NewLogin(auth.DeviceLayer, p.deviceKey)
	must(t, err)
	conn, answer, err := sstp.Dial(context.Background(), ours, sstp.Config{LocalDeviceURLs: []string{p.device}}, b.url(), token, c)
	must(t, err)
	c.conn = conn
	proof, err := login.Receive(answer.Response, answer.AuthenticationToken)
	must(t, err)
	must(t, conn.Authenticate(proof))
	c.session = c.presence(t)
	return c
}

func (c *present) hangUp() {
	c.conn.Close(sstp.ReasonNone, 0)
	<-c.conn.Done()
}

// crowd enrols n people and has them connect, some at a time.
func (b *box) crowd(t testing.TB, people []*person, notify func()) []*present {
	crowd := make([]*present, len(people))
	var work sync.WaitGroup
	next := make(chan int)
	for range 64 {
		work.Go(func() {
			for i := range next {
				crowd[i] = b.bePresent(t, people[i], notify)
			}
		})
	}
	for i := range people {
		next <- i
	}
	close(next)
	work.Wait()
	return crowd
}

func (b *box) enrolMany(t testing.TB, n int) []*person {
	people := make([]*person, n)
	for i := range people {
		people[i] = newPerson(t, fmt.Sprintf("p%d", i))
	}
	b.enrol(t, people...)
	return people
}

// gatherTime is how long the hub waits after it has told of something.
const gatherTime = 100 * time.Millisecond

// BenchmarkPresenceWatchers compares how long a change takes to the last of 5,000
// subscribers with 50, for each subscriber, and measures the memory that a subscription takes.
func BenchmarkPresenceWatchers(b *testing.B) {
	box, _ := newPresenceBox(b, nil)
	people := box.enrolMany(b, 5001)
	publisher := box.bePresent(b, people[0], nil)
	told := make(chan struct{}, 100_000)
	crowd := box.crowd(b, people[1:], func() { told <- struct{}{} })
	for _, c := range crowd {
		c.session.say(b, &wandpp.Subscribe{Devices: []string{people[0].device}})
		<-told
	}
	status := wandpp.Offline
	toAll := func(n int) time.Duration {
		status ^= wandpp.Online ^ wandpp.Offline
		time.Sleep(gatherTime)
		start := time.Now()
		publisher.session.say(b, &wandpp.Publish{Status: status})
		for range n {
			<-told
		}
		return time.Since(start)
	}
	var many, few []time.Duration
	for b.Loop() {
		many = append(many, toAll(len(crowd)))
	}
	for _, c := range crowd[50:] {
		c.session.say(b, &wandpp.Unsubscribe{Devices: []string{people[0].device}})
	}
	for range 5 {
		few = append(few, toAll(50))
	}
	slices.Sort(many)
	slices.Sort(few)
	perMany, perFew := float64(many[len(many)/2])/float64(len(crowd)), float64(few[len(few)/2])/50
	b.ReportMetric(perMany/1e3, "us/subscriber/5000")
	b.ReportMetric(perFew/1e3, "us/subscriber/50")
	b.ReportMetric(perMany/perFew, "cost5000/cost50")
	for _, c := range crowd {
		c.hangUp()
	}
}

// BenchmarkPresenceMemory measures the memory of a subscription.
func BenchmarkPresenceMemory(b *testing.B) {
	const watchers, devices = 200, 4000
	box, hub := newPresenceBox(b, nil)
	people := box.enrolMany(b, watchers)
	list := make([]string, devices)
	for i := range list {
		list[i] = fmt.Sprintf("dpp:///e2c3smux2b4uhfucu8a3wztus9bsyaz8bq%05d", i)
	}
	for b.Loop() {
		crowd := box.crowd(b, people, nil)
		crowd[0].session.say(b, &wandpp.Subscribe{Devices: list}) // the devices themselves
		eventually(b, "the first is told", func() bool { return crowd[0].told.Load() == devices })
		before := memory()
		for _, c := range crowd[1:] {
			c.session.say(b, &wandpp.Subscribe{Devices: list})
		}
		eventually(b, "all are told", func() bool {
			return !slices.ContainsFunc(crowd, func(c *present) bool { return c.told.Load() < devices })
		})
		b.ReportMetric(float64(memory()-before)/(watchers-1)/devices, "B/subscription")
		for _, c := range crowd {
			c.hangUp()
		}
		eventually(b, "all are gone", func() bool { return hub.Stats().Subscriptions == 0 })
	}
}

// BenchmarkPresenceStorm has 2,000 devices that watch each other come back at once,
// as after a restart, and compares the time that a store-and-forward message takes
// meanwhile with that when nothing else goes on. The clients are in the same process,
// and need as much of it as the relay.
func BenchmarkPresenceStorm(b *testing.B) {
	const devices = 2000
	box, hub := newPresenceBox(b, nil)
	people := box.enrolMany(b, devices)
	list := make([]string, devices)
	for i, p := range people {
		list[i] = p.device
	}
	letters := box.people(b, "alice", "bob")
	from, to := box.connect(b, letters[0]).open(b, toIdentity(letters[1])), box.attached(b, letters[1])
	trip := func() time.Duration {
		start := time.Now()
		must(b, from.give(b, sstp.Message{Flags: sstp.FlagAcknowledgeImmediately}, make([]byte, 1000)))
		<-to.got
		return time.Since(start)
	}
	for b.Loop() {
		var quiet, stormy []time.Duration
		for range 300 {
			quiet = append(quiet, trip())
		}
		begun, before := time.Now(), hub.Stats()
		settled := make(chan []*present)
		go func() {
			crowd := box.crowd(b, people, nil)
			var work sync.WaitGroup
			for _, c := range crowd {
				work.Go(func() {
					c.session.say(b, &wandpp.Publish{Status: wandpp.Online})
					c.session.say(b, &wandpp.Subscribe{Devices: list})
				})
			}
			work.Wait()
			for slices.ContainsFunc(crowd, func(c *present) bool { return c.told.Load() < devices }) {
				time.Sleep(10 * time.Millisecond)
			}
			settled <- crowd
		}()
		var crowd []*present
		for crowd == nil {
			stormy = append(stormy, trip())
			select {
			case crowd = <-settled:
			default:
			}
		}
		after := hub.Stats()
		b.ReportMetric(time.Since(begun).Seconds(), "s/storm")
		b.ReportMetric(float64(after.Documents-before.Documents)/devices, "documents/subscriber")
		b.ReportMetric(float64(after.Notified-before.Notified)/devices/devices, "states/pair")
		b.ReportMetric(percentile(quiet).Seconds()*1e3, "ms-p99-quiet")
		b.ReportMetric(percentile(stormy).Seconds()*1e3, "ms-p99-storm")
		b.ReportMetric(float64(percentile(stormy))/float64(percentile(quiet)), "storm/quiet")
		for _, c := range crowd {
			c.hangUp()
		}
		eventually(b, "all are gone", func() bool { return hub.Stats().Subscriptions == 0 && hub.Stats().Online == 0 })
	}
}

// percentile is the 99th.
func percentile(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)*99/100]
}
