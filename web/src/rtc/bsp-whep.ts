// SPDX-License-Identifier: MIT
// <bsp-whep src="/whep/ID">: a media element whose picture comes by WebRTC. It speaks the HTMLMediaElement
// interface, so that media-chrome's controls drive it as they drive any <video>.
//
//   whepstate   CustomEvent, detail: WhepState (rtc/whep.ts)
//   error       given up; `error` has a code of MediaError's, `trouble` the reason
//
// The layers of the picture, when the publisher sends several, are its `videoRenditions`.
import { CustomVideoElement } from 'custom-media-element';
import { MediaTracksMixin } from 'media-tracks';
import { askLayers, chooseLayer, layerUrl } from './layers';
import { summary, type RtcStats } from './viewer-stats';
import type { Created } from './signalling';
import { browserWorld, createWhep, type Whep, type WhepState } from './whep';
import type { WhepTrouble } from './whep-rules';

/** A picture that nobody has looked at for this long is not sent any more; play() asks for it again. */
const PAUSED_MS = 60_000;
const LAYERS_MS = 3000;

const nothing = document.createElement('video').seekable;

export class BspWhep extends MediaTracksMixin(CustomVideoElement) {
  static override getTemplateHTML = (attrs: Record<string, string>) => {
    const { src: _, autoplay: __, ...rest } = attrs; // the inner <video> gets a MediaStream
    return CustomVideoElement.getTemplateHTML(rest);
  };

  /** media-chrome's vocabulary: live, without a window to go back in. */
  readonly streamType = 'live';
  readonly targetLiveWindow = 0;
  readonly liveEdgeStart = 0;

  state: WhepState = 'closed';
  trouble: WhepTrouble | null = null;
  private whep: Whep | null = null;
  private idle: ReturnType<typeof setTimeout> | undefined;
  private layerTimer: ReturnType<typeof setInterval> | undefined;
  private layers: { url: string; chosen: string | null; known: string } | null = null;
  private lastStats: RtcStats | null = null;

  override attributeChangedCallback(name: string, before?: string | null, now?: string | null) {
    if (name === 'src') {
      if (before !== now && this.isConnected) this.load();
    } else if (name !== 'autoplay') super.attributeChangedCallback(name, before, now);
  }

  override connectedCallback() {
    super.connectedCallback();
    this.nativeEl.playsInline = true;
    this.nativeEl.disableRemotePlayback = true;
    addEventListener('pagehide', this.onPageHide);
    addEventListener('pageshow', this.onPageShow);
    addEventListener('online', this.nudge);
    document.addEventListener('visibilitychange', this.nudge);
    this.videoRenditions.addEventListener('change', this.onRendition);
    this.nativeEl.addEventListener('pause', this.onPause);
    if (this.src) this.load();
  }

  override disconnectedCallback() {
    this.nativeEl.removeEventListener('pause', this.onPause);
    super.disconnectedCallback();
    removeEventListener('pagehide', this.onPageHide);
    removeEventListener('pageshow', this.onPageShow);
    removeEventListener('online', this.nudge);
    document.removeEventListener('visibilitychange', this.nudge);
    this.videoRenditions.removeEventListener('change', this.onRendition);
    this.stop();
  }

  /** Begins anew from `src`. */
  override load() {
    this.stop();
    this.trouble = null;
    if (!this.src) return;
    const handlers = {
      onState: (state: WhepState) => this.enter(state),
      onTrouble: (why: WhepTrouble) => this.fail(why),
      onSession: (session: Created) => this.onSession(session),
      onTracks: () => this.onTracks(),
    };
    this.whep = createWhep(this.src, handlers, { ...browserWorld, hidden: () => document.hidden || this.paused });
  }

  override play(): Promise<void> {
    clearTimeout(this.idle);
    if (!this.whep && this.src) this.load();
    return this.nativeEl.play();
  }

  override get src(): string {
    return this.getAttribute('src') ?? '';
  }

  override set src(v: string) {
    this.setAttribute('src', v);
  }

  override get seekable(): TimeRanges {
    return nothing;
  }

  override get duration(): number {
    return this.nativeEl.readyState > 0 ? Infinity : NaN;
  }

