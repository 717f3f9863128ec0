// SPDX-License-Identifier: MIT
// Stands in for castable-video's mixin in the player's bundle (see `alias` in build.mjs): the original
// loads a script from gstatic.com into every page that plays video. Without it the media element has
// no cast support, the player hides its cast button, and no request leaves for a third party.
export const CastableMediaMixin = <T>(superclass: T): T => superclass;
export {};
