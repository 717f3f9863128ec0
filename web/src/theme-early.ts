// SPDX-License-Identifier: MIT
// Runs before the first paint, so that a chosen theme does not flash. A file of its own because the
// Content-Security-Policy allows no inline script.
try {
  const theme = localStorage.getItem('bspnode-theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // no storage: the system's theme
}
