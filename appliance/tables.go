package appliance

import (
	"furrow/appliance/backup/plan"
	"furrow/appliance/mail"
	"furrow/appliance/state"
	"furrow/appliance/tlscert"
	"furrow/gms/directory"
	"furrow/gms/invitation"
	"furrow/gms/ldapsync"
	"furrow/gms/relaylink"
	"furrow/relay/registry"
	"furrow/relay/traffic"
	"furrow/web/access"
)

// laterTables are the tables of what is opened when the addresses of the box are known.
type laterTables struct {
	registry *registry.Tables
	traffic  *traffic.Tables
	links    *relaylink.Tables
	tls      *tlscert.Tables
	backups  *plan.Tables
}

// tables are those of all parts of the box.
type tables struct {
	laterTables
	directory   *directory.Tables
	mail        *mail.Tables
	records     recordTables
	watch       watchTables
	lifeSign    *state.Table[lifeSign]
	address     *state.Table[chosenAddress]
	ldap        *ldapsync.Tables
	access      *access.Tables
	invitations *invitation.Tables
}

// declare makes the schema of the state.
func declare() (*state.Schema, tables) {
	schema := state.NewSchema()
	return schema, tables{
		directory: directory.Declare(schema), mail: mail.Declare(schema), records: declareRecords(schema),
		watch: declareWatch(schema), lifeSign: declareLifeSign(schema), address: declareAddress(schema), ldap: ldapsync.Declare(schema),
		access: access.Declare(schema), invitations: invitation.Declare(schema),
		laterTables: laterTables{
			registry: registry.Declare(schema), links: relaylink.Declare(schema), tls: tlscert.Declare(schema),
			backups: plan.Declare(schema), traffic: traffic.Declare(schema),
		},
	}
}
