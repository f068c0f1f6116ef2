package appliance

import (
	"path/filepath"

	"furrow/appliance/backup"
	"furrow/appliance/backup/plan"
	"furrow/appliance/blob"
	"furrow/appliance/keys"
)

// openBlobs opens a folder of blobs in the data directory, which from then on is a part of backups of the box.
func (a *Appliance) openBlobs(dir string) (*blob.Store, error) {
	store, err := blob.Open(blob.Options{Dir: filepath.Join(a.opts.DataDir, dir)})
	if err != nil {
		return nil, err
	}
	a.parts = append(a.parts, backup.Part{Dir: dir, Hold: func() backup.Held { return store.Hold() }})
	return store, nil
}

// openBackups makes the plan of backups when all parts of the box are open.
func (a *Appliance) openBackups(tables *plan.Tables, vault *keys.Vault) {
	messages := func() backup.Held { return backup.Folder(filepath.Join(a.opts.DataDir, spoolDir)) }
	if a.relay != nil {
		messages = func() backup.Held { return a.relay.spool.Hold() }
	}
	a.backups = plan.New(plan.Config{
		Store: a.store, Tables: tables, Vault: vault, Hostname: a.opts.Hostname, Now: a.opts.Now, Log: a.opts.Log,
		Source: &backup.Source{
			// Messages first: the less time after the snapshot of the state, the fewer are of devices that it does not know.
			Parts: append([]backup.Part{{Dir: spoolDir, Hold: messages}}, a.parts...),
			Store: a.store, StateDir: stateDir, Vault: vault, ConfigFile: a.opts.ConfigFile,
			Version: a.opts.Version, Now: a.opts.Now,
		},
	})
}
