package spcm

import (
	"github.com/beevik/etree"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// FileUpload brings a fragment of a file that is kept for auditing (MS-GRVSPCM
// 2.2.3.30.1). As with [AuditLogUpload] its content is in the Event. The
// schema's BackupFragmenetSize is sent as it is printed (reading B1).
//
//	<Event BackupFragmenetSize="" ... _EA1="" _EA2="...">
//	  <g:SE/>
//	  <AuditElemUploadXlink Compress="0" CompressMethod="ZLIB" MakeDBRelative="true"
//	      RenameHref="false" actuate="user" deserialize="ignore" href="" link="simple"
//	      role="" serialize="ignore" show="replace" title=""/>
//	</Event>
//
// The answer is a [FileUploadResponse].
type FileUpload struct {
	Fragment UploadFragment
	Token    []byte // serialized TK, for package auditlog
	URL      string // of the file
	Title    string // name of the file
}

// elementFileLink stands beside g:SE.
const elementFileLink = "AuditElemUploadXlink"

// maxToken bounds a token, in bytes: an RSA ciphertext and a few attributes.
const maxToken = 8 << 10

// fixedLink are the attributes of the link that have one value.
func fixedLink() []soap.Attr {
	return []soap.Attr{
		{Name: "Compress", Value: "0"},
		{Name: "CompressMethod", Value: "ZLIB"},
		{Name: "MakeDBRelative", Value: "true"},
		{Name: "RenameHref", Value: "false"},
		{Name: "actuate", Value: "user"},
		{Name: "deserialize", Value: "ignore"},
		{Name: "link", Value: "simple"},
		{Name: "role", Value: ""},
		{Name: "serialize", Value: "ignore"},
		{Name: "show", Value: "replace"},
	}
}

// Frame returns the fragment to secure around an Event.
func (m *FileUpload) Frame(event *soap.Event) *soap.Fragment {
	e := event.Element()
	m.Fragment.add(e, "BackupFragmenetSize")
	e.CreateAttr("_EA1", soap.EncodeBase64(m.Token))
	f := soap.NewFragment(e)
	e.AddChild(soap.NewElement(elementFileLink, append(fixedLink(),
		soap.Attr{Name: "href", Value: m.URL}, soap.Attr{Name: "title", Value: m.Title})...))
	return f
}

// DecodeFileUpload reads an Event.
func DecodeFileUpload(event *etree.Element) (*FileUpload, error) {
	a := soap.AttributesOf(event)
	if a.Int("BackupVersion") != uploadVersion && a.Err() == nil {
		a.Reject("BackupVersion", "not 3")
	}
	m := &FileUpload{Fragment: decodeUploadFragment(a), Token: a.Base64("_EA1", "EA1")}
	if a.Err() == nil && len(m.Token) > maxToken {
		a.Reject("_EA1", "too long")
	}
	if err := a.Err(); err != nil {
		return nil, err
	}
	link, err := soap.RequiredChild(event, elementFileLink)
	if err != nil {
		return nil, err
	}
	a = soap.AttributesOf(link)
	for _, fixed := range fixedLink() {
		a.OneOf(fixed.Name, fixed.Value)
	}
	m.URL, m.Title = a.Text("href"), a.Text("title")
	return m, a.Err()
}

// FileUploadResponse says how an upload of a file stands (MS-GRVSPCM
// 2.2.3.31.1).
//
//	<FUR _com="1" _ha="" _sig="" _v="1,0"/>
type FileUploadResponse struct {
	Complete bool
	Hash     keys.Digest // of the file; zero while not complete
}

// Encode returns the payload, signed.
func (m *FileUploadResponse) Encode(signer *keys.RSAPrivateKey) ([]byte, error) {
	return signAnswer(soap.NewElement("FUR",
		soap.Attr{Name: "_com", Value: soap.FormatBool(m.Complete)},
		soap.Attr{Name: "_ha", Value: soap.EncodeBase64(m.Hash[:])},
		soap.Attr{Name: "_v", Value: serviceVersion}), signer)
}

// DecodeFileUploadResponse reads the payload and verifies its signature with
// the domain's key.
func DecodeFileUploadResponse(payload []byte, domain *keys.RSAPublicKey) (*FileUploadResponse, error) {
	a, err := parseAnswer(payload, domain, "FUR")
	if err != nil {
		return nil, err
	}
	m := &FileUploadResponse{Complete: complete(a), Hash: digest(a, "_ha")}
	return m, a.Err()
}
