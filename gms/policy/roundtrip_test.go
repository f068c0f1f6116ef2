package policy

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The generators below draw what Validate accepts; the properties draw from
// all of it, so they also say that validation is not stricter than the format.

func genLine() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.RuneFrom([]rune(`ab ,;:'"<>&\é€🌾`+"\u00A0\uFFFD")), 0, 40, -1)
}

func genName() *rapid.Generator[string] {
	return rapid.Map(genLine(), func(s string) string { return "x" + s })
}

func genLines() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.RuneFrom([]rune("a<&\"é \t\r\n\u2028")), 0, 40, -1)
}

func genWords() *rapid.Generator[[]string] {
	word := rapid.StringOfN(rapid.RuneFrom([]rune(`ab.-<&é`)), 1, 8, -1)
	return rapid.Custom(func(t *rapid.T) []string { return some(t, word) })
}

func genDER() *rapid.Generator[[]byte] { return rapid.SliceOfN(rapid.Byte(), 1, 60) }

func genPeriod(unit, limit time.Duration) *rapid.Generator[time.Duration] {
	return rapid.Map(rapid.Int64Range(0, int64(limit/unit)), func(n int64) time.Duration { return time.Duration(n) * unit })
}

func genBits[T any]() *rapid.Generator[T] { return rapid.Make[T]() }

// some draws a short list, nil rather than empty.
func some[T any](t *rapid.T, g *rapid.Generator[T]) []T {
	list := rapid.SliceOfN(g, 0, 3).Draw(t, "list")
	if len(list) == 0 {
		return nil
	}
	return list
}

// maybe draws a value or nil.
func maybe[T any](t *rapid.T, g *rapid.Generator[T]) *T {
	return rapid.Ptr(g, true).Draw(t, "maybe")
}

func genRule() *rapid.Generator[ComponentRule] {
	return rapid.SampledFrom([]ComponentRule{ComponentsAllow, ComponentsDeny, ComponentsLocal})
}

func genComponentUpdate() *rapid.Generator[Body] {
	pkg := rapid.Custom(func(t *rapid.T) ComponentPackage {
		return ComponentPackage{
			Name: genName().Draw(t, "name"), Version: genLine().Draw(t, "version"),
			Comparison: rapid.SampledFrom([]string{">", ">=", "<", "<=", "="}).Draw(t, "comparison"),
			Rule:       genRule().Draw(t, "rule"),
			Silent:     rapid.Bool().Draw(t, "silent"), DeleteData: rapid.Bool().Draw(t, "deleteData"),
		}
	})
	item := rapid.Custom(func(t *rapid.T) ComponentItem {
		return ComponentItem{
			DisplayName: genLine().Draw(t, "displayName"), Fingerprint: genLine().Draw(t, "fingerprint"),
			Rule: genRule().Draw(t, "rule"), Packages: some(t, pkg),
			Type: rapid.SampledFrom([]ComponentItemType{ComponentSigner, ComponentUse}).Draw(t, "type"),
		}
	})
	return rapid.Custom(func(t *rapid.T) Body {
		return ComponentUpdate{
			Default:       genRule().Draw(t, "default"),
			SelfSigned:    rapid.SampledFrom([]ComponentRule{ComponentsAllow, ComponentsDeny}).Draw(t, "selfSigned"),
			PolicyVersion: genLine().Draw(t, "policyVersion"),
			Items:         some(t, item),
		}
	})
}

func genPKI() *rapid.Generator[PKI] {
	number := rapid.IntRange(minInt, maxInt)
	certificateType := rapid.Custom(func(t *rapid.T) PKICertificateType {
		return PKICertificateType{ID: number.Draw(t, "id"), Certificates: some(t, genDER())}
	})
	feature := rapid.Custom(func(t *rapid.T) PKIFeature {
		return PKIFeature{
			Required: rapid.Bool().Draw(t, "required"), CheckRevocation: rapid.Bool().Draw(t, "checkRevocation"),
			RevocationFreshness: genPeriod(time.Second, secondsLimit).Draw(t, "freshness"),
			KeyUsageFlags:       number.Draw(t, "keyUsageFlags"), CertificateTypes: some(t, certificateType),
		}
	})
	return rapid.Custom(func(t *rapid.T) PKI { return PKI{Feature: maybe(t, feature)} })
}

