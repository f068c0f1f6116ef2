package web

import (
	"fmt"
	"html/template"
)

// icon draws a small picture beside a text that says the same: 20 units wide and high, strokes in the text's colour.
func icon(name string) (template.HTML, error) {
	paths := map[string]string{
		"pulse":     `<path d="M2 10h4l2-5 4 10 2-5h4"/>`,
		"domain":    `<path d="M3 17V7l7-4 7 4v10M2 17h16M8 17v-5h4v5"/>`,
		"people":    `<circle cx="7.5" cy="7" r="3"/><path d="M2 17c0-3 2.500-5 5.500-5s5.500 2 5.500 5M13 4.300a3 3 0 0 1 0 5.400M15 12.400c1.800.700 3 2.400 3 4.600"/>`,
		"group":     `<rect x="7" y="2.500" width="6" height="4.500" rx="1"/><rect x="2" y="13" width="6" height="4.500" rx="1"/><rect x="12" y="13" width="6" height="4.500" rx="1"/><path d="M10 7v3M5 13v-3h10v3"/>`,
		"policy":    `<path d="M10 2.500l6 2.500v4.500c0 4-2.500 6.800-6 8-3.500-1.200-6-4-6-8V5zM7.500 10l2 2 3.500-4"/>`,
		"relay":     `<path d="M4 7h11l-3-3M16 13H5l3 3"/>`,
		"relays":    `<path d="M8 4.500h9M8 10h9M8 15.500h9"/><circle cx="4" cy="4.500" r="1"/><circle cx="4" cy="10" r="1"/><circle cx="4" cy="15.500" r="1"/>`,
		"queue":     `<path d="M3 5.500h14v9H3zM3 10h4l1 2h4l1-2h4"/>`,
		"key":       `<circle cx="6.500" cy="13.500" r="3.500"/><path d="M9 11l7.500-7.500M13 7l2.500 2.500"/>`,
		"mail":      `<rect x="2.500" y="4.500" width="15" height="11" rx="1.500"/><path d="M3 6l7 5 7-5"/>`,
		"outbox":    `<path d="M10 12V3M6.500 6.500L10 3l3.500 3.500M2.500 10.500v6h15v-6h-4l-1.500 2.500h-4l-1.500-2.500z"/>`,
		"template":  `<path d="M5 2.500h7l3.500 3.500v11.500H5zM12 2.500V6h3.500M7.500 10h5M7.500 13.500h5"/>`,
		"trust":     `<path d="M8 12l4-4M9 5.500l1.500-1.500a3.900 3.900 0 0 1 5.500 5.500L14.500 11M11 14.500L9.500 16A3.900 3.900 0 0 1 4 10.500L5.500 9"/>`,
		"report":    `<path d="M3 17V3M3 17h14M7 14V9M11 14V5M15 14v-3"/>`,
		"system":    `<circle cx="10" cy="10" r="3"/><path d="M10 2.500v3M10 14.500v3M2.500 10h3M14.500 10h3M4.700 4.700l2.100 2.100M13.200 13.200l2.100 2.100M15.300 4.700l-2.100 2.100M6.800 13.200l-2.100 2.100"/>`,
		"archive":   `<path d="M3 3.500h14v4H3zM4.500 7.500v9h11v-9M8 11h4"/>`,
		"log":       `<path d="M5 2.500h10v15H5zM7.500 6.500h5M7.500 10h5M7.500 13.500h3"/>`,
		"doctor":    `<path d="M8 3H5v5a4 4 0 0 0 8 0V3h-3M9 12v2a3 3 0 0 0 6 0v-1.500"/><circle cx="15" cy="11" r="1.500"/>`,
		"lock":      `<rect x="4" y="9" width="12" height="8.500" rx="1.500"/><path d="M6.500 9V6.500a3.500 3.500 0 0 1 7 0V9"/>`,
		"support":   `<circle cx="10" cy="10" r="7.500"/><circle cx="10" cy="10" r="3"/><path d="M4.700 4.700l3.200 3.200M12.100 12.100l3.200 3.200M15.300 4.700l-3.200 3.200M7.900 12.100l-3.200 3.200"/>`,
		"update":    `<path d="M10 16V6M5.500 10L10 5.500l4.500 4.500M4 2.500h12"/>`,
		"power":     `<path d="M10 2.500V10M6 4.800a7 7 0 1 0 8 0"/>`,
		"pin":       `<path d="M10 17.500s-5.500-5-5.500-9a5.500 5.500 0 0 1 11 0c0 4-5.500 9-5.500 9z"/><circle cx="10" cy="8.500" r="2"/>`,
		"about":     `<circle cx="10" cy="10" r="7.500"/><path d="M10 9v5M10 6v.500"/>`,
		"ok":        `<circle cx="10" cy="10" r="7.500"/><path d="M6.500 10.500l2.500 2.500 4.500-5.500"/>`,
		"warning":   `<path d="M10 3l8 14H2zM10 8.500v4M10 14.500v.300"/>`,
		"search":    `<circle cx="9" cy="9" r="5.500"/><path d="M13 13l4.500 4.500"/>`,
		"add":       `<path d="M10 4v12M4 10h12"/>`,
		"menu":      `<path d="M3 5.500h14M3 10h14M3 14.500h14"/>`,
		"person":    `<circle cx="10" cy="6.500" r="3.500"/><path d="M3.500 17.500c0-3.500 3-6 6.500-6s6.500 2.500 6.500 6"/>`,
		"print":     `<path d="M5.500 7V2.500h9V7M5.500 14H3V7h14v7h-2.500M5.500 11.500h9v6h-9z"/>`,
		"device":    `<rect x="3" y="3.500" width="14" height="10" rx="1"/><path d="M10 13.500V17M6.500 17h7"/>`,
		"download":  `<path d="M10 3v9M6.500 8.500L10 12l3.500-3.500M3 15v2h14v-2"/>`,
		"network":   `<circle cx="10" cy="10" r="7.500"/><path d="M2.500 10h15M10 2.500c2.500 2 3.500 4.500 3.500 7.500s-1 5.500-3.500 7.500c-2.500-2-3.500-4.500-3.500-7.500s1-5.500 3.500-7.500z"/>`,
		"clock":     `<circle cx="10" cy="10" r="7.500"/><path d="M10 5.500V10l3 2"/>`,
		"directory": `<path d="M4.500 2.500h11v15h-11zM2.500 6h2M2.500 10h2M2.500 14h2"/><circle cx="10" cy="8" r="2"/><path d="M6.500 14c0-2 1.500-3 3.500-3s3.500 1 3.500 3"/>`,
	}
	path, ok := paths[name]
	if !ok {
		return "", fmt.Errorf("there is no icon %q", name)
	}
	return template.HTML(`<svg class="icon" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true" focusable="false">` +
		path + `</svg>`), nil
}
