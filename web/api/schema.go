package api

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"time"

	"furrow/web/access"
)

// schemas are the JSON schemas of Go types, as encoding/json writes and reads them. What is asked may leave out any
// attribute, but have no other; what is answered has all but those that are left out when empty.
type schemas struct {
	components object
	named      map[named]string
}

// named is a type in a question or an answer.
type named struct {
	kind     reflect.Type
	question bool
}

func newSchemas() *schemas { return &schemas{components: object{}, named: make(map[named]string)} }

func typeOfError() reflect.Type { return reflect.TypeFor[Error]() }

func (s *schemas) question(t reflect.Type) object { return s.of(t, true) }
func (s *schemas) answer(t reflect.Type) object   { return s.of(t, false) }

func (s *schemas) of(t reflect.Type, question bool) object {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t == reflect.TypeFor[time.Duration]():
		return object{"type": "integer", "description": "nanoseconds"}
	case t == reflect.TypeFor[access.Role]():
		return object{"type": "string", "enum": access.TokenRoles()}
	case t == reflect.TypeFor[json.RawMessage](): // also nothing, which some readers do not take for any
		return object{"type": []string{"object", "array", "string", "number", "boolean", "null"}}
	case t.Implements(reflect.TypeFor[json.Marshaler]()):
		return object{}
	case t.Implements(reflect.TypeFor[encoding.TextMarshaler]()):
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Pointer:
		return s.of(t.Elem(), question)
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return object{"type": "string", "contentEncoding": "base64"}
		}
		return object{"type": "array", "items": s.of(t.Elem(), question)}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem(), question)}
	case reflect.Struct:
		return object{"$ref": "#/components/schemas/" + s.component(t, question)}
	case reflect.Interface:
		return object{}
	default:
		return object{"type": "integer"}
	}
}

// component returns the name under which the schema of a struct is in the document.
func (s *schemas) component(t reflect.Type, question bool) string {
	key := named{t, question}
	if name, ok := s.named[key]; ok {
		return name
	}
	name := t.Name()
	if path := t.PkgPath(); path != reflect.TypeFor[Route]().PkgPath() {
		name = path[strings.LastIndexByte(path, '/')+1:] + "." + name
	}
	if question {
		name += ".question"
	}
	s.named[key] = name
	properties, required := object{}, []string{}
	s.fields(t, question, properties, &required)
	schema := object{"type": "object", "properties": properties}
	if question {
		schema["additionalProperties"] = false
	} else if len(required) > 0 {
		slices.Sort(required)
		schema["required"] = required
	}
	s.components[name] = schema
	return name
}

// fields adds those of a struct. Those of embedded ones come after its own, which hide them.
func (s *schemas) fields(t reflect.Type, question bool, properties object, required *[]string) {
	var embedded []reflect.Type
	for i := range t.NumField() {
		field := t.Field(i)
		tag, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if field.Anonymous && tag == "" {
			if inner := field.Type; inner.Kind() == reflect.Pointer {
				embedded = append(embedded, inner.Elem())
			} else {
				embedded = append(embedded, inner)
			}
			continue
		}
		if !field.IsExported() || tag == "-" {
			continue
		}
		name := tag
		if name == "" {
			name = field.Name
		}
		if _, hidden := properties[name]; hidden {
			continue
		}
		schema := s.of(field.Type, question)
		optional := strings.Contains(options, "omit")
		if field.Type.Kind() == reflect.Pointer && !optional {
			schema = object{"anyOf": []object{schema, {"type": "null"}}}
		}
		properties[name] = schema
		if !optional {
			*required = append(*required, name)
		}
	}
	for _, inner := range embedded {
		s.fields(inner, question, properties, required)
	}
}
