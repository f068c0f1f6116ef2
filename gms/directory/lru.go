package directory

import (
	"container/list"
	"sync"
)

// lru remembers the values used last, up to a number of them.
type lru[K comparable, V any] struct {
	size int

	mu      sync.Mutex // guards the fields below
	entries map[K]*list.Element
	order   *list.List // of lruEntry[K, V], the most recently used first
}

type lruEntry[K comparable, V any] struct {
	key   K
	value V
}

func newLRU[K comparable, V any](size int) *lru[K, V] {
	return &lru[K, V]{size: size, entries: make(map[K]*list.Element), order: list.New()}
}

// get returns the remembered value of key, or makes it. Callers who miss at
// the same time each make it: the values are equal, and none waits for another.
func (c *lru[K, V]) get(key K, create func() (V, error)) (V, error) {
	if v, ok := c.lookup(key); ok {
		return v, nil
	}
	v, err := create()
	if err != nil {
		return v, err
	}
	c.store(key, v)
	return v, nil
}

func (c *lru[K, V]) lookup(key K) (v V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[key]
	if !ok {
		return v, false
	}
	c.order.MoveToFront(e)
	return e.Value.(lruEntry[K, V]).value, true
}

func (c *lru[K, V]) store(key K, v V) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; ok {
		c.order.MoveToFront(e)
		return
	}
	c.entries[key] = c.order.PushFront(lruEntry[K, V]{key, v})
	if c.order.Len() > c.size {
		oldest := c.order.Remove(c.order.Back()).(lruEntry[K, V])
		delete(c.entries, oldest.key)
	}
}
