// SPDX-License-Identifier: MIT
// What plays one picture: mux-player for HLS (view-hls.ts), <bsp-whep> for WebRTC (view-whep.ts).

/** What both media elements have. */
export type Media = HTMLElement & {
  currentTime: number;
  paused: boolean;
  ended: boolean;
  muted: boolean;
  volume: number;
  play(): Promise<void>;
};

/** How the picture comes, for those who look closely. Null: not known. */
export interface Numbers {
  /** Seconds from the server to the screen. */
  delay: number | null;
  width: number | null;
  height: number | null;
  fps: number | null;
  bitrate: number | null;
  loss: number | null;
  codec: string | null;
  /** Of what is on the screen, milliseconds since 1970. Null: that of this moment. */
  programTime: number | null;
}

export interface ViewEvents {
  /** The media element is there, and is another one each time. */
  onMedia(media: Media): void;
  /** Its picture moves. */
  onPlaying(media: Media): void;
  onEnded(): void;
  /** There is nothing at the address, or the program for it could not be loaded. */
  onGone(why: 'gone' | 'no-script'): void;
}

export interface View {
  readonly media: Media | null;
  numbers(): Promise<Numbers | null>;
  close(): void;
}
