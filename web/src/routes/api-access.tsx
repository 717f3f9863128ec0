// SPDX-License-Identifier: MIT
// What the account's programs log in with (access tokens) and sign playback with (signing keys).
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { announce, client } from '../app';
import { ApiError } from '../api/client';
import type { SigningKey, Token } from '../api/types';
import { t, tx } from '../i18n/t';
import { poll } from '../store/poller';
import { Button, LinkButton } from '../ui/button';
import { CopyField, CopyLines } from '../ui/copy';
import { Confirm, Dialog } from '../ui/dialog';
import { Field } from '../ui/field';
import { Problem, useForm } from '../ui/form';
import { ForUser } from '../ui/guard';
import { Icon, type IconName } from '../ui/icons';
import { Strip } from '../ui/kit/strip';
import { useTitle } from '../ui/page';
import { Empty, Failed, Skeleton } from '../ui/states';
import { Ago } from '../ui/time';

const REFRESH_MS = 10_000;
const words = (e: unknown) => (e instanceof ApiError ? e.message : t('Something went wrong.'));

/** What is shown once: lines for a program's `.env` file. */
interface Fresh {
  title: string;
  text: string;
  lines: string[];
}

const tokenLines = (id: string, secret: string) => [`MUX_TOKEN_ID=${id}`, `MUX_TOKEN_SECRET=${secret}`, `MUX_BASE_URL=${location.origin}`];
const keyLines = (id: string, key: string) => [`MUX_SIGNING_KEY=${id}`, `MUX_PRIVATE_KEY=${key}`];

const EXAMPLE = `import Mux from '@mux/mux-node';

const mux = new Mux(); // reads MUX_TOKEN_ID, MUX_TOKEN_SECRET and MUX_BASE_URL
const stream = await mux.video.liveStreams.create({ playback_policies: ['public'] });`;

function FreshDialog({ fresh, onClose }: { fresh: Fresh; onClose: () => void }) {
  return (
    <Dialog title={fresh.title} firm onClose={onClose}>
      <div class="dialog-text">
        <p>{t('{text} It is shown now and never again.', { text: fresh.text })}</p>
      </div>
      <CopyLines label={t('For your program’s .env file')} what={t('lines for .env')} text={fresh.lines.join('\n')} />
      <div class="dialog-actions">
        <Button look="primary" onClick={onClose}>
          {t('Done')}
        </Button>
      </div>
    </Dialog>
  );
}

