package evidence

import (
	"container/list"
	"sync"
)

// cache keeps values until their total cost passes a limit; what was used longest ago
// goes first. Safe for use from many goroutines.
type cache[V any] struct {
	limit int // total cost

	mu    sync.Mutex
	cost  int
	order *list.List // of *cacheEntry[V], newest use first
	byKey map[string]*list.Element
}

type cacheEntry[V any] struct {
	key   string
	value V
	cost  int
}

func newCache[V any](limit int) *cache[V] {
	return &cache[V]{limit: limit, order: list.New(), byKey: map[string]*list.Element{}}
}

func (c *cache[V]) get(key string) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[key]
	if !ok {
		return value, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*cacheEntry[V]).value, true
}

// put keeps a value, unless it alone is beyond the limit.
func (c *cache[V]) put(key string, value V, cost int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(key)
	if cost > c.limit {
		return
	}
	c.byKey[key] = c.order.PushFront(&cacheEntry[V]{key, value, cost})
	c.cost += cost
	for c.cost > c.limit {
		c.remove(c.order.Back().Value.(*cacheEntry[V]).key)
	}
}

// remove needs mu.
func (c *cache[V]) remove(key string) {
	if e, ok := c.byKey[key]; ok {
		c.cost -= e.Value.(*cacheEntry[V]).cost
		c.order.Remove(e)
		delete(c.byKey, key)
	}
}
