package web

// confirmation is a question before something that cannot be taken back. Its answer is a POST to the same page, or to
// Action, with what is Hidden.
type confirmation struct {
	Text   string
	Items  []string // what is meant, or what will happen
	Button string
	Action string
	Hidden []hidden
	Back   string
	Form   *form // what else is asked, nil for nothing
}

// confirm asks.
func (v *visit) confirm(c confirmation) error { return v.render("confirm.html", c) }
