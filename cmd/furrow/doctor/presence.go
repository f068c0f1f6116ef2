package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	relayclient "furrow/relay/client"
	"furrow/sstp/wandpp"
)

// presence has one member watch the other come and go.
func presence(ctx context.Context, e *examination) (string, error) {
	if !e.registered() {
		return "", notTried("the test members are not known to a relay")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	states := make(chan relayclient.DeviceState, 16)
	watcher := relayclient.Watcher{
		Relays:  []relayclient.Watched{{Options: e.people.bob.relays[0], Devices: []string{e.people.ann.profile.DeviceURL}}},
		Changed: func(_ string, s relayclient.DeviceState) { states <- s },
	}
	ended := make(chan error, 1)
	go func() { ended <- watcher.Run(ctx) }()
	defer func() {
		cancel()
		<-ended
	}()
	if err := seen(ctx, states, ended, relayclient.StateOffline); err != nil {
		return "", err
	}
	link, err := relayclient.Dial(ctx, e.people.ann.relays[0])
	if err != nil {
		return "", err
	}
	defer link.Close()
	p, err := link.OpenPresence(ctx)
	if err != nil {
		return "", err
	}
	began := e.Now()
	if err := p.Publish(ctx, wandpp.Online); err != nil {
		return "", err
	}
	if err := seen(ctx, states, ended, relayclient.StateOnline); err != nil {
		return "", err
	}
	took := e.Now().Sub(began)
	if err := p.Publish(ctx, wandpp.Offline); err != nil {
		return "", err
	}
	if err := seen(ctx, states, ended, relayclient.StateOffline); err != nil {
		return "", err
	}
	return fmt.Sprintf("one saw the other come after %v, and go", took.Round(time.Millisecond)), nil
}

// seen waits until a watcher sees a state.
func seen(ctx context.Context, states <-chan relayclient.DeviceState, ended chan error, want relayclient.DeviceState) error {
	for {
		select {
		case s := <-states:
			if s == want {
				return nil
			}
		case err := <-ended:
			ended <- err // for who waits for the end
			return errors.Join(errors.New("watching ended"), err)
		case <-ctx.Done():
			return fmt.Errorf("the other was not seen %v: %w", want, context.Cause(ctx))
		}
	}
}
