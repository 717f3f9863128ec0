// SPDX-License-Identifier: MIT

package main

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v3"
	"github.com/pion/webrtc/v3/pkg/media/oggreader"
)

const (
	fps         = 30
	payloadMax  = 1188 // 1200 bytes with the RTP header: what encoders send
	stampEach   = 5    // of the pictures
	nalIDR      = 5
	nalSEI      = 6
	nalAUD      = 9
	seiUserData = 5 // unregistered
)

// A NAL unit of our own in front of a picture, a packet of its own, says when the picture left. Hexadecimal
// digits need no emulation prevention.
var stampHead = append([]byte{nalSEI, seiUserData, 32}, []byte("bspnode-rtc-load")...)

func stamp(now time.Time) []byte {
	var t [8]byte
	for i := range t {
		t[i] = byte(uint64(now.UnixNano()) >> (56 - 8*i))
	}
	return append(append(append([]byte{}, stampHead...), hex.EncodeToString(t[:])...), 0x80)
}

// When the picture left; false: the payload is no stamp.
func readStamp(payload []byte) (time.Time, bool) {
	if len(payload) != len(stampHead)+17 || !bytes.HasPrefix(payload, stampHead) {
		return time.Time{}, false
	}
	var t [8]byte
	if _, err := hex.Decode(t[:], payload[len(stampHead):len(payload)-1]); err != nil {
		return time.Time{}, false
	}
	var ns uint64
	for _, b := range t {
		ns = ns<<8 | uint64(b)
	}
	return time.Unix(0, int64(ns)), true
}

type picture struct {
	bytes []byte // Annex B
	key   bool
}

type source struct {
	pictures []picture
	sound    [][]byte // Opus packets of 20 ms
	wantKey  atomic.Bool
}

// The file has an access unit delimiter before each picture.
func loadSource(video, audio string) *source {
	data, err := os.ReadFile(video)
	fail(err)
	s := &source{}
	delimiter := []byte{0, 0, 0, 1, nalAUD}
	for _, au := range bytes.Split(data, delimiter) {
		if len(au) < 8 {
			continue
		}
		au = au[1:] // the delimiter's own byte
		key := bytes.Contains(au[:min(len(au), 4096)], []byte{0, 0, 1, 0x65})
		s.pictures = append(s.pictures, picture{au, key})
	}
	f, err := os.Open(audio)
	fail(err)
	defer f.Close()
	ogg, _, err := oggreader.NewWith(f)
	fail(err)
	for {
		page, _, err := ogg.ParseNextPage()
		if errors.Is(err, io.EOF) {
			break
		}
		fail(err)
		if !bytes.HasPrefix(page, []byte("OpusTags")) {
			s.sound = append(s.sound, page)
		}
	}
	if len(s.pictures) == 0 || len(s.sound) == 0 {
		fail(errors.New("the source is empty"))
	}
	return s
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

// addTracks makes the tracks and answers wishes for key frames.
func (s *source) addTracks(pc *webrtc.PeerConnection) (video, audio *webrtc.TrackLocalStaticRTP) {
	var err error
	video, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeH264}, "video", "load")
	fail(err)
	audio, err = webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "audio", "load")
	fail(err)
	for _, t := range []*webrtc.TrackLocalStaticRTP{video, audio} {
		tr, err := pc.AddTransceiverFromTrack(t, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
		fail(err)
		go func(sender *webrtc.RTPSender, isVideo bool) {
			for {
				packets, _, err := sender.ReadRTCP()
				if err != nil {
					return
				}
				for _, p := range packets {
					if isVideo && wantsKey(p) {
						s.wantKey.Store(true)
					}
				}
			}
		}(tr.Sender(), t == video)
	}
	return video, audio
}

// run sends at the speed of life, for ever. A wish for a key frame skips to the file's next one.
func (s *source) run(video, audio *webrtc.TrackLocalStaticRTP, stop <-chan struct{}) {
	pics := rtp.NewPacketizer(payloadMax+12, 0, 0, &codecs.H264Payloader{}, rtp.NewRandomSequencer(), 90000)
	var sound rtp.Header
	began := time.Now()
	at := 0
	for n, m := 0, 0; ; n++ {
		for ; m*fps < n*50; m++ { // 50 packets a second
			sound = rtp.Header{Version: 2, SequenceNumber: uint16(m), Timestamp: uint32(m * 960)}
			_ = audio.WriteRTP(&rtp.Packet{Header: sound, Payload: s.sound[m%len(s.sound)]})
		}
		select {
		case <-stop:
			return
		case <-time.After(time.Until(began.Add(time.Duration(n) * time.Second / fps))):
		}
		if s.wantKey.Swap(false) {
			for !s.pictures[at].key {
				at = (at + 1) % len(s.pictures)
			}
		}
		packets := pics.Packetize(s.pictures[at].bytes, 0)
		pics.SkipSamples(90000 / fps)
		at = (at + 1) % len(s.pictures)
		if len(packets) == 0 {
			continue
		}
		if n%stampEach == 0 {
			one := *packets[0]
			one.Payload = stamp(time.Now())
			one.Marker = false
			packets = append([]*rtp.Packet{&one}, packets...)
		}
		s.write(video, packets)
	}
}

var sent uint16

func (s *source) write(video *webrtc.TrackLocalStaticRTP, packets []*rtp.Packet) {
	ts := packets[0].Timestamp
	for i, p := range packets {
		p.SequenceNumber = sent
		p.Timestamp = ts
		p.Marker = i == len(packets)-1
		sent++
		_ = video.WriteRTP(p)
	}
}
