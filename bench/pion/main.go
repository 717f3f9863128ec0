// SPDX-License-Identifier: MIT

// rtc-load publishes one stream and watches it many times over with pion, a WebRTC stack that is neither
// Chromium's nor ours. It prints one line of JSON.
//
//	rtc-load publish TARGET VIDEO.h264 AUDIO.ogg       until standard input ends
//	rtc-load watch TARGET N SECONDS PID                PID: the server's, whose cost is taken
//	rtc-load direct VIDEO.h264 AUDIO.ogg SECONDS       no server between: what the two ends alone need
//
// TARGET is the URL of a WHIP or WHEP endpoint, or janus+http://HOST:PORT/janus for room 1234 of a Janus.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v3"
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "rtc-load:", err)
		os.Exit(1)
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	fail(err)
	return n
}

func report(v any) {
	line, err := json.Marshal(v)
	fail(err)
	fmt.Println(string(line))
}

// H.264 and Opus only, with what pion does by default: NACK, reports, transport-wide feedback.
func newAPI() *webrtc.API {
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	media := &webrtc.MediaEngine{}
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	fail(media.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264, ClockRate: 90000,
			SDPFmtpLine: "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f", RTCPFeedback: feedback},
		PayloadType: 102}, webrtc.RTPCodecTypeVideo))
	fail(media.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2,
			SDPFmtpLine: "minptime=10;useinbandfec=1"},
		PayloadType: 111}, webrtc.RTPCodecTypeAudio))
	registry := &interceptor.Registry{}
	fail(webrtc.RegisterDefaultInterceptors(media, registry))
	return webrtc.NewAPI(webrtc.WithSettingEngine(settings), webrtc.WithMediaEngine(media), webrtc.WithInterceptorRegistry(registry))
}

// offer with all candidates in it.
func completeOffer(pc *webrtc.PeerConnection) string {
	o, err := pc.CreateOffer(nil)
	fail(err)
	done := webrtc.GatheringCompletePromise(pc)
	fail(pc.SetLocalDescription(o))
	<-done
	return pc.LocalDescription().SDP
}

func completeAnswer(pc *webrtc.PeerConnection, offer string) string {
	fail(pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}))
	a, err := pc.CreateAnswer(nil)
	fail(err)
	done := webrtc.GatheringCompletePromise(pc)
	fail(pc.SetLocalDescription(a))
	<-done
	return pc.LocalDescription().SDP
}

func isJanus(target string) (string, bool) {
	return strings.TrimPrefix(target, "janus+"), strings.HasPrefix(target, "janus+")
}

func main() {
	args := os.Args[1:]
	switch {
	case len(args) == 4 && args[0] == "publish":
		publish(args[1], loadSource(args[2], args[3]))
	case len(args) == 5 && args[0] == "watch":
		watch(args[1], number(args[2]), number(args[3]), number(args[4]))
	case len(args) == 4 && args[0] == "direct":
		direct(loadSource(args[1], args[2]), number(args[3]))
	default:
		fail(fmt.Errorf("usage: see main.go"))
	}
}
