// SPDX-License-Identifier: MIT
// The real publishers: ffmpeg, GStreamer, OBS. Each returns a Publisher; it is ended with the test.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { sample } from './media.mjs';
import { sleep, tempDir, until } from './server.mjs';

class Publisher {
  constructor(t, command, args, options = {}) {
    this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    this.log = '';
    const add = (b) => (this.log = (this.log + b).slice(-100_000));
    this.child.stdout.on('data', add);
    this.child.stderr.on('data', add);
    this.child.on('error', (e) => add(`${command}: ${e.message}`));
    this.exited = new Promise((resolve) => this.child.on('close', (code, signal) => resolve((this.end = { code, signal }))));
    t?.after(() => this.kill());
  }

  get running() {
    return !this.end;
  }

  // As a person ends it: ffmpeg says FCUnpublish and deleteStream, OBS closes.
  async stop(signal = 'SIGINT') {
    if (this.running) this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await this.exited;
    clearTimeout(timer);
    return this.end;
  }

  // As a cable that is pulled: the system closes the connection, nothing is said.
  async kill() {
    if (this.running) this.child.kill('SIGKILL');
    await this.exited;
  }
}

// Publishes a sample, over and over. `media` goes to sample(), or is a file's path; once: to the end only.
export async function publishFfmpeg(t, url, { media = {}, once = false, input = [], output = [] } = {}) {
  const file = typeof media === 'string' ? media : await sample(media);
  return new Publisher(t, 'ffmpeg', [
    '-hide_banner', '-nostdin', '-v', 'info', ...(once ? [] : ['-stream_loop', '-1']), '-re', ...input,
    '-i', file, '-c', 'copy', ...output, '-f', 'flv', '-flvflags', 'no_duration_filesize', url,
  ]);
}

export function publishGstreamer(t, url, { size = [320, 180], fps = 30 } = {}) {
  const line =
    `videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=${size[0]},height=${size[1]},framerate=${fps}/1 ! ` +
    `x264enc tune=zerolatency speed-preset=ultrafast bitrate=800 key-int-max=${fps * 2} ! video/x-h264,profile=main ! ` +
    'h264parse ! queue ! m.video flvmux name=m streamable=true ! ' +
    `rtmp2sink location=${url} audiotestsrc is-live=true freq=1000 ! audio/x-raw,rate=48000,channels=2 ! ` +
    'audioconvert ! voaacenc bitrate=96000 ! aacparse ! queue ! m.audio';
  return new Publisher(t, 'gst-launch-1.0', ['-e', ...line.split(' ')]);
}

// OBS itself, with its default encoder settings, on a screen that nobody sees. It takes more than a core.
export async function publishObs(t, server, key) {
  const home = tempDir(t, 'obs');
  const config = path.join(home, '.config/obs-studio');
  const profile = path.join(config, 'basic/profiles/e2e');
  fs.mkdirSync(profile, { recursive: true });
  fs.mkdirSync(path.join(config, 'basic/scenes'), { recursive: true });
  fs.mkdirSync(path.join(home, 'run'), { mode: 0o700 });
  const write = (name, text) => fs.writeFileSync(path.join(config, name), text);
  const ini = (sections) =>
    Object.entries(sections)
      .map(([name, keys]) => `[${name}]\n${Object.entries(keys).map(([k, v]) => `${k}=${v}\n`).join('')}`)
      .join('\n');

  // FirstRun=true means that the first-run wizard has been seen.
  write('global.ini', ini({
    General: { FirstRun: true, EnableAutoUpdates: false, 'Pre19Defaults': false, 'Pre21Defaults': false, 'Pre23Defaults': false, 'Pre24.1Defaults': false },
    Basic: { Profile: 'e2e', ProfileDir: 'e2e', SceneCollection: 'e2e', SceneCollectionFile: 'e2e' },
    BasicWindow: { SysTrayEnabled: true, SysTrayWhenStarted: false, WarnBeforeStartingStream: false },
  }));
  write('basic/profiles/e2e/basic.ini', ini({
    General: { Name: 'e2e' },
    Video: { BaseCX: 1280, BaseCY: 720, OutputCX: 1280, OutputCY: 720, FPSType: 0, FPSCommon: 30 },
    Audio: { SampleRate: 48000, ChannelSetup: 'Stereo' },
    Output: { Mode: 'Simple' },
    SimpleOutput: { VBitrate: 2500, ABitrate: 160, StreamEncoder: 'x264', Preset: 'veryfast' },
  }));
  write('basic/profiles/e2e/service.json', JSON.stringify({
    type: 'rtmp_custom',
    settings: { server, key, use_auth: false, bwtest: false },
  }));
  // One scene with one looping file in it; OBS fills in whatever is not said.
  const media = await sample({ seconds: 10, size: '1280x720', bitrate: '2000k' });
  write('basic/scenes/e2e.json', JSON.stringify({
    name: 'e2e',
    current_scene: 'Scene',
    current_program_scene: 'Scene',
    scene_order: [{ name: 'Scene' }],
    sources: [
      {
        id: 'ffmpeg_source',
        versioned_id: 'ffmpeg_source',
        name: 'Clip',
        enabled: true,
        volume: 1.0,
        mixers: 255,
        settings: { is_local_file: true, local_file: media, looping: true, restart_on_activate: false },
      },
      {
        id: 'scene',
        versioned_id: 'scene',
        name: 'Scene',
        enabled: true,
        settings: { id_counter: 1, items: [{ id: 1, name: 'Clip', visible: true, align: 5, pos: { x: 0, y: 0 }, scale: { x: 1, y: 1 }, rot: 0 }] },
      },
    ],
  }));

  // Xvfb chooses a free display and writes its number.
  const screen = new Publisher(t, 'Xvfb', ['-displayfd', '3', '-screen', '0', '1280x800x24', '-nolisten', 'tcp'], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  let display = '';
  screen.child.stdio[3].on('data', (b) => (display += b));
  await until('Xvfb has a display', () => display.includes('\n'), 15_000, 50);

  const obs = new Publisher(t, 'obs', [
    '--multi', '--startstreaming', '--profile', 'e2e', '--collection', 'e2e', '--scene', 'Scene',
    '--minimize-to-tray', '--disable-missing-files-check', '--disable-updater',
  ], {
    env: {
      ...process.env,
      HOME: home,
      XDG_CONFIG_HOME: path.join(home, '.config'),
      XDG_RUNTIME_DIR: path.join(home, 'run'),
      DISPLAY: `:${display.trim()}`,
      LIBGL_ALWAYS_SOFTWARE: '1',
      QT_QPA_PLATFORM: 'xcb',
    },
  });
  const stop = obs.stop.bind(obs);
  obs.stop = async () => {
    const end = await stop('SIGTERM');
    await sleep(50);
    await screen.kill();
    return end;
  };
  return obs;
}