function TokenDialog({ onClose, onMade }: { onClose: () => void; onMade: (token: Token & { secret: string }) => void }) {
  const [name, setName] = useState('');
  const form = useForm(
    ['name'],
    () => (name.trim() ? {} : { name: t('Give it a name by which you will know it again.') }),
    async () => onMade(await client.createToken(name.trim())),
  );
  return (
    <Dialog title={t('New access token')} onClose={onClose}>
      <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Problem text={form.problem} />
        <Field label={t('Name')} name="name" autocomplete="off" value={name} onValue={setName} error={form.errors.name} hint={t('Where it is used, such as “website”. The token may do all that you may.')} />
        <div class="dialog-actions">
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" look="primary" busy={form.busy}>
            {t('Create token')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** A list that is asked for again now and then; null: not there yet. */
function useList<T>(load: () => Promise<T[]>) {
  const [rows, setRows] = useState<T[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const reload = async () => {
    try {
      setRows(await load());
      setError(null);
      return true;
    } catch (e) {
      setError(words(e));
      return false;
    }
  };
  useEffect(() => poll(reload, REFRESH_MS), []);
  return { rows, error, reload };
}

function Section({ id, title, lead, action, children }: { id: string; title: string; lead: string; action: ComponentChildren; children: ComponentChildren }) {
  return (
    <section class="access" aria-labelledby={id}>
      <div class="access-head">
        <div>
          <h2 id={id}>{title}</h2>
          <p>{lead}</p>
        </div>
        {action}
      </div>
      {children}
    </section>
  );
}

/** The rows, or what there is instead of them. */
function Rows<T extends { id: string }>({ list, what, icon, row, children }: { list: ReturnType<typeof useList<T>>; what: string; icon: IconName; row: (item: T) => ComponentChildren; children: ComponentChildren }) {
  const { rows, error } = list;
  if (!rows && error) return <Failed title={t('Your {what} could not be loaded', { what })} text={error} onRetry={() => void list.reload()} />;
  if (!rows) return <Skeleton kind="row" count={2} />;
  if (rows.length === 0)
    return (
      <Empty icon={icon} title={t('You have no {what} yet', { what })}>
        {children}
      </Empty>
    );
  return (
    <>
      {error && (
        <Strip>{t('The server cannot be reached. Trying again.')}</Strip>
      )}
      <ul class="rows">
        {rows.map((r) => (
          <li key={r.id} class="hook">
            {row(r)}
          </li>
        ))}
      </ul>
    </>
  );
}

function Tokens({ onFresh }: { onFresh: (fresh: Fresh) => void }) {
  const list = useList(client.listTokens);
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  return (
    <Section
      id="tokens-title"
      title={t('Access tokens')}
      lead={t('An id and a secret, with which a program logs in as you.')}
      action={
        <Button look="primary" icon="plus" onClick={() => setMaking(true)}>
          {t('New token')}
        </Button>
      }
    >
      <Rows
        list={list}
        what={t('access tokens')}
        icon="key"
        row={(token: Token) => (
          <>
            <div class="row-words">
              <h3>{token.name}</h3>
              <p>
                <code class="access-id">{token.id}</code>
                <span>
                  {tx('Created {when}', { when: <Ago at={token.createdAt} /> })}
                </span>
                <span>{token.lastUsedAt ? tx('Last used {when}', { when: <Ago at={token.lastUsedAt} /> }) : t('Never used')}</span>
              </p>
            </div>
            <Button small icon="trash" aria-label={t('Revoke {name}', { name: token.name })} onClick={() => setRevoking(token)}>
              {t('Revoke')}
            </Button>
          </>
        )}
      >
        <p>{t('Make one for each program, so that you can take it away from one alone.')}</p>
      </Rows>
      {making && (
        <TokenDialog
          onClose={() => setMaking(false)}
          onMade={(token) => {
            setMaking(false);
            onFresh({ title: t('Your new access token'), text: t('Your program logs in with “{name}”.', { name: token.name }), lines: tokenLines(token.id, token.secret) });
            void list.reload();
          }}
        />
      )}
      {revoking && (
        <Confirm
          title={t('Revoke this access token?')}
          action={t('Revoke token')}
          onClose={() => setRevoking(null)}
          onConfirm={async () => {
            await client.deleteToken(revoking.id);
            announce(t('Revoked “{name}”.', { name: revoking.name }));
            await list.reload();
          }}
        >
          <p>
            {tx('Programs that use {what} are refused from now on.', { what: <b>{revoking.name}</b> })}
          </p>
        </Confirm>
      )}
    </Section>
  );
}

function Keys({ onFresh }: { onFresh: (fresh: Fresh) => void }) {
  const list = useList(client.listSigningKeys);
  const [busy, setBusy] = useState(false);
  const [deleting, setDeleting] = useState<SigningKey | null>(null);
  async function make() {
    setBusy(true);
    try {
      const k = await client.createSigningKey();
      onFresh({ title: t('Your new signing key'), text: t('Your program signs with it who may watch. The server keeps its public half only.'), lines: keyLines(k.id, k.privateKey) });
      await list.reload();
    } catch (e) {
      announce(words(e), { kind: 'error' });
    } finally {
      setBusy(false);
    }
  }
  return (
    <Section
      id="keys-title"
      title={t('Signing keys')}
      lead={t('For signed playback: your own program decides who may watch, and for how long.')}
      action={
        <Button icon="plus" busy={busy} onClick={make}>
          {t('New signing key')}
        </Button>
      }
    >
      <Rows
        list={list}
        what={t('signing keys')}
        icon="key"
        row={(k: SigningKey) => (
          <>
            <div class="row-words">
              <h3 class="access-id">{k.id}</h3>
              <p>
                <span>
                  {tx('Created {when}', { when: <Ago at={k.createdAt} /> })}
                </span>
              </p>
            </div>
            <Button small icon="trash" aria-label={t('Delete signing key {id}', { id: k.id })} onClick={() => setDeleting(k)}>
              {t('Delete')}
            </Button>
          </>
        )}
      >
        <p>{t('You need one only for streams and recordings whose playback ids are signed.')}</p>
      </Rows>
      {deleting && (
        <Confirm
          title={t('Delete this signing key?')}
          action={t('Delete signing key')}
          onClose={() => setDeleting(null)}
          onConfirm={async () => {
            await client.deleteSigningKey(deleting.id);
            announce(t('Deleted the signing key.'));
            await list.reload();
          }}
        >
          <p>
            {tx('Whatever was signed with {what} does not play any more.', { what: <b class="access-id">{deleting.id}</b> })}
          </p>
        </Confirm>
      )}
    </Section>
  );
}

function Page() {
  const [fresh, setFresh] = useState<Fresh | null>(null);
  return (
    <div class="page">
      <a class="back" href="/dashboard">
        <Icon name="back" size={18} />{' '}{t('My streams')}
      </a>
      <div class="page-head">
        <div>
          <h1>{t('API access')}</h1>
          <p class="page-lead">{t('This server speaks Mux’s video API: programs and libraries that were written for it work here.')}</p>
        </div>
        <LinkButton icon="link" href="/dashboard/webhooks">
          Webhooks
        </LinkButton>
      </div>
      <div class="accesses">
        <Tokens onFresh={setFresh} />
        <Keys onFresh={setFresh} />
        <section class="panel" aria-labelledby="connect-title">
          <h2 id="connect-title">{t('Connect a program')}</h2>
          <CopyField label={t('API address')} what={t('API address')} value={location.origin} />
          <CopyLines label={t('With @mux/mux-node')} what={t('example')} text={EXAMPLE} />
        </section>
      </div>
      {fresh && <FreshDialog fresh={fresh} onClose={() => setFresh(null)} />}
    </div>
  );
}

export function ApiAccess() {
  useTitle(t('API access'));
  return <ForUser>{(user) => <Page key={user.id} />}</ForUser>;
}
