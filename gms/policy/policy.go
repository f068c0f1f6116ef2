// Package policy makes and reads managed objects: the eight kinds of signed
// XML by which a management domain tells clients who a member is and what
// members and devices may do (MS-GRVSPCM 2.2.2.2.10, 3.2.5.1.4). It holds no
// state: everything is a function of what is passed in, and since the
// signatures have no randomness, equal input gives equal bytes.
//
// # From settings to bytes and back
//
// Seven kinds carry settings of an administrator, each a plain struct that can
// be stored as JSON, has a Default function, a Validate method that names the
// field it refuses, and a help text for each field in its struct tag "help".
// The eighth, [Identity], shows a member. All eight are a [Body]:
//
//	Object{GUID, Issued, Domain, Body} -- Build --> bytes -- Parse --> *Signed -- Verify --> Object
//
// What [Build] accepts, [Parse] gives back, field by field. [Parse] reads the
// objects of other servers too: elements and attributes it does not know are
// skipped, since the published schemas need not be complete; values outside the
// published lists are refused, since the typed form could not show them.
//
// # Readings
//
// The text leaves doubts; the ids are those of the project's list of readings,
// in which this package decides as follows.
//
//   - E1: the domain's signature covers the whole fragment without its
//     Signatures element, prolog included, hashed once. [Signed.Verify] takes a
//     second round, a bare digest (A7) and g:ManagedObject alone too.
//   - E2: the contact's signature covers Contact with vCard, CustomFields,
//     Origin and Certificate, in the order in which 3.2.5.1.4 lists them,
//     serialized alone. Origin is sent beside Contact, where the schema and its
//     table have it.
//   - E2 also doubts the nesting of Certificate: sent twice as the schema and
//     the table of 2.2.2.2.10.6 have it; read once or twice.
//   - E3: every element has the prefix g.
//   - E8: SignerKeyHash is that of SEQUENCE { n, e }.
//   - E9: _95_95_95Affiliation_95Flags, in decimal; read in both spellings.
//   - E12: an identity's ReplacementPolicy is $Always; either is read.
//   - E13: an identity object has its member's GUID.
//   - ComponentPackageNameList (2.2.2.2.10.2): the schema prints Componet once,
//     the table Component throughout; the latter is sent, both are read.
//   - Origin/@Name is "urn:groove.net:ManagementDomain" (2.2.2.2.10.6), beside
//     the domain's GUID in Origin/ManagementDomain/@Name.
package policy
