// SPDX-License-Identifier: MIT
// A WHEP server and its lines in virtual time: what a test decides happens.
import type { Created, Refusal, Signalling } from '../src/rtc/signalling';
import type { WhepWorld } from '../src/rtc/whep';
import { settle } from './fixtures';

class FakePeer {
  iceConnectionState = 'new';
  closed = false;
  log: string[] = [];
  packets = 0;
  private kinds: string[] = [];
  addTransceiver(kind: string) {
    this.kinds.push(kind);
    return { receiver: {} };
  }
  getTransceivers() {
    return this.kinds.map((kind) => ({ currentDirection: 'recvonly', receiver: { track: { kind, of: this } } }));
  }
  async createOffer() {
    this.log.push('createOffer');
    return { type: 'offer', sdp: 'v=0\r\n' };
  }
  setConfiguration() {
    this.log.push('setConfiguration');
  }
  async setLocalDescription() {
    this.log.push('setLocalDescription');
  }
  async setRemoteDescription() {
    this.log.push('setRemoteDescription');
  }
  async getStats() {
    const video = { type: 'inbound-rtp', kind: 'video', packetsReceived: this.packets, framesDecoded: this.packets };
    return new Map([['v', video]]);
  }
  close() {
    this.closed = true;
  }
}

class FakeStream {
  tracks: object[] = [];
  getTracks() {
    return [...this.tracks];
  }
  addTrack(t: object) {
    this.tracks.push(t);
  }
  removeTrack(t: object) {
    this.tracks = this.tracks.filter((x) => x !== t);
  }
}

export class FakeWorld implements WhepWorld {
  peers: FakePeer[] = [];
  /** What the next POSTs are answered with; 201 when there is nothing. */
  answers: Refusal[] = [];
  iceServers: RTCIceServer[] = [];
  ended: string[] = [];
  restarts = 0;
  private time = 0;
  private due: { at: number; fn: () => void }[] = [];
  private flowing = false;
  private stream = new FakeStream();
  private sessions = 0;

  get tracks() {
    return this.stream.tracks.length;
  }
  newPeer() {
    const peer = new FakePeer();
    this.peers.push(peer);
    return peer as unknown as RTCPeerConnection;
  }
  newStream() {
    return this.stream as unknown as MediaStream;
  }
  now = () => this.time;
  hidden = () => false;
  after(ms: number, fn: () => void) {
    const one = { at: this.time + ms, fn };
    this.due.push(one);
    return () => {
      this.due = this.due.filter((d) => d !== one);
    };
  }
  signalling() {
    const created = (): Created => ({
      ok: true, answer: 'v=0\r\n', location: `/rtc/${++this.sessions}`, etag: '"1"', iceServers: this.iceServers, links: [],
    });
    return {
      url: '/whep/p1',
      iceServers: async () => [],
      offer: async () => this.answers.shift() ?? created(),
      restart: async () => {
        this.restarts++;
        return { ok: true, fragment: '', etag: null };
      },
      end: async (location: string) => this.ended.push(location) > 0,
    } as unknown as Signalling;
  }

  /** Media comes, by whatever session there is. */
  flow() {
    this.flowing = true;
  }
  stop(ice: string) {
    this.flowing = false;
    for (const p of this.peers) p.iceConnectionState = ice;
  }
  async pass(ms: number) {
    for (const end = this.time + ms; this.time < end; ) {
      this.time += 100;
      const last = this.peers.at(-1);
      if (this.flowing && last && !last.closed && last.log.includes('setRemoteDescription')) {
        last.iceConnectionState = 'connected';
        last.packets += 10;
      }
      const now = this.due.filter((d) => d.at <= this.time);
      this.due = this.due.filter((d) => d.at > this.time);
      for (const d of now) d.fn();
      await settle();
    }
  }
}
