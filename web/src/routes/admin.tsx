// SPDX-License-Identifier: MIT
// Administration, for accounts with the role; the server checks that with each request.
import type { FunctionComponent } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t, msg } from '../i18n/t';
import { place } from '../store/router';
import { Audit } from '../ui/admin/audit';
import { Errors } from '../ui/admin/errors';
import { Limits } from '../ui/admin/limits';
import { Reports } from '../ui/admin/reports';
import { Storage } from '../ui/admin/storage';
import { Streams } from '../ui/admin/streams';
import { Users } from '../ui/admin/users';
import { ForUser } from '../ui/guard';
import { useTitle } from '../ui/page';
import { useStore } from '../ui/use-store';
import { NotFound } from './not-found';

const SECTIONS: { name: string; title: string; page: FunctionComponent }[] = [
  { name: 'users', title: msg('Accounts'), page: () => <Users /> },
  { name: 'streams', title: msg('Live now'), page: Streams },
  { name: 'reports', title: msg('Reports'), page: Reports },
  { name: 'storage', title: msg('Storage'), page: Storage },
  { name: 'limits', title: msg('Limits'), page: Limits },
  { name: 'errors', title: msg('Recent errors'), page: Errors },
  { name: 'audit', title: msg('Audit log'), page: Audit },
];

function Pages() {
  const { route } = useStore(place);
  const here = SECTIONS.find((s) => route.name === 'admin' && s.name === route.section) ?? SECTIONS[0];
  useTitle(t('Administration'));
  const nav = useRef<HTMLElement>(null);
  // On a narrow screen the chosen one may be outside.
  useEffect(() => nav.current?.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), [here]);
  if (!here) return null;
  const Page = here.page;
  return (
    <div class="page page-admin">
      <h1>{t('Administration')}</h1>
      <nav class="admin-nav" ref={nav} aria-label={t('Administration')}>
        {SECTIONS.map((s) => (
          <a key={s.name} class="tab" href={s.name === 'users' ? '/admin' : `/admin/${s.name}`} aria-current={s === here ? 'page' : undefined}>
            {t(s.title)}
          </a>
        ))}
      </nav>
      <div class="admin-section">
        <h2 class="hidden-text">{t(here.title)}</h2>
        <Page key={here.name} />
      </div>
    </div>
  );
}

export function Admin() {
  return <ForUser>{(user) => (user.role === 'admin' ? <Pages /> : <NotFound />)}</ForUser>;
}
