package web

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"furrow/appliance/recentlog"
	"furrow/web/api"
)

// logPage is what logs.html shows.
type logPage struct {
	List    *list
	Records []recentlog.Record
	Live    string // path of the stream that goes on; empty on pages of older records
	Level   string // what the list is narrowed to
}

// logLevel is a level as it is shown.
type logLevel struct{ Name, Class string }

// LogLevel shows the level of a record, and those between the named ones as the next lower.
func (v *visit) LogLevel(level slog.Level) logLevel {
	switch {
	case level >= slog.LevelError:
		return logLevel{v.T("logs.level.error"), "bad"}
	case level >= slog.LevelWarn:
		return logLevel{v.T("logs.level.warn"), "warn"}
	case level >= slog.LevelInfo:
		return logLevel{v.T("logs.level.info"), "calm"}
	}
	return logLevel{v.T("logs.level.debug"), ""}
}

func (v *visit) log() (logPage, error) {
	l := v.list(column{name: "logTime"}, column{name: "logLevel"}, column{name: "logMessage"})
	l.path = "/logs"
	level := l.filter("logLevel", option{Value: "info", Label: v.T("logs.from.info")},
		option{Value: "warn", Label: v.T("logs.from.warn")}, option{Value: "error", Label: v.T("logs.level.error")})
	records, err := v.client.RecentLog(v.ctx(), api.LogFilter{Level: level, Text: l.Search})
	if err != nil {
		return logPage{}, err
	}
	p := logPage{List: l, Records: of(l, records), Level: level}
	if l.Page == 1 {
		p.Live = "/live/logs?" + url.Values{"q": {l.Search}, "logLevel": {level}}.Encode()
	}
	return p, nil
}

func getLogs(v *visit) error {
	p, err := v.log()
	if err != nil {
		return err
	}
	return v.render("logs.html", p)
}

func liveLogs(v *visit) error {
	return v.live("logs.html", "log-records", func() (any, error) { return v.log() })
}

// getLogFile sends what is kept of the log, the oldest first as in the file of a log.
func getLogFile(v *visit) error {
	records, err := v.client.RecentLog(v.ctx(), api.LogFilter{})
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for i := len(records) - 1; i >= 0; i-- {
		fmt.Fprintln(&text, records[i].Time.UTC().Format(time.RFC3339), records[i].Text())
	}
	return v.download("furrow.log", "text/plain; charset=utf-8", text.Bytes())
}
