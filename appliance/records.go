package appliance

import (
	"fmt"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/audit"
	"furrow/gms/statistics"
)

// Folders of blobs in the data directory.
const (
	auditDir      = "audit"
	statisticsDir = "statistics"
)

// records is what clients report: audit logs, files and statistics.
type records struct {
	audit      *audit.Archive
	statistics *statistics.Book
}

// recordTables are the tables of records in the schema of the store.
type recordTables struct {
	audit      *audit.Tables
	statistics *statistics.Tables
}

func declareRecords(schema *state.Schema) recordTables {
	return recordTables{audit: audit.Declare(schema), statistics: statistics.Declare(schema)}
}

// openRecords needs the directory.
func (a *Appliance) openRecords(tables recordTables, vault *keys.Vault) error {
	blobs, err := a.openBlobs(auditDir)
	if err != nil {
		return fmt.Errorf("audit logs and files: %w", err)
	}
	a.records.audit, err = audit.Open(audit.Config{
		Store: a.store, Tables: tables.audit, Blobs: blobs, Directory: a.directory, Vault: vault, Now: a.opts.Now, Log: a.opts.Log,
	})
	if err != nil {
		return err
	}
	if blobs, err = a.openBlobs(statisticsDir); err != nil {
		return fmt.Errorf("statistics: %w", err)
	}
	a.records.statistics, err = statistics.Open(statistics.Config{
		Store: a.store, Tables: tables.statistics, Blobs: blobs, Directory: a.directory, Now: a.opts.Now, Log: a.opts.Log,
	})
	return err
}
