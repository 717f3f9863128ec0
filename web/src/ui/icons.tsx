// SPDX-License-Identifier: MIT
// Line icons on a 20-pixel grid, decoration only: the text beside them is the name.
import type { JSX } from 'preact';

const paths = {
  arrow: 'M4 10h12M11 5l5 5-5 5',
  back: 'M16 10H4M9 5l-5 5 5 5',
  check: 'M4 10.5l4 4 8-9',
  copy: 'M7 7V4h9v9h-3M4 7h9v9H4z',
  edit: 'M4 16l.8-3.6L13 4.2l2.8 2.8-8.2 8.2zM11.5 5.7l2.8 2.8',
  eye: 'M2 10s3-5.5 8-5.5S18 10 18 10s-3 5.5-8 5.5S2 10 2 10zM10 12.4a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8z',
  eyeOff: 'M3 3l14 14M8 4.8A8 8 0 0 1 10 4.5c5 0 8 5.5 8 5.5a14 14 0 0 1-2.6 3.2M5 6.3A14 14 0 0 0 2 10s3 5.5 8 5.5a8 8 0 0 0 3.6-.9',
  key: 'M12.5 12a4.5 4.5 0 1 0-4-2.4L3 15v2.5h3v-2h2v-2l1.6-1.6a4.5 4.5 0 0 0 2.9.1zM13.7 6.5v.01',
  link: 'M8.5 11.5l3-3M7 9L4.8 11.2a2.8 2.8 0 0 0 4 4L11 13M9 7l2.2-2.2a2.8 2.8 0 0 1 4 4L13 11',
  moon: 'M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5z',
  play: 'M6.5 4v12l9.5-6z',
  plus: 'M10 4v12M4 10h12',
  record: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM10 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z',
  refresh: 'M16 10a6 6 0 1 1-1.8-4.3L16 7.5M16 3.5v4h-4',
  stop: 'M5.5 5.5h9v9h-9z',
  sun: 'M10 13.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM10 1.8v2M10 16.2v2M1.8 10h2M16.2 10h2M4.2 4.2l1.4 1.4M14.4 14.4l1.4 1.4M4.2 15.8l1.4-1.4M14.4 5.6l1.4-1.4',
  trash: 'M4 6h12M8 6V4h4v2M5.5 6l.7 10.5h7.6L14.5 6M8.5 9v4.5M11.5 9v4.5',
  calendar: 'M3.5 5h13v11.5h-13zM3.5 8.5h13M7 3v3.5M13 3v3.5',
  search: 'M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM13 13l4 4',
  camera: 'M2.5 6h9.5v8.5H2.5zM12 9l5.5-2.8v7.8L12 11.2',
  cameraOff: 'M2.5 2.5l15 15M5.2 6H2.5v8.5h9.5v-1.7M8.8 6H12v3.2M12 9l5.5-2.8v7.8l-2.6-1.3',
  microphone: 'M10 12a2.5 2.5 0 0 0 2.5-2.5v-4a2.5 2.5 0 0 0-5 0v4A2.5 2.5 0 0 0 10 12zM5 9.5a5 5 0 0 0 10 0M10 14.5v3',
  microphoneOff: 'M2.5 2.5l15 15M7.5 7.5v2A2.5 2.5 0 0 0 11.2 11.7M12.5 8.5v-3a2.5 2.5 0 0 0-4.9-.6M5 9.5a5 5 0 0 0 8 4M15 9.5a5 5 0 0 1-.3 1.6M10 14.5v3',
  screen: 'M2.5 4h15v9.5h-15zM7 17h6M10 13.5V17',
  broadcast: 'M10 11.5a1.5 1.5 0 1 0 0-3 1.5 1.5 0 0 0 0 3zM6.5 13.5a5 5 0 0 1 0-7M13.5 6.5a5 5 0 0 1 0 7M4 16a8.5 8.5 0 0 1 0-12M16 4a8.5 8.5 0 0 1 0 12',
  download: 'M10 4v9.5M5.5 9L10 13.5 14.5 9M4 13.5v3h12v-3',
  upload: 'M10 13.5V4M5.5 8.5L10 4l4.5 4.5M4 13.5v3h12v-3',
  muted: 'M4 8v4h2.5L10 15V5L6.5 8zM13 8l4 4M17 8l-4 4',
  people: 'M7.5 9.5a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM2.5 16c.2-2.8 2.2-4.3 5-4.3s4.8 1.5 5 4.3M13 9.3a2.4 2.4 0 1 0-.6-4.7M14.6 11.8c1.7.5 2.8 1.8 2.9 4.2',
  warning: 'M10 3.5l7.5 13h-15zM10 8.5v4M10 14.6v.01',
  info: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM10 9.2v4.6M10 6.3v.01',
  more: 'M5 10v.01M10 10v.01M15 10v.01',
  pin: 'M7 3.5h6M8 3.5v5l-2 3h8l-2-3v-5M10 11.5v5',
  pause: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM10 6v4.2l2.8 1.8',
  flag: 'M5 17V3.5M5 4h9.5l-2 3.5 2 3.5H5',
  ban: 'M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15zM4.8 4.8l10.4 10.4',
  shield: 'M10 2.5l6 2.2v4.5c0 4-2.6 6.8-6 8.3-3.4-1.5-6-4.3-6-8.3V4.7z',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
