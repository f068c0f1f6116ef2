package roster

// Action is what an import does with one line.
type Action string

// The actions.
const (
	Create Action = "create"
	Update Action = "update"
	// Keep is for a member who is as the line says already.
	Keep Action = "keep"
)

// Report is what an import has done, or would do.
type Report struct {
	DryRun bool `json:"dryRun"`
	// Applied says that the changes have been made. They have not in a dry run, and not where a problem is unless bad lines
	// are skipped: then the counts say what would have been done without the problems.
	Applied bool `json:"applied"`
	Created int  `json:"created"`
	Updated int  `json:"updated"`
	Kept    int  `json:"kept"`
	Bad     int  `json:"bad"` // lines with a problem
	Mailed  int  `json:"mailed"`
	// Groups are the paths of groups that were made.
	Groups []string `json:"groups"`
	// Lines are what was done with which line.
	Lines []Line `json:"lines"`
	// Problems are those of bad lines, at most 100.
	Problems []Problem `json:"problems"`
}

// Line is what was done with one line.
type Line struct {
	Line     int    `json:"line"`
	Action   Action `json:"action"`
	GUID     string `json:"guid,omitempty"` // of the member; empty for one who was not created
	FullName string `json:"fullName"`
	Email    string `json:"email"`
}

// RefusedFile is the report of a file that is of no use as a whole.
func RefusedFile(p Problem, dryRun bool) Report {
	return Report{DryRun: dryRun, Bad: 1, Groups: []string{}, Lines: []Line{}, Problems: []Problem{p}}
}

func (r *Report) add(l Line) {
	switch l.Action {
	case Create:
		r.Created++
	case Update:
		r.Updated++
	case Keep:
		r.Kept++
	}
	r.Lines = append(r.Lines, l)
}

// withdraw takes GUIDs back that nobody has.
func (r *Report) withdraw() {
	for i := range r.Lines {
		if r.Lines[i].Action == Create {
			r.Lines[i].GUID = ""
		}
	}
}
