package pool

import "slices"

// Shares is how many children one client may have at work, and how many places of
// the queue he keeps while others wait.
func (c *Config) Shares() (children, places int) {
	return max(1, c.Size/2), max(1, c.Queue/3)
}

// held is how many children a client has at work. p.mu is held.
func (p *Pool) held(client string) (n int) {
	for _, w := range p.workers {
		if w.busy && w.client == client {
			n++
		}
	}
	return n
}

// places is how many places of the queue a client has. p.mu is held.
func (p *Pool) places(client string) (n int) {
	for _, q := range p.waiting {
		if q.client == client {
			n++
		}
	}
	return n
}

// enqueue gives a request a place in the queue, or not. Alone a client may fill
// the queue; a third of it is what each keeps once others wait. One who comes to
// a full queue with less gets the youngest place of whoever has most. p.mu is
// held.
func (p *Pool) enqueue(q *waiter) bool {
	_, share := p.config.Shares()
	mine := p.places(q.client)
	if q.client != "" && mine >= share && len(p.waiting) > mine {
		return false
	}
	if len(p.waiting) >= p.config.Queue {
		at := -1
		if mine < share {
			at = p.greediest(share)
		}
		if at < 0 {
			return false
		}
		gone := p.waiting[at]
		p.waiting = slices.Delete(p.waiting, at, at+1)
		gone.ready <- nil
	}
	p.waiting = append(p.waiting, q)
	return true
}

// greediest is the last place of the client with most places, more than share;
// -1 where nobody has so many. p.mu is held.
func (p *Pool) greediest(share int) int {
	places := map[string]int{}
	at := -1
	for i, q := range p.waiting {
		if q.client == "" {
			continue
		}
		places[q.client]++
		if n := places[q.client]; n > share && (at < 0 || n >= places[p.waiting[at].client]) {
			at = i
		}
	}
	return at
}

// next gives a worker to one who waits: of those it may serve, to the client with
// fewest children at work, and there to the one who came first. It reports
// whether there was one. p.mu is held.
func (p *Pool) next() bool {
	order := make([]int, len(p.waiting))
	held := map[string]int{}
	for i, q := range p.waiting {
		order[i] = i
		if _, known := held[q.client]; !known {
			held[q.client] = p.held(q.client)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return held[p.waiting[a].client] - held[p.waiting[b].client] })
	for _, i := range order {
		q := p.waiting[i]
		if w := p.pick(q); w != nil {
			p.waiting = slices.Delete(p.waiting, i, i+1)
			q.ready <- w
			return true
		}
	}
	return false
}
