package bench

// Result is what a scenario has measured.
type Result struct {
	Scenario string `json:"scenario"`
	// Clients is how many people took part.
	Clients int     `json:"clients"`
	Phases  []Phase `json:"phases"`
	Memory  Memory  `json:"memory"`
	// CPUSeconds is the processor time that the server took for the phases.
	CPUSeconds float64 `json:"cpuSeconds"`
}

// Phase is one part of a scenario, from its first operation to the end of its
// last.
type Phase struct {
	Name       string  `json:"name"`
	Operations int     `json:"operations"`
	Octets     int64   `json:"octets,omitempty"` // of all operations
	Seconds    float64 `json:"seconds"`
	Rate       float64 `json:"rate"` // operations in a second
	// Each says what Latency is the latency of.
	Each    string  `json:"each"`
	Latency Latency `json:"latencyMilliseconds"`
}

// Memory is that of the server, VmRSS, in octets.
type Memory struct {
	// Before is with everybody enrolled and nobody connected.
	Before int64 `json:"before"`
	// After is at the end of the phases.
	After int64 `json:"after"`
	// PerConnection is the growth for each connection that stands at the end; 0
	// when there are none.
	PerConnection int64 `json:"perConnection,omitempty"`
}

// meter takes the usage of a server over a scenario.
type meter struct {
	server Server
	before Usage
}

func startMeter(s Server) (meter, error) {
	before, err := s.Usage()
	return meter{s, before}, err
}

// end completes a result with what the server has taken, connections standing.
func (m meter) end(r Result, connections int) (Result, error) {
	after, err := m.server.Usage()
	if err != nil {
		return Result{}, err
	}
	r.Memory = Memory{Before: m.before.RSS, After: after.RSS}
	if connections > 0 {
		r.Memory.PerConnection = (after.RSS - m.before.RSS) / int64(connections)
	}
	r.CPUSeconds = (after.CPU - m.before.CPU).Seconds()
	return r, nil
}
