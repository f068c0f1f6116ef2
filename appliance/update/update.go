// Package update replaces the box's system: it reads a bundle, writes it to the slot that is not in use, and keeps
// account of which slot is good and which is on trial.
//
// # Slots
//
// The disk has two equal slots, A and B. One is the running system and is never written. A bundle goes to the other
// while the box serves; what was written is read back from the disk before anything points to it. Then the slot state
// (SlotState) names the slot as pending, by one write of one sector, and the box restarts. Power may fail at any moment:
// before that write the old system starts, after it the new one, on trial.
//
// # Trial
//
// The boot loader counts the starts of a slot on trial and gives up after three; it counts for no other slot, so a good
// one may lose power as often as it likes. The trial ends well when the appliance's own examination has held for a while
// (Confirm). It ends badly when the loader finds no kernel, when the starts are used up by hangs and panics, or when
// the examination does not come out well in time. Then the old slot starts, with the state as it was before the first
// start of the new version: SetAside keeps it, Settle brings it back.
//
// # Trust
//
// A bundle is one file: a header with a signed manifest, then the slot. Nothing is written before the signature, the
// architecture and the versions are checked, and nothing is started before the hash is. Versions are ordered by Build,
// a time that only grows, because names of versions have no order. A bundle of an older build is refused unless a person
// insists.
package update
