// SPDX-License-Identifier: MIT
// Stands in for mux-embed in the player's bundle (see `alias` in build.mjs). The original sends what viewers
// do to Mux Data and keeps an id in a cookie; `disable-tracking` asks it not to, this leaves it out, with
// 94 kB. What the player uses of it otherwise is an id and a clock.
const uuid = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
};

export default {
  utils: { generateUUID: uuid, now: () => performance.timeOrigin + performance.now() },
  monitor() {},
};
