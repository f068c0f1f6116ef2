//go:build image

package image

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// stopTime is how long the service may take to stop under load.
const stopTime = 10 * time.Second

// restartUnderLoad restarts the service while a member writes to another: no connection is refused meanwhile, the stop is
// clean and in time, and all that was acknowledged arrives.
func restartUnderLoad(t *testing.T, m *machine) {
	m.must(`(bash -c 'until [ -e /run/enough ]; do
		for port in 80 443 2492; do (exec 3<>/dev/tcp/127.0.0.1/$port) 2>>/run/refused; done; sleep 0.1
	done; touch /run/asked' &)`)
	first, enough, sent := make(chan struct{}), make(chan struct{}), make(chan [][]byte)
	go func() { // ends with enough
		var taken [][]byte
		for i := 0; ; i++ {
			select {
			case <-enough:
				sent <- taken
				return
			default:
			}
			content := make([]byte, 1<<20)
			_, _ = rand.Read(content) // never fails
			// A send that the restart breaks off was not acknowledged; whether it was durable before is not known to it.
			if m.trySend("Ann", "Bob", content) == nil {
				taken = append(taken, content)
			}
			if i == 0 {
				close(first)
			}
		}
	}()
	<-first
	m.must("systemctl restart furrow")
	close(enough)
	all := <-sent
	m.must("touch /run/enough; until [ -e /run/asked ]; do sleep 0.1; done")
	if refused := m.must("cat /run/refused"); refused != "" {
		t.Errorf("connections were refused: %s", refused)
	}
	left, gone := m.property("ActiveExitTimestampMonotonic"), m.property("InactiveEnterTimestampMonotonic")
	if took := time.Duration(gone-left) * time.Microsecond; took <= 0 || took > stopTime {
		t.Errorf("the stop took %v", took)
	} else {
		t.Logf("the stop took %v", took)
	}
	if log := m.must("journalctl -q -b -u furrow | cat"); strings.Contains(log, "Killing process") || strings.Contains(log, "Failed with result") {
		t.Errorf("not a clean stop: %s", log)
	}
	got := m.received("Bob")
	for i, content := range all {
		if !slices.ContainsFunc(got, func(one []byte) bool { return bytes.Equal(one, content) }) {
			t.Errorf("message %d of %d was acknowledged and is lost; %d arrived", i+1, len(all), len(got))
		}
	}
	t.Logf("%d messages of 1 MiB acknowledged, %d arrived", len(all), len(got))
}

// property is a number that systemd knows of the service.
func (m *machine) property(name string) int64 {
	m.t.Helper()
	n, err := strconv.ParseInt(m.must(fmt.Sprintf("systemctl show -P %s furrow", name)), 10, 64)
	if err != nil {
		m.t.Fatal(err)
	}
	return n
}

// powerByPages restarts the machine and switches it off by its pages.
func powerByPages(t *testing.T, m *machine) {
	m.startsAgain(func() { m.people.post("/power/restart", url.Values{}, "") })
	m.people.get("/power", "")
	m.people.post("/power/off", url.Values{}, "")
	select {
	case <-m.exited:
	case <-time.After(bootTime):
		t.Fatal("the machine goes on")
	}
	m.start()
	m.ready(0)
	noneFailed(t, m)
}
