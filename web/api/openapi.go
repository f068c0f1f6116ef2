package api

import (
	"net/http"
	"slices"
	"strings"

	"furrow/web/access"
)

// object is a JSON object of the OpenAPI document.
type object map[string]any

func (h *handler) openAPIRoutes() []Route {
	return []Route{{
		Method: "GET", Path: "/v1/openapi.json", Role: access.Member,
		Summary: "This interface for programs, as OpenAPI 3.1",
		action:  answer(h, func(*http.Request) (map[string]any, error) { return openAPI(Routes(), h.Version), nil }),
	}}
}

// openAPI describes routes as an OpenAPI 3.1 document.
func openAPI(routes []Route, version string) map[string]any {
	s := newSchemas()
	paths := object{}
	for i := range routes {
		route := &routes[i]
		path, ok := paths[route.Path].(object)
		if !ok {
			path = object{}
			paths[route.Path] = path
		}
		path[strings.ToLower(route.Method)] = describe(route, s)
	}
	return map[string]any{
		"openapi": "3.1.0",
		"info":    object{"title": "Furrow", "version": version, "description": "The administration interface of a Furrow box."},
		"servers": []object{{"url": NetworkPrefix}},
		"paths":   paths,
		"components": object{
			"schemas":         s.components,
			"securitySchemes": object{"token": object{"type": "http", "scheme": "bearer"}},
		},
		"security": []object{{"token": []string{}}},
	}
}

func describe(route *Route, s *schemas) object {
	operation := object{
		"summary":     route.Summary,
		"operationId": operationID(route),
		"tags":        []string{strings.Split(strings.TrimPrefix(route.Path, "/v1/"), "/")[0]},
		"responses": object{
			"200":     object{"description": "Done.", "content": answerOf(route, s)},
			"default": object{"description": "Refused.", "content": jsonContent(s.answer(typeOfError()))},
		},
	}
	if parameters := parametersOf(route); len(parameters) > 0 {
		operation["parameters"] = parameters
	}
	if route.Question() != nil {
		operation["requestBody"] = object{"required": true, "content": jsonContent(s.question(route.Question()))}
	}
	if route.Open {
		operation["security"] = []object{}
		return operation
	}
	var may []string
	for _, role := range access.TokenRoles() {
		if role.May(route.Need()) {
			may = append(may, string(role))
		}
	}
	operation["description"] = "For the roles " + strings.Join(may, ", ") + "."
	return operation
}

func answerOf(route *Route, s *schemas) object {
	if route.Answer() == nil {
		return object{route.content: object{"schema": object{"type": "string"}}}
	}
	return jsonContent(s.answer(route.Answer()))
}

func jsonContent(schema object) object { return object{"application/json": object{"schema": schema}} }

// operationID names a route for programs, such as post_members_guid_disable.
func operationID(route *Route) string {
	words := strings.FieldsFunc(strings.TrimPrefix(route.Path, "/v1/"), func(r rune) bool { return strings.ContainsRune("/{}.-", r) })
	return strings.ToLower(route.Method) + "_" + strings.Join(words, "_")
}

func parametersOf(route *Route) (all []object) {
	for part := range strings.SplitSeq(route.Path, "/") {
		if name, ok := strings.CutPrefix(part, "{"); ok {
			all = append(all, object{
				"name": strings.TrimSuffix(name, "}"), "in": "path", "required": true, "schema": object{"type": "string"},
			})
		}
	}
	for _, name := range slices.Sorted(slices.Values(route.Query)) {
		all = append(all, object{"name": name, "in": "query", "schema": object{"type": "string"}})
	}
	return all
}
