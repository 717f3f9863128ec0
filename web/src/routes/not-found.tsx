// SPDX-License-Identifier: MIT
import { LinkButton } from '../ui/button';
import { useTitle } from '../ui/page';
import { Empty } from '../ui/states';

export function NotFound() {
  useTitle('Page not found');
  return (
    <div class="page page-narrow">
      <h1 class="hidden-text">Page not found</h1>
      <Empty icon="info" title="There is no such page">
        <p>The address may be mistyped, or the page has moved.</p>
        <LinkButton href="/" look="primary">
          To the lobby
        </LinkButton>
      </Empty>
    </div>
  );
}
