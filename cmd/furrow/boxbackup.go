package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"furrow/appliance/backup"
	"furrow/appliance/backup/target"
	"furrow/web/api"
)

type backupCmd struct {
	Now    backupNowCmd    `cmd:"" help:"Make a backup of the box now, at the target or in a file."`
	Set    backupSetCmd    `cmd:"" help:"Say where backups go, and when they are made."`
	Show   backupShowCmd   `cmd:"" help:"Show where backups go, and what came of the last."`
	List   backupListCmd   `cmd:"" help:"List the backups at the target."`
	Verify backupVerifyCmd `cmd:"" help:"Read a backup file to its end and say whether it is sound."`
	Clear  backupClearCmd  `cmd:"" help:"Make no backups any more; those at the target stay."`
}

type backupNowCmd struct {
	To           string `help:"File for the backup; without it the backup goes to the target." placeholder:"FILE" type:"path"`
	PasswordFile string `help:"File with a password for this backup, - for standard input; without it that of backup set." placeholder:"FILE"`
}

func (c *backupNowCmd) Run(s *session) error {
	if c.To == "" {
		if c.PasswordFile != "" {
			return errors.New("--password-file is for a backup in a file, --to FILE")
		}
		return s.backupPlan((*api.Client).MakeBackup)
	}
	password, err := readSecret(c.PasswordFile)
	if err != nil {
		return err
	}
	client := api.NewClient(s.data)
	defer client.Close()
	plan, err := client.BackupPlan(s.ctx)
	if err != nil {
		return err
	}
	folder, name := filepath.Split(c.To)
	err = target.Folder(folder).Put(s.ctx, name, plan.Size, func(w io.Writer) error {
		return client.DownloadBackup(s.ctx, w, api.BackupDownload{Password: password})
	})
	if err != nil {
		return err
	}
	info, err := os.Stat(c.To)
	if err != nil {
		return err
	}
	return s.out.print(api.BackupFile{Name: c.To, Size: info.Size()}, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "the box is in %s, %s\n", c.To, octets(info.Size()))
		return err
	})
}

type backupSetCmd struct {
	Target         string `arg:"" help:"A folder, sftp://host/path, or s3://host/bucket/prefix."`
	Login          string `help:"Login of SFTP, or access key of S3." placeholder:"NAME"`
	SecretFile     string `help:"File with the password of SFTP or the secret key of S3; without it the one before stays." placeholder:"FILE"`
	KeyFile        string `help:"File with a private key for SFTP." placeholder:"FILE" type:"existingfile"`
	HostKey        string `help:"Host key of the SFTP server, a line of ssh-keyscan." placeholder:"KEY"`
	Region         string `help:"Region of S3." placeholder:"NAME"`
	PassphraseFile string `help:"File with the passphrase to encrypt with, - for standard input; without it the one before stays." placeholder:"FILE"`
	Daily          string `help:"Make a backup at this time every day, such as 02:30." placeholder:"TIME" xor:"when"`
	Every          string `help:"Make backups in this interval, such as 6h." placeholder:"TIME" xor:"when"`
	Keep           int    `help:"How many backups stay at the target." default:"7"`
}

func (c *backupSetCmd) Run(s *session) error {
	settings := api.BackupSettings{
		Target: c.Target, Login: c.Login, HostKey: c.HostKey, Region: c.Region, Daily: c.Daily, Every: c.Every, Keep: c.Keep,
	}
	var err error
	if settings.Password, err = readSecret(c.SecretFile); err != nil {
		return err
	}
	if settings.Passphrase, err = readSecret(c.PassphraseFile); err != nil {
		return err
	}
	if c.KeyFile != "" {
		pem, err := os.ReadFile(c.KeyFile)
		if err != nil {
			return fmt.Errorf("private key: %w", err)
		}
		settings.PrivateKey = string(pem)
	}
	return s.backupPlan(func(client *api.Client, ctx context.Context) (api.BackupPlan, error) {
		return client.SetBackup(ctx, settings)
	})
}

type backupShowCmd struct{}

func (backupShowCmd) Run(s *session) error { return s.backupPlan((*api.Client).BackupPlan) }

type backupClearCmd struct{}

func (backupClearCmd) Run(s *session) error { return s.backupPlan((*api.Client).ClearBackup) }