  override get error(): MediaError | null {
    if (!this.trouble) return null;
    const code = this.trouble === 'stalled' || this.trouble === 'blocked' ? 2 : 4;
    return { code, message: this.trouble, MEDIA_ERR_ABORTED: 1, MEDIA_ERR_NETWORK: 2, MEDIA_ERR_DECODE: 3, MEDIA_ERR_SRC_NOT_SUPPORTED: 4 };
  }

  /** What comes and how; null while nothing does. */
  async stats(): Promise<RtcStats | null> {
    const peer = this.whep?.peer;
    if (!peer) return null;
    this.lastStats = summary([...(await peer.getStats()).values()], this.lastStats);
    return this.lastStats;
  }

  private enter(state: WhepState) {
    this.state = state;
    if (state === 'playing') void this.askAgain();
    this.dispatchEvent(new CustomEvent('whepstate', { detail: state }));
  }

  private fail(why: WhepTrouble) {
    this.whep = null;
    this.trouble = why;
    this.dispatchEvent(new CustomEvent('error', { detail: why }));
  }

  private stop(keepalive = false) {
    clearTimeout(this.idle);
    clearInterval(this.layerTimer);
    this.whep?.close({ keepalive });
    this.whep = null;
    this.layers = null;
    this.lastStats = null;
  }

  private onTracks() {
    const video = this.nativeEl;
    const stream = this.whep?.stream ?? null;
    if (video.srcObject === stream && !video.ended) return;
    const goesOn = !video.paused || video.ended || this.hasAttribute('autoplay');
    video.srcObject = stream;
    if (goesOn) void this.start();
  }

  /** With sound where the browser allows it, else muted. */
  private async start() {
    try {
      await this.nativeEl.play();
    } catch (e) {
      if ((e as Error).name !== 'NotAllowedError' || this.nativeEl.muted) return;
      this.nativeEl.muted = true;
      await this.nativeEl.play().catch(() => {});
    }
  }

  private onPause = () => {
    clearTimeout(this.idle);
    this.idle = setTimeout(() => this.paused && this.stop(), PAUSED_MS);
  };

  private onPageHide = () => this.stop(true);

  private onPageShow = (e: PageTransitionEvent) => {
    if (e.persisted && this.src) this.load();
  };

  private nudge = () => {
    if (!document.hidden) this.whep?.nudge();
  };

  // --- layers

  private onSession(session: Created) {
    clearInterval(this.layerTimer);
    this.lastStats = null;
    const url = layerUrl(session.links);
    this.layers = url ? { url, chosen: this.layers?.chosen ?? null, known: '' } : null;
    if (!url) return;
    this.layerTimer = setInterval(() => void this.lookAtLayers(), LAYERS_MS);
  }

  /** A new session knows nothing of what was chosen in the one before. */
  private async askAgain() {
    const mine = this.layers;
    if (mine?.chosen && mine.known === '') await chooseLayer(mine.url, '0', mine.chosen);
    await this.lookAtLayers();
  }

  private async lookAtLayers() {
    const mine = this.layers;
    const found = mine && this.state === 'playing' && !document.hidden && (await askLayers(mine.url));
    if (!found || this.layers !== mine) return;
    const known = JSON.stringify(found.all.map((l) => [l.id, l.height]));
    if (known === mine.known) return;
    mine.known = known;
    for (const track of [...this.videoTracks]) this.removeVideoTrack(track);
    if (found.all.length < 2) return;
    const track = this.addVideoTrack('main');
    track.selected = true;
    for (const l of found.all) {
      const rendition = track.addRendition(l.id, l.width ?? 0, l.height ?? 0, '', l.bitrate ?? 0);
      rendition.id = l.id;
    }
  }

  private onRendition = () => {
    const mine = this.layers;
    if (!mine) return;
    const chosen = [...this.videoRenditions].find((r) => r.selected)?.id ?? null;
    if (chosen === mine.chosen) return;
    mine.chosen = chosen;
    void chooseLayer(mine.url, '0', chosen);
  };
}

if (!customElements.get('bsp-whep')) customElements.define('bsp-whep', BspWhep);
