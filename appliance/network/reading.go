package network

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Report is what is set and what is in force.
type Report struct {
	// Set is kept; Damage says why it cannot be used, and the box takes what a new one has.
	Set    Settings `json:"set"`
	Damage string   `json:"damage,omitempty"`
	Trial  *Trial   `json:"trial,omitempty"`
	// Problem says why it is not known what is in force.
	Problem string `json:"problem,omitempty"`
	// Name is in force.
	Name         string        `json:"name"`
	Links        []Link        `json:"links"`
	Temperatures []Temperature `json:"temperatures"`
}

// Link is a network port with what is in force on it.
type Link struct {
	Name     string `json:"name"`
	Hardware string `json:"hardware"` // its address
	// State is as networkctl(1) has it: routable, degraded, no-carrier and others.
	State string `json:"state"`
	// Carrier says that it is plugged in.
	Carrier   bool      `json:"carrier"`
	Addresses []Address `json:"addresses"`
	Gateways  []string  `json:"gateways"`
	DNS       []string  `json:"dns"`
	Search    []string  `json:"search"`
}

// Address is one in force.
type Address struct {
	Address string `json:"address"` // with the length of the prefix
	// Source says where it comes from: static, DHCPv4, DHCPv6, NDisc, or foreign for those that the kernel makes.
	Source string `json:"source"`
}

// ClockReport is what is set for the clock and what is in force.
type ClockReport struct {
	Set     Clock  `json:"set"`
	Damage  string `json:"damage,omitempty"`
	Problem string `json:"problem,omitempty"`
	TimeSource
	Now time.Time `json:"now"`
	// Zones are those that can be set.
	Zones []string `json:"zones"`
}

// TimeSource is where the machine has the time from.
type TimeSource struct {
	// Synchronized says that a time service keeps the clock right.
	Synchronized bool `json:"synchronized"`
	// Server is the one asked last, empty for none.
	Server string `json:"server,omitempty"`
}

// Temperature is one that a sensor of the machine reads.
type Temperature struct {
	Sensor  string  `json:"sensor"`
	Celsius float64 `json:"celsius"`
}

// Report returns what is set and what is in force.
func (h *Host) Report(ctx context.Context) (r Report, err error) {
	err = h.locked(func() error {
		set, damage := h.kept()
		r.Set = set
		if damage != nil {
			r.Damage = damage.Error()
		}
		if trial, ok, _ := h.trial(); ok {
			r.Trial = &Trial{trial.Settings, int((trial.Ends - h.Uptime() + time.Second - 1) / time.Second)}
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	if r.Name, err = os.Hostname(); err != nil {
		return r, err
	}
	r.Temperatures = Temperatures(h.Sensors)
	if r.Links, err = h.System.Links(ctx); err != nil { // what is set can still be changed
		h.Log.Error("asking about the network", "error", err)
		r.Problem, r.Links = err.Error(), []Link{}
	}
	return r, nil
}

// ClockReport returns what is set for the clock and what is in force.
func (h *Host) ClockReport(ctx context.Context) (r ClockReport, err error) {
	if r.Zones, err = Zones(h.Zones); err != nil {
		return r, err
	}
	err = h.locked(func() error {
		set, damage := h.clock()
		r.Set = set
		if damage != nil {
			r.Damage = damage.Error()
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	r.Now = h.Now()
	if r.TimeSource, err = h.System.TimeSource(ctx); err != nil {
		h.Log.Error("asking about the clock", "error", err)
		r.Problem = err.Error()
	}
	return r, nil
}

// maxSensors bounds how many sensors are read; a small box has about ten.
const maxSensors = 32

// Temperatures reads the sensors below a folder such as /sys/class; a machine may have none.
func Temperatures(class string) []Temperature {
	temperatures := []Temperature{}
	add := func(name, file string) {
		text, err := os.ReadFile(file)
		if err != nil {
			return // a sensor that is asleep
		}
		thousandths, err := strconv.Atoi(strings.TrimSpace(string(text)))
		if err == nil && name != "" && len(temperatures) < maxSensors {
			temperatures = append(temperatures, Temperature{name, float64(thousandths) / 1000})
		}
	}
	// hwmon has all that thermal zones have on PCs; small ARM boxes often have zones only.
	inputs, _ := filepath.Glob(filepath.Join(class, "hwmon", "hwmon*", "temp*_input")) // fails for a wrong pattern only
	for _, input := range inputs {
		name := line(filepath.Join(filepath.Dir(input), "name"))
		if label := line(strings.TrimSuffix(input, "input") + "label"); label != "" {
			name += " " + label
		}
		add(name, input)
	}
	if len(temperatures) == 0 {
		zones, _ := filepath.Glob(filepath.Join(class, "thermal", "thermal_zone*"))
		for _, zone := range zones {
			add(line(filepath.Join(zone, "type")), filepath.Join(zone, "temp"))
		}
	}
	return temperatures
}

// line is the text of a small file, empty if there is none.
func line(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