// backupPlan does one thing that yields the plan, and prints it.
func (s *session) backupPlan(act func(*api.Client, context.Context) (api.BackupPlan, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	p, err := act(client, s.ctx)
	if err != nil {
		return err
	}
	return s.out.print(p, func(w io.Writer) error {
		if p.Target == "" {
			_, err := fmt.Fprintln(w, "no backups are made; furrow backup set says where they go")
			return err
		}
		var last, failed, running string
		if o := p.Outcome; o.Name != "" {
			last = fmt.Sprintf("%s, %s, %s", moment(o.Succeeded), o.Name, octets(o.Size))
		}
		if o := p.Outcome; o.Error != "" {
			failed = fmt.Sprintf("%s, %d since the last success: %s", moment(o.Tried), o.Failures, o.Error)
		}
		if r := p.Running; r != nil {
			running = fmt.Sprintf("%s of about %s since %s", octets(r.Done), octets(r.Total), moment(r.Since))
		}
		return facts(w,
			[2]string{"target", p.Target},
			[2]string{"login", p.Login},
			[2]string{"host key", p.HostKey},
			[2]string{"region", p.Region},
			[2]string{"daily at", p.Daily},
			[2]string{"every", p.Every},
			[2]string{"keep", strconv.Itoa(p.Keep)},
			[2]string{"next", moment(p.Next)},
			[2]string{"running", running},
			[2]string{"last", last},
			[2]string{"failed", failed},
		)
	})
}

// moment is a time for a person; nothing for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(time.DateTime)
}

type backupListCmd struct{}

func (backupListCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	files, err := client.BackupFiles(s.ctx)
	if err != nil {
		return err
	}
	return s.out.print(files, func(w io.Writer) error {
		rows := make([][]string, len(files))
		for i, f := range files {
			rows[i] = []string{f.Name, octets(f.Size)}
		}
		return table(w, []string{"NAME", "SIZE"}, rows)
	})
}

// backupFile is a backup in a file of this machine, and its password.
type backupFile struct {
	File         string `arg:"" help:"File with a backup." type:"existingfile"`
	PasswordFile string `help:"File with the password of the backup, - for standard input; without it the terminal is asked." placeholder:"FILE"`
}

// read has the file read, and shows how far that is.
func (f *backupFile) read(s *session, what string, use func(r io.Reader, password string) (backup.Manifest, error)) error {
	password, err := f.password()
	if err != nil {
		return err
	}
	file, err := os.Open(f.File)
	if err != nil {
		return err
	}
	defer file.Close() // only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	shown := s.transfer(what, info.Size())
	m, err := use(&watched{from: file, shown: shown}, password)
	shown.end()
	if err != nil {
		return err
	}
	return s.out.print(m, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "the backup is sound: %d files, %s, made %s by version %s\n",
			len(m.Files), octets(m.Size()), moment(m.Made), m.Version)
		return err
	})
}

// password is that of the file, asked for on the terminal if no file has it.
func (f *backupFile) password() (string, error) {
	if f.PasswordFile != "" {
		return readSecret(f.PasswordFile)
	}
	return askSecret(os.Stdin, os.Stderr, "password of the backup: ")
}

// askSecret asks a person at a terminal, which does not show what is typed.
func askSecret(in *os.File, out io.Writer, prompt string) (_ string, err error) {
	before, err := unix.IoctlGetTermios(int(in.Fd()), unix.TCGETS)
	if err != nil {
		return "", errors.New("there is no terminal to ask for the password; name a file with --password-file")
	}
	silent := *before
	silent.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(int(in.Fd()), unix.TCSETS, &silent); err != nil {
		return "", fmt.Errorf("asking for the password: %w", err)
	}
	defer func() {
		fmt.Fprintln(out)
		err = errors.Join(err, unix.IoctlSetTermios(int(in.Fd()), unix.TCSETS, before))
	}()
	fmt.Fprint(out, prompt)
	return readSecret("-")
}

// watched is a file of which is shown how much has been read.
type watched struct {
	from  io.Reader
	shown *transfer
	done  int64
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	w.done += int64(n)
	w.shown.update(w.done)
	return n, err
}

type backupVerifyCmd struct{ backupFile }

func (c *backupVerifyCmd) Run(s *session) error {
	return c.read(s, "verifying", func(r io.Reader, password string) (backup.Manifest, error) {
		return backup.Verify(s.ctx, r, password)
	})
}

type restoreCmd struct{ backupFile }

func (c *restoreCmd) Run(s *session) error {
	return c.read(s, "restoring", func(r io.Reader, password string) (backup.Manifest, error) {
		return backup.Restore(s.ctx, r, password, s.data)
	})
}
