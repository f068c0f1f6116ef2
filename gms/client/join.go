package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"furrow/appliance/keys"
	"furrow/gms/policy"
	"furrow/gms/soap/spcm"
)

// LastStep is the number of the last step of Join.
const LastStep = 17

// Step is one step of Join, numbered as in MS-GRVPROT 3.1.
type Step struct {
	Number int
	Text   string
}

// JoinOptions are what Join works with.
type JoinOptions struct {
	Server     *Server
	Address    string // of the server, as the person gave it
	Code       string // account configuration code, unless Automatic
	Home       *Home
	DeviceName string
	Now        func() time.Time
	// NewKeyPair makes the keys of the two accounts and the identity. Usually the function of that name.
	NewKeyPair func() (KeyPair, error)
	// Progress is called before each step.
	Progress func(Step)
	// Automatic asks for the member whom Server's credentials belong to, in the place of a code.
	Automatic bool
}

// ErrJoined is returned by Join for a home whose member is active already.
var ErrJoined = errors.New("the home folder belongs to a member who has joined already")

// ErrBackedUp is returned by an automatic Join when the member has an account already, of which there is a backup.
var ErrBackedUp = errors.New("the member has an account already; its backup can be restored")

// Join turns an account configuration code into an active member with a signed identity (MS-GRVPROT 3.1, steps 5 to
// 17). What it has reached is kept in the home: after a failure, Join with the same code goes on with the same keys,
// so that an answer that was lost on the way costs nothing.
func Join(ctx context.Context, o JoinOptions) (*Profile, error) {
	profile, code, err := activate(ctx, o)
	if err != nil {
		return nil, err
	}
	c := New(o.Server, profile, o.Now)

	o.Progress(Step{9, "registering the account with the management server"})
	if err := c.CreateAccount(ctx, &profile.User); err != nil {
		return nil, err
	}
	o.Progress(Step{12, "reporting the installed identity and policies"})
	if err := c.reportInstalled(ctx, &profile.User, profile.Objects); err != nil {
		return nil, err
	}
	o.Progress(Step{14, "enrolling in the domain"})
	if err := c.enroll(ctx, code); err != nil {
		return nil, err
	}
	if profile.ManagesDevice {
		if err := c.manageDevice(ctx); err != nil {
			return nil, err
		}
	}
	o.Progress(Step{LastStep, "keeping the signed identity"})
	profile.Joined, profile.UnusedCode = true, ""
	return profile, o.Home.Save(profile)
}

// activate makes the profile from what the server has for a new account, or goes on with the one that an earlier try
// has kept. It also returns the configuration code.
func activate(ctx context.Context, o JoinOptions) (*Profile, string, error) {
	kept, err := o.Home.Load()
	switch {
	case err == nil && kept.Joined:
		return nil, "", fmt.Errorf("%w: %s", ErrJoined, kept.FullName)
	case err == nil && o.Automatic && kept.UnusedCode != "":
		return kept, kept.UnusedCode, nil
	case err == nil && !o.Automatic && kept.CodeID == keys.CodeKey(o.Code).ID().String():
		return kept, o.Code, nil
	case err != nil && !errors.Is(err, ErrNoProfile):
		return nil, "", err
	}
	answer, err := o.ask(ctx)
	if err != nil {
		return nil, "", err
	}
	o.Progress(Step{8, "making the account, the identity and their keys"})
	profile, err := o.newProfile(answer)
	if err != nil {
		return nil, "", err
	}
	return profile, answer.ActivationKey, o.Home.Save(profile)
}

// ask asks for what the server has for a new account.
func (o *JoinOptions) ask(ctx context.Context) (*spcm.KeyActivationResponse, error) {
	if !o.Automatic {
		o.Progress(Step{5, "sending the account configuration code to the management server"})
		answer, err := o.Server.KeyActivation(ctx, o.Code)
		if err != nil {
			return nil, err
		}
		answer.ActivationKey = o.Code // whatever the server repeats
		return answer, nil
	}
	o.Progress(Step{5, "asking the management server for the account of " + o.Server.user})
	answer, err := o.Server.AutoAccountCodeConfiguration(ctx, o.DeviceName)
	if err != nil {
		return nil, err
	}
	if answer.Activation == nil {
		return nil, ErrBackedUp
	}
	return answer.Activation, nil
}

// newProfile makes a profile of what the server has for a new account.
func (o *JoinOptions) newProfile(answer *spcm.KeyActivationResponse) (*Profile, error) {
	codeID := keys.CodeKey(answer.ActivationKey).ID().String()
	profile, err := newProfile(o.Address, codeID, o.DeviceName, o.NewKeyPair)
	if err != nil {
		return nil, err
	}
	if o.Automatic {
		profile.UnusedCode = answer.ActivationKey
	}
	if profile.Domain = answer.Domain; profile.Domain.GUID == "" {
		return nil, errors.New("the server named no domain")
	}
	objects, err := profile.take(profile.Objects, answer.Objects)
	if err != nil {
		return nil, err
	}
	object, identity, err := identityOf(objects)
	if err != nil {
		return nil, err
	}
	profile.MemberGUID, profile.FullName, profile.VCard = object.GUID, identity.FullName, identity.VCard
	profile.ManagesDevice = managesDevices(objects)
	return profile, nil
}

// enroll has the contact signed and takes over the signed identity.
func (c *Client) enroll(ctx context.Context, code string) error {
	identity, err := c.profile.heldIdentity()
	if err != nil {
		return err
	}
	answer, err := c.DomainEnrollment(ctx, code, relayURLs(identity))
	if err != nil {
		return err
	}
	if _, err := c.profile.take(c.profile.Objects, answer.Objects); err != nil {
		return err
	}
	if identity, err = c.profile.heldIdentity(); err != nil {
		return err
	}
	if identity.Enrollment == nil {
		return errors.New("the server sent no identity with the domain's signature")
	}
	return nil
}

// manageDevice registers the device's own account and fetches its policies (MS-GRVSPCM 2.2.2.2.10.7: the identity
// policy asks for it at account configuration).
func (c *Client) manageDevice(ctx context.Context) error {
	if err := c.CreateAccount(ctx, &c.profile.Device); err != nil {
		return err
	}
	entries, err := c.ManagedObjectStatus(ctx, &c.profile.Device)
	if err != nil {
		return err
	}
	if _, err := c.profile.take(c.profile.DeviceObjects, entries); err != nil {
		return err
	}
	return c.reportInstalled(ctx, &c.profile.Device, c.profile.DeviceObjects)
}

// reportInstalled reports each of the held objects.
func (c *Client) reportInstalled(ctx context.Context, account *Account, held map[string]Held) error {
	for guid, object := range held {
		parsed, err := policy.Parse(object.Data)
		if err != nil {
			return fmt.Errorf("held object %s: %w", guid, err)
		}
		if err := c.ManagedObjectInstall(ctx, account, guid, object, typeName(parsed.Unverified().Body)); err != nil {
			return err
		}
	}
	return nil
}

// typeName is the Type that ManagedObjectInstall names (reading B15).
func typeName(body policy.Body) string {
	if body.Type() == policy.TypeIdentity {
		return spcm.TypeIdentityTemplate
	}
	return body.Type().String()
}
