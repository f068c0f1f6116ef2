package api

import (
	"io"
	"net/http"
	"reflect"
	"time"

	"furrow/gms/sheet"
)

// Record is a row of a report or of the action log, as a line of a table. What a row has no value for is empty; times
// are RFC 3339 in UTC.
type Record interface {
	// Heading names the columns. The zero row knows them.
	Heading() []string
	Values() []string
}

// moment is a time as a Record shows it.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// report makes an action of a function that returns rows: as JSON, or with format=csv as a sheet.
func report[Row Record](h *handler, rows func(*http.Request) ([]Row, error)) action {
	return action{answer: reflect.TypeFor[[]Row](), serve: func(w http.ResponseWriter, r *http.Request) {
		list, err := rows(r)
		format := r.URL.Query().Get("format")
		if err == nil && format != "" && format != "json" && format != "csv" {
			err = &Error{Code: "invalid", Field: "format", Message: "format is json or csv"}
		}
		switch {
		case err != nil:
			h.refuse(w, r, err)
		case format == "csv":
			w.Header().Set("Content-Type", sheet.ContentType)
			w.Header().Set("Cache-Control", "no-store")
			if err := WriteSheet(w, list); err != nil {
				h.Log.Debug("admin answer not delivered", "error", err)
			}
		default:
			if list == nil {
				list = []Row{} // a list in JSON, too
			}
			h.write(w, http.StatusOK, list)
		}
	}}
}

// WriteSheet writes rows as CSV for a spreadsheet, with a heading.
func WriteSheet[Row Record](w io.Writer, rows []Row) error {
	var none Row
	out, err := sheet.NewWriter(w, none.Heading())
	for _, row := range rows {
		if err != nil {
			return err
		}
		err = out.Row(row.Values())
	}
	if err != nil {
		return err
	}
	return out.Flush()
}
