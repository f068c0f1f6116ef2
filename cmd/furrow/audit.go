package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"furrow/web/api"
)

type auditCmd struct {
	List     auditListCmd     `cmd:"" help:"List the newest events."`
	Export   auditExportCmd   `cmd:"" help:"Write all events to a file, or to standard output."`
	Devices  auditDevicesCmd  `cmd:"" help:"List the devices whose audit logs are kept."`
	Files    auditFilesCmd    `cmd:"" help:"List the files that clients have uploaded."`
	File     auditFileCmd     `cmd:"" help:"Write one of these files to disk."`
	Settings auditSettingsCmd `cmd:"" help:"Show or change how long logs and files are kept."`
}

// auditFlags select events.
type auditFlags struct {
	Domain string `help:"Only events of this domain, by name or GUID." placeholder:"NAME"`
	Member string `help:"Only events of this member." placeholder:"GUID"`
	Device string `help:"Only events of this device, by host name or GUID." placeholder:"NAME"`
	Type   string `help:"Only events of this type." placeholder:"TYPE"`
	Text   string `help:"Only events with this in their text." placeholder:"TEXT"`
	Since  string `help:"Only events of this time and later: 2026-03-14 or 2026-03-14T15:09:26Z." placeholder:"TIME"`
	Until  string `help:"Only events before this time." placeholder:"TIME"`
}

func (f *auditFlags) filter() (api.AuditFilter, error) {
	filter := api.AuditFilter{Domain: f.Domain, Member: f.Member, Device: f.Device, Type: f.Type, Text: f.Text}
	var errs [2]error
	filter.From, errs[0] = parseMoment(f.Since)
	filter.To, errs[1] = parseMoment(f.Until)
	return filter, errors.Join(errs[:]...)
}

// parseMoment reads a day, which begins in this machine's time zone, or a time. None is zero.
func parseMoment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil {
		return day, nil
	}
	moment, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no time: want 2026-03-14 or 2026-03-14T15:09:26Z", s)
	}
	return moment, nil
}

type auditListCmd struct {
	auditFlags
	Limit int `help:"How many events." default:"50"`
}

func (c *auditListCmd) Run(s *session) error {
	filter, err := c.filter()
	if err != nil {
		return err
	}
	filter.Newest, filter.Limit = true, c.Limit
	client := api.NewClient(s.data)
	defer client.Close()
	events := []api.AuditEvent{}
	unreadable := client.AuditEvents(s.ctx, filter, func(e api.AuditEvent) error {
		events = append(events, e)
		return nil
	})
	err = s.out.print(events, func(w io.Writer) error {
		rows := make([][]string, 0, len(events))
		for _, e := range events {
			kind := e.Type
			if e.Body == nil && e.Sealed != nil {
				kind = "(not decrypted)"
			}
			rows = append(rows, []string{e.Time.Format(time.RFC3339), e.MemberName, e.DeviceName, kind, e.Text})
		}
		return table(w, []string{"TIME", "MEMBER", "DEVICE", "TYPE", "TEXT"}, rows)
	})
	return errors.Join(unreadable, err)
}

type auditDevicesCmd struct {
	Domain string `help:"Only devices of this domain, by name or GUID." placeholder:"NAME"`
}

func (c *auditDevicesCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	devices, err := client.AuditDevices(s.ctx, c.Domain)
	if err != nil {
		return err
	}
	return s.out.print(devices, func(w io.Writer) error {
		rows := make([][]string, 0, len(devices))
		for _, d := range devices {
			rows = append(rows, []string{
				d.Name, d.Last.Format(time.RFC3339), strconv.Itoa(int(d.Sequence)), strconv.Itoa(d.Missing),
				map[bool]string{true: "yes", false: "no"}[d.Locked], d.Domain, d.Device,
			})
		}
		return table(w, []string{"DEVICE", "LAST UPLOAD", "SEQUENCE", "MISSING", "LOCKED ON", "DOMAIN", "GUID"}, rows)
	})
}

type auditFilesCmd struct {
	Domain string `help:"Only files of this domain, by name or GUID." placeholder:"NAME"`
}

func (c *auditFilesCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	files, err := client.AuditFiles(s.ctx, c.Domain)
	if err != nil {
		return err
	}
	return s.out.print(files, func(w io.Writer) error {
		rows := make([][]string, 0, len(files))
		for _, f := range files {
			rows = append(rows, []string{f.Title, octets(f.Length), f.Received.Format(time.RFC3339), f.DeviceName, f.Domain, f.Hash})
		}
		return table(w, []string{"NAME", "SIZE", "RECEIVED", "DEVICE", "DOMAIN", "HASH"}, rows)
	})
}

type auditFileCmd struct {
	Domain string `arg:"" help:"Name or GUID of the domain."`
	Hash   string `arg:"" help:"Hash of the file, as the list shows it."`
	Out    string `required:"" help:"File to write; it must not exist." placeholder:"FILE" type:"path"`
}

func (c *auditFileCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	content, err := client.AuditFile(s.ctx, c.Domain, c.Hash)
	if err != nil {
		return err
	}
	var size int64
	err = writeNew(c.Out, func(w io.Writer) (err error) {
		size, err = io.Copy(w, content)
		return err
	})
	if err = errors.Join(err, content.Close()); err != nil {
		return err
	}
	return s.out.print(map[string]any{"file": c.Out, "bytes": size}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%s: %s\n", c.Out, octets(size))
		return err
	})
}

// writeNew makes a file for its owner alone, which must not exist, and removes it again if it cannot be written to its
// end.
func writeNew(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if err = errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

type auditSettingsCmd struct {
	LogDays  *int `help:"Keep logs for so many days; 0 for ever." placeholder:"DAYS"`
	FileDays *int `help:"Keep files for so many days; 0 for ever." placeholder:"DAYS"`
}

func (c *auditSettingsCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	settings, err := client.AuditSettings(s.ctx)
	if err == nil && (c.LogDays != nil || c.FileDays != nil) {
		settings.LogDays, settings.FileDays = given(c.LogDays, settings.LogDays), given(c.FileDays, settings.FileDays)
		settings, err = client.SetAuditSettings(s.ctx, settings)
	}
	if err != nil {
		return err
	}
	return s.out.print(settings, func(w io.Writer) error {
		return facts(w, [2]string{"logs", days(settings.LogDays, "for ever")}, [2]string{"files", days(settings.FileDays, "for ever")})
	})
}

// given is the value of a flag, or the one it stays at.
func given(flag *int, stays int) int {
	if flag == nil {
		return stays
	}
	return *flag
}

// days is a setting for a person.
func days(n int, zero string) string {
	if n == 0 {
		return zero
	}
	return strconv.Itoa(n) + " days"
}
