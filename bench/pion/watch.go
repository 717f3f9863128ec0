// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"
)

// What all viewers saw. Counting stands still until `on`.
type tally struct {
	on                   atomic.Bool
	packets, bytes, lost atomic.Int64
	connected, seen      atomic.Int64
	mu                   sync.Mutex
	joinMs, delayUs      []float64
	keyMs                []float64 // from the end of the handshake to the first key frame
}

type result struct {
	Viewers    int     `json:"viewers"`
	Connected  int64   `json:"connected"`
	Playing    int64   `json:"playing"`
	JoinMs     float64 `json:"join_ms"`
	JoinMaxMs  float64 `json:"join_max_ms"`
	KeyMs      float64 `json:"key_ms"`
	KeyMaxMs   float64 `json:"key_max_ms"`
	PacketsS   float64 `json:"packets_s"` // of a viewer
	MbitS      float64 `json:"mbit_s"`
	Packets    int64   `json:"packets"`
	Lost       int64   `json:"lost"`
	DelayP50Us float64 `json:"delay_p50_us"`
	DelayP99Us float64 `json:"delay_p99_us"`
	CPUPercent float64 `json:"cpu_percent"` // of a core, the server's
	PssKB      int     `json:"pss_kb"`
	OwnPercent float64 `json:"own_percent"` // ours: how near the machine's end it was
}

func at(sorted []float64, part float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(part*float64(len(sorted)-1))]
}

// isKey: an IDR slice begins in this payload (RFC 6184, single, STAP-A or FU-A).
func isKey(p []byte) bool {
	if len(p) < 2 {
		return false
	}
	switch p[0] & 31 {
	case nalIDR:
		return true
	case 28:
		return p[1]&0x9f == 0x80|nalIDR
	case 24:
		for i := 1; i+2 < len(p); {
			n := int(p[i])<<8 | int(p[i+1])
			if p[i+2]&31 == nalIDR || p[i+2]&31 == 7 {
				return true
			}
			i += 2 + n
		}
	}
	return p[0]&31 == 7
}

// When a viewer asked, and when its handshake was over (nanoseconds).
type arrival struct {
	began time.Time
	up    atomic.Int64
}

func (t *tally) read(track *webrtc.TrackRemote, a *arrival) {
	buf := make([]byte, 1600)
	var p rtp.Packet
	var top, before uint16
	first, counting, key := true, false, false
	for {
		n, _, err := track.Read(buf)
		if err != nil {
			return
		}
		now := time.Now()
		if p.Unmarshal(buf[:n]) != nil {
			continue
		}
		if !key && track.Kind() == webrtc.RTPCodecTypeVideo && isKey(p.Payload) {
			key = true
			t.seen.Add(1)
			t.mu.Lock()
			t.joinMs = append(t.joinMs, float64(now.Sub(a.began).Microseconds())/1000)
			if up := a.up.Load(); up > 0 {
				t.keyMs = append(t.keyMs, float64(now.UnixNano()-up)/1e6)
			}
			t.mu.Unlock()
		}
		if first || int16(p.SequenceNumber-top) > 0 {
			before, top = top, p.SequenceNumber
		}
		if on := t.on.Load(); !on {
			first, counting = false, false
			continue
		}
		if counting && top == p.SequenceNumber {
			t.lost.Add(int64(int16(top-before)) - 1)
		} else if counting {
			t.lost.Add(-1) // came late, or again
		}
		first, counting = false, true
		t.packets.Add(1)
		t.bytes.Add(int64(n))
		if left, yes := readStamp(p.Payload); yes {
			t.mu.Lock()
			t.delayUs = append(t.delayUs, float64(now.Sub(left).Nanoseconds())/1000)
			t.mu.Unlock()
		}
	}
}

func (t *tally) viewer(api *webrtc.API, target string) *webrtc.PeerConnection {
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	fail(err)
	a := &arrival{began: time.Now()}
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			a.up.Store(time.Now().UnixNano())
			t.connected.Add(1)
		}
	})
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { t.read(track, a) })
	if url, yes := isJanus(target); yes {
		j := newJanus(url)
		a.began = time.Now()
		j.start(completeAnswer(pc, j.subscribe()))
		return pc
	}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio} {
		_, err = pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		fail(err)
	}
	offer := completeOffer(pc)
	a.began = time.Now()
	fail(pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: exchange(target, offer)}))
	return pc
}

// CPU nanoseconds of all threads of a process.
func cpuNs(pid int) (total float64) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, file := range tasks {
		if b, err := os.ReadFile(file); err == nil {
			v, _ := strconv.ParseFloat(strings.Fields(string(b))[0], 64)
			total += v
		}
	}
	return total
}

func pssKB(pid int) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	fail(err)
	for _, line := range strings.Split(string(b), "\n") {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "Pss:" {
			return number(f[1])
		}
	}
	return 0
}

func watch(target string, n, seconds, pid int) {
	t := &tally{}
	api := newAPI()
	gate := make(chan struct{}, 4) // as many join at once
	var joining sync.WaitGroup
	for i := 0; i < n; i++ {
		gate <- struct{}{}
		joining.Add(1)
		go func() {
			t.viewer(api, target)
			<-gate
			joining.Done()
		}()
	}
	joining.Wait()
	for end := time.Now().Add(15 * time.Second); t.seen.Load() < int64(n) && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	time.Sleep(2 * time.Second)
	t.measure(n, seconds, pid)
}

func (t *tally) measure(n, seconds, pid int) {
	r := result{Viewers: n, Connected: t.connected.Load(), Playing: t.seen.Load()}
	cpu, own := cpuNs(pid), cpuNs(os.Getpid())
	began := time.Now()
	t.on.Store(true)
	time.Sleep(time.Duration(seconds) * time.Second)
	t.on.Store(false)
	took := time.Since(began).Seconds()
	r.CPUPercent = (cpuNs(pid) - cpu) / took / 1e7
	r.OwnPercent = (cpuNs(os.Getpid()) - own) / took / 1e7
	r.PssKB = pssKB(pid)
	t.mu.Lock()
	sort.Float64s(t.joinMs)
	sort.Float64s(t.keyMs)
	sort.Float64s(t.delayUs)
	r.JoinMs, r.JoinMaxMs = at(t.joinMs, 0.5), at(t.joinMs, 1)
	r.KeyMs, r.KeyMaxMs = at(t.keyMs, 0.5), at(t.keyMs, 1)
	r.DelayP50Us, r.DelayP99Us = at(t.delayUs, 0.5), at(t.delayUs, 0.99)
	t.mu.Unlock()
	r.Packets, r.Lost = t.packets.Load(), t.lost.Load()
	if n > 0 {
		r.PacketsS = float64(r.Packets) / took / float64(n)
		r.MbitS = float64(t.bytes.Load()) * 8 / 1e6 / took / float64(n)
	}
	report(r)
}

func direct(s *source, seconds int) {
	t := &tally{}
	api := newAPI()
	from, err := api.NewPeerConnection(webrtc.Configuration{})
	fail(err)
	to, err := api.NewPeerConnection(webrtc.Configuration{})
	fail(err)
	video, audio := s.addTracks(from)
	a := &arrival{began: time.Now()}
	to.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) { t.read(track, a) })
	up := connected(from)
	answer := completeAnswer(to, completeOffer(from))
	fail(from.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
	<-up
	go s.run(video, audio, make(chan struct{}))
	time.Sleep(2 * time.Second)
	t.measure(1, seconds, os.Getpid())
}
