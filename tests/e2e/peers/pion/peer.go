// SPDX-License-Identifier: MIT

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/pion/webrtc/v3"
)

type peer struct {
	pc                         *webrtc.PeerConnection
	url, session, etag, answer string
	flags                      *flags
	quiet                      bool
	video, audio, bytes        int64 // packets, packets, of both
	starts                     int64 // key frames that were sent or asked for
}

func newPeer(url string, f *flags) *peer {
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	if f.six {
		settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP6})
	}
	media := &webrtc.MediaEngine{}
	fail(media.RegisterDefaultCodecs())
	config := webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle}
	if f.servers != "" {
		fail(json.Unmarshal([]byte(f.servers), &config.ICEServers))
	}
	if f.relay {
		config.ICETransportPolicy = webrtc.ICETransportPolicyRelay
	}
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(media)).NewPeerConnection(config)
	fail(err)
	return &peer{pc: pc, url: url, flags: f}
}

func (p *peer) report(v any) {
	if !p.quiet {
		report(v)
	}
}

func (p *peer) offer(options *webrtc.OfferOptions) (string, error) {
	offer, err := p.pc.CreateOffer(options)
	if err != nil {
		return "", err
	}
	done := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(offer); err != nil {
		return "", err
	}
	<-done
	return p.pc.LocalDescription().SDP, nil
}

func (p *peer) send(method, to, kind, body string) (*http.Response, string, error) {
	request, err := http.NewRequest(method, to, strings.NewReader(body))
	if err != nil {
		return nil, "", err
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	if method == "PATCH" {
		request.Header.Set("If-Match", p.etag)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer, string(text), err
}

var candidatePort = regexp.MustCompile(`(?m)^(a=candidate:\S+ 1 udp \d+ \S+) \d+`)

func (p *peer) through(sdp string) string {
	if p.flags.via == 0 {
		return sdp
	}
	return candidatePort.ReplaceAllString(sdp, fmt.Sprintf("$1 %d", p.flags.via))
}

// Posts the offer; false: it was refused, which has been told.
func (p *peer) begin() bool {
	p.pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		p.report(map[string]string{"state": s.String()})
		if s == webrtc.PeerConnectionStateConnected {
			p.report(map[string]bool{"connected": true})
		}
	})
	offer, err := p.offer(nil)
	fail(err)
	answer, text, err := p.send("POST", p.url, "application/sdp", offer)
	if err != nil {
		p.report(map[string]string{"error": err.Error()})
		return false
	}
	p.report(map[string]any{"status": answer.StatusCode})
	if answer.StatusCode != http.StatusCreated {
		p.pc.Close()
		return false
	}
	base, err := url.Parse(p.url)
	fail(err)
	at, err := base.Parse(answer.Header.Get("Location"))
	fail(err)
	p.session, p.etag, p.answer = at.String(), answer.Header.Get("ETag"), p.through(text)
	p.report(map[string]any{"session": p.session, "etag": p.etag})
	fail(p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: p.answer}))
	return true
}

var (
	ufrag = regexp.MustCompile(`(?m)^a=ice-ufrag:(\S+)`)
	pwd   = regexp.MustCompile(`(?m)^a=ice-pwd:(\S+)`)
	mid   = regexp.MustCompile(`(?m)^a=mid:(\S+)`)
	mline = regexp.MustCompile(`(?m)^m=.*\S`)
)

// An ICE restart (RFC 9725, 4.3.3); the status.
func (p *peer) restart() int {
	offer, err := p.offer(&webrtc.OfferOptions{ICERestart: true})
	fail(err)
	fragment := strings.Join([]string{ufrag.FindString(offer), pwd.FindString(offer), mline.FindString(offer), mid.FindString(offer), ""}, "\r\n")
	answer, text, err := p.send("PATCH", p.session, "application/trickle-ice-sdpfrag", fragment)
	fail(err)
	if answer.StatusCode == http.StatusOK {
		p.etag = answer.Header.Get("ETag")
		sdp := ufrag.ReplaceAllLiteralString(p.answer, ufrag.FindString(text))
		p.answer = pwd.ReplaceAllLiteralString(sdp, pwd.FindString(text))
		fail(p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: p.answer}))
	}
	return answer.StatusCode
}

func (p *peer) leave() int {
	answer, _, err := p.send("DELETE", p.session, "", "")
	p.pc.Close()
	if err != nil {
		return 0
	}
	return answer.StatusCode
}

func (p *peer) count() map[string]any {
	counts := map[string]any{"video": atomic.LoadInt64(&p.video), "audio": atomic.LoadInt64(&p.audio), "bytes": atomic.LoadInt64(&p.bytes),
		"starts": atomic.LoadInt64(&p.starts)}
	for _, s := range p.pc.GetStats() {
		if pair, ok := s.(webrtc.ICECandidatePairStats); ok && pair.Nominated && pair.State == webrtc.StatsICECandidatePairStateSucceeded {
			if local, ok := p.pc.GetStats()[pair.LocalCandidateID].(webrtc.ICECandidateStats); ok {
				counts["by"] = local.CandidateType.String()
			}
		}
	}
	return counts
}
