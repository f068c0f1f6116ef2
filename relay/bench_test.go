package relay

import (
	"fmt"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"furrow/sstp"
	"furrow/sstp/auth"
)

// BenchmarkFanout compares a message for 100 recipients with one for a single
// recipient, both until they are acknowledged, which is when they are durable.
func BenchmarkFanout(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) { benchmarkFanout(b, size) })
	}
}

func benchmarkFanout(b *testing.B, size int) {
	box := newBox(b, "a.example", nil)
	names := []string{"alice"}
	for i := range 100 {
		names = append(names, fmt.Sprintf("p%d", i))
	}
	people := box.people(b, names...)
	c := box.connect(b, people[0])
	var entries []sstp.FanoutDeviceEntry
	for _, p := range people[1:] {
		entries = append(entries, entry(p, ""))
	}
	one, many := c.fanout(b, fanoutTo(entries[0])), c.fanout(b, fanoutTo(entries...))
	body := randomBody(size)
	header := sstp.Message{Flags: sstp.FlagAcknowledgeImmediately}
	give := func(o *outbox) time.Duration {
		start := time.Now()
		must(b, o.give(b, header, body))
		return time.Since(start)
	}
	var alone, all []time.Duration
	for b.Loop() {
		alone = append(alone, give(one))
		all = append(all, give(many))
	}
	slices.Sort(alone)
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2])/float64(alone[len(alone)/2]), "cost100/cost1")
	b.ReportMetric(float64(alone[len(alone)/2].Microseconds()), "us/1")
	b.ReportMetric(float64(all[len(all)/2].Microseconds()), "us/100")
}

// idleConnections is how many BenchmarkIdle measures.
const idleConnections = 5000

// BenchmarkIdle measures the memory of an authenticated connection on which
// nothing happens, with its share of the tables, and with the socket of the other
// end, which is in this process too.
func BenchmarkIdle(b *testing.B) {
	box := newBox(b, "a.example", nil)
	people := make([]*person, idleConnections)
	for i := range people {
		people[i] = newPerson(b, fmt.Sprintf("p%d", i))
	}
	box.enrol(b, people...)
	for b.Loop() {
		conns := make([]net.Conn, 0, idleConnections)
		before := memory()
		for _, p := range people {
			conns = append(conns, box.idle(b, p))
		}
		eventually(b, "all are served", func() bool { return box.server.Stats().Devices == idleConnections })
		b.ReportMetric(float64(memory()-before)/idleConnections, "B/connection")
		for _, conn := range conns {
			must(b, conn.Close())
		}
		eventually(b, "all are gone", func() bool { return box.server.Stats().Connections == 0 })
	}
}

// memory is what is in use after a collection.
func memory() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// idle authenticates a device and its account over a bare socket.
func (b *box) idle(t testing.TB, p *person) net.Conn {
	conn, err := net.Dial("tcp", b.address)
	must(t, err)
	r := sstp.NewReader(conn)
	put := func(cmd sstp.Command) {
		octets, err := sstp.Append(nil, cmd, sstp.Version15)
		must(t, err)
		_, err = conn.Write(octets)
		must(t, err)
	}
	device, token, err := auth.NewLogin(auth.DeviceLayer, p.deviceKey)
	must(t, err)
	put(&sstp.Connect{Version: sstp.Version15, TargetDeviceURL: b.url(), SourceDeviceURLs: []string{p.device}, AuthenticationToken: token})
	cmd, err := r.ReadCommand()
	must(t, err)
	answer := cmd.(*sstp.ConnectResponse)
	proof, err := device.Receive(answer.Response, answer.AuthenticationToken)
	must(t, err)
	put(&sstp.ConnectAuthenticate{AuthenticationToken: proof})
	account, token, err := auth.NewLogin(auth.AccountLayer, p.accountKey)
	must(t, err)
	put(&sstp.Attach{EventID: 1, AccountURL: p.account, AuthenticationToken: token})
	cmd, err = r.ReadCommand()
	must(t, err)
	attached := cmd.(*sstp.AttachResponse)
	proof, err = account.Receive(attached.Response, attached.AuthenticationToken)
	must(t, err)
	put(&sstp.AttachAuthenticate{EventID: 1, AuthenticationToken: proof})
	return conn
}
