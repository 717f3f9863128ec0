// SPDX-License-Identifier: MIT
// What other sites see of a stream: its card, oEmbed, the frame with the player, the site map.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { Client, newUser, publishUrl } from './lib/api.mjs';
import { launchBrowser, videoState } from './lib/browser.mjs';
import { request } from './lib/http.mjs';
import { publishFfmpeg } from './lib/publish.mjs';
import { startServer, until } from './lib/server.mjs';

const NASTY = `</title><script>alert(1)</script>" onload='x' & "quotes" <b>`;

describe('sharing', () => {
  const cleanup = [];
  const t = { after: (fn) => cleanup.unshift(fn) };
  let server, ada, stream, quiet, secret, browser;

  before(async () => {
    server = await startServer(t, { args: ['--hls-segment-ms', '1000'] });
    ada = await newUser(server, 'Ada');
    stream = await ada.createStream({ title: NASTY, description: `${NASTY}\nand more` });
    quiet = await ada.createStream({ title: 'Quiet one', visibility: 'UNLISTED' });
    secret = await ada.createStream({ title: 'Secret one', visibility: 'PRIVATE', password: 'open sesame' });
    await publishFfmpeg(t, publishUrl(server, stream), { media: { gop: 1 } });
    await ada.untilLive(stream.id);
    browser = await launchBrowser(t, { expected: [/status of (403|404|409|412)/] });
  });
  after(async () => {
    for (const fn of cleanup) await fn();
  });

  const get = (path) => request(server.http + path, { headers: { Accept: 'text/html' } });

  // What a page says of itself, by a browser's parser, which runs no script of it.
  async function card(path) {
    const { status, text } = await get(path);
    assert.equal(status, 200, path);
    return browser.page.evaluate((html) => {
      const doc = new DOMParser().parseFromString(html, 'text/html');
      return {
        title: doc.title,
        scripts: doc.querySelectorAll('script:not([src])').length,
        metas: Object.fromEntries([...doc.querySelectorAll('meta[property], meta[name]')].map((m) => [m.getAttribute('property') ?? m.name, m.content])),
        links: Object.fromEntries([...doc.querySelectorAll('head link[href]')].map((l) => [l.rel, l.getAttribute('href')])),
      };
    }, text);
  }

  test('cards: title, words, picture and player; nothing of them is markup', async () => {
    const { title, scripts, metas, links } = await card(`/stream/${stream.id}`);
    assert.equal(scripts, 0, 'the page has no script of its own');
    assert.equal(title, NASTY);
    assert.equal(metas['og:title'], NASTY);
    assert.equal(metas['og:description'], `${NASTY} and more`);
    assert.equal(metas.description, `${NASTY} and more`);
    assert.equal(metas['og:url'], `${server.http}/stream/${stream.id}`);
    assert.equal(links.canonical, metas['og:url']);
    assert.equal(metas['og:video'], `${server.http}/embed/${stream.playback.playbackId}`);
    assert.equal(metas['twitter:card'], 'summary_large_image', 'a player card needs HTTPS');
    assert.equal(metas.robots, undefined);
    const picture = await until('the picture of the card', async () => {
      const answer = await request(metas['og:image']);
      return answer.status === 200 && answer;
    });
    assert.equal(picture.headers['content-type'], 'image/jpeg');
    const told = (await request(links.alternate)).json;
    assert.equal(told.title, NASTY);
    const framed = await card(`/embed/${stream.playback.playbackId}`);
    assert.equal(framed.links.canonical, links.canonical);
    assert.equal(framed.metas.robots, 'noindex');
    assert.ok((await get(`/stream/${stream.id}`)).headers['content-security-policy'].includes("frame-ancestors 'none'"));
    assert.ok((await get(`/embed/${stream.playback.playbackId}`)).headers['content-security-policy'].includes('frame-ancestors *'));
  });

  test('unlisted pages are for nobody’s index; private ones say nothing', async () => {
    const unlisted = await card(`/stream/${quiet.id}`);
    assert.equal(unlisted.title, 'Quiet one');
    assert.equal(unlisted.metas.robots, 'noindex');
    for (const path of [`/stream/${secret.id}`, `/embed/${secret.playback.playbackId}`]) {
      const { text } = await get(path);
      assert.ok(!/Secret one|thumbnail|og:video/.test(text), text);
      assert.match(text, /noindex/);
    }
    for (const path of ['/login', '/dashboard', `/stream/${stream.id}/broadcast`, '/stream/nobodys']) assert.match((await get(path)).text, /"robots" content="noindex"/, path);
    assert.equal((await card('/')).links.canonical, `${server.http}/`);
  });

  test('oEmbed: json and xml, sizes, and what is not to be shown', async () => {
    const ask = (url, more = '') => request(`${server.http}/oembed?url=${encodeURIComponent(url)}${more}`);
    const page = `${server.http}/stream/${stream.id}`;
    const answer = await ask(page);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['access-control-allow-origin'], '*');
    const { json } = answer;
    assert.deepEqual([json.version, json.type, json.title, json.author_name, json.width, json.height], ['1.0', 'video', NASTY, 'Ada', 640, 360]);
    assert.match(json.author_url, /\/@ada/);
    assert.ok(!json.html.includes('<script'));
    for (const url of [`${page}?t=30`, `${page}/`, `${page}#chat`, page.replace('http:', 'https:'), `${server.http}/embed/${stream.playback.playbackId}?autoplay=1`]) assert.equal((await ask(url)).status, 200, url);
    const small = (await ask(page, '&maxwidth=320&maxheight=100')).json;
    assert.ok(small.width <= 320 && small.height <= 100 && small.thumbnail_height <= 100, JSON.stringify(small));
    const xml = await ask(page, '&format=xml');
    assert.match(xml.headers['content-type'], /^text\/xml/);
    const tab = browser.page;
    const read = await tab.evaluate((text) => {
      const doc = new DOMParser().parseFromString(text, 'text/xml');
      return { bad: doc.querySelector('parsererror')?.textContent, title: doc.querySelector('title')?.textContent, html: doc.querySelector('html')?.textContent };
    }, xml.text);
    assert.equal(read.bad, undefined);
    assert.equal(read.title, NASTY);
    const frame = await tab.evaluate((html) => {
      const t = document.createElement('template');
      t.innerHTML = html;
      return [...t.content.querySelectorAll('*')].map((e) => [e.tagName, e.title]);
    }, read.html);
    assert.deepEqual(frame, [['IFRAME', NASTY]]);
    assert.equal((await ask(`${server.http}/stream/${secret.id}`)).status, 401);
    assert.ok(!(await ask(`${server.http}/stream/${secret.id}`)).text.includes('Secret'));
    assert.equal((await ask(page, '&format=yaml')).status, 501);
    assert.equal((await ask(page, '&maxwidth=wide')).status, 400);
    assert.equal((await request(`${server.http}/oembed`)).status, 400);
    for (const url of ['https://elsewhere.example/stream/x', `${server.http}.evil.example/stream/${stream.id}`, `${server.http}@evil.example/stream/${stream.id}`, `${server.http}/stream/nobodys`, `${server.http}/`, `${server.http}/stream/${stream.id}/broadcast`, 'x'.repeat(5000), 'javascript:alert(1)', ''])
      assert.equal((await ask(url)).status, 404, url);
  });

  test('a frame on another site’s page plays', async () => {
    const { json } = await request(`${server.http}/oembed?url=${encodeURIComponent(`${server.http}/stream/${stream.id}`)}&maxwidth=400`);
    const other = http.createServer((req, res) => res.setHeader('Content-Type', 'text/html').end(`<!doctype html><title>Elsewhere</title>${json.html.replace(/(\/embed\/\w+)/, '$1?autoplay=1&muted=1&controls=0')}`));
    await new Promise((r) => other.listen(0, '127.0.0.1', r));
    t.after(() => {
      other.close();
      other.closeAllConnections(); // the browser holds one open that it has not used
    });
    const page = await browser.context.newPage();
    await page.goto(`http://127.0.0.1:${other.address().port}/`);
    const frame = await until('the frame', () => page.frames().find((f) => f.url().includes('/embed/')));
    const first = await until('its video plays', async () => {
      const state = await videoState(frame);
      return state && !state.paused && state.time > 0 && state.width > 0 && state;
    });
    await until('and goes on', async () => (await videoState(frame)).time > first.time + 1);
    assert.ok(await frame.evaluate(() => document.documentElement.classList.contains('embed-bare')));
    await page.close();
  });

  test('the share dialog: link and frame, to be copied', async () => {
    const page = await browser.context.newPage();
    await page.goto(`${server.http}/stream/${stream.id}`);
    await page.getByRole('button', { name: 'Share' }).click();
    const dialog = page.getByRole('dialog', { name: 'Share' });
    await dialog.waitFor();
    assert.equal(await dialog.getByRole('textbox', { name: 'Link' }).inputValue(), `${server.http}/stream/${stream.id}`);
    await dialog.getByRole('combobox', { name: 'Size of the player' }).selectOption({ label: '854 × 480' });
    const code = await dialog.getByRole('region', { name: 'Player for your own site' }).innerText();
    const frame = await page.evaluate((html) => {
      const t = document.createElement('template');
      t.innerHTML = html;
      return [...t.content.querySelectorAll('*')].map((e) => [e.tagName, e.getAttribute('src'), e.getAttribute('width'), e.title]);
    }, code);
    assert.deepEqual(frame, [['IFRAME', `${server.http}/embed/${stream.playback.playbackId}`, '854', NASTY]]);
    await page.close();
  });

  test('robots.txt and the site map name what is public', async () => {
    const robots = await request(`${server.http}/robots.txt`);
    assert.match(robots.text, new RegExp(`^Sitemap: ${server.http}/sitemap.xml$`, 'm'));
    assert.match(robots.headers['content-type'], /^text\/plain/);
    const index = (await request(`${server.http}/sitemap.xml`)).text;
    const parts = [...index.matchAll(/<loc>([^<]+)<\/loc>/g)].map((m) => m[1]);
    assert.deepEqual(parts, [`${server.http}/sitemap/streams-1.xml`, `${server.http}/sitemap/channels-1.xml`]);
    const [streams, channels] = await Promise.all(parts.map(async (p) => (await request(p)).text));
    assert.match(streams, new RegExp(`<url><loc>${server.http}/stream/${stream.id}</loc><lastmod>\\d{4}-[^<]+Z</lastmod></url>`));
    assert.ok(!streams.includes(quiet.id) && !streams.includes(secret.id));
    assert.match(channels, /<loc>[^<]+\/@ada[^<]*<\/loc>/);
    for (const none of ['streams-2', 'streams-0', 'streams-x', 'people-1', 'streams-99999999999999999999']) assert.equal((await request(`${server.http}/sitemap/${none}.xml`)).status, 404, none);
  });
});
