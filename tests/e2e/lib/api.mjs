// SPDX-License-Identifier: MIT
// A person's browser session against the product API: keeps the cookie, sends Origin as a browser does.
//
//   const ada = await newUser(server);  const stream = await ada.createStream({ title: 'Tea' });
import assert from 'node:assert/strict';
import { eventSource, request } from './http.mjs';
import { until } from './server.mjs';

let users = 0;

export class Client {
  constructor(server) {
    this.server = server;
    this.cookie = '';
  }

  // The answer whatever its status. `body` is sent as JSON unless it is a string or a Buffer.
  async call(method, target, body, headers = {}) {
    const sent = { ...headers };
    if (this.cookie) sent.Cookie ??= this.cookie;
    if (method !== 'GET') sent.Origin ??= this.server.http;
    let bytes = body;
    if (body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body)) {
      bytes = JSON.stringify(body);
      sent['Content-Type'] ??= 'application/json';
    }
    if (bytes !== undefined) sent['Content-Length'] ??= Buffer.byteLength(bytes);
    const answer = await request(this.server.http + target, { method, headers: sent, body: bytes, ca: this.server.ca });
    for (const line of answer.headers['set-cookie'] ?? []) this.cookie = line.split(';')[0];
    return answer;
  }

  // The JSON of an answer that must have this status.
  async expect(status, method, target, body, headers) {
    const answer = await this.call(method, target, body, headers);
    assert.equal(answer.status, status, `${method} ${target}: ${answer.text.slice(0, 500)}`);
    return answer.text ? answer.json : undefined;
  }

  createStream(fields = {}) {
    return this.expect(201, 'POST', '/api/streams', { title: 'A test', streamType: 'RTMP', ...fields });
  }

  stream(id) {
    return this.expect(200, 'GET', `/api/streams/${id}`);
  }

  end(id) {
    return this.expect(200, 'POST', `/api/streams/${id}/end`);
  }

  events(id, headers = {}, query = '') {
    return eventSource(`${this.server.http}/api/streams/${id}/events${query && `?${query}`}`, {
      ca: this.server.ca,
      headers: { ...(this.cookie && { Cookie: this.cookie }), ...headers },
    });
  }

  // Waits until the stream is as `is` says, and returns it.
  untilStream(id, what, is, ms = 15_000) {
    let last;
    return until(what, async () => ((last = await this.stream(id)), is(last) && last), ms).catch((e) => {
      throw new Error(`${e.message}; the stream: ${JSON.stringify(last)}\n${this.server.tail?.() ?? ''}`);
    });
  }

  untilLive(id, ms) {
    return this.untilStream(id, 'the stream is LIVE', (s) => s.status === 'LIVE', ms);
  }

  untilReady(id, ms) {
    return this.untilStream(id, 'the recording is READY', (s) => s.status === 'ENDED' && s.recordingStatus === 'READY', ms);
  }
}

export const password = 'correct horse battery staple';

// A new account, logged in. Its address is unique in the run.
export async function newUser(server, name = 'Ada') {
  const client = new Client(server);
  const email = `${name.toLowerCase().replace(/\W/g, '')}.${process.pid}.${++users}@example.org`;
  const answer = await client.expect(201, 'POST', '/api/auth/register', { name, email, password });
  assert.ok(client.cookie, 'registering sets a session cookie');
  client.user = answer.user;
  client.email = email;
  return client;
}

// The URL an encoder publishes to, on the server's real port.
export const publishUrl = (server, stream) => `${server.rtmp}/live/${stream.ingest.streamKey}`;
