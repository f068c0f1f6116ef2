package main

import (
	"fmt"
	"sync"
	"time"
)

// counter shows how far something with many steps has come: in a line that
// changes on a terminal, otherwise in one line for each part.
type counter struct {
	mu   sync.Mutex
	show *transfer // the writer, and whether it is a terminal
	name string
	part string
}

// counter begins to show one; nothing for a script that reads JSON.
func (s *session) counter(name string) *counter {
	return &counter{show: s.transfer(name, 0), name: name}
}

// update shows that done of total steps of a part have been made.
func (c *counter) update(part string, done, total int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	began := part != c.part
	c.part = part
	switch {
	case c.show.terminal:
		if now := time.Now(); began || done == total || now.Sub(c.show.drawn) >= redraw {
			c.show.drawn = now
			fmt.Fprintf(c.show.w, "\r%s: %s %d of %d\x1b[K", c.name, part, done, total)
		}
	case began:
		fmt.Fprintf(c.show.w, "%s: %s %d\n", c.name, part, total)
	}
}

// end leaves the line, so that something else can be told.
func (c *counter) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.show.end()
}
