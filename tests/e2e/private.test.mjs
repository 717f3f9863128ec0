// SPDX-License-Identifier: MIT
// Who may see a stream: unlisted and private ones, at every address that leads to their media, words and room.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Client, newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser, untilPlaying } from './lib/browser.mjs';
import { follow, open } from './lib/hls.mjs';
import { eventSource, request } from './lib/http.mjs';
import { ffprobe } from './lib/media.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { offer, post } from './lib/raw_rtc.mjs';
import { run, startServer, until } from './lib/server.mjs';
import { spawn } from 'node:child_process';

const TITLE = 'Quarterly secrets';
const PASSWORD = 'open sesame';

describe('private streams', () => {
  const cleanup = [];
  const t = { after: (fn) => cleanup.unshift(fn) };
  let server, ada, bob, guest, stream, other, publisher;

  before(async () => {
    server = await startServer(t, { args: ['--hls-segment-ms', '1000', '--reconnect-window', '1s'] });
    [ada, bob, guest] = [await newUser(server, 'Ada'), await newUser(server, 'Bob'), new Client(server)];
    stream = await ada.createStream({ title: TITLE, visibility: 'PRIVATE', password: PASSWORD });
    other = await ada.createStream({ title: 'Other secrets', visibility: 'PRIVATE' });
    publisher = await publishFfmpeg(t, publishUrl(server, stream), { media: { gop: 1 } });
    await ada.untilLive(stream.id);
  });
  after(async () => {
    for (const fn of cleanup) await fn();
  });

  const status = async (url, headers) => (await request(url, { headers })).status;
  const tokenOf = (url) => new URL(url).searchParams.get('token');
  const bare = (url) => url.split('?')[0];
  const access = (id, password, client = new Client(server)) => client.call('POST', `/api/streams/${id}/access`, { password });
  /** A token as the server makes one: with its own secret, of any stream, epoch and time. */
  function forge(id, { until: end = Math.floor(Date.now() / 1000) + 3600, epoch = 1, kind = 'w' } = {}) {
    const master = Buffer.from(fs.readFileSync(path.join(server.dataDir, 'secret.key'), 'utf8').trim(), 'hex');
    const key = createHmac('sha256', master).update('stream-grant').digest();
    const body = `bsp${kind}-${end}-${epoch}`;
    return `${body}-${createHmac('sha256', key).update(`${body}/${id}`).digest().subarray(0, 16).toString('base64url')}`;
  }
  const watched = (url) => {
    const child = spawn('ffmpeg', ['-v', 'error', '-i', url, '-f', 'null', '-'], { stdio: 'ignore' });
    const gone = new Promise((r) => child.once('exit', r));
    t.after(() => child.kill('SIGKILL'));
    return { child, gone };
  };

  test('its owner says so, and what is said is checked', async () => {
    assert.equal(stream.visibility, 'PRIVATE');
    assert.equal(stream.hasPassword, true);
    assert.equal(other.hasPassword, false);
    assert.ok(!/argon2|open sesame/.test(JSON.stringify(await ada.stream(stream.id))));
    for (const [body, field] of [[{ visibility: 'SECRET' }, 'visibility'], [{ visibility: 7 }, 'visibility'], [{ password: 'abc' }, 'password'], [{ password: 'x'.repeat(2000) }, 'password'], [{ password: 5 }, 'password']]) {
      const answer = await ada.call('PATCH', `/api/streams/${other.id}`, body);
      assert.equal(answer.status, 422, answer.text);
      assert.equal(answer.json.error.field, field);
    }
    assert.equal((await ada.expect(200, 'PATCH', `/api/streams/${other.id}`, { password: 'some password' })).hasPassword, true);
    assert.equal((await ada.expect(200, 'PATCH', `/api/streams/${other.id}`, { password: null })).hasPassword, false);
    const answer = await ada.call('POST', `/api/streams/${other.id}/invitations`, { email: 'no address' });
    assert.equal(answer.status, 422);
    for (const [user, wanted] of [[bob, 403], [guest, 401]]) {
      await user.expect(wanted, 'PATCH', `/api/streams/${stream.id}`, { visibility: 'PUBLIC' });
      await user.expect(wanted, 'GET', `/api/streams/${stream.id}/invitations`);
    }
  });

  test('nobody else learns more than that it is private', async () => {
    for (const who of [guest, bob]) {
      for (const target of [`/api/streams/${stream.id}`, `/api/playback/${stream.playback.playbackId}`, `/api/streams/${stream.id}/messages`, `/api/streams/${stream.id}/direct`, `/api/streams/${stream.id}/events`]) {
        const answer = await who.call('GET', target);
        assert.equal(answer.status, 403, `${target}: ${answer.text}`);
        assert.ok(!answer.text.includes('ecret'), answer.text);
      }
      assert.equal((await who.call('GET', `/api/streams/${stream.id}`)).json.error.code, 'password_needed');
      assert.equal((await who.call('GET', `/api/streams/${other.id}`)).json.error.code, 'not_invited');
      for (const query of ['', '?status=LIVE', '?status=ENDED', '?status=CREATED'])
        assert.ok(!(await who.call('GET', `/api/streams${query}`)).text.includes('ecret'), query);
      assert.equal((await who.call('PUT', `/api/streams/${other.id}/direct/answer`, { id: '1', sdp: 'v=0' })).status, 403);
    }
    await bob.expect(403, 'POST', `/api/streams/${stream.id}/messages`, { content: 'let me in' });
    await ada.expect(201, 'POST', `/api/streams/${stream.id}/messages`, { content: 'nobody hears' });
  });

  test('media: no address of it without what lets in', async () => {
    const { playback } = await ada.stream(stream.id);
    const { playbackId: id } = playback;
    const good = tokenOf(playback.hlsUrl);
    assert.ok(good && playback.expiresAt);
    assert.equal(forge(stream.id, { until: Date.parse(playback.expiresAt) / 1000, epoch: Number(good.split('-')[2]) }), good, 'the test makes tokens as the server does');
    const epoch = Number(good.split('-')[2]);
    const bad = {
      none: null,
      empty: '',
      garbage: 'bspw-x',
      'of another stream': tokenOf((await ada.stream(other.id)).playback.hlsUrl),
      expired: forge(stream.id, { epoch, until: Math.floor(Date.now() / 1000) - 1 }),
      'of another epoch': forge(stream.id, { epoch: epoch + 1 }),
      'of another kind': forge(stream.id, { epoch, kind: 'e' }),
      changed: `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`,
      'with a later end': good.replace(/-(\d+)-/, (m, s) => `-${+s + 1000}-`),
    };
    const doors = [playback.hlsUrl, playback.thumbnailUrl, playback.storyboardUrl, `${server.http}/${id}/animated.gif`, `${server.http}/${id}/highest.mp4`, `${server.http}/${id}/audio.m4a`].map(bare);
    for (const [what, token] of Object.entries(bad)) {
      const query = token === null ? '' : `?token=${token}`;
      for (const door of doors) {
        const answer = await request(door + query);
        assert.equal(answer.status, 403, `${what}: ${door}: ${answer.status} ${answer.text}`);
        assert.ok(!/public/.test(answer.headers['cache-control'] ?? ''), what);
      }
      assert.equal((await post(`${server.http}/whep/${id}${query}`, offer({ receive: true }))).status, 403, what);
    }
    await assert.rejects(ffprobe(`${server.rtmp}/live/${id}`));
    await assert.rejects(ffprobe(`${server.rtmp}/live/${id}?token=${bad.expired}`));
    assert.ok((await ffprobe(`${server.rtmp}/live/${id}?token=${good}`)).streams.length >= 2);
    assert.equal((await post(playback.whepUrl, offer({ receive: true }))).status, 201);

    const { video } = await open(playback.hlsUrl);
    const got = await follow(video, { seconds: 3 });
    const below = [video, ...[...got.fetched.keys()].map((uri) => new URL(uri, video).href)];
    assert.ok(below.some((u) => /init/.test(u)) && below.some((u) => /\.\d+\.m4s/.test(u) || /m4s/.test(u)), below.join(' '));
    for (const url of below) {
      const [, , element] = new URL(url).pathname.split('/');
      assert.match((await request(url)).headers['cache-control'], /^private/, url);
      assert.equal(await status(url.replace(element, element.split('~')[0])), 403, `unsigned: ${url}`);
      assert.equal(await status(url.replace(element, `${element.slice(0, -1)}${element.endsWith('A') ? 'B' : 'A'}`)), 403, `changed: ${url}`);
    }
    const picture = await request(`${playback.thumbnailUrl}&width=160`);
    assert.equal(picture.status, 200);
    assert.match(picture.headers['cache-control'], /^private/);
  });

  test('the password lets in, and another one ends that', async () => {
    const wrong = await access(stream.id, 'wrong');
    assert.equal(wrong.status, 403);
    assert.equal(wrong.json.error.code, 'wrong_password');
    assert.deepEqual((await access(other.id, 'wrong')).json, wrong.json, 'the same where there is none');
    assert.equal((await access(stream.id, 'x'.repeat(5000))).status, 403);
    const eve = new Client(server);
    const entered = await access(stream.playback.playbackId, PASSWORD, eve);
    assert.equal(entered.status, 200, entered.text);
    assert.match(entered.headers['set-cookie'][0], new RegExp(`^bsp_entry=[^;]+; Path=/api/streams/${stream.id}; Max-Age=\\d+; HttpOnly; SameSite=Lax$`));
    assert.equal(entered.json.stream.title, TITLE);
    assert.equal(entered.json.stream.ingest, undefined);
    const seen = await eve.stream(stream.id);
    assert.equal(seen.title, TITLE);
    assert.equal(await status(seen.playback.hlsUrl), 200);
    assert.equal((await eve.expect(200, 'GET', `/api/streams/${stream.id}/messages`)).messages.length, 1);
    // In a frame on another page there is no cookie.
    const framed = { 'Bspnode-Entry': entered.json.entry };
    assert.equal((await guest.call('GET', `/api/streams/${stream.id}`, undefined, framed)).status, 200);
    assert.equal((await guest.call('GET', `/api/playback/${stream.playback.playbackId}`, undefined, framed)).status, 200);
    assert.equal((await guest.call('GET', `/api/streams/${other.id}`, undefined, framed)).status, 403, 'of another stream');
    assert.equal((await guest.call('GET', `/api/streams/${stream.id}`, undefined, { 'Bspnode-Entry': tokenOf(seen.playback.hlsUrl) })).status, 403, 'of another kind');

    const events = await eventSource(`${server.http}/api/streams/${stream.id}/events?entry=${entered.json.entry}`);
    t.after(() => events.close());
    const said = await events.wait('stream');
    assert.ok(!JSON.stringify(said.json).includes('ecret'), 'one text for all: it says nothing');
    const { video } = await open(seen.playback.hlsUrl);
    const player = watched(`${server.rtmp}/live/${seen.playback.playbackId}?token=${tokenOf(seen.playback.hlsUrl)}`);
    await until('it plays by RTMP', () => server.log.includes(`channel=${stream.id}`) && /rtmp-play/.test(server.log));

    await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { password: 'another password' });
    await until('its events end', () => events.closed);
    await eve.expect(403, 'GET', `/api/streams/${stream.id}`);
    assert.equal(await status(seen.playback.hlsUrl), 403);
    await until('what is below ends', async () => (await status(video)) === 403);
    await player.gone;
    assert.equal((await access(stream.id, PASSWORD)).status, 403);
    assert.equal((await access(stream.id, 'another password')).status, 200);
  });

  test('who was invited comes in, by account, and goes when uninvited', async () => {
    const invited = await ada.expect(201, 'POST', `/api/streams/${stream.id}/invitations`, { email: bob.email.toUpperCase() });
    assert.equal((await ada.expect(201, 'POST', `/api/streams/${stream.id}/invitations`, { email: bob.email })).id, invited.id, 'once');
    const later = await ada.expect(201, 'POST', `/api/streams/${stream.id}/invitations`, { email: 'later@example.org' });
    assert.deepEqual((await ada.expect(200, 'GET', `/api/streams/${stream.id}/invitations`)).invitations.map((i) => i.id), [invited.id, later.id]);
    const seen = await bob.stream(stream.id);
    assert.equal(seen.title, TITLE);
    assert.equal(seen.ingest, undefined);
    await bob.expect(201, 'POST', `/api/streams/${stream.id}/messages`, { content: 'hello' });
    await bob.expect(403, 'GET', `/api/streams/${stream.id}/invitations`);
    const { video } = await open(seen.playback.hlsUrl);
    const events = await bob.events(stream.id);
    t.after(() => events.close());
    await events.wait('stream');
    const mallory = await newUser(server, 'Mallory');
    await mallory.expect(403, 'GET', `/api/streams/${stream.id}`);
    await ada.expect(204, 'DELETE', `/api/streams/${stream.id}/invitations/${invited.id}`);
    await ada.expect(404, 'DELETE', `/api/streams/${stream.id}/invitations/${invited.id}`);
    await bob.expect(403, 'GET', `/api/streams/${stream.id}`);
    await bob.expect(403, 'POST', `/api/streams/${stream.id}/messages`, { content: 'still here?' });
    assert.equal(await status(seen.playback.hlsUrl), 403);
    await until('what is below ends', async () => (await status(video)) === 403);
    await until('his events end', () => events.closed);
  });

  test('Mux’s view of it: signed, and open to what its owner signs', async () => {
    const made = await run(['token', 'create', '--json', '--data', server.dataDir, '--email', ada.email]);
    const { TOKEN_ID, TOKEN_SECRET } = JSON.parse(made.stdout);
    const mux = { Authorization: `Basic ${Buffer.from(`${TOKEN_ID}:${TOKEN_SECRET}`).toString('base64')}` };
    const lives = (await request(`${server.http}/video/v1/live-streams`, { headers: mux })).json.data;
    const mine = lives.find((l) => l.playback_ids[0].id === stream.playback.playbackId);
    assert.equal(mine.playback_ids[0].policy, 'signed');
    const assets = (await request(`${server.http}/video/v1/assets`, { headers: mux })).json.data;
    assert.equal(assets[0].playback_ids[0].policy, 'signed');
    assert.equal(await status(`${server.http}/${assets[0].playback_ids[0].id}.m3u8`), 403, 'the recording that grows');
  });

  test('made public it is for all; made private while live it ends for who may not', async () => {
    await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { visibility: 'UNLISTED' });
    const seen = await guest.stream(stream.id);
    assert.equal(seen.visibility, 'UNLISTED');
    assert.ok(!tokenOf(seen.playback.hlsUrl));
    assert.ok(!(await guest.call('GET', '/api/streams')).text.includes('ecret'), 'in no list');
    await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { visibility: 'PUBLIC' });
    assert.ok((await guest.call('GET', '/api/streams')).text.includes(TITLE));
    const old = (await ada.stream(other.id)).playback;
    assert.equal(await status(`${seen.playback.hlsUrl}?token=${tokenOf(old.hlsUrl)}`), 200, 'a page that has a token still plays');
    const { video } = await open(seen.playback.hlsUrl);
    await until('every loop knows', async () => (await Promise.all(Array.from({ length: 8 }, () => status(video)))).every((s) => s === 200));
    const got = await follow(video, { seconds: 2 });
    const segment = new URL([...got.fetched.keys()].find((u) => /m4s/.test(u)), video).href;
    const player = watched(`${server.rtmp}/live/${seen.playback.playbackId}`);
    const events = await guest.events(stream.id);
    t.after(() => events.close());
    await events.wait('stream', (d) => d.title === TITLE);
    await until('it plays by RTMP', () => server.log.split('rtmp-play').length > 3);

    await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { visibility: 'PRIVATE' });
    await until('the playlist ends', async () => (await status(video)) === 403);
    await until('segments end', async () => (await status(segment)) === 403);
    await until('the door is shut', async () => (await status(seen.playback.hlsUrl)) === 403);
    await until('its pictures too', async () => (await status(seen.playback.thumbnailUrl)) === 403);
    await until('its events end', () => events.closed);
    await player.gone;
    assert.equal((await post(seen.playback.whepUrl, offer({ receive: true }))).status, 403);
    const own = (await ada.stream(stream.id)).playback;
    assert.ok((await follow((await open(own.hlsUrl)).video, { seconds: 1 })).loads.length, 'its owner goes on');
  });

  test('in a browser: the door, the picture behind it, and the door again', async () => {
    await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { password: PASSWORD });
    const { page } = await launchBrowser(t, { expected: [/status of 40[13]/] });
    await page.goto(`${server.http}/stream/${stream.id}`);
    await page.getByRole('heading', { name: 'This stream is private' }).waitFor();
    assert.ok(!(await page.content()).includes('ecret'));
    const field = page.getByRole('textbox', { name: 'Password of the stream' });
    await field.fill('wrong');
    await page.getByRole('button', { name: 'Watch' }).click();
    await page.getByText('This is not the stream\'s password.').waitFor();
    await field.fill(PASSWORD);
    await page.getByRole('button', { name: 'Watch' }).click();
    await page.getByRole('heading', { name: TITLE }).waitFor();
    await untilPlaying(page);
    await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { password: 'yet another' });
    await page.getByRole('heading', { name: 'This stream is private' }).waitFor({ timeout: 45_000 });
    assert.equal(await page.locator('video').count(), 0);
    await page.goto(`${server.http}/embed/${stream.playback.playbackId}`);
    await page.getByRole('textbox', { name: 'Password of the stream' }).fill('yet another');
    await page.getByRole('button', { name: 'Watch' }).click();
    await untilPlaying(page);
    await page.close();
  });

  test('its recordings are as private', async () => {
    publisher.stop?.();
    await ada.end(stream.id);
    const ended = await ada.untilReady(stream.id);
    assert.ok(ended.recordingUrl && tokenOf(ended.recordingUrl));
    const { video } = await open(ended.recordingUrl);
    const list = (await request(video)).text;
    const files = list.split('\n').filter((l) => l && !l.startsWith('#')).slice(0, 2).map((u) => new URL(u, video).href);
    for (const url of [video, ...files]) {
      const answer = await request(url);
      assert.equal(answer.status, 200, url);
      assert.match(answer.headers['cache-control'], /^private/);
      const [, , element] = new URL(url).pathname.split('/');
      assert.equal(await status(url.replace(element, element.split('~')[0])), 403);
    }
    const { recordings } = await ada.expect(200, 'GET', `/api/streams/${stream.id}/recordings`);
    await ada.expect(202, 'POST', `/api/streams/${stream.id}/recordings/${recordings[0].id}/download`).catch(() => {});
    const file = await until('the file is made', async () => {
      const [r] = (await ada.expect(200, 'GET', `/api/streams/${stream.id}/recordings`)).recordings;
      return r.download.status === 'READY' && r.download.url;
    });
    assert.match((await request(file)).headers['cache-control'], /^private/);
    assert.equal(await status(file), 200);
    for (const url of [ended.recordingUrl, ended.playback.thumbnailUrl, ended.playback.storyboardUrl, recordings[0].thumbnailUrl]) {
      assert.equal(await status(url), 200, url);
      assert.equal(await status(bare(url)), 403, url);
    }
    assert.equal(await status(bare(file)), 403);
    await ada.expect(200, 'PATCH', `/api/streams/${stream.id}`, { password: 'the third one' });
    for (const url of [video, ...files]) await until('old addresses end', async () => (await status(url)) === 403);
    assert.equal(await status(file), 403);
    assert.ok(!(await guest.call('GET', '/api/streams?status=ENDED')).text.includes('ecret'));
  });

  test('guesses are counted', async () => {
    const target = await ada.createStream({ title: 'Guess', visibility: 'PRIVATE', password: PASSWORD });
    const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => access(target.id, `guess ${i}`)));
    assert.ok(answers.every((a) => [403, 429].includes(a.status)));
    const late = answers.find((a) => a.status === 429);
    assert.ok(late, 'some were too many');
    assert.ok(Number(late.headers['retry-after']) > 0);
    assert.equal((await access(target.id, PASSWORD)).status, 429, 'also with the right one');
  });
});
