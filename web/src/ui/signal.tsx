// SPDX-License-Identifier: MIT
/** The picture beside the pitch: one source, waves, many who watch. Decoration. */
export function Signal() {
  const arcs = [70, 112, 154, 196, 238];
  const watchers: [x: number, y: number, r: number][] = [
    [222, 82, 9],
    [262, 150, 13],
    [300, 232, 8],
    [204, 236, 7],
    [318, 92, 11],
    [352, 178, 7],
    [258, 288, 10],
    [286, 34, 6],
  ];
  return (
    <svg class="signal" viewBox="20 -56 360 432" aria-hidden="true" focusable="false">
      {arcs.map((r, i) => (
        <path
          key={r}
          class={`signal-arc signal-arc-${i}`}
          d={`M${100 + r * 0.5} ${160 - r * 0.866} A${r} ${r} 0 0 1 ${100 + r * 0.5} ${160 + r * 0.866}`}
        />
      ))}
      {watchers.map(([x, y, r]) => (
        <circle key={x} class="signal-watcher" cx={x} cy={y} r={r} />
      ))}
      <circle class="signal-halo" cx="100" cy="160" r="44" />
      <circle class="signal-node" cx="100" cy="160" r="26" />
    </svg>
  );
}
