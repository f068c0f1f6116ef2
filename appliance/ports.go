package appliance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"furrow/sstp/carrier"
	"furrow/sstp/carrier/port"
	"furrow/web/api"
)

// carriersTimeout is how long clients whose way is HTTP have at a stop to fetch the relay's last words; those that poll
// may not come for longer than that, and find out by themselves.
const carriersTimeout = 3 * time.Second

// ports are the sockets by which the world comes in, each shared among all that may come by it: HTTP, TLS, and SSTP
// as it is or in HTTP.
type ports struct {
	services *services
	config   port.Config // what all have in common
	carriers *carrier.Server
	open     []*port.Port
	work     sync.WaitGroup
}

// startPorts begins to serve what New has bound: front is what comes by HTTP, admin the administration interface for the
// network.
func (a *Appliance) startPorts(front, admin http.Handler) *ports {
	p := &ports{services: a.services, config: port.Config{
		BehindProxies: a.opts.Config.Listen.BehindProxies, Log: a.opts.Log,
	}}
	var adopt func(io.ReadWriteCloser)
	if a.relay != nil {
		adopt = a.relay.server.Adopt
		p.carriers = a.relay.carriers
		p.serve("sstp", a.relay.sstp, port.Config{SSTP: adopt})
	}
	plain := p.serve("http", a.http, port.Config{SSTP: adopt, Encapsulation: p.carriers, HTTP: true})
	a.services.start("http", plain.HTTP(), front)
	if a.https != nil {
		secure := p.serve("https", a.https, port.Config{SSTP: adopt, TLS: true})
		a.services.startTLS("https", secure.TLS(), withAdmin(admin, front), a.tls.TLS())
	}
	return p
}

// withAdmin puts the administration interface in front of next. It is served over TLS only: at the plain port its
// addresses are as unknown as any.
func withAdmin(admin, next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(api.NetworkPrefix+"/", admin)
	mux.Handle(api.MetricsPath, admin)
	mux.Handle("/", next)
	return mux
}

func (p *ports) serve(name string, listener net.Listener, c port.Config) *port.Port {
	c.BehindProxies, c.Log = p.config.BehindProxies, p.config.Log
	shared := port.New(listener, c)
	p.open = append(p.open, shared)
	p.work.Go(func() {
		if err := shared.Serve(); err != nil {
			p.services.fail(fmt.Errorf("%s: %w", name, err))
		}
	})
	return shared
}

// close takes no more connections. What was handed on is ended by those who have it; close returns when that is done,
// or ctx ends.
func (p *ports) close(ctx context.Context) error {
	errs := make([]error, len(p.open))
	var closing sync.WaitGroup
	for i, shared := range p.open {
		closing.Go(func() { errs[i] = shared.Shutdown(ctx) })
	}
	closing.Wait()
	p.work.Wait()
	return errors.Join(errs...)
}

// endCarriers ends SSTP in HTTP, when the relay has said its last words.
func (p *ports) endCarriers(ctx context.Context) error {
	if p.carriers == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, carriersTimeout)
	defer cancel()
	if err := p.carriers.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// address is where l listens; "" for none.
func address(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

// listeners says where each service listens.
func (a *Appliance) listeners() map[string]string {
	all := map[string]string{"http": address(a.http)}
	if a.https != nil {
		all["https"] = address(a.https)
	}
	if a.relay != nil {
		all["sstp"] = address(a.relay.sstp)
	}
	return all
}
