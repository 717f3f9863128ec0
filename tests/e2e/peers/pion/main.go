// SPDX-License-Identifier: MIT

// pion-peer publishes by WHIP or watches by WHEP with pion, a stack that is neither Chromium's nor ours.
//
//	pion-peer publish URL VIDEO.h264 AUDIO.ogg [flags]
//	pion-peer watch URL [flags]
//	pion-peer swarm URL N SECONDS      N viewers that come and go, some without a word
//
// It prints lines of JSON: {"status":…}, {"connected":true}, {"state":…}, and for each word on its standard
// input the answer to it: "count", "restart" (ICE, by PATCH), "close" (DELETE). It ends with its input.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strconv"
	"sync"
)

type flags struct {
	via     int    // port of a line between us and the server
	servers string // JSON: [{"urls":[…],"username":…,"credential":…}]
	relay   bool   // no candidates but relayed ones
	six     bool   // IPv6 only
}

var printing sync.Mutex

func report(v any) {
	line, err := json.Marshal(v)
	fail(err)
	printing.Lock()
	defer printing.Unlock()
	fmt.Println(string(line))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "pion-peer:", err)
		os.Exit(1)
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	fail(err)
	return n
}

func readFlags(args []string) *flags {
	f := &flags{}
	set := flag.NewFlagSet("pion-peer", flag.ExitOnError)
	set.IntVar(&f.via, "via", 0, "port of the line")
	set.StringVar(&f.servers, "servers", "", "ICE servers, JSON")
	set.BoolVar(&f.relay, "relay", false, "relayed candidates only")
	set.BoolVar(&f.six, "six", false, "IPv6 only")
	fail(set.Parse(args))
	return f
}

// Until the input ends, or closed.
func obey(p *peer) {
	words := bufio.NewScanner(os.Stdin)
	for words.Scan() {
		switch words.Text() {
		case "count":
			report(p.count())
		case "restart":
			report(map[string]int{"restart": p.restart()})
		case "close":
			report(map[string]int{"deleted": p.leave()})
			return
		}
	}
	p.pc.Close()
}

func main() {
	args := os.Args[1:]
	switch {
	case len(args) >= 4 && args[0] == "publish":
		p := newPeer(args[1], readFlags(args[4:]))
		run := p.addTracks(args[2], args[3])
		if p.begin() {
			go run()
			obey(p)
		}
	case len(args) >= 2 && args[0] == "watch":
		p := newPeer(args[1], readFlags(args[2:]))
		p.addReceivers()
		if p.begin() {
			obey(p)
		}
	case len(args) == 4 && args[0] == "swarm":
		swarm(args[1], number(args[2]), number(args[3]))
	default:
		fail(fmt.Errorf("usage: see main.go"))
	}
}
