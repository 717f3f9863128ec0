// SPDX-License-Identifier: MIT
declare module '*.css';
/** The text of a worker's script, bundled (build.mjs). */
declare module 'worker:*' {
  const text: string;
  export default text;
}
