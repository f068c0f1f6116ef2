package carrier

import (
	"fmt"
	"io"
	"net"
	"time"
)

// closeTime is how long what has been written is still sent after Close.
const closeTime = 2 * time.Second

// courier is the client's end of KeepAlive and Polling: a stream, and goroutines
// that carry its octets.
type courier struct {
	stream
	*client
	ready chan struct{} // has room for one: something has changed
}

func (c *client) newCourier() *courier {
	d := &courier{client: c, ready: make(chan struct{}, 1)}
	d.init(func() { signal(d.ready) })
	return d
}

// Close sends what has been written, ends the virtual connection and waits until
// nothing is left of it.
func (d *courier) Close() error {
	d.shut()
	late := time.AfterFunc(closeTime, d.cancel)
	d.work.Wait()
	late.Stop()
	d.fail(net.ErrClosed)
	return nil
}

// fail ends the virtual connection.
func (d *courier) fail(why error) {
	if d.finish(why) {
		d.log.Debug("carrier: virtual connection ended", "mode", d.cfg.Mode, "err", why)
	}
	d.cancel()
}

// wait waits until there are octets to send, with true, or no more will be. It
// calls idle and returns after a time; a negative one is endless.
func (d *courier) wait(limit time.Duration) (more bool, err error) {
	var late <-chan time.Time
	if limit >= 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		late = timer.C
	}
	for {
		waiting, closed, err := d.outlook()
		switch {
		case err != nil:
			return false, err
		case waiting > 0:
			return true, nil
		case closed:
			return false, net.ErrClosed
		}
		select {
		case <-d.ready:
		case <-late:
			return false, nil
		case <-d.life.Done():
			return false, net.ErrClosed
		}
	}
}

// dialKeepAlive makes both sessions and their handshakes.
func (c *client) dialKeepAlive() (io.ReadWriteCloser, error) {
	get, post := c.newSession(), c.newSession()
	first := c.get()
	answer, err := get.send(first)
	if err != nil {
		return nil, fmt.Errorf("GET: %w", err)
	}
	if _, err := post.exchange(c.post([]byte(echo)), answerLimit); err != nil {
		return nil, fmt.Errorf("POST: %w", err)
	}
	body, err := get.finish(first, answer, answerLimit)
	switch {
	case err != nil:
		return nil, fmt.Errorf("GET: %w", err)
	case string(body) != echo:
		return nil, fmt.Errorf("GET: %w: no echo string", errUnfit)
	}
	d := c.newCourier()
	d.work.Go(func() { d.fail(d.fetch(get)) })
	d.work.Go(func() { d.fail(d.push(post)) })
	return d, nil
}

// postIdle is how long the connection for POST is kept without a POST: less than
// common paths take to forget a connection.
const postIdle = 25 * time.Second

// fetch has one GET after the other answered.
func (d *courier) fetch(get *session) error {
	for {
		body, err := get.exchange(d.get(), receiveTime)
		if err != nil {
			return err
		}
		if err := d.deliver(body); err != nil {
			return err
		}
	}
}

// push posts what is written.
func (d *courier) push(post *session) error {
	var body []byte
	for {
		more, err := d.wait(postIdle)
		switch {
		case err != nil:
			return err
		case !more:
			post.hangUp()
			body = nil
			continue
		}
		body = d.take(body[:0], maxBody)
		// The relay may be slow to take the octets, but not for ever.
		if _, err := post.exchange(d.post(body), idleTime); err != nil {
			return err
		}
	}
}
