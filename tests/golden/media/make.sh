#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes the files of this folder (see README.md). Needs ffmpeg with libx264, libx265, libsvtav1,
# libvpx-vp9 and libopus. Encoders of other versions make other bytes: the tests do not depend on
# them, only on what README.md says of each file.
set -eu
cd "$(dirname "$0")"
V='-f lavfi -i testsrc2=size=160x90:rate=30'
A='-f lavfi -i sine=frequency=440:sample_rate=48000'
OUT='-movflags empty_moov+default_base_moof+frag_keyframe -fflags +bitexact -flags +bitexact -map_metadata -1'
F='ffmpeg -y -loglevel error -nostdin'
$F $V -t 5 -an -c:v libx264 -preset medium -bf 3 -g 60 -keyint_min 60 -sc_threshold 0 -b:v 60k -threads 1 $OUT h264-bframes.mp4
$F $V -t 5 -an -c:v libx264 -preset veryfast -tune zerolatency -profile:v baseline -bf 0 -g 60 -keyint_min 60 -sc_threshold 0 -b:v 60k -threads 1 $OUT h264-baseline.mp4
$F -f lavfi -i testsrc2=size=170x94:rate=30 -t 1 -an -c:v libx264 -profile:v high -bf 2 -g 30 -b:v 40k -threads 1 $OUT h264-cropped.mp4
$F $V -t 4 -an -c:v libx265 -preset fast -tag:v hvc1 -x265-params log-level=error:keyint=60:min-keyint=60:scenecut=0:pools=none:frame-threads=1 -b:v 60k $OUT h265.mp4
$F $V -t 4 -an -c:v libsvtav1 -preset 10 -g 60 -crf 50 -svtav1-params lp=1 $OUT av1.mp4
$F $V -t 4 -an -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 60 -keyint_min 60 -lag-in-frames 0 -b:v 60k -threads 1 $OUT vp9.mp4
$F $A -t 5 -vn -c:a aac -b:a 32k $OUT aac-48000.mp4
$F -f lavfi -i sine=frequency=440:sample_rate=44100 -t 5 -vn -ac 2 -c:a aac -b:a 32k $OUT aac-44100-stereo.mp4
$F $A -t 5 -vn -ac 2 -c:a libopus -b:a 24k $OUT opus.mp4
