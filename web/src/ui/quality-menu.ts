// SPDX-License-Identifier: MIT
// The quality menu's parts, for pictures that come in several sizes.
import 'media-chrome/dist/menu/media-chrome-menu-item.js';
import 'media-chrome/dist/menu/media-rendition-menu.js';
import 'media-chrome/dist/menu/media-rendition-menu-button.js';
