package appliance

import (
	"context"
	"net/http"

	"furrow/web"
)

// pages puts the admin pages in front of the management server. Streams of live pages end with ctx.
func (a *Appliance) pages(ctx context.Context, admin http.Handler) (http.Handler, error) {
	return web.NewHandler(web.Config{
		Next: a.service, ServerURL: a.serverURL, Secure: address(a.https), Access: a.access, API: admin, Reach: web.Reach,
		Stopping: ctx, Log: a.opts.Log,
	})
}
