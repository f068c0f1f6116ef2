package access

import "context"

// Actor is who asks for something.
type Actor struct {
	// Name is an administrator's name, an API token's, or that of a user of the operating system.
	Name string
	Role Role
	// Origin is the way the actor came.
	Origin Origin
	// Session is the token of the session of a person on the pages, empty for others.
	Session string
	// Address is the network address that the actor came from, without port; empty on this machine.
	Address string
}

// Origin is a way to the box.
type Origin string

const (
	// CommandLine is the Unix socket.
	CommandLine Origin = "command line"
	// Page is the admin pages.
	Page Origin = "page"
	// API is the JSON interface over the network.
	API Origin = "api"
)

type actorKey struct{}

// WithActor returns a context in which a is the one who asks.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorOf returns who asks; false if nobody has said so.
func ActorOf(ctx context.Context) (Actor, bool) {
	a, ok := ctx.Value(actorKey{}).(Actor)
	return a, ok
}
