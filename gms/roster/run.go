package roster

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"furrow/gms/directory"
)

// importRun is an import within its transaction.
type importRun struct {
	directory.MemberBatch
	file   File
	o      ImportOptions
	report Report

	members map[string]directory.Member // by GUID
	keyed   map[string][]string         // GUIDs by the folded value of the key
	persons map[[2]string]string        // GUID by folded full name and address
	lines   map[string]int              // by the GUID of the member that the line was about
}

func newImportRun(b directory.MemberBatch, f File, o ImportOptions) *importRun {
	f.Problems = slices.Clip(f.Problems) // those of the run are appended
	run := &importRun{
		MemberBatch: b, file: f, o: o,
		report:  Report{DryRun: o.DryRun, Groups: []string{}, Lines: []Line{}},
		members: map[string]directory.Member{}, keyed: map[string][]string{}, persons: map[[2]string]string{},
		lines: map[string]int{},
	}
	for _, m := range b.Members(o.Domain) {
		run.learn(m)
	}
	return run
}

// learn makes a member findable for later lines.
func (run *importRun) learn(m directory.Member) {
	run.members[m.GUID] = m
	run.persons[person(m.MemberDetails)] = m.GUID
	if value := detail(&m.MemberDetails, run.o.Key); value != nil && *value != "" {
		key := directory.Folded(*value)
		run.keyed[key] = append(run.keyed[key], m.GUID)
	}
}

func person(m directory.MemberDetails) [2]string {
	return [2]string{directory.Folded(m.FullName), directory.Folded(m.Email)}
}

func (run *importRun) all() error {
	for _, record := range run.file.Records {
		if err := run.one(record); err != nil {
			if err := run.file.keep(err); err != nil {
				return err
			}
		}
	}
	run.report.Bad, run.report.Problems = run.file.Bad, append([]Problem{}, run.file.Problems...)
	slices.SortStableFunc(run.report.Problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	if run.o.DryRun || run.report.Bad > 0 && !run.o.SkipBad {
		return errTakenBack
	}
	return nil
}

// one does what one record says. A *Problem leaves the transaction as it was.
func (run *importRun) one(r Record) error {
	guid, err := run.find(r)
	if err != nil {
		return err
	}
	group, made, err := run.group(r)
	if err != nil {
		return problem(r, Group, err)
	}
	line, err := run.change(r, guid, group)
	if err != nil {
		run.UnmakeGroups(made)
		return problem(r, "", err)
	}
	for i := range made {
		path := strings.Split(r.text(Group), "/")
		run.report.Groups = append(run.report.Groups, strings.Join(path[:len(path)-len(made)+i+1], "/"))
	}
	run.report.add(line)
	run.lines[line.GUID] = r.Line
	return nil
}

// find returns the GUID of the member that a record is about, empty for one to be created.
func (run *importRun) find(r Record) (string, error) {
	given := r.text(GUID)
	var found string
	if run.o.Key == GUID {
		if m, ok := run.members[given]; ok {
			found = m.GUID
		}
	} else if of := run.keyed[directory.Folded(r.text(run.o.Key))]; len(of) > 1 {
		return "", r.problem(run.o.Key, fmt.Sprintf("%d members have the same", len(of)), "tell them apart by guid")
	} else if len(of) == 1 {
		found = of[0]
	}
	if given != "" && given != found {
		mend := "leave it empty or ignore it: GUIDs of new members cannot be chosen"
		if run.o.Key == "" {
			mend = "ask for updates by guid to change members, or ignore it to add others"
		}
		return "", r.problem(GUID, "this line is not for that member", mend)
	}
	if line, ok := run.lines[found]; ok {
		return "", r.problem("", fmt.Sprintf("line %d is for the same member", line), "remove one of them")
	}
	return found, nil
}

// group returns the GUID of the group that a record names, and those that were made for it.
func (run *importRun) group(r Record) (guid string, made []directory.Group, err error) {
	name := r.text(Group)
	if name == "" {
		return "", nil, nil
	}
	g, err := run.FindGroup(run.o.Domain, name)
	if errors.Is(err, directory.ErrGroupNotFound) && run.o.CreateGroups {
		g, made, err = run.MakeGroups(run.o.Domain, name)
	}
	return g.GUID, made, err
}

// change creates the member, or changes the one with the GUID.
func (run *importRun) change(r Record, guid, group string) (Line, error) {
	edit := func(m *directory.MemberDetails) {
		for attribute, value := range r.Values {
			if to := detail(m, attribute); to != nil {
				*to = value.Text
			}
		}
		if _, said := r.Values[Group]; said {
			m.Group = group
		}
	}
	if guid == "" {
		return run.create(r, edit)
	}
	before := run.members[guid]
	after, err := run.Update(guid, edit)
	if err != nil {
		return Line{}, err
	}
	delete(run.persons, person(before.MemberDetails))
	run.members[guid], run.persons[person(after.MemberDetails)] = after, guid
	line := Line{r.Line, Update, guid, after.FullName, after.Email}
	if before.MemberDetails == after.MemberDetails {
		line.Action = Keep
	}
	return line, nil
}

func (run *importRun) create(r Record, edit func(*directory.MemberDetails)) (Line, error) {
	var details directory.MemberDetails
	edit(&details)
	if other, ok := run.persons[[2]string{directory.Folded(r.text(FullName)), directory.Folded(r.text(Email))}]; ok {
		if line, ok := run.lines[other]; ok {
			return Line{}, r.problem("", fmt.Sprintf("line %d has the same name and address", line), "remove one of them")
		}
		return Line{}, r.problem("", "a member has this name and address already", "remove the line, or ask for updates by email")
	}
	m, err := run.Create(run.o.Domain, details)
	if err != nil {
		return Line{}, err
	}
	if run.o.Invite != nil {
		if err := run.o.Invite(run.MemberBatch, m.GUID); err != nil {
			return Line{}, &inviteError{err}
		}
		run.report.Mailed++
	}
	run.learn(m)
	return Line{r.Line, Create, m.GUID, m.FullName, m.Email}, nil
}
