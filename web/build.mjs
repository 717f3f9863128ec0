// SPDX-License-Identifier: MIT
// Builds the pages: src/main.tsx and src/embed.tsx to dist/, static files with hashed names.
//
//   node build.mjs [--out DIR] [--depfile FILE --target NAME] [--watch] [--dev]
//
// --depfile writes, in make's syntax, every source the result was made from, so that ninja knows when
// to build again. No inline script or style is ever written: a strict Content-Security-Policy holds.
import { build, buildSync, context } from 'esbuild';
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const option = (name) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};
const out = path.resolve(option('out') ?? path.join(here, 'dist'));
const dev = process.argv.includes('--dev');

// The first page's own script, compressed, without the player: a reviewed number, as bytes on the wire.
const FIRST_SCRIPT_BUDGET = 56 * 1024;

// import text from 'worker:./file.ts': the file, bundled by itself, as text for a blob (the pages' policy
// allows workers from blobs, as the player's own needs them).
const workerFiles = new Set();
const workerText = {
  name: 'worker-text',
  setup(b) {
    b.onResolve({ filter: /^worker:/ }, (a) => ({ path: path.resolve(a.resolveDir, a.path.slice('worker:'.length)), namespace: 'worker' }));
    b.onLoad({ filter: /.*/, namespace: 'worker' }, async (a) => {
      const { absWorkingDir, target } = config;
      const built = await build({ absWorkingDir, target, entryPoints: [a.path], bundle: true, write: false, format: 'iife', minify: !dev, metafile: true, legalComments: 'none' });
      const files = Object.keys(built.metafile.inputs);
      for (const f of files) workerFiles.add(f);
      return { contents: built.outputFiles[0].text, loader: 'text', watchFiles: files.map((f) => path.resolve(here, f)) };
    });
  },
};

const config = {
  absWorkingDir: here,
  entryPoints: { main: 'src/main.tsx', embed: 'src/embed.tsx', ...(dev ? { ui: 'dev/ui.tsx' } : {}) },
  outdir: path.join(out, 'assets'),
  bundle: true,
  splitting: true,
  format: 'esm',
  target: ['es2022'],
  jsx: 'automatic',
  jsxImportSource: 'preact',
  minify: !dev,
  metafile: true,
  legalComments: 'none',
  entryNames: '[name]-[hash]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  loader: { '.svg': 'file', '.css': 'css' },
  define: { 'process.env.NODE_ENV': '"production"' },
  logLevel: 'warning',
  plugins: [workerText],
  // No request to anybody else leaves the viewer's browser: see the two files.
  alias: {
    'castable-video/castable-mixin.js': path.join(here, 'src/ui/no-cast.ts'),
    'mux-embed': path.join(here, 'src/ui/no-tracking.ts'),
  },
};

// A name that changes with the content, for the files that do not go through the bundler.
function writeHashed(from, ext, bytes, dir) {
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 8);
  const name = `${path.basename(from, path.extname(from))}-${hash}${ext}`;
  fs.writeFileSync(path.join(dir, name), bytes);
  return `/assets/${name}`;
}

const EARLY = 'src/theme-early.ts';

// What makes the pages an app that can be installed. The icons are the favicon's picture as PNG: plain, with a margin for
// masks (maskable, apple), and as a white shape (badge).
const MANIFEST = {
  id: '/',
  name: 'bspnode',
  short_name: 'bspnode',
  description: 'Live streaming from a browser or OBS to every browser, recorded.',
  start_url: '/',
  scope: '/',
  display: 'standalone',
  background_color: '#f5f4ef',
  theme_color: '#1d1a3d',
  icons: [
    { src: '/icons/192.png', sizes: '192x192', type: 'image/png' },
    { src: '/icons/512.png', sizes: '512x512', type: 'image/png' },
    { src: '/icons/maskable.png', sizes: '512x512', type: 'image/png', purpose: 'maskable' },
  ],
};
const ICONS = fs.readdirSync(path.join(here, 'src/icons'));

// A script that is one file by itself. Its sources are noted for the depfile.
const aloneFiles = new Set();
function alone(entry, format, define = {}) {
  const { outputFiles, metafile } = buildSync({ absWorkingDir: here, entryPoints: [entry], target: config.target, bundle: true, write: false, metafile: true, format, minify: !dev, legalComments: 'none', define });
  for (const file of Object.keys(metafile.inputs)) aloneFiles.add(file);
  return outputFiles[0].contents;
}

// The service worker, and the page that it keeps for when there is no network.
function writeInstalled(icon, assets) {
  const css = alone('src/styles/offline.css');
  const styles = writeHashed('offline.css', '.css', css, assets);
  const script = writeHashed('offline.ts', '.js', alone('src/offline.ts', 'esm'), assets);
  const words = { icon, styles, script };
  const html = fs.readFileSync(path.join(here, 'src/offline.html'), 'utf8').replace(/\{\{(\w+)\}\}/g, (_, word) => words[word]);
  fs.writeFileSync(path.join(out, 'offline.html'), html);
  const files = [styles, script, icon];
  const name = `offline-${createHash('sha256').update(html).digest('base64url').slice(0, 8)}`;
  fs.writeFileSync(path.join(out, 'service-worker.js'), alone('src/service-worker.ts', 'iife', { OFFLINE: JSON.stringify({ page: '/offline.html', files, name }) }));
  fs.writeFileSync(path.join(out, 'manifest.webmanifest'), JSON.stringify(MANIFEST));
  fs.mkdirSync(path.join(out, 'icons'));
  for (const name of ICONS) fs.copyFileSync(path.join(here, 'src/icons', name), path.join(out, 'icons', name));
}

