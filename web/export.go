package web

import (
	"encoding/json"
	"io"

	"furrow/gms/sheet"
	"furrow/web/api"
)

// export sends all rows that the function all yields as a file: as a sheet if the address has format=csv, and as lines of
// JSON otherwise.
func export[Row api.Record](v *visit, name string, all func(each func(Row) error) error) error {
	if v.r.URL.Query().Get("format") != "csv" {
		return v.downloadStream(name+".jsonl", "application/jsonl", func(w io.Writer) error {
			lines := json.NewEncoder(w)
			return all(func(row Row) error { return lines.Encode(row) })
		})
	}
	return v.downloadStream(name+".csv", sheet.ContentType, func(w io.Writer) error {
		var none Row
		rows, err := sheet.NewWriter(w, none.Heading())
		if err != nil {
			return err
		}
		if err := all(func(row Row) error { return rows.Row(row.Values()) }); err != nil {
			return err
		}
		return rows.Flush()
	})
}
