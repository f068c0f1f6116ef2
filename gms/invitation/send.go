package invitation

import (
	"cmp"
	"context"
	"fmt"

	"furrow/appliance/mail"
	"furrow/gms/directory"
)

// Send puts mails with their codes to these pending members into the outbox: to all of them or none. An empty language is
// that of each one's domain. It fails with mail.ErrNoServer, ErrLanguage, directory.ErrMemberNotFound or
// directory.ErrStatus.
func (k *Desk) Send(ctx context.Context, language Language, guids ...string) error {
	return k.change(ctx, language, func(b directory.MemberBatch, add addFunc) error {
		for _, guid := range guids {
			if err := add(b, guid); err != nil {
				return err
			}
		}
		return nil
	})
}

// SendAfter makes a change that yields a pending member, and puts a mail with its code into the outbox, as Send does: both
// or nothing.
func (k *Desk) SendAfter(
	ctx context.Context, language Language, change func(directory.MemberBatch) (directory.Member, error),
) (m directory.Member, err error) {
	err = k.change(ctx, language, func(b directory.MemberBatch, add addFunc) error {
		changed, err := change(b)
		if err != nil {
			return err
		}
		if err := add(b, changed.GUID); err != nil {
			return err
		}
		m, err = b.Member(changed.GUID)
		return err
	})
	return m, err
}

func (k *Desk) change(ctx context.Context, language Language, change func(directory.MemberBatch, addFunc) error) error {
	add, err := k.Adding(language)
	if err != nil {
		return err
	}
	if err := k.Directory.ChangeMembers(ctx, func(b directory.MemberBatch) error { return change(b, add) }); err != nil {
		return err
	}
	k.Post.Nudge()
	return nil
}

// addFunc is what Adding returns.
type addFunc = func(b directory.MemberBatch, guid string) error

// Adding returns a function that puts a mail with the code of a pending member into the outbox, as part of a change of
// members. When that is durable, Nudge the Post.
func (k *Desk) Adding(language Language) (func(b directory.MemberBatch, guid string) error, error) {
	if language != "" && !language.known() {
		return nil, fmt.Errorf("%w: %q", ErrLanguage, language)
	}
	if _, ok := k.Post.Settings(); !ok {
		return nil, mail.ErrNoServer
	}
	server, err := k.Directory.ServerURL()
	if err != nil {
		return nil, err
	}
	return func(b directory.MemberBatch, guid string) error {
		if err := k.add(b, guid, server, language); err != nil {
			return fmt.Errorf("mailing the code of member %s: %w", guid, err)
		}
		return nil
	}, nil
}

func (k *Desk) add(b directory.MemberBatch, guid, server string, language Language) error {
	m, err := b.Member(guid)
	if err != nil {
		return err
	}
	if _, err := b.CodeMailed(guid, m.Email); err != nil {
		return err
	}
	code, err := b.ConfigurationCode(guid)
	if err != nil {
		return err
	}
	row, _ := k.Tables.domains.Get(b.Tx(), m.Domain)
	f, err := k.fields(m, code, server, row.Settings)
	if err != nil {
		return err
	}
	written, err := row.template(cmp.Or(language, row.Language, English)).Fill(f)
	if err != nil {
		return err
	}
	_, err = k.Post.Add(b.Tx(), mail.Message{To: m.Email, Subject: written.Subject, Body: written.Body})
	return err
}

func (k *Desk) fields(m directory.Member, code, server string, s Settings) (Fields, error) {
	domain, err := k.Directory.Domain(m.Domain)
	if err != nil {
		return Fields{}, err
	}
	return Fields{
		Name: m.FullName, FirstName: cmp.Or(m.FirstName, m.FullName), Email: m.Email, Login: m.RemoteUser,
		Code: code, Server: server, Domain: domain.Name, Organization: domain.Organization,
		Download: s.Download, Help: s.Help,
	}, nil
}

// Sheet returns what a welcome sheet for a pending member shows. For others, who have no use for one, it fails with
// directory.ErrStatus.
func (k *Desk) Sheet(guid string) (Fields, error) {
	m, err := k.Directory.Member(guid)
	if err != nil {
		return Fields{}, err
	}
	if m.Status != directory.Pending {
		return Fields{}, &directory.StatusError{Member: guid, Status: m.Status, Action: "welcome"}
	}
	return k.memberFields(m)
}

func (k *Desk) memberFields(m directory.Member) (Fields, error) {
	code, err := k.Directory.ConfigurationCode(m.GUID)
	if err != nil {
		return Fields{}, err
	}
	server, err := k.Directory.ServerURL()
	if err != nil {
		return Fields{}, err
	}
	return k.fields(m, code, server, k.Settings(m.Domain))
}

// Preview fills in the template of a domain for a language, empty for the one that is used, with a member of the domain,
// or with a sample in the domain if guid is empty. Given a text, it shows that instead of the template.
func (k *Desk) Preview(domain string, language Language, guid string, text *Text) (Text, error) {
	settings := k.Settings(domain)
	t, err := k.Template(domain, cmp.Or(language, settings.Language))
	if err != nil {
		return Text{}, err
	}
	if text != nil {
		if err := text.Check(); err != nil {
			return Text{}, err
		}
		t.Text = *text
	}
	f, err := k.previewFields(domain, guid, settings)
	if err != nil {
		return Text{}, err
	}
	return t.Fill(f)
}

func (k *Desk) previewFields(domain, guid string, settings Settings) (Fields, error) {
	if guid != "" {
		m, err := k.Directory.Member(guid)
		if err == nil && m.Domain != domain {
			err = fmt.Errorf("%w: %q in this domain", directory.ErrMemberNotFound, guid)
		}
		if err != nil {
			return Fields{}, err
		}
		return k.memberFields(m)
	}
	server, err := k.Directory.ServerURL()
	if err != nil {
		return Fields{}, err
	}
	sample := Sample()
	person := directory.Member{Domain: domain, MemberDetails: directory.MemberDetails{
		FullName: sample.Name, FirstName: sample.FirstName, Email: sample.Email, RemoteUser: sample.Login,
	}}
	return k.fields(person, sample.Code, server, settings)
}
