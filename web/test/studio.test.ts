// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import test from 'node:test';
import { problemOf, sortDevices, whyNot } from '../src/rtc/capture';
import { createStudio } from '../src/store/studio';
import { FakeMedia, FakeTrack, refusal } from './fake-media';
import { settle } from './fixtures';

async function studio(prepare: (m: FakeMedia) => void = () => {}) {
  const media = new FakeMedia();
  prepare(media);
  const store = createStudio(media.world(), 'Tea');
  await store.open();
  await settle();
  const id = (t: MediaStreamTrack | null) => (t as unknown as FakeTrack | null)?.deviceId ?? null;
  return { media, store, sent: () => [id(store.get().program.video), id(store.get().program.audio)] };
}

test('camera and microphone are asked for at once, and go out as they are', async () => {
  const { media, store, sent } = await studio();
  assert.equal(media.asked.length, 1);
  assert.deepEqual(sent(), ['cam1', 'mic1']);
  const s = store.get();
  assert.deepEqual([s.camera.state, s.microphone.state, s.shows, s.camera.label], ['on', 'on', 'camera', 'cam1']);
  assert.deepEqual(s.devices.cameras.map((d) => d.label), ['Front', 'Back']);
  assert.equal(media.composers.length, 0, 'nothing is composed that need not be');
});

test('no is taken for an answer, once', async () => {
  const { media, store, sent } = await studio((m) => {
    m.rule = () => {
      throw refusal('NotAllowedError', 'Permission denied');
    };
    m.permissions = { camera: 'granted', microphone: 'granted' };
  });
  assert.equal(media.asked.length, 1);
  assert.deepEqual([store.get().camera.problem?.code, store.get().microphone.problem?.code], ['denied', 'denied']);
  assert.deepEqual(sent(), [null, null]);
  assert.equal(store.get().shows, 'nothing');
  media.rule = () => {};
  await store.retry('camera');
  assert.equal(store.get().camera.state, 'on');
});

test('one forbidden for good leaves the other', async () => {
  const { store, sent } = await studio((m) => {
    m.permissions = { camera: 'denied', microphone: 'prompt' };
    m.rule = (c) => {
      if (c.video) throw refusal('NotAllowedError', 'Permission denied');
    };
  });
  assert.equal(store.get().camera.problem?.code, 'denied');
  assert.equal(store.get().microphone.state, 'on');
  assert.deepEqual(sent(), ['composed', 'mic1'], 'sound with a card');
});

test('no camera: sound alone; one that is plugged in later is taken', async () => {
  const { media, store, sent } = await studio((m) => (m.devices = m.devices.filter((d) => d.kind === 'audioinput')));
  assert.equal(store.get().camera.problem?.code, 'none');
  assert.deepEqual(sent(), ['composed', 'mic1']);
  assert.equal(media.composers[0]?.scene?.note, 'Sound only');
  media.change([{ kind: 'videoinput', deviceId: 'cam9', label: 'New' }, ...media.devices]);
  await settle();
  assert.deepEqual(sent(), ['cam9', 'mic1']);
  assert.ok(media.composers[0]?.closed, 'the card is taken down');
});

test('no microphone: silence; neither: nothing, but a screen may be shared', async () => {
  const { sent, media } = await studio((m) => (m.devices = m.devices.filter((d) => d.kind === 'videoinput')));
  assert.deepEqual(sent(), ['cam1', 'mixed']);
  assert.deepEqual(media.mixers[0]?.tracks, []);
  const bare = await studio((m) => (m.devices = []));
  assert.deepEqual(bare.sent(), [null, null]);
  await bare.store.shareScreen();
  assert.deepEqual(bare.sent(), ['composed', 'mixed']);
});

test('a camera in use elsewhere says so, and the microphone works', async () => {
  const { store } = await studio((m) => {
    m.rule = (c) => {
      if (c.video) throw refusal('NotReadableError');
    };
  });
  assert.equal(store.get().camera.problem?.code, 'busy');
  assert.equal(store.get().microphone.state, 'on');
});

test('a camera pulled out is replaced by another, or by a card', async () => {
  const { media, store, sent } = await studio();
  media.devices = media.devices.filter((d) => d.deviceId !== 'cam1');
  media.tracks.find((t) => t.deviceId === 'cam1')?.end();
  await settle();
  assert.deepEqual(sent(), ['cam2', 'mic1']);
  media.devices = media.devices.filter((d) => d.kind === 'audioinput');
  media.tracks.find((t) => t.deviceId === 'cam2')?.end();
  await settle();
  assert.equal(store.get().camera.problem?.code, 'gone');
  assert.deepEqual(sent(), ['composed', 'mic1']);
});

test('a kept choice that is gone gives way to what there is', async () => {
  const { media, store, sent } = await studio((m) => m.kept.set('bspnode-camera', 'old'));
  assert.deepEqual(sent(), ['cam1', 'mic1']);
  assert.equal(media.asked.length, 2);
  await store.choose('camera', 'cam2');
  assert.deepEqual(sent(), ['cam2', 'mic1']);
  assert.equal(media.kept.get('bspnode-camera'), 'cam2');
  assert.equal(media.tracks[0]?.readyState, 'ended', 'the old one is let go');
});

