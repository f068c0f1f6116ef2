package main

import (
	"cmp"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"furrow/appliance"
	"furrow/appliance/config"
	"furrow/appliance/host"
	"furrow/appliance/journal"
	"furrow/appliance/update"
)

type serveCmd struct {
	Config    string            `help:"Configuration file; DIR/furrow.toml when it is there." placeholder:"FILE" type:"path"`
	Listen    map[string]string `help:"Address of a service, such as http=:8080; may be repeated." placeholder:"NAME=ADDR"`
	ServerURL string            `name:"server-url" help:"Address that clients are to use, http://host/gms.dll." placeholder:"URL"`
}

func (c *serveCmd) Run(s *session) error {
	hostname, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("asking for the host name: %w", err)
	}
	sockets, err := host.InheritedSockets()
	if err != nil {
		return err
	}
	for {
		if err := c.serve(s, hostname, sockets); !appliance.Again(err) {
			return err
		}
	}
}

// serve runs the box that is in the data directory.
func (c *serveCmd) serve(s *session, hostname string, sockets host.Sockets) error {
	file := cmp.Or(c.Config, filepath.Join(s.data, config.FileName))
	cfg, err := c.config(file)
	if err != nil {
		return err
	}
	level := new(slog.LevelVar)
	level.Set(cfg.LogLevel)
	box, err := appliance.New(s.ctx, appliance.Options{
		DataDir:        s.data,
		Config:         cfg,
		ConfigFile:     file,
		CredentialsDir: os.Getenv("CREDENTIALS_DIRECTORY"),
		Sockets:        sockets,
		Hostname:       hostname,
		Version:        version,
		Log:            slog.New(logHandler(level)),
		Now:            time.Now,
		Closed:         closed(),
		Examine:        s.examine,
	})
	if err != nil {
		return err
	}
	if err := c.announce(s, box); err != nil {
		return err
	}
	defer c.reloadOnRequest(file, level)()
	return box.Run(s.ctx)
}

// logHandler is where the log goes: to the system's journal where that reads standard error, there as text otherwise.
func logHandler(level slog.Leveler) slog.Handler {
	text := slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})
	if !journal.Connected() {
		return text
	}
	return journal.Handler(text)
}

// config is the defaults, then the file, then the command line.
func (c *serveCmd) config(file string) (cfg config.Config, err error) {
	cfg = config.Default(os.Geteuid() == 0)
	if c.Config != "" {
		cfg, err = config.Load(file, cfg)
	} else {
		cfg, err = config.LoadIfPresent(file, cfg)
	}
	if err != nil {
		return cfg, err
	}
	for name, address := range c.Listen {
		if err := cfg.SetListen(name, address); err != nil {
			return cfg, err
		}
	}
	cfg.ServerURL = cmp.Or(c.ServerURL, cfg.ServerURL)
	return cfg, cfg.Validate()
}

// announce says where the box is, for the person who started it.
func (c *serveCmd) announce(s *session, box *appliance.Appliance) error {
	if r := box.Recovery(); r != nil {
		fmt.Fprintf(os.Stderr, "furrow: DAMAGE: %s\nfurrow: read-only until you run: furrow --data %s recovery accept\n", r, s.data)
	}
	return s.out.print(map[string]string{
		"serverURL": box.ServerURL(), "http": box.HTTPAddr().String(), "data": s.data,
	}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "furrow %s serves %s (listening on %s), data in %s\n",
			version, box.ServerURL(), box.HTTPAddr(), s.data)
		return err
	})
}

// closed says whether the box must not serve others: on the image, while a new version is on trial that changes the form of
// the state. It is nil where that was not so at the start.
func closed() func() bool {
	stands := func() bool {
		_, err := os.Stat(update.ClosedFile)
		return err == nil
	}
	if !stands() {
		return nil
	}
	return stands
}
