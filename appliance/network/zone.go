package network

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxZones bounds what is read of the list of time zones, in octets; Debian's has 110 KB.
const maxZones = 1 << 20

// Zones are the names of the time zones below a folder such as /usr/share/zoneinfo, sorted.
func Zones(folder string) (zones []string, err error) {
	file, err := os.Open(filepath.Join(folder, "tzdata.zi"))
	if err != nil {
		return nil, fmt.Errorf("time zones: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	lines := bufio.NewScanner(io.LimitReader(file, maxZones))
	for lines.Scan() {
		// zic(8): a zone is "Z NAME ...", another name for one "L TARGET NAME".
		switch words := strings.Fields(lines.Text()); {
		case len(words) > 2 && words[0] == "Z":
			zones = append(zones, words[1])
		case len(words) == 3 && words[0] == "L":
			zones = append(zones, words[2])
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("time zones: %w", err)
	}
	slices.Sort(zones)
	return slices.Compact(zones), nil
}