test('mute and camera off; a new microphone stays muted', async () => {
  const { media, store, sent } = await studio();
  store.toggleMuted();
  const mic = () => store.get().program.audio as unknown as FakeTrack;
  assert.equal(mic().enabled, false);
  await store.retry('microphone');
  assert.equal(mic().enabled, false);
  store.toggleMuted();
  assert.equal(mic().enabled, true);
  await store.toggleCamera();
  assert.equal(media.tracks[0]?.readyState, 'ended', 'its light goes out');
  assert.deepEqual(sent(), ['composed', 'mic1']);
  await store.toggleCamera();
  assert.deepEqual(sent(), ['cam1', 'mic1']);
});

test('the screen with the camera over it, with its sound, until it is stopped outside', async () => {
  const { media, store, sent } = await studio();
  const shared = [new FakeTrack('video', 'screen'), new FakeTrack('audio', 'tab sound')];
  media.screen = () => shared;
  await store.shareScreen();
  assert.deepEqual(sent(), ['composed', 'mixed']);
  assert.deepEqual(media.mixers[0]?.tracks.length, 2);
  const scene = () => media.composers.at(-1)?.scene;
  assert.deepEqual([scene()?.screen === (shared[0] as unknown), scene()?.camera !== null, scene()?.corner], [true, true, 'bottom-right']);
  store.setInset(false);
  assert.equal(scene()?.camera, null);
  shared[0]?.end();
  assert.deepEqual(sent(), ['cam1', 'mic1']);
  assert.equal(shared[1]?.readyState, 'ended');
  assert.ok(media.composers[0]?.closed && media.mixers[0]?.closed);
});

test('a screen not chosen is no problem', async () => {
  const { media, store, sent } = await studio();
  media.screen = () => {
    throw refusal('NotAllowedError', 'Permission denied by user');
  };
  await store.shareScreen();
  assert.deepEqual([store.get().screen.state, store.get().screen.problem], ['off', null]);
  media.screen = () => {
    throw refusal('NotAllowedError', 'Permission denied by system');
  };
  await store.shareScreen();
  assert.equal(store.get().screen.problem?.code, 'system');
  assert.deepEqual(sent(), ['cam1', 'mic1']);
});

test('while live a picture goes out whatever happens', async () => {
  const { media, store, sent } = await studio();
  store.hold(true);
  media.devices = [];
  for (const t of [...media.tracks]) t.end();
  await settle();
  assert.deepEqual(sent(), ['composed', 'mixed']);
  store.hold(false);
  assert.deepEqual(sent(), [null, null]);
});

test('quality is kept and applied', async () => {
  const { media, store } = await studio();
  store.setQuality({ height: 360, fps: 24 });
  assert.deepEqual(JSON.parse(media.kept.get('bspnode-quality') ?? '{}').height, 360);
  assert.deepEqual((media.tracks[0]?.constraints as { height: unknown }).height, { ideal: 360 });
  store.setQuality({ echoCancellation: false });
  await settle();
  assert.equal((media.asked.at(-1)?.audio as MediaTrackConstraints).echoCancellation, false);
});

test('closing lets go of everything', async () => {
  const { media, store } = await studio();
  await store.shareScreen();
  store.close();
  assert.ok(media.tracks.every((t) => t.readyState === 'ended') && media.composers.every((c) => c.closed));
});

test('what a refusal means', () => {
  const cases: [Error, PermissionState | undefined, string][] = [
    [refusal('NotAllowedError', 'Permission denied'), 'denied', 'denied'],
    [refusal('NotAllowedError', 'Permission denied'), undefined, 'denied'],
    [refusal('NotAllowedError', 'Permission dismissed'), 'prompt', 'dismissed'],
    [refusal('NotAllowedError', 'Permission denied by system'), 'granted', 'system'],
    [refusal('NotFoundError'), 'granted', 'none'],
    [refusal('NotReadableError'), 'granted', 'busy'],
    [refusal('Whatever'), 'granted', 'failed'],
  ];
  for (const [e, permission, code] of cases) {
    const p = problemOf('camera', e, permission);
    assert.equal(p.code, code, e.name);
    assert.ok(p.title.includes('camera') && p.help.length > 20, p.title);
  }
  assert.equal(problemOf('screen', null).code, 'failed');
});

test('nameless devices get numbers; why a page can capture nothing', () => {
  const { cameras, microphones } = sortDevices([
    { kind: 'videoinput', deviceId: '', label: '' },
    { kind: 'audioinput', deviceId: 'communications', label: 'x' },
    { kind: 'audiooutput', deviceId: 'o', label: 'x' },
  ]);
  assert.deepEqual([cameras, microphones], [[{ id: '', label: 'Camera 1' }], []]);
  assert.equal(whyNot({ isSecureContext: false, hasDevices: false, hasPeer: true }), 'insecure');
  assert.equal(whyNot({ isSecureContext: true, hasDevices: true, hasPeer: false }), 'unsupported');
  assert.equal(whyNot({ isSecureContext: true, hasDevices: true, hasPeer: true }), null);
});
