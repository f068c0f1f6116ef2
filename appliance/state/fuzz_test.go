package state

import (
	"bytes"
	"testing"
)

// FuzzScan: whatever a file holds, scanning and salvaging it ends, stays in
// bounds, and what the scanner calls sound reads back as written.
func FuzzScan(f *testing.F) {
	r := recordJournal(f, 3)
	f.Add(r.data)
	f.Add(r.data[:len(r.data)-20])
	f.Add(append(bytes.Clone(r.data), make([]byte, 600)...))
	f.Add(append(bytes.Clone(r.data), r.data[r.start:]...))
	f.Add(appendRecord(bytes.Clone(r.data), 1, record{kind: kindSeal, number: 2}))
	f.Fuzz(func(t *testing.T, data []byte) {
		st := newStage()
		sc := scanGeneration(data, 1, st)
		if sc.end > int64(len(data)) || sc.start > sc.end {
			t.Fatalf("%+v of %d bytes", sc, len(data))
		}
		if sc.finding.kind == sound && sc.end != int64(len(data)) {
			t.Fatalf("sound, but ends at %d of %d", sc.end, len(data))
		}
		if sc.checkpoint {
			again := scanGeneration(data[:sc.end], 1, newStage())
			if again.finding.kind != sound || again.sealed != sc.sealed {
				t.Fatalf("cut at its end: %+v", again)
			}
		}
		for offset, rec := range survivors(data, 0, 1) {
			line := appendRecord(nil, 1, rec)
			if !bytes.HasPrefix(data[offset:], line) {
				t.Fatalf("record at %d does not encode to itself", offset)
			}
		}
		if _, _, _, err := st.build(newTestSchema().schema); err != nil {
			t.Log(err) // rows that do not fit the schema are refused
		}
	})
}

func FuzzDecodeEffects(f *testing.F) {
	body := appendPut(nil, "member", 1, "a", []byte(`{"ID":"a"}`))
	body = appendDelete(body, "member", "a")
	f.Add(appendStamp(body, 1))
	f.Add([]byte{opPut, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, body []byte) {
		var again []byte
		err := decodeEffects(body, func(e effect) {
			switch e.op {
			case opPut:
				again = appendPut(again, e.table, e.version, e.key, e.data)
			case opDelete:
				again = appendDelete(again, e.table, e.key)
			case opStamp:
				again = appendStamp(again, e.stamp)
			}
		})
		if err == nil && len(again) > len(body) {
			t.Fatalf("%x encodes to the longer %x", body, again)
		}
	})
}
