// SPDX-License-Identifier: MIT

package main

import (
	"math/rand"
	"sync"
	"sync/atomic"
	"time"
)

type tally struct {
	came, refused, saw int64
}

// One viewer after the other: each stays for a moment, and leaves by DELETE, by a goodbye, or in silence.
func visit(url string, until time.Time, t *tally) {
	for time.Now().Before(until) {
		p := newPeer(url, &flags{})
		p.quiet = true
		p.addReceivers()
		if !p.begin() {
			p.pc.Close()
			atomic.AddInt64(&t.refused, 1)
			time.Sleep(time.Duration(rand.Intn(100)) * time.Millisecond)
			continue
		}
		atomic.AddInt64(&t.came, 1)
		time.Sleep(time.Duration(rand.Intn(700)) * time.Millisecond)
		if atomic.LoadInt64(&p.video) > 0 {
			atomic.AddInt64(&t.saw, 1)
		}
		if rand.Intn(3) == 0 {
			p.leave()
		} else {
			p.pc.Close()
		}
	}
}

func swarm(url string, n, seconds int) {
	var t tally
	var all sync.WaitGroup
	until := time.Now().Add(time.Duration(seconds) * time.Second)
	for i := 0; i < n; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			visit(url, until, &t)
		}()
	}
	all.Wait()
	report(map[string]int64{"came": t.came, "refused": t.refused, "saw": t.saw})
}
