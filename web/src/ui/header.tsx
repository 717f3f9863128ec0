// SPDX-License-Identifier: MIT
import { announce, session } from '../app';
import { ApiError } from '../api/client';
import { t } from '../i18n/t';
import { navigate, place } from '../store/router';
import { theme, toggleTheme } from '../store/theme';
import { Button, LinkButton } from './button';
import { Icon } from './icons';
import { Logo } from './logo';
import { Avatar } from './poster';
import { useStore } from './use-store';

function ThemeButton() {
  const dark = useStore(theme) === 'dark';
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={t('Dark colours')}
      aria-pressed={dark}
      title={dark ? t('Use light colours') : t('Use dark colours')}
      onClick={toggleTheme}
    >
      <Icon name={dark ? 'sun' : 'moon'} />
    </button>
  );
}

async function leave() {
  try {
    await session.logout();
    announce(t('You are logged out.'));
    navigate('/');
  } catch (e) {
    announce(e instanceof ApiError ? e.message : t('Could not log out.'), { kind: 'error' });
  }
}

function Account() {
  const who = useStore(session);
  const { path } = useStore(place);
  if (who.phase === 'unknown') return <span class="header-wait" aria-hidden="true" />;
  if (who.phase === 'guest')
    return (
      <>
        <a class="header-link" href="/login" aria-current={path === '/login' ? 'page' : undefined}>
          {t('Log in')}
        </a>
        <LinkButton look="primary" small href="/register">
          {t('Sign up')}
        </LinkButton>
      </>
    );
  return (
    <>
      <a class="header-link" href="/dashboard" aria-current={path.startsWith('/dashboard') ? 'page' : undefined}>
        {t('Dashboard')}
      </a>
      {who.user.role === 'admin' && (
        <a class="header-link" href="/admin" aria-current={path.startsWith('/admin') ? 'page' : undefined}>
          {t('Admin')}
        </a>
      )}
      <a class="header-user header-link" href="/account" aria-current={path === '/account' ? 'page' : undefined}>
        <span class="hidden-text">{t('Account')}</span>
        <Avatar id={who.user.id} name={who.user.name} image={who.user.image} size={28} />
        <span class="header-name">{who.user.name}</span>
      </a>
      <Button look="quiet" small onClick={leave}>
        {t('Log out')}
      </Button>
    </>
  );
}

export function Header() {
  return (
    <header class="header">
      <a class="skip" href="#main">
        {t('Skip to the content')}
      </a>
      <div class="header-row">
        <a class="header-home" href="/" aria-label={t('bspnode, home')}>
          <Logo />
        </a>
        <nav class="header-nav" aria-label={t('Main')}>
          <Account />
          <ThemeButton />
        </nav>
      </div>
    </header>
  );
}
