package client

import "io"

// meter counts what goes through.
type meter struct {
	w        io.Writer
	sent     int64
	progress func(int64)
}

// Write implements [io.Writer].
func (m *meter) Write(p []byte) (int, error) {
	n, err := m.w.Write(p)
	m.sent += int64(n)
	if m.progress != nil {
		m.progress(m.sent)
	}
	return n, err
}
