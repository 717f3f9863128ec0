// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"
)

func wantsKey(p rtcp.Packet) bool {
	switch p.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		return true
	}
	return false
}

// exchange posts an offer as WHIP and WHEP have it, and returns the answer.
func exchange(url, offer string) string {
	for {
		answer, err := http.Post(url, "application/sdp", strings.NewReader(offer))
		fail(err)
		text, err := io.ReadAll(answer.Body)
		fail(err)
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusCreated {
			return string(text)
		}
		if answer.StatusCode != 429 && answer.StatusCode != 503 {
			fail(fmt.Errorf("%s: %s %s", url, answer.Status, text))
		}
		time.Sleep(200 * time.Millisecond)
	}
}

func connected(pc *webrtc.PeerConnection) <-chan struct{} {
	done := make(chan struct{})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateConnected {
			close(done)
		}
	})
	return done
}

func publish(target string, s *source) {
	pc, err := newAPI().NewPeerConnection(webrtc.Configuration{})
	fail(err)
	video, audio := s.addTracks(pc)
	up := connected(pc)
	offer := completeOffer(pc)
	var answer string
	if url, yes := isJanus(target); yes {
		answer = newJanus(url).publish(offer)
	} else {
		answer = exchange(target, offer)
	}
	fail(pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}))
	<-up
	report(map[string]bool{"connected": true})
	stop := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(stop)
	}()
	s.run(video, audio, stop)
	_ = pc.Close()
}
