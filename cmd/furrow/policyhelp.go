package main

import (
	"fmt"
	"io"
	"strings"

	"furrow/gms/policy"
	"furrow/web/api"
)

type policyHelpCmd struct {
	Key string `arg:"" optional:"" help:"A setting, or the beginning of some, such as passphrase; all when not given."`
}

func (c *policyHelpCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	var found []policy.Setting
	known := map[string]bool{} // both kinds have a dataRecovery section
	for _, kind := range []string{"identity", "device"} {
		settings, err := client.PolicySettings(s.ctx, kind)
		if err != nil {
			return err
		}
		for _, one := range settings {
			if !known[one.Key] && strings.HasPrefix(strings.ToLower(one.Key), strings.ToLower(c.Key)) {
				known[one.Key] = true
				found = append(found, one)
			}
		}
	}
	if len(found) == 0 {
		return fmt.Errorf("no setting begins with %q", c.Key)
	}
	return s.out.print(found, func(w io.Writer) error {
		for _, one := range found {
			if _, err := fmt.Fprintf(w, "%s (%s)\n    %s\n", one.Key, takes(one), one.Help); err != nil {
				return err
			}
		}
		return nil
	})
}

// takes says what a setting can be.
func takes(one policy.Setting) string {
	var takes string
	switch one.Kind {
	case policy.SettingSwitch, policy.SettingPart:
		takes = "on or off"
	case policy.SettingChoice:
		takes = strings.Join(one.Choices, ", ")
	case policy.SettingNumber:
		takes = fmt.Sprintf("%d to %d", *one.Min, *one.Max)
		if one.Unit != "" {
			takes += " " + one.Unit
		}
	case policy.SettingText:
		takes = "text"
	case policy.SettingDuration:
		takes = "a time such as 42d, 24h or 15m"
	case policy.SettingWords:
		takes = "words divided by commas"
	case policy.SettingNumbers:
		takes = "numbers of " + one.Unit + " divided by commas"
	case policy.SettingRecords:
		takes = "a list in JSON"
	}
	if one.Default != "" {
		takes += "; default " + one.Default
	}
	return takes
}
