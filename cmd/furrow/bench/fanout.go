package bench

import "context"

// FanOut has one person send every message to many, who are not there.
type FanOut struct {
	Recipients int
	Messages   int
	Size       int // octets of each message
	Window     int // messages under way at a time
}

// Run measures post.
func (f FanOut) Run(ctx context.Context, post Post, progress Progress) (Result, error) {
	all := Route{From: 0}
	for i := range f.Recipients {
		all.To = append(all.To, i+1)
	}
	return mail{"fan-out", []Route{all}, f.Messages, f.Size, f.Window}.run(ctx, post, progress)
}