// The pages: one head, other words.
const PAGES = {
  index: {
    entry: 'main',
    title: 'bspnode',
    description: 'Live streaming from a browser or OBS to every browser, recorded.',
  },
  embed: {
    entry: 'embed',
    title: 'bspnode player',
    description: 'A live stream or its recording.',
  },
  // Only for those who work on the pages.
  ...(dev ? { _ui: { entry: 'ui', title: 'bspnode components', description: 'Every component in its states.' } } : {}),
};

// The page's HTML with its words and its files' names put in. Answers the scripts that it loads at once.
function pageFrom(name, outputs, icon, early) {
  const { entry, ...words } = PAGES[name];
  const [js, meta] = Object.entries(outputs).find(([, o]) => [`src/${entry}.tsx`, `dev/${entry}.tsx`].includes(o.entryPoint));
  const url = (file) => `/assets/${path.basename(file)}`;
  const preload = meta.imports
    .filter((i) => i.kind === 'import-statement')
    .map((i) => `<link rel="modulepreload" href="${url(i.path)}">`);
  // The other languages' files, for the early script to ask for the one that is read.
  const tables = Object.entries(outputs)
    .map(([file, o]) => [/^src\/i18n\/(\w+)\.ts$/.exec(o.entryPoint ?? '')?.[1], file])
    .filter(([language]) => language)
    .map(([language, file]) => `data-${language}="${url(file)}"`);
  const html = fs
    .readFileSync(path.join(here, 'src/page.html'), 'utf8')
    .replace(/\{\{(title|description)\}\}/g, (_, word) => words[word])
    .replace('<!-- styles -->', meta.cssBundle ? `<link rel="stylesheet" href="${url(meta.cssBundle)}">` : '')
    .replace('<!-- scripts -->', [...preload, `<script type="module" nonce="nonce-goes-here--------" src="${url(js)}"></script>`].join('\n  '))
    .replace('<!-- early -->', `<script src="${early}" ${tables.join(' ')}></script>`)
    .replaceAll('{{icon}}', icon);
  fs.writeFileSync(path.join(out, `${name}.html`), html);
  return [js, ...meta.imports.filter((i) => i.kind === 'import-statement').map((i) => i.path)];
}

function finish(result) {
  const { outputs, inputs } = result.metafile;
  const assets = path.join(out, 'assets');
  const read = (file) => fs.readFileSync(path.join(here, file));
  const icon = writeHashed('favicon.svg', '.svg', read('src/favicon.svg'), assets);
  const { outputFiles } = buildSync({ absWorkingDir: here, entryPoints: [EARLY], target: config.target, bundle: true, write: false, format: 'iife', minify: true });
  const early = writeHashed('theme.ts', '.js', outputFiles[0].contents, assets);
  const first = pageFrom('index', outputs, icon, early);
  for (const name of Object.keys(PAGES).slice(1)) pageFrom(name, outputs, icon, early);
  writeInstalled(icon, assets);
  fs.copyFileSync(path.join(here, 'src/robots.txt'), path.join(out, 'robots.txt'));

  const bytes = first.reduce((n, f) => n + gzipSync(fs.readFileSync(path.join(here, f))).length, 0);
  console.log(`web: first page's script ${(bytes / 1024).toFixed(1)} kB compressed (budget ${FIRST_SCRIPT_BUDGET / 1024})`);
  if (!dev && bytes > FIRST_SCRIPT_BUDGET) throw new Error('web: the first page grew over its budget');

  const depfile = option('depfile');
  if (depfile) {
    const extra = [EARLY, 'src/i18n/choose.ts', 'src/page.html', 'src/offline.html', 'src/favicon.svg', 'src/robots.txt', ...ICONS.map((name) => `src/icons/${name}`), ...aloneFiles];
    const own = Object.keys(inputs).filter((f) => !f.startsWith('worker:'));
    const files = [...own, ...workerFiles, ...extra].map((f) => path.resolve(here, f).replaceAll(' ', '\\ '));
    fs.writeFileSync(depfile, `${option('target')}: ${files.join(' ')}\n`);
  }
}

fs.rmSync(out, { recursive: true, force: true });
fs.mkdirSync(path.join(out, 'assets'), { recursive: true });
if (process.argv.includes('--watch')) {
  const plugin = { name: 'finish', setup: (b) => b.onEnd((r) => r.errors.length || finish(r)) };
  const ctx = await context({ ...config, plugins: [workerText, plugin] });
  await ctx.watch();
} else {
  finish(await build(config));
}
