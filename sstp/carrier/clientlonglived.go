package carrier

import (
	"fmt"
	"io"
	"time"
)

// answerLimit is how long the answers to both halves may take: the relay gives up
// before.
const answerLimit = meetTime + 5*time.Second

// clientLongLived is the client's end of LongLived.
type clientLongLived struct {
	*longLived
	client *client
}

func (d *clientLongLived) Close() error {
	err := d.longLived.Close()
	d.client.work.Wait()
	return err
}

// dialLongLived makes the GET and the POST ([MS-GRVHENC] 3.1.4.1). A proxy that
// wants credentials says so before there is a body: the GET has none, and the
// POST's waits a while.
func (c *client) dialLongLived() (io.ReadWriteCloser, error) {
	get, post := c.newSession(), c.newSession()
	first := c.get()
	answer, err := get.send(first)
	if err != nil {
		return nil, fmt.Errorf("GET: %w", err)
	}
	if err := post.begin(); err != nil {
		// The answer to the GET may tell more than a broken connection.
		if answer == nil {
			answer, _ = get.receive(patience)
		}
		if answer != nil && answer.check() != nil {
			err = answer.check()
		}
		return nil, fmt.Errorf("POST: %w", err)
	}
	if _, err := get.await(first, answer, answerLimit); err != nil {
		return nil, fmt.Errorf("GET: %w", err)
	}
	if err := readEcho(get.x.r); err != nil {
		return nil, fmt.Errorf("GET: %w", err)
	}
	get.x.allowAll()
	post.x.allowAll()
	d := newLongLived(get.x, post.x, c.cfg.budget, func(error) { c.cancel() })
	c.work.Go(func() { d.watch(post.x) })
	return &clientLongLived{d, c}, nil
}

// begin sends the beginning of the POST, with the echo string.
func (s *session) begin() error {
	r := s.post(nil)
	r.length = s.cfg.budget
	switch p, err := s.send(r); {
	case err != nil:
		return err
	case p != nil && p.check() != nil:
		return p.check()
	case p != nil:
		return fmt.Errorf("%w: answered before its body", errUnfit)
	}
	if err := s.x.write([]byte(echo)); err != nil {
		return fmt.Errorf("sending the echo string: %w", err)
	}
	return nil
}

// watch ends the virtual connection when the POST is answered, which happens
// instead of what was hoped for, or cut.
func (d *longLived) watch(post *exchange) {
	p, err := readReply(post.r)
	if err == nil {
		err = p.check()
	}
	if err == nil {
		err = io.EOF
	}
	d.end(err)
}
