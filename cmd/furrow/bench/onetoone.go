package bench

import "context"

// OneToOne has pairs, all at the same time, of whom one sends to the other, who is
// not there.
type OneToOne struct {
	Pairs    int
	Messages int // of each pair
	Size     int // octets of each message
	Window   int // messages of a pair under way at a time
}

// Run measures post.
func (o OneToOne) Run(ctx context.Context, post Post, progress Progress) (Result, error) {
	var pairs []Route
	for i := range o.Pairs {
		pairs = append(pairs, Route{From: 2 * i, To: []int{2*i + 1}})
	}
	return mail{"one-to-one", pairs, o.Messages, o.Size, o.Window}.run(ctx, post, progress)
}
