package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"furrow/web/api"
)

type relayCmd struct {
	Show          relayShowCmd          `cmd:"" help:"Show the relay of this box."`
	Status        relayStatusCmd        `cmd:"" help:"Show how all relays are that this box manages."`
	ExportID      relayExportIDCmd      `cmd:"" name:"export-id" help:"Write ServerID.xml, by which an outside management server learns of this box's relay."`
	ImportManager relayImportManagerCmd `cmd:"" name:"import-manager" help:"Let an outside management server manage this box's relay."`
	Import        relayImportCmd        `cmd:"" help:"Make an outside relay known from its ServerID.xml."`
	Defaults      relayDefaultsCmd      `cmd:"" help:"Set how much a relay keeps for whom, and how long."`
	ExportManager relayExportManagerCmd `cmd:"" name:"export-manager" help:"Write the registry file by which an outside relay learns of this management server."`
}

type relayShowCmd struct{}

func (relayShowCmd) Run(s *session) error {
	return s.localRelay(func(client *api.Client) (api.LocalRelay, error) { return client.LocalRelay(s.ctx) })
}

type relayImportManagerCmd struct {
	File string `arg:"" help:"Registry file of the management server." type:"existingfile"`
}

func (c *relayImportManagerCmd) Run(s *session) error {
	file, err := readFile(c.File)
	if err != nil {
		return err
	}
	return s.localRelay(func(client *api.Client) (api.LocalRelay, error) { return client.ImportManager(s.ctx, file) })
}

// localRelay does one thing that yields this box's relay, and prints it.
func (s *session) localRelay(act func(*api.Client) (api.LocalRelay, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	r, err := act(client)
	if err != nil {
		return err
	}
	return s.out.print(r, func(w io.Writer) error {
		err := facts(w,
			[2]string{"device URL", r.DeviceURL},
			[2]string{"management", r.SOAPURL},
			[2]string{"active", strconv.FormatBool(r.Active)},
			[2]string{"devices", strconv.Itoa(r.Devices)},
			[2]string{"devices online", strconv.Itoa(r.Online)},
			[2]string{"devices watched", strconv.Itoa(r.Subscriptions)},
			[2]string{"connections", strconv.Itoa(r.Connections)},
			[2]string{"messages waiting", strconv.Itoa(r.Waiting)},
			[2]string{"bytes waiting", strconv.FormatInt(r.WaitingBytes, 10)},
		)
		if err != nil {
			return err
		}
		rows := make([][]string, 0, len(r.Managers))
		for _, m := range r.Managers {
			rows = append(rows, []string{m.Name, m.Organization, strconv.Itoa(m.Users), strconv.FormatBool(m.Registered), m.GUID})
		}
		return table(w, []string{"MANAGER", "ORGANIZATION", "USERS", "REGISTERED", "GUID"}, rows)
	})
}

type relayStatusCmd struct{}

func (relayStatusCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	relays, err := client.Relays(s.ctx)
	if err != nil {
		return err
	}
	return s.printRelays(relays, relays)
}

type relayImportCmd struct {
	File string `arg:"" help:"ServerID.xml of the relay." type:"existingfile"`
}

func (c *relayImportCmd) Run(s *session) error {
	file, err := readFile(c.File)
	if err != nil {
		return err
	}
	client := api.NewClient(s.data)
	defer client.Close()
	imported, err := client.ImportRelay(s.ctx, file)
	if err != nil {
		return err
	}
	return s.printRelays(imported, []api.Relay{imported})
}

type relayDefaultsCmd struct {
	Relay            string `arg:"" help:"GUID of the relay, as relay status shows it."`
	DeviceLifetime   int32  `help:"Days after which messages to a device are purged." default:"90" placeholder:"DAYS"`
	IdentityLifetime int32  `help:"Days after which messages to an identity are purged." default:"90" placeholder:"DAYS"`
	DeviceQuota      int32  `help:"Megabytes kept for one device." default:"1024" placeholder:"MB"`
	IdentityQuota    int32  `help:"Megabytes kept for one identity." default:"1024" placeholder:"MB"`
	Purge            bool   `help:"Put the lifetimes into force." default:"true" negatable:""`
	Quota            bool   `help:"Put the quotas into force."`
}

func (c *relayDefaultsCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	relay, err := client.SetRelayDefaults(s.ctx, c.Relay, api.RelayDefaults{
		DeviceLifetimeDays: c.DeviceLifetime, IdentityLifetimeDays: c.IdentityLifetime,
		DeviceQuotaMB: c.DeviceQuota, IdentityQuotaMB: c.IdentityQuota, PurgeEnabled: c.Purge, QuotaEnabled: c.Quota,
	})
	if err != nil {
		return err
	}
	return s.printRelays(relay, []api.Relay{relay})
}

func (s *session) printRelays(value any, relays []api.Relay) error {
	return s.out.print(value, func(w io.Writer) error {
		rows := make([][]string, 0, len(relays))
		for _, r := range relays {
			contact := "never since the start"
			if !r.Contact.IsZero() {
				contact = r.Contact.Local().Format(time.DateTime)
			}
			rows = append(rows, []string{r.DeviceURL, r.State, strconv.Itoa(r.Pending), contact, r.GUID, r.Problem})
		}
		return table(w, []string{"RELAY", "STATE", "PENDING", "LAST CONTACT", "GUID", "PROBLEM"}, rows)
	})
}

// exportTo is the flag of the commands that write a file.
type exportTo struct {
	Out string `help:"File to write; in this folder under its usual name when not given." placeholder:"FILE" type:"path"`
}

type relayExportIDCmd struct{ exportTo }

func (c *relayExportIDCmd) Run(s *session) error {
	return s.export(c.Out, func(client *api.Client) (api.File, error) { return client.RelayIdentity(s.ctx) })
}

type relayExportManagerCmd struct{ exportTo }

func (c *relayExportManagerCmd) Run(s *session) error {
	return s.export(c.Out, func(client *api.Client) (api.File, error) { return client.ManagerIdentity(s.ctx) })
}

// export writes a file that the box gives out. It never replaces one.
func (s *session) export(path string, fetch func(*api.Client) (api.File, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	file, err := fetch(client)
	if err != nil {
		return err
	}
	if path == "" {
		path = file.Name
	}
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = out.Write(file.Content)
	if closed := out.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return s.out.print(map[string]string{"file": path}, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "wrote", path)
		return err
	})
}

func readFile(path string) (api.File, error) {
	content, err := os.ReadFile(path)
	return api.File{Name: filepath.Base(path), Content: content}, err
}
