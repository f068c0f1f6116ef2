// Package host is the box's edge to its operating system: the local socket of the admin API and the service
// manager. Nothing here knows what Furrow serves.
package host
