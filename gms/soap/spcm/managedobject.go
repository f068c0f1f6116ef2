package spcm

import (
	"github.com/beevik/etree"

	"furrow/gms/soap"
)

// ManagedObject is an entry in a list of managed objects (MS-GRVSPCM
// 2.2.2.2.10):
//
//	<ManagedObject Active="1" GUID="" Name="" Object="serialized object"/>
type ManagedObject struct {
	Active bool // false tells the client to drop the object
	GUID   string
	Name   string
	Object []byte // the serialized, signed object; base64 removed
}

func (o *ManagedObject) element() *etree.Element {
	return soap.NewElement("ManagedObject",
		soap.Attr{Name: "Active", Value: soap.FormatBool(o.Active)},
		soap.Attr{Name: "GUID", Value: o.GUID},
		soap.Attr{Name: "Name", Value: o.Name},
		soap.Attr{Name: "Object", Value: soap.EncodeBase64(o.Object)})
}

func addManagedObjects(parent *etree.Element, objects []ManagedObject) {
	for i := range objects {
		parent.AddChild(objects[i].element())
	}
}

func decodeManagedObjects(parent *etree.Element) ([]ManagedObject, error) {
	elements := soap.Children(parent, "ManagedObject")
	objects := make([]ManagedObject, 0, len(elements))
	for _, e := range elements {
		a := soap.AttributesOf(e)
		objects = append(objects, ManagedObject{
			Active: a.Bool("Active"),
			GUID:   a.Name("GUID"),
			Name:   a.Text("Name"),
			Object: a.Base64("Object"),
		})
		if err := a.Err(); err != nil {
			return nil, err
		}
	}
	return objects, nil
}

// countedObjects returns the ManagedObjects element with Count that answers to
// KeyActivation and DomainEnrollment have.
func countedObjects(objects []ManagedObject) *etree.Element {
	list := soap.NewElement("ManagedObjects", soap.Attr{Name: "Count", Value: soap.FormatInt(int32(len(objects)))})
	addManagedObjects(list, objects)
	return list
}

// decodeCountedObjects reads the ManagedObjects child of parent. Count is not
// required by every schema; where it is, it must be right.
func decodeCountedObjects(parent *etree.Element) ([]ManagedObject, error) {
	list, err := soap.RequiredChild(parent, "ManagedObjects")
	if err != nil {
		return nil, err
	}
	objects, err := decodeManagedObjects(list)
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(list)
	if a.Has("Count") && int(a.Int("Count")) != len(objects) {
		a.Reject("Count", "not the number of objects")
	}
	return objects, a.Err()
}
