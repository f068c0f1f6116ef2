package spcm

import (
	"fmt"
	"strconv"

	"furrow/gms/soap"
)

// StatisticsPackage reports how an account was used (MS-GRVSPCM 2.2.3.46.1).
// The answer is a return code.
//
//	<StatisticsPackage>
//	  <Stat AccountGUID="" IdentityURL="" Long="" Long2="" String="" String2="" Type=""/>...
//	</StatisticsPackage>
type StatisticsPackage struct{ Stats []Stat }

// Stat is one statistic. What Long, Long2, String and String2 are depends on
// the type (MS-GRVSPCM 3.2.5.3.5).
type Stat struct {
	AccountGUID, IdentityURL string
	Type                     StatType
	Long, Long2              int32
	String, String2          string
}

// StatType says what a statistic is of.
type StatType int32

// The values of MS-GRVSPCM 2.2.3.46.1.
const (
	StatToolTime    StatType = 0
	StatSpaceTime   StatType = 15
	StatToolCreate  StatType = 16
	StatSpaceCreate StatType = 17
	StatVoice       StatType = 19
	StatConference  StatType = 20
	StatSpaceDelete StatType = 21
	StatSpaceJoin   StatType = 24
	StatMembers     StatType = 25
)

// StatTypes returns all types.
func StatTypes() []StatType {
	return []StatType{
		StatToolTime, StatSpaceTime, StatToolCreate, StatSpaceCreate, StatVoice, StatConference,
		StatSpaceDelete, StatSpaceJoin, StatMembers,
	}
}

// String returns a name of the type.
func (t StatType) String() string {
	switch t {
	case StatToolTime:
		return "toolTime"
	case StatSpaceTime:
		return "spaceTime"
	case StatToolCreate:
		return "toolCreate"
	case StatSpaceCreate:
		return "spaceCreate"
	case StatVoice:
		return "voice"
	case StatConference:
		return "conference"
	case StatSpaceDelete:
		return "spaceDelete"
	case StatSpaceJoin:
		return "spaceJoin"
	case StatMembers:
		return "members"
	}
	return "type " + strconv.Itoa(int(t))
}

// ParseStatType returns the type with this name.
func ParseStatType(name string) (StatType, error) {
	for _, t := range StatTypes() {
		if t.String() == name {
			return t, nil
		}
	}
	return 0, fmt.Errorf("%.40q is no type of statistics", name)
}

func statTypeValues() []string {
	var values []string
	for _, t := range StatTypes() {
		values = append(values, soap.FormatInt(int32(t)))
	}
	return values
}

// Encode returns the payload.
func (m *StatisticsPackage) Encode() []byte {
	e := soap.NewElement("StatisticsPackage")
	for _, s := range m.Stats {
		e.AddChild(soap.NewElement("Stat",
			soap.Attr{Name: "AccountGUID", Value: s.AccountGUID},
			soap.Attr{Name: "IdentityURL", Value: s.IdentityURL},
			soap.Attr{Name: "Long", Value: soap.FormatInt(s.Long)},
			soap.Attr{Name: "Long2", Value: soap.FormatInt(s.Long2)},
			soap.Attr{Name: "String", Value: s.String},
			soap.Attr{Name: "String2", Value: s.String2},
			soap.Attr{Name: "Type", Value: soap.FormatInt(int32(s.Type))}))
	}
	return soap.Canonical(e)
}

// DecodeStatisticsPackage reads the payload. The limit of the request bounds
// the number of statistics.
func DecodeStatisticsPackage(payload []byte) (*StatisticsPackage, error) {
	e, err := soap.ParsePayload(payload, listRequest, "StatisticsPackage")
	if err != nil {
		return nil, err
	}
	elements := soap.Children(e, "Stat")
	if len(elements) == 0 {
		return nil, soap.InvalidParameter("StatisticsPackage/Stat", "missing")
	}
	values := statTypeValues()
	m := &StatisticsPackage{Stats: make([]Stat, 0, len(elements))}
	for _, element := range elements {
		a := soap.AttributesOf(element)
		s := Stat{
			AccountGUID: a.Text("AccountGUID", "AccountGuid"),
			IdentityURL: a.Text("IdentityURL"),
			Long:        a.Int("Long"),
			Long2:       a.Int("Long2"),
			String:      a.Text("String"),
			String2:     a.Text("String2"),
		}
		a.OneOf("Type", values...)
		s.Type = StatType(a.Int("Type"))
		if err := a.Err(); err != nil {
			return nil, err
		}
		m.Stats = append(m.Stats, s)
	}
	return m, nil
}
