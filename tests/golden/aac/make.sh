#!/bin/sh
# SPDX-License-Identifier: MIT
# Tones and noise of known level as ADTS, by ffmpeg's encoder and by GStreamer's voaacenc.
set -eu
cd "$(dirname "$0")"

tone() { # NAME EXPRESSIONS RATE BITRATE
    ffmpeg -v error -y -f lavfi -i "aevalsrc='$2':s=$3:d=0.6" -c:a aac -b:a "$4" -f adts "$1.adts"
}
sine() { # LEVEL FREQUENCY
    echo "pow(10,-$1/20)*sin(2*PI*$2*t)"
}

tone tone-6 "$(sine 6 1000)|$(sine 6 1000)" 48000 128k
tone tone-20 "$(sine 20 1000)|$(sine 20 1000)" 48000 128k
tone tone-40 "$(sine 40 1000)|$(sine 40 1000)" 48000 64k
tone silence "0|0" 48000 128k
tone right-20 "0|$(sine 20 500)" 44100 128k
tone mono-20 "$(sine 20 700)" 22050 48k
tone clicks-10 "$(sine 10 3000)*lt(mod(t,0.1),0.01)" 48000 96k # short windows
ffmpeg -v error -y -f lavfi -i "anoisesrc=c=pink:a=0.25:r=48000:d=0.6:s=7" -ac 2 -c:a aac -b:a 128k -f adts noise.adts
gst-launch-1.0 -q audiotestsrc num-buffers=30 freq=1000 volume=0.1 ! audio/x-raw,rate=48000,channels=2 ! audioconvert ! \
    voaacenc bitrate=128000 ! audio/mpeg,stream-format=adts ! filesink location=vo-20.adts
