package web

import (
	"runtime/debug"
	"strings"

	"furrow/web/api"
)

// aboutPage is what about.html shows.
type aboutPage struct {
	api.Status
	Modules []module
	Scripts []licence
}

// module is a Go module that the program is built of.
type module struct{ Path, Version string }

// licence is the licence of a library of scripts that the build has.
type licence struct{ Name, Text string }

func getAbout(v *visit) error {
	status, err := v.client.Status(v.ctx())
	if err != nil {
		return err
	}
	shown := aboutPage{Status: status}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			shown.Modules = append(shown.Modules, module{m.Path, m.Version})
		}
	}
	for _, name := range []string{"htmx", "uPlot"} {
		if text, ok := v.site.assets["vendor/LICENSE-"+strings.ToLower(name)]; ok {
			shown.Scripts = append(shown.Scripts, licence{name, string(text.content)})
		}
	}
	return v.render("about.html", shown)
}
