// SPDX-License-Identifier: MIT
// The pages' policy takes style sheets from this server's files, and those that carry the nonce of this very page. The
// player's elements write theirs as HTML into their shadow roots: they get the nonce here, on the way. Style attributes, which no
// nonce lets in, are set through the CSSOM instead, as the policy allows. To be imported before the player is.

const nonce = document.querySelector<HTMLScriptElement>('script[nonce]')?.nonce ?? '';
const ATTRIBUTE = 'data-bsp-style';

function marked(html: string): string {
  return html.replace(/<style(?=[\s>])/gi, `<style nonce="${nonce}"`).replace(/(<[a-z][^<>]*?\s)style="/gi, `$1${ATTRIBUTE}="`);
}

function settle(root: ParentNode): void {
  for (const e of root.querySelectorAll<HTMLElement>(`[${ATTRIBUTE}]`)) {
    e.style.cssText = e.getAttribute(ATTRIBUTE) ?? '';
    e.removeAttribute(ATTRIBUTE);
  }
}

function mark(proto: object): void {
  const own = Object.getOwnPropertyDescriptor(proto, 'innerHTML');
  if (!own?.set) return;
  const set = own.set;
  Object.defineProperty(proto, 'innerHTML', {
    ...own,
    set(this: Element | ShadowRoot, html: unknown) {
      const text = html === null ? '' : String(html);
      if (!text.includes('<style') && !text.includes('style="')) return set.call(this, html);
      set.call(this, marked(text));
      settle(this instanceof HTMLTemplateElement ? this.content : this);
    },
  });
  // The same, with shadow roots in it; without those innerHTML does.
  if ('setHTMLUnsafe' in proto)
    Object.defineProperty(proto, 'setHTMLUnsafe', {
      configurable: true,
      writable: true,
      value(this: Element | ShadowRoot, html: string) {
        this.innerHTML = html;
      },
    });
}

mark(Element.prototype);
mark(ShadowRoot.prototype);
export {};
