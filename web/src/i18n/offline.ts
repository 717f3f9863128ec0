// SPDX-License-Identifier: MIT
// The words of the page without a network, which cannot fetch a message table.
export const WORDS = {
  en: ['You are offline', 'This page comes back by itself when the network does.', 'Try again'],
  de: ['Du bist offline', 'Diese Seite kommt von selbst zurück, sobald das Netz wieder da ist.', 'Erneut versuchen'],
  es: ['Sin conexión', 'Esta página vuelve sola cuando haya red.', 'Reintentar'],
} as const;