func genDevicePolicy() *rapid.Generator[Body] {
	bandwidth := rapid.Custom(func(t *rapid.T) Bandwidth {
		return Bandwidth{
			Value: rapid.IntRange(0, maxInt).Draw(t, "value"), DisplayMask: genLine().Draw(t, "mask"),
			Unit: BandwidthUnit(rapid.IntRange(0, int(Percent)).Draw(t, "unit")),
		}
	})
	return rapid.Custom(func(t *rapid.T) Body {
		p := DevicePolicy{
			KeepCommunicatorSettings: rapid.Bool().Draw(t, "keep"), NoPublicSearch: rapid.Bool().Draw(t, "noSearch"),
			Bandwidth: maybe(t, bandwidth), Audit: maybe(t, genBits[AuditClient]()),
			WebServices: maybe(t, genBits[WebServices]()), PKI: maybe(t, genPKI()),
			AuditServer: maybe(t, genBits[AuditServer]()),
		}
		if a := p.AuditServer; a != nil {
			a.ServerURL = genLine().Draw(t, "serverURL")
			a.UploadDays = rapid.IntRange(0, maxUploadDays).Draw(t, "days")
			a.UploadInterval = genPeriod(time.Millisecond, maxUploadInterval).Draw(t, "interval")
			a.Items = some(t, genName())
		}
		return p
	})
}

func genIdentityPolicy() *rapid.Generator[Body] {
	return rapid.Custom(func(t *rapid.T) Body {
		flag := func(label string) bool { return rapid.Bool().Draw(t, label) }
		listing := rapid.Map(rapid.IntRange(0, int(ListingNever)), func(n int) Listing { return Listing(n) })
		return IdentityPolicy{
			ManagedDevicesOnly: flag("only"), ManageDevices: flag("manage"), DeviceManagement: flag("domain"),
			PeerAuthentication: PeerAuthentication(rapid.IntRange(0, int(PeersRestrict)).Draw(t, "peers")),
			BlockedFileTypes:   genWords().Draw(t, "types"), RestrictedForests: genWords().Draw(t, "forests"),
			LockVCard: flag("lock"), PublicDirectory: listing.Draw(t, "public"), DomainDirectory: listing.Draw(t, "domain"),
			BackupInterval:  genPeriod(time.Millisecond, maxPeriod).Draw(t, "backup"),
			DefaultTemplate: genLine().Draw(t, "default"), MinimumTemplate: genLine().Draw(t, "minimum"),
			PKI: maybe(t, genPKI()),
		}
	})
}

func genVector() *rapid.Generator[LockoutVector] {
	return rapid.Custom(func(t *rapid.T) LockoutVector {
		var v LockoutVector
		last := 0
		for range rapid.IntRange(0, 6).Draw(t, "length") {
			last += rapid.IntRange(1, 1_000_000).Draw(t, "step")
			v = append(v, last)
		}
		if rapid.Bool().Draw(t, "message") {
			at := rapid.IntRange(0, len(v)).Draw(t, "at")
			v = append(v[:at:at], append(LockoutVector{LockoutMessage}, v[at:]...)...)
		}
		if rapid.Bool().Draw(t, "lock") {
			v = append(v, LockoutAccount)
		}
		return v
	})
}

func genPassphrase() *rapid.Generator[Body] {
	lockout := rapid.Custom(func(t *rapid.T) DelayLockout {
		return DelayLockout{
			Default: rapid.Bool().Draw(t, "default"), Vector: genVector().Draw(t, "vector"),
			Duration:  genPeriod(time.Second, secondsLimit).Draw(t, "duration"),
			Threshold: rapid.IntRange(0, maxLockoutThreshold).Draw(t, "threshold"),
		}
	})
	return rapid.Custom(func(t *rapid.T) Body {
		flag := func(label string) bool { return rapid.Bool().Draw(t, label) }
		return Passphrase{
			NoMemorizing: flag("memorize"), NoHints: flag("hints"),
			MaxAge:     genPeriod(time.Millisecond, maxPeriod).Draw(t, "maxAge"),
			History:    rapid.IntRange(0, maxPassphraseHistory).Draw(t, "history"),
			MinLength:  rapid.IntRange(0, maxPassphraseLength).Draw(t, "minLength"),
			NeedLetter: flag("letter"), NeedDigit: flag("digit"), NeedMixedCase: flag("case"), NeedPunctuation: flag("punctuation"),
			ResetInstructions: genLines().Draw(t, "reset"),
			Lockout:           maybe(t, genBits[Lockout]().Filter(func(l Lockout) bool { return l.Flags >= minInt && l.Flags <= maxInt })),
			DelayLockout:      maybe(t, lockout),
		}
	})
}

