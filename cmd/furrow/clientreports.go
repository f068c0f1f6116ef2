package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"furrow/gms/auditlog"
	"furrow/gms/client"
	"furrow/gms/soap/spcm"
)

// homeFlags name an account that has joined.
type homeFlags struct {
	Home string `required:"" help:"Folder that keeps the account." placeholder:"DIR" type:"path"`
}

// member does one thing as the account and keeps what has become of it, also when that failed.
func (f *homeFlags) member(s *session, act func(*client.Client, *client.Profile) error) error {
	home, err := client.OpenHome(f.Home)
	if err != nil {
		return err
	}
	profile, err := home.Load()
	if err != nil {
		return err
	}
	if !profile.Joined {
		return fmt.Errorf("the account in %s has not finished joining: run furrow client join again with the same code", f.Home)
	}
	server, err := client.Connect(s.ctx, &http.Client{Timeout: requestTimeout}, profile.Server)
	if err != nil {
		return err
	}
	err = act(client.New(server, profile, time.Now), profile)
	return errors.Join(err, home.Save(profile))
}

// maxInputLine bounds a line of an input file, in bytes.
const maxInputLine = 1 << 20

// readLines decodes a file with a JSON object on each line.
func readLines[Line any](path string) (lines []Line, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, maxInputLine)
	for n := 1; scanner.Scan(); n++ {
		if len(scanner.Bytes()) == 0 {
			continue
		}
		var line Line
		if err := json.Unmarshal(scanner.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, n, err)
		}
		lines = append(lines, line)
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return lines, nil
}

type clientAuditUploadCmd struct {
	homeFlags
	File string `arg:"" help:"Events, one a line: {\"type\":\"file.open\",\"text\":\"Plan.dwg\",\"time\":\"2026-03-14T15:09:26Z\"}; without a time it is now." type:"existingfile"`
}

func (c *clientAuditUploadCmd) Run(s *session) error {
	lines, err := readLines[struct {
		Time       time.Time `json:"time"`
		Type, Text string
	}](c.File)
	if err != nil {
		return err
	}
	events := make([]auditlog.Event, len(lines))
	for i, l := range lines {
		if l.Time.IsZero() {
			l.Time = time.Now()
		}
		events[i] = auditlog.Event{Time: l.Time, Type: l.Type, Text: l.Text}
	}
	return c.member(s, func(member *client.Client, _ *client.Profile) error {
		sequence, err := member.UploadAuditLog(s.ctx, events)
		if err != nil {
			return err
		}
		return s.out.print(map[string]int{"events": len(events), "sequence": int(sequence)}, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%d events uploaded; the server has the log up to upload %d\n", len(events), sequence)
			return err
		})
	})
}

type clientFileUploadCmd struct {
	homeFlags
	File string `arg:"" help:"The file." type:"existingfile"`
}

func (c *clientFileUploadCmd) Run(s *session) (err error) {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	name := filepath.Base(c.File)
	return c.member(s, func(member *client.Client, _ *client.Profile) error {
		bar := s.transfer(name, info.Size())
		hash, before, err := member.UploadFile(s.ctx, client.AuditFile{
			Title: name, URL: "file:///" + name, Size: info.Size(), Content: f, Progress: bar.update,
		})
		bar.end()
		if err != nil {
			return err
		}
		state := map[spcm.FileStatus]string{
			spcm.FileNotPresent: "uploaded", spcm.FilePresent: "already there", spcm.FileProcessing: "being uploaded by another",
		}[before]
		return s.out.print(map[string]string{"hash": hash.String(), "state": state}, func(w io.Writer) error {
			_, err := fmt.Fprintf(w, "%s: %s, hash %s\n", name, state, hash)
			return err
		})
	})
}

type clientStatisticsCmd struct {
	homeFlags
	File string `arg:"" help:"Statistics, one a line: {\"type\":\"toolTime\",\"string\":\"TOOL\",\"string2\":\"SPACE\",\"long\":60,\"long2\":1}." type:"existingfile"`
}

func (c *clientStatisticsCmd) Run(s *session) error {
	lines, err := readLines[struct {
		Type            string
		Long, Long2     int32
		String, String2 string
	}](c.File)
	if err != nil {
		return err
	}
	stats := make([]spcm.Stat, len(lines))
	for i, l := range lines {
		kind, err := spcm.ParseStatType(l.Type)
		if err != nil {
			return err
		}
		stats[i] = spcm.Stat{Type: kind, Long: l.Long, Long2: l.Long2, String: l.String, String2: l.String2}
	}
	return c.member(s, func(member *client.Client, profile *client.Profile) error {
		if err := member.StatisticsPackage(s.ctx, &profile.User, stats); err != nil {
			return err
		}
		return s.reported(len(stats), "statistics")
	})
}

type clientReportFailureCmd struct {
	homeFlags
	Subtype []int32 `arg:"" help:"2: registry entry not changed; 3: registry entry not created; 5: no policies from the server; 6: user declined."`
}

func (c *clientReportFailureCmd) Run(s *session) error {
	var subtypes []spcm.FailureSubtype
	for _, n := range c.Subtype {
		subtypes = append(subtypes, spcm.FailureSubtype(n))
	}
	return c.member(s, func(member *client.Client, profile *client.Profile) error {
		if err := member.Failures(s.ctx, &profile.User, subtypes); err != nil {
			return err
		}
		return s.reported(len(subtypes), "failures")
	})
}

// reported tells of a report whose answer says nothing more.
func (s *session) reported(n int, what string) error {
	return s.out.print(map[string]int{"reported": n}, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, strconv.Itoa(n), what, "reported")
		return err
	})
}
