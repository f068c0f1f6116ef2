package main

import (
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"furrow/appliance/host"
)

// reloadOnRequest takes over what can change while the box runs, the log level, from the configuration on SIGHUP, which
// is what the service manager's reload sends. The function that it returns ends this.
func (c *serveCmd) reloadOnRequest(file string, level *slog.LevelVar) (end func()) {
	requests := make(chan os.Signal, 1)
	signal.Notify(requests, syscall.SIGHUP)
	var done sync.WaitGroup
	done.Go(func() {
		for range requests {
			if err := c.reload(file, level); err != nil {
				slog.Error("the configuration was not read again", "error", err)
			}
		}
	})
	return func() {
		signal.Stop(requests)
		close(requests)
		done.Wait()
	}
}

func (c *serveCmd) reload(file string, level *slog.LevelVar) error {
	told := host.Reloading()
	cfg, err := c.config(file)
	if err == nil {
		level.Set(cfg.LogLevel)
	}
	return errors.Join(told, err, host.Ready("serving"))
}
