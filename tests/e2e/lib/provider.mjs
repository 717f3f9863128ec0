// SPDX-License-Identifier: MIT
// Two servers: one with --media-provider mux, and one that stands in for Mux, behind doors of the test's own: their
// addresses stay when the servers behind them come and go, and what goes through can be lost, refused, held or changed.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import http from 'node:http';
import Mux from '@mux/mux-node';
import { newUser } from './api.mjs';
import { run, startServer, tempDir, until } from './server.mjs';

export const MS = 60_000;

// `refuse(req)`: an answer instead ({ status, headers, body }). `hold(req)`: none, and the request does not get through.
// `lose(req)`: what is asked is done, and the answer is lost. `meanwhile(req)`: awaited before an answer is given.
export async function door(t) {
  const d = { target: '', asked: [] };
  const answerTo = (req, res, answer) => {
    const chunks = [];
    answer.on('data', (b) => chunks.push(b));
    answer.on('error', () => req.socket.destroy());
    answer.on('end', async () => {
      await d.meanwhile?.(req);
      if (d.lose?.(req)) return req.socket.destroy();
      const body = d.change?.(req) || Buffer.concat(chunks);
      res.writeHead(answer.statusCode, { ...answer.headers, 'content-length': body.length }).end(body);
    });
  };
  const server = http.createServer((req, res) => {
    const chunks = [];
    req.on('data', (b) => chunks.push(b));
    req.on('error', () => {});
    req.on('end', () => {
      d.asked.push(`${req.method} ${req.url}`);
      const refused = d.refuse?.(req);
      if (refused) return res.writeHead(refused.status, refused.headers).end(refused.body);
      if (d.hold?.(req)) return;
      if (!d.target) return req.socket.destroy();
      const out = http.request(d.target + req.url, { method: req.method, headers: req.headers }, (answer) => {
        // What streams goes on streaming.
        if (!/json/.test(answer.headers['content-type'] ?? '')) {
          if (d.lose?.(req)) return answer.resume().on('end', () => req.socket.destroy());
          res.writeHead(answer.statusCode, answer.headers);
          return answer.pipe(res);
        }
        answerTo(req, res, answer);
      });
      out.on('error', () => req.socket.destroy());
      out.end(Buffer.concat(chunks));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  d.url = `http://127.0.0.1:${server.address().port}`;
  d.clear = () => {
    for (const name of ['refuse', 'hold', 'lose', 'meanwhile', 'change']) delete d[name];
  };
  return d;
}

// { api, hook: doors; there, here: servers; mux: a client of what stands in; ada: a user here; secret, token; startHere,
// startThere }. `playUrl`: where viewers play from (else from what stands in, itself).
export async function startPair(t, { args: more = [], playUrl } = {}) {
  const muxDir = tempDir(t);
  const api = await door(t);
  const hook = await door(t);
  const pair = { api, hook };
  pair.startThere = async () => {
    pair.there = await startServer(t, { dataDir: muxDir, args: ['--webhook-allow-private'] });
    api.target = pair.there.http;
    return pair.there;
  };
  await pair.startThere();
  const owner = await newUser(pair.there, 'Mux');
  const made = await run(['token', 'create', '--json', '--data', muxDir, '--email', owner.email]);
  assert.equal(made.code, 0, made.stderr);
  const token = (pair.token = JSON.parse(made.stdout));
  const mux = (pair.mux = new Mux({ baseURL: api.url, tokenId: token.TOKEN_ID, tokenSecret: token.TOKEN_SECRET, maxRetries: 0 }));
  const webhook = await mux.post('/system/v1/webhooks', { body: { address: `${hook.url}/api/mux/webhook`, enabled: true } });
  const secret = (pair.secret = webhook.data.signing_secret);
  assert.ok(secret);

  const dataDir = tempDir(t);
  const args = [
    '--media-provider', 'mux', '--mux-base-url', api.url, '--mux-rtmp-url', `${pair.there.rtmp}/app`,
    '--mux-stream-url', playUrl ?? pair.there.http, '--reconnect-window', '2s', ...more,
  ];
  const env = { BSPNODE_MUX_TOKEN_ID: token.TOKEN_ID, BSPNODE_MUX_TOKEN_SECRET: token.TOKEN_SECRET, BSPNODE_MUX_WEBHOOK_SECRET: secret };
  pair.startHere = async () => {
    pair.here = await startServer(t, { dataDir, args, env });
    hook.target = pair.here.http;
    if (pair.ada) pair.ada.server = pair.here;
    return pair.here;
  };
  await pair.startHere();
  pair.ada = await newUser(pair.here, 'Ada');

  pair.remote = async () => (await mux.video.liveStreams.list({ limit: 100 })).data;
  pair.uploads = async () => (await mux.video.uploads.list({ limit: 100 })).data;
  // The stream, once Mux has made it.
  pair.keyed = (id) =>
    until('the key of Mux', async () => {
      const s = await pair.ada.stream(id);
      return s.ingest.streamKey && s;
    }, MS);
  pair.sign = (body, at = Math.floor(Date.now() / 1000), key = secret) =>
    `t=${at},v1=${createHmac('sha256', key).update(`${at}.${body}`).digest('hex')}`;
  pair.deliver = (body, header) =>
    fetch(`${pair.here.http}/api/mux/webhook`, { method: 'POST', body, headers: { 'mux-signature': header } });
  return pair;
}
