package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"furrow/appliance"
	"furrow/web/api"
)

type statusCmd struct{}

func (statusCmd) Run(s *session) error {
	return s.status((*api.Client).Status)
}

type recoveryCmd struct {
	Accept   recoveryAcceptCmd   `cmd:"" help:"Go on with the restored state; what was lost stays lost."`
	RollBack recoveryRollBackCmd `cmd:"" help:"Give up all that a newer version has done since it changed the form of the state, so that an older one can open it. The box must not run."`
}

type recoveryAcceptCmd struct{}

func (recoveryAcceptCmd) Run(s *session) error {
	return s.status((*api.Client).AcceptRecovery)
}

type recoveryRollBackCmd struct{}

func (recoveryRollBackCmd) Run(s *session) error {
	if err := appliance.RollBack(s.data); err != nil {
		return err
	}
	return s.out.print(map[string]bool{"rolledBack": true}, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "The state is as it was before the newer version changed it. What came later is kept beside it in files that end in .rolled-back.")
		return err
	})
}

// status does one thing that yields the box's status, and prints it.
func (s *session) status(act func(*api.Client, context.Context) (api.Status, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	status, err := act(client, s.ctx)
	if err != nil {
		return err
	}
	return s.out.print(status, func(w io.Writer) error {
		state := "sound"
		var damage, files string
		if r := status.Recovery; r != nil {
			state = "restored from damaged files, read-only until you run: furrow --data " + s.data + " recovery accept"
			damage, files = r.Damage, strings.Join(r.Files, ", ")
		}
		return facts(w,
			[2]string{"version", status.Version},
			[2]string{"server URL", status.ServerURL},
			[2]string{"domains", strconv.Itoa(status.Domains)},
			[2]string{"members", strconv.Itoa(status.Members)},
			[2]string{"state", state},
			[2]string{"damage", damage},
			[2]string{"damaged files", files},
		)
	})
}
