package state

import (
	"fmt"
	"os"

	"furrow/appliance/disk"
)

// Check reads the store in dir, which must not be open, and returns what Open would report, without changing anything.
// Its errors are those of Open; os.ErrNotExist where there is no store.
func Check(dir string, schema *Schema) (*Report, error) {
	report, err := newStore(dir, schema, Options{}).check()
	if err != nil {
		return nil, fmt.Errorf("check state store %s: %w", dir, err)
	}
	return report, nil
}

func (s *Store) check() (_ *Report, err error) {
	if err := s.schema.use(); err != nil {
		return nil, err
	}
	names, err := disk.OS{}.Names(s.dir)
	if err != nil {
		return nil, err
	}
	found := generations(names)
	if len(found) == 0 {
		return nil, fmt.Errorf("no generation: %w", os.ErrNotExist)
	}
	r, err := s.read(found)
	if err != nil {
		return nil, err
	}
	return r.report, nil
}
