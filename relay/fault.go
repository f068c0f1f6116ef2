package relay

import (
	"time"

	"furrow/sstp"
)

// drop tells the originator that entries have dropped out, each of them once, and
// sees to the end of the session when none is left. It waits for its turn to
// send.
func (f *fanout) drop(faults ...fault) {
	for _, x := range faults {
		fresh := f.mark(x.entries)
		if len(fresh) == 0 {
			continue
		}
		f.server.counters.faults.Add(uint64(len(fresh)))
		for _, status := range f.statuses(fault{x.status, fresh}) {
			if err := f.session.Status(f.server.ctx, status); err != nil {
				return // the session has ended
			}
		}
	}
	f.deferClose()
}

// mark returns those of the entries that were not gone, which they are now.
func (f *fanout) mark(entries []int) (fresh []int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, i := range entries {
		if !f.gone[i] {
			f.gone[i] = true
			f.left--
			fresh = append(fresh, i)
		}
	}
	return fresh
}

// statuses are the commands that tell a fault: one with a list of indexes for
// each relay, in version 1.6, and otherwise one for each entry ([MS-GRVSSTP]
// 2.2.8.1, note <18>).
func (f *fanout) statuses(x fault) []sstp.SessionStatus {
	if f.session.Conn().Version() < sstp.Version16 {
		list := make([]sstp.SessionStatus, len(x.entries))
		for n, i := range x.entries {
			list[n] = f.status(x.status, i)
		}
		return list
	}
	var list []sstp.SessionStatus
	at := make(map[string]int) // by relay: index in list
	for _, i := range x.entries {
		relay := f.entries[i].RelayURL
		n, known := at[relay]
		if !known {
			n = len(list)
			at[relay] = n
			list = append(list, f.status(x.status, i))
		}
		list[n].Indexes = append(list[n].Indexes, uint16(i))
	}
	return list
}

// status names one entry: its relay if that is what has failed, else its device.
func (f *fanout) status(id sstp.StatusID, entry int) sstp.SessionStatus {
	e := &f.entries[entry]
	status := sstp.SessionStatus{Status: id, DeviceURL: e.DeviceURL, IdentityURL: e.IdentityURL}
	switch id {
	case sstp.StatusDNSLookupFailed, sstp.StatusHostNotReachable, sstp.StatusConnectionClosed:
		status.DeviceURL = e.RelayURL
	}
	return status
}

// deferClose closes a session without targets after some time, in which the
// originator is expected to do it (note <16>): a Close that crosses a message
// could cost the connection ([MS-GRVSSTP] 3.1.5.10).
func (f *fanout) deferClose() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left > 0 || f.ended || f.closing != nil {
		return
	}
	f.closing = time.AfterFunc(f.server.config.EmptySessionTime, func() { f.close(sstp.ReasonEmptySession) })
}
