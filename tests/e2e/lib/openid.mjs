// SPDX-License-Identifier: MIT
// A real OpenID provider (the npm package oidc-provider) on loopback, and a browser that goes there and back by plain
// HTTP. What it answers can be changed on its way, for what an honest provider would never say.
//
//   const id = await openid(t);                        id.args: for startServer()
//   const server = await startServer(t, { args: id.args });
//   id.serve(server);                                  from here on it knows the server
//   const b = new Browser(server); const to = await b.goThere(id, 'ada'); const answer = await b.comeBack(to);
import crypto from 'node:crypto';
import http from 'node:http';
import Provider from 'oidc-provider';
import { request } from './http.mjs';

export const CALLBACK = '/api/auth/oidc/callback';
const b64 = (v) => Buffer.from(typeof v === 'string' ? v : JSON.stringify(v)).toString('base64url');

export function makeKey(kid, alg) {
  const { privateKey } = alg === 'ES256' ? crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }) : crypto.generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { kid, alg, privateKey, jwk: { ...privateKey.export({ format: 'jwk' }), kid, alg, use: 'sig' } };
}

export const publicJwk = ({ jwk: { d, p, q, dp, dq, qi, ...rest } }) => rest;

export function signToken(claims, key, head = {}) {
  const input = `${b64({ alg: key.alg, kid: key.kid, typ: 'JWT', ...head })}.${b64(claims)}`;
  return `${input}.${crypto.sign('sha256', Buffer.from(input), { key: key.privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

export const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));

const login = (uid) => `<!doctype html><title>Provider</title><h1>Who are you?</h1>
<form method="post" action="/interaction/${uid}"><label>Name <input name="login"></label> <button>Continue</button></form>`;

export async function openid(t, { secret = 'a secret: with + signs & more', clientId = 'bspnode-test' } = {}) {
  const people = new Map(); // login -> claims
  const keys = [makeKey('r1', 'RS256'), makeKey('e1', 'ES256')];
  const self = { people, keys, hooks: {}, asked: [], clientId };
  let provider;

  async function interaction(req, res, uid) {
    if (req.method === 'GET') return res.end(login(uid));
    let body = '';
    for await (const part of req) body += part;
    const who = new URLSearchParams(body).get('login');
    const result = who === 'nobody' ? { error: 'access_denied' } : { login: { accountId: who } };
    return provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
  }

  const server = http.createServer((req, res) => {
    const path = req.url.split('?')[0];
    self.asked.push(path);
    const hook = self.hooks[path];
    if (hook?.instead) return hook.instead(req, res);
    if (hook?.change) {
      const { end } = res;
      res.end = (body, ...rest) => {
        const text = JSON.stringify(hook.change(JSON.parse(body)));
        res.setHeader('Content-Length', Buffer.byteLength(text));
        return end.call(res, text, ...rest);
      };
    }
    const m = /^\/interaction\/([\w-]+)$/.exec(path);
    if (m) return void interaction(req, res, m[1]).catch((e) => res.destroy(e));
    return provider.callback()(req, res);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => new Promise((done) => (server.closeAllConnections(), server.close(done))));
  self.issuer = `http://127.0.0.1:${server.address().port}`;
  self.args = ['--oidc-issuer', self.issuer, '--oidc-client-id', clientId, '--oidc-client-secret', secret, '--oidc-label', 'Example ID', '--oidc-allow-private'];

  self.serve = (bspnode) => {
    provider = new Provider(self.issuer, {
      clients: [{ client_id: clientId, client_secret: secret, redirect_uris: [bspnode.http + CALLBACK], grant_types: ['authorization_code'], response_types: ['code'] }],
      jwks: { keys: keys.map((k) => k.jwk) },
      cookies: { keys: ['only for tests'] },
      claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people.get(id) }) }),
      features: { devInteractions: { enabled: false } },
      interactions: { url: (_, i) => `/interaction/${i.uid}` },
      async loadExistingGrant(ctx) {
        const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
        grant.addOIDCScope('openid email profile');
        await grant.save();
        return grant;
      },
    });
  };
  return self;
}

// Cookies by name, for this server and the provider apart.
export class Browser {
  constructor(server) {
    this.server = server;
    this.jars = new Map();
  }

  async go(url, { method = 'GET', body, headers = {} } = {}) {
    const { host, origin } = new URL(url);
    if (!this.jars.has(host)) this.jars.set(host, new Map());
    const jar = this.jars.get(host);
    const cookie = [...jar].map(([k, v]) => `${k}=${v}`).join('; ');
    const answer = await request(url, {
      method, body,
      headers: { ...(cookie && { Cookie: cookie }), ...(method !== 'GET' && { Origin: origin }), ...(body !== undefined && { 'Content-Length': Buffer.byteLength(body) }), ...headers },
    });
    for (const line of answer.headers['set-cookie'] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value && !/max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.set(name, value);
      else jar.delete(name);
    }
    return answer;
  }

  // JSON to our server: the answer, whatever its status.
  call(method, path, body) {
    return this.go(this.server.http + path, { method, body: body && JSON.stringify(body), headers: body ? { 'Content-Type': 'application/json' } : {} });
  }

  start(fields = {}) {
    return this.call('POST', '/api/auth/oidc/start', fields);
  }

  // Signs in at the provider; the address that it sends the browser back with.
  async goThere(id, who, fields) {
    this.jars.delete(new URL(id.issuer).host); // who was signed in there is asked again
    const begun = await this.start(fields);
    if (begun.status !== 200) throw new Error(`start: ${begun.status} ${begun.text}`);
    let url = begun.json.url;
    for (let i = 0; i < 10; i++) {
      const answer = /\/interaction\//.test(url)
        ? await this.go(url, { method: 'POST', body: `login=${who}`, headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })
        : await this.go(url);
      if (!answer.headers.location) throw new Error(`the provider: ${answer.status} ${answer.text.slice(0, 500)}`);
      url = new URL(answer.headers.location, url).href;
      if (url.startsWith(this.server.http)) return url;
    }
    throw new Error('the provider leads in circles');
  }

  // What our server leads to.
  async comeBack(url) {
    const answer = await this.go(url);
    return { status: answer.status, to: answer.headers.location, answer };
  }

  async signIn(id, who, fields) {
    return this.comeBack(await this.goThere(id, who, fields));
  }

  async me() {
    const answer = await this.call('GET', '/api/me');
    return answer.status === 200 ? answer.json.user : null;
  }
}
