package web

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"path"
)

//go:embed templates
var templateFiles embed.FS

// templates are the pages' templates by file name, each with the frame around it.
type templates map[string]*template.Template

// loadTemplates parses the frame and the parts that pages have in common, templates/frame/, and for each page a copy of
// these with its own "content".
func loadTemplates(a assets) (templates, error) {
	frame, err := template.New("frame").Funcs(template.FuncMap{
		"asset": a.path,
		"icon":  icon,
	}).ParseFS(templateFiles, "templates/frame/*.html")
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	all := templates{}
	for _, file := range files {
		page, err := frame.Clone()
		if err != nil {
			return nil, err
		}
		if all[path.Base(file)], err = page.ParseFS(templateFiles, file); err != nil {
			return nil, fmt.Errorf("templates: %w", err)
		}
	}
	return all, nil
}
