package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"furrow/web/api"
)

type supportCmd struct {
	Show  supportShowCmd  `cmd:"" default:"1" help:"Say whether support can get in, and until when."`
	Open  supportOpenCmd  `cmd:"" help:"Let support get in for a time, by SSH or on the box's screen."`
	Close supportCloseCmd `cmd:"" help:"End support access and its sessions."`
}

type supportShowCmd struct{}

func (supportShowCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	now, err := client.Support(s.ctx)
	if err != nil {
		return err
	}
	return s.support(now)
}

func (s *session) support(now api.Support) error {
	return s.out.print(now, func(w io.Writer) error {
		if now.Open == nil {
			_, err := fmt.Fprintln(w, "support access is closed")
			return err
		}
		screen := "no shell"
		if now.Open.Shell {
			screen = "a shell, [s]"
		}
		return facts(w, [2]string{"open for", now.Open.Who}, [2]string{"until", now.Open.Until.Local().Format(time.DateTime)},
			[2]string{"keys", strings.Join(now.Open.Fingerprints, ", ")}, [2]string{"fingerprint of the box", now.Open.HostFingerprint},
			[2]string{"on the box's screen", screen})
	})
}

type supportOpenCmd struct {
	Who   string        `required:"" help:"A note about who gets in, and what for."`
	Key   []string      `help:"File with the public key that gets in as root by SSH, - for standard input; may be repeated." placeholder:"FILE"`
	For   time.Duration `default:"8h" help:"For how long, at most 72h." placeholder:"TIME"`
	Shell bool          `help:"Offer a shell on the box's own screen."`
}

// maxKeyFile bounds a file of public keys, in octets.
const maxKeyFile = 32 << 10

func (c *supportOpenCmd) Run(s *session) error {
	q := api.SupportRequest{Who: c.Who, Minutes: int(c.For / time.Minute), Shell: c.Shell}
	for _, name := range c.Key {
		keys, err := readKeys(name)
		if err != nil {
			return err
		}
		q.PublicKeys = append(q.PublicKeys, keys...)
	}
	client := api.NewClient(s.data)
	defer client.Close()
	now, err := client.OpenSupport(s.ctx, q)
	if err != nil {
		return err
	}
	return s.support(now)
}

// readKeys reads the lines of a file that are neither empty nor comments.
func readKeys(name string) (keys []string, err error) {
	file := os.Stdin
	if name != "-" {
		if file, err = os.Open(name); err != nil {
			return nil, err
		}
		defer file.Close() // only read from
	}
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("reading keys: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			keys = append(keys, line)
		}
	}
	return keys, nil
}

type supportCloseCmd struct{}

func (supportCloseCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	now, err := client.CloseSupport(s.ctx)
	if err != nil {
		return err
	}
	return s.support(now)
}