func genIdentity() *rapid.Generator[Body] {
	relay := rapid.Custom(func(t *rapid.T) Relay {
		return Relay{URL: genName().Draw(t, "url"), Certificate: genDER().Draw(t, "certificate")}
	})
	enrollment := rapid.Custom(func(t *rapid.T) Enrollment {
		e := Enrollment{Affiliation: Affiliation(genName().Draw(t, "domain"), genName().Draw(t, "member"))}
		if rapid.Bool().Draw(t, "certified") {
			e.Expires = genTime().Draw(t, "expires")
		}
		return e
	})
	return rapid.Custom(func(t *rapid.T) Body {
		i := Identity{
			FullName: genName().Draw(t, "fullName"), Disabled: rapid.Bool().Draw(t, "disabled"),
			MigrateTo: genLine().Draw(t, "migrateTo"),
			VCard:     Card{FullName: genLine().Draw(t, "card")}.VCard(),
			Relays:    some(t, relay), Enrollment: maybe(t, enrollment),
		}
		if len(i.Relays) > 0 {
			i.PreAuthToken = genLine().Draw(t, "token")
		}
		return i
	})
}

func genTime() *rapid.Generator[time.Time] {
	return rapid.Map(rapid.Int64Range(1, maxMillis), func(ms int64) time.Time { return time.UnixMilli(ms).UTC() })
}

func genBody(t Type) *rapid.Generator[Body] {
	switch t {
	case TypeAccountServices:
		return rapid.Map(genBits[AccountServices](), func(p AccountServices) Body { return p })
	case TypeComponentUpdate:
		return genComponentUpdate()
	case TypeDataRecovery:
		return rapid.Custom(func(t *rapid.T) Body {
			return DataRecovery{
				Recovery:          rapid.SampledFrom([]Recovery{RecoveryFull, RecoveryNone}).Draw(t, "recovery"),
				AutomaticReset:    rapid.Bool().Draw(t, "automatic"),
				ResetInstructions: genLines().Draw(t, "reset"), Certificate: genDER().Draw(t, "certificate"),
			}
		})
	case TypeDevicePolicy:
		return genDevicePolicy()
	case TypeDomainTrust:
		return rapid.Custom(func(t *rapid.T) Body {
			return DomainTrust{
				Name: genLine().Draw(t, "name"), Certificate: genDER().Draw(t, "certificate"),
				InOrganization: rapid.Bool().Draw(t, "inOrganization"),
			}
		})
	case TypeIdentity:
		return genIdentity()
	case TypeIdentityPolicy:
		return genIdentityPolicy()
	case TypePassphrase:
		return genPassphrase()
	}
	panic(fmt.Sprintf("no generator for %v", t))
}

// TestRoundTrip: what Build accepts, Parse and Verify give back, and valid
// settings are accepted.
func TestRoundTrip(t *testing.T) {
	key := testKey(t)
	for _, kind := range Types() {
		t.Run(kind.String(), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				want := Object{
					GUID:   genName().Draw(t, "guid"),
					Issued: genTime().Draw(t, "issued"),
					Domain: Domain{
						GUID: genName().Draw(t, "domain"), DisplayName: genName().Draw(t, "displayName"),
						ServerURL: genName().Draw(t, "serverURL"), Certificate: genDER().Draw(t, "certificate"),
					},
					Body: genBody(kind).Draw(t, "body"),
				}
				if err := want.Body.Validate(); err != nil {
					t.Fatal(err)
				}
				data, err := Build(want, key)
				if err != nil {
					t.Fatal(err)
				}
				signed, err := Parse(data)
				if err != nil {
					t.Fatalf("%v in %s", err, data)
				}
				got, err := signed.Verify(key.Public())
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("got\n%+v\nwant\n%+v", got, want)
				}
				if identity, ok := got.Body.(Identity); ok && identity.hasCertificate() {
					if err := signed.VerifyContact(key.Public()); err != nil {
						t.Fatal(err)
					}
				}
			})
		})
	}
}
