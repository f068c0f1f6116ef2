package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// figure is a metric whose value is read at each scrape.
type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

// counter and gauge name a figure of the box: name is without its prefix, labels are those whose values differ.
func counter(name, help string, labels ...string) figure {
	return figure{prometheus.NewDesc(prefix+name, help, labels, nil), prometheus.CounterValue}
}

func gauge(name, help string, labels ...string) figure {
	return figure{prometheus.NewDesc(prefix+name, help, labels, nil), prometheus.GaugeValue}
}

// prefix is that of every name.
const prefix = "furrow_"

// figures are sent to a scrape.
type figures chan<- prometheus.Metric

// send sends the value of a figure, with the values of its labels in order.
func (f figures) send(of figure, value float64, labels ...string) {
	f <- prometheus.MustNewConstMetric(of.desc, of.kind, value, labels...)
}

// when sends a time in seconds since 1970, and nothing for one that there has not been.
func (f figures) when(of figure, t time.Time, labels ...string) {
	if !t.IsZero() {
		f.send(of, float64(t.UnixMilli())/1000, labels...)
	}
}

// either is 1 for what is so and 0 for what is not.
func either(so bool) float64 {
	if so {
		return 1
	}
	return 0
}
