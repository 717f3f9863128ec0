// SPDX-License-Identifier: MIT
// HTTP without a library's opinions: headers as given, cookies and redirects left alone, every answer a
// value whatever its status. Raw sockets for what a library would not send.
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { observe } from './m3u8.mjs';

// { status, headers, body (Buffer), text, json } of one request on a connection of its own. A playlist that
// breaks Apple's rules (m3u8.mjs) is an error, whichever test loads it.
export function request(url, { method = 'GET', headers = {}, body, ca, timeout = 45_000 } = {}) {
  return new Promise((resolve, reject) => {
    const lib = url.startsWith('https') ? https : http;
    const req = lib.request(url, { method, headers, ca, agent: false, servername: 'localhost' }, (res) => {
      const parts = [];
      res.on('data', (b) => parts.push(b));
      res.on('error', reject);
      res.on('end', () => {
        const bytes = Buffer.concat(parts);
        const text = bytes.toString();
        if (res.statusCode === 200 && text.startsWith('#EXTM3U')) {
          const wrong = observe(url, text);
          if (wrong.length) return reject(new Error(`Apple's rules are broken:\n  ${wrong.join('\n  ')}\n${text}`));
        }
        resolve({
          status: res.statusCode,
          headers: res.headers,
          body: bytes,
          text,
          get json() {
            return JSON.parse(text);
          },
        });
      });
    });
    req.setTimeout(timeout, () => req.destroy(new Error(`${method} ${url}: no answer in ${timeout} ms`)));
    req.on('error', reject);
    req.end(body);
  });
}

// Server-sent events: collects from the moment the headers are there.
//   const events = await eventSource(url, { cookie });  const e = await events.wait('stream', (d) => d.status === 'LIVE');
export function eventSource(url, { headers = {}, ca } = {}) {
  return new Promise((resolve, reject) => {
    const lib = url.startsWith('https') ? https : http;
    const req = lib.get(url, { headers: { Accept: 'text/event-stream', ...headers }, ca, agent: false, servername: 'localhost' }, (res) => {
      const seen = [];
      const waiting = new Set();
      let rest = '';
      let closed = false;
      const wake = () => waiting.forEach((f) => f());
      res.setEncoding('utf8');
      res.on('data', (chunk) => {
        rest += chunk;
        for (let at; (at = rest.indexOf('\n\n')) >= 0; rest = rest.slice(at + 2)) {
          const event = { event: 'message', data: '', id: undefined };
          for (const line of rest.slice(0, at).split('\n')) {
            const m = /^(event|data|id): ?(.*)$/.exec(line);
            if (m) event[m[1]] = m[1] === 'data' && event.data ? `${event.data}\n${m[2]}` : m[2];
          }
          if (event.data) seen.push({ ...event, json: safeJson(event.data) });
        }
        wake();
      });
      const end = () => ((closed = true), wake());
      res.on('end', end);
      res.on('error', end);
      resolve({
        status: res.statusCode,
        headers: res.headers,
        seen,
        get closed() {
          return closed;
        },
        close: () => req.destroy(),
        // The first event of that name whose JSON satisfies `is`, seen already or still to come.
        wait(name, is = () => true, ms = 45_000) {
          const find = () => seen.find((e) => e.event === name && is(e.json));
          return new Promise((ok, fail) => {
            let timer;
            const look = () => {
              const got = find();
              if (!got && !closed) return;
              clearTimeout(timer);
              waiting.delete(look);
              if (got) ok(got);
              else fail(new Error(`the event stream ended without ${name}`));
            };
            timer = setTimeout(() => {
              waiting.delete(look);
              fail(new Error(`no ${name} event in ${ms} ms; seen: ${JSON.stringify(seen.map((e) => [e.event, e.json]))}`));
            }, ms);
            waiting.add(look);
            look();
          });
        },
      });
    });
    req.on('error', reject);
  });
}

function safeJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// Bytes out, bytes back, until the server closes or `ms` passes: { bytes, closed }. `send` is a string,
// a Buffer, or a function that is given the socket.
export function raw(base, send, { ms = 5000, ca } = {}) {
  const { hostname, port, protocol } = new URL(base);
  return new Promise((resolve, reject) => {
    const options = { host: hostname, port: Number(port) };
    const socket = protocol === 'https:' ? tls.connect({ ...options, ca, servername: 'localhost' }) : net.connect(options);
    const parts = [];
    const done = (closed) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ bytes: Buffer.concat(parts), text: Buffer.concat(parts).toString('latin1'), closed });
    };
    const timer = setTimeout(() => done(false), ms);
    socket.on('data', (b) => parts.push(b));
    socket.on('close', () => done(true));
    socket.on('error', (e) => (e.code === 'ECONNREFUSED' ? (clearTimeout(timer), reject(e)) : undefined));
    socket.on(protocol === 'https:' ? 'secureConnect' : 'connect', () => (typeof send === 'function' ? send(socket) : socket.write(send)));
  });
}
