// SPDX-License-Identifier: MIT
// A push service and a browser behind it, of the test's own: takes what is posted (RFC 8030), checks who sends it
// (VAPID, RFC 8292) and decrypts it (RFC 8291, RFC 8188) with keys made here.
//
//   const phone = await pushReceiver(t);   phone.subscription is what a browser would hand over
//   const got = await phone.wait((m) => m.kind === 'live');
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import { until } from './server.mjs';

const b64 = (bytes) => Buffer.from(bytes).toString('base64url');
const hkdf = (salt, ikm, info, n) => Buffer.from(crypto.hkdfSync('sha256', ikm, salt, info, n));

function decrypt(body, ecdh, auth) {
  const salt = body.subarray(0, 16);
  const size = body.readUInt32BE(16);
  const keyId = body.subarray(21, 21 + body[20]);
  const record = body.subarray(21 + body[20]);
  assert.equal(keyId.length, 65);
  assert.ok(record.length <= size && body.length <= 4096, 'one record');
  const ikm = hkdf(auth, ecdh.computeSecret(keyId), Buffer.concat([Buffer.from('WebPush: info\0'), ecdh.getPublicKey(), keyId]), 32);
  const key = hkdf(salt, ikm, 'Content-Encoding: aes128gcm\0', 16);
  const nonce = hkdf(salt, ikm, 'Content-Encoding: nonce\0', 12);
  const gcm = crypto.createDecipheriv('aes-128-gcm', key, nonce).setAuthTag(record.subarray(-16));
  const text = Buffer.concat([gcm.update(record.subarray(0, -16)), gcm.final()]);
  const end = text.lastIndexOf(2);
  assert.ok(text.subarray(end + 1).every((c) => c === 0), 'padding of zeros');
  return JSON.parse(text.subarray(0, end));
}

// The claims, once the signature is that of the key that comes with them.
function verify(header) {
  const [, token, key] = /^vapid t=([\w.-]+), k=([\w-]+)$/.exec(header);
  const point = Buffer.from(key, 'base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x: b64(point.subarray(1, 33)), y: b64(point.subarray(33)) };
  const [head, claims, signature] = token.split('.');
  assert.deepEqual(JSON.parse(Buffer.from(head, 'base64url')), { typ: 'JWT', alg: 'ES256' });
  assert.ok(crypto.verify('sha256', Buffer.from(`${head}.${claims}`),
    { key: crypto.createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')), 'signed');
  return { key, ...JSON.parse(Buffer.from(claims, 'base64url')) };
}

export async function pushReceiver(t) {
  const ecdh = crypto.createECDH('prime256v1');
  ecdh.generateKeys();
  const auth = crypto.randomBytes(16);
  const phone = { got: [], asked: 0, says: [], problem: null };
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (b) => parts.push(b));
    request.on('end', () => {
      phone.asked++;
      const [status, headers] = phone.says.shift() ?? [201];
      if (status === 201)
        try {
          assert.equal(request.headers['content-encoding'], 'aes128gcm');
          assert.ok(Number(request.headers.ttl) >= 0);
          phone.got.push({ ...decrypt(Buffer.concat(parts), ecdh, auth), vapid: verify(request.headers.authorization), headers: request.headers, path: request.url });
        } catch (e) {
          phone.problem = e;
        }
      response.writeHead(status, headers).end();
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => (server.closeAllConnections(), server.close(resolve))));
  phone.origin = `http://127.0.0.1:${server.address().port}`;
  phone.subscription = { endpoint: `${phone.origin}/push/${b64(crypto.randomBytes(12))}`, p256dh: b64(ecdh.getPublicKey()), auth: b64(auth) };
  phone.wait = (which, what = 'a push message') => until(what, () => {
    if (phone.problem) throw phone.problem;
    return phone.got.find(which);
  });
  return phone;
}
