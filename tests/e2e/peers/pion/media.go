// SPDX-License-Identifier: MIT

package main

import (
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v3"
	"github.com/pion/webrtc/v3/pkg/media"
	"github.com/pion/webrtc/v3/pkg/media/h264reader"
	"github.com/pion/webrtc/v3/pkg/media/oggreader"
)

const framesPerSecond = 30

func (p *peer) addTrack(mime, id string) *webrtc.TrackLocalStaticSample {
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: mime}, id, "pion")
	fail(err)
	transceiver, err := p.pc.AddTransceiverFromTrack(track, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	fail(err)
	go func() {
		for {
			packets, _, err := transceiver.Sender().ReadRTCP()
			if err != nil {
				return
			}
			for _, packet := range packets {
				if _, yes := packet.(*rtcp.PictureLossIndication); yes {
					atomic.AddInt64(&p.starts, 1)
				}
			}
		}
	}()
	return track
}

// Both files over and over, in real time; the function that sends.
func (p *peer) addTracks(video, audio string) func() {
	v, a := p.addTrack(webrtc.MimeTypeH264, "video"), p.addTrack(webrtc.MimeTypeOpus, "audio")
	return func() {
		go p.loop(audio, a, p.sendOgg)
		p.loop(video, v, p.sendH264)
	}
}

func (p *peer) loop(path string, track *webrtc.TrackLocalStaticSample, send func(io.Reader, *webrtc.TrackLocalStaticSample) error) {
	for {
		file, err := os.Open(path)
		fail(err)
		err = send(file, track)
		file.Close()
		if errors.Is(err, io.ErrClosedPipe) {
			return
		}
	}
}

func (p *peer) sendH264(file io.Reader, track *webrtc.TrackLocalStaticSample) error {
	reader, err := h264reader.NewReader(file)
	fail(err)
	tick := time.NewTicker(time.Second / framesPerSecond)
	defer tick.Stop()
	for {
		nal, err := reader.NextNAL()
		if err != nil {
			return err
		}
		picture := nal.UnitType == h264reader.NalUnitTypeCodedSliceNonIdr || nal.UnitType == h264reader.NalUnitTypeCodedSliceIdr
		sample := media.Sample{Data: nal.Data}
		if picture {
			sample.Duration = time.Second / framesPerSecond
		}
		if err := track.WriteSample(sample); err != nil {
			return err
		}
		if picture {
			atomic.AddInt64(&p.video, 1)
			<-tick.C
		}
	}
}

func (p *peer) sendOgg(file io.Reader, track *webrtc.TrackLocalStaticSample) error {
	reader, _, err := oggreader.NewWith(file)
	fail(err)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		page, _, err := reader.ParseNextPage()
		if err != nil {
			return err
		}
		if err := track.WriteSample(media.Sample{Data: page, Duration: 20 * time.Millisecond}); err != nil {
			return err
		}
		atomic.AddInt64(&p.audio, 1)
		<-tick.C
	}
}

func (p *peer) addReceivers() {
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio} {
		_, err := p.pc.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		fail(err)
	}
	p.pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		count := &p.video
		if track.Kind() == webrtc.RTPCodecTypeAudio {
			count = &p.audio
		}
		packet := make([]byte, 1500)
		for {
			n, _, err := track.Read(packet)
			if err != nil {
				return
			}
			atomic.AddInt64(count, 1)
			atomic.AddInt64(&p.bytes, int64(n))
		}
	})
}
