// SPDX-License-Identifier: MIT
// The account's webhooks: endpoints, and what was sent to the chosen one.
import { useEffect, useState } from 'preact/hooks';
import { announce, client } from '../app';
import { ApiError } from '../api/client';
import type { Webhook } from '../api/types';
import { t, tx } from '../i18n/t';
import { poll } from '../store/poller';
import { navigate, place } from '../store/router';
import { Button } from '../ui/button';
import { CopyField } from '../ui/copy';
import { Deliveries } from '../ui/deliveries';
import { Confirm, Dialog } from '../ui/dialog';
import { Field } from '../ui/field';
import { Problem, useForm } from '../ui/form';
import { ForUser } from '../ui/guard';
import { Icon } from '../ui/icons';
import { Badge } from '../ui/kit/badge';
import { Strip } from '../ui/kit/strip';
import { useTitle } from '../ui/page';
import { Empty, Failed, Skeleton } from '../ui/states';
import { Ago } from '../ui/time';
import { useStore } from '../ui/use-store';

const REFRESH_MS = 5000;
const PATH = '/dashboard/webhooks';
const words = (e: unknown) => (e instanceof ApiError ? e.message : t('Something went wrong.'));

function SecretDialog({ secret, onClose }: { secret: string; onClose: () => void }) {
  return (
    <Dialog title={t('Signing secret')} firm onClose={onClose}>
      <div class="dialog-text">
        <p>{t('Your program checks the header Mux-Signature with it. It is shown now and never again.')}</p>
      </div>
      <CopyField label={t('Signing secret')} what={t('signing secret')} value={secret} secret />
      <div class="dialog-actions">
        <Button look="primary" onClick={onClose}>
          {t('Done')}
        </Button>
      </div>
    </Dialog>
  );
}

function AddressDialog({ hook, onClose, onSaved }: { hook: Webhook | null; onClose: () => void; onSaved: (hook: Webhook, secret: string | null) => void }) {
  const [address, setAddress] = useState(hook?.address ?? '');
  const form = useForm(
    ['address'],
    () => (address.trim() ? {} : { address: t('Give the address of your program.') }),
    async () => {
      if (hook) return onSaved(await client.changeWebhook(hook.id, { address: address.trim() }), null);
      const made = await client.createWebhook(address.trim());
      onSaved(made, made.signingSecret);
    },
  );
  return (
    <Dialog title={hook ? t('Change the address') : t('New webhook')} onClose={onClose}>
      <form class="form" ref={form.formRef} onSubmit={form.submit} noValidate>
        <Problem text={form.problem} />
        <Field label={t('Address')} name="address" autocomplete="off" value={address} onValue={setAddress} error={form.errors.address} hint={t('Such as https://example.org/hook. It gets a POST request for each event.')} />
        <div class="dialog-actions">
          <Button onClick={onClose}>{t('Cancel')}</Button>
          <Button type="submit" look="primary" busy={form.busy}>
            {hook ? t('Save') : t('Create webhook')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

type Ask = { what: 'new' | 'address' | 'renew' | 'delete'; hook: Webhook | null } | null;

function Row({ hook, open, onToggle, onAsk }: { hook: Webhook; open: boolean; onToggle: () => void; onAsk: (what: 'address' | 'renew' | 'delete') => void }) {
  return (
    <article class="hook">
      <div class="row-words">
        <h2>
          <a href={`${PATH}?webhook=${encodeURIComponent(hook.id)}`} aria-current={open ? 'true' : undefined}>
            {hook.address}
          </a>
        </h2>
        <p>
          <Badge look={hook.enabled ? 'done' : 'calm'}>{hook.enabled ? t('On') : t('Off')}</Badge>
          {hook.waiting > 0 && <span>{hook.waiting > 10_000 ? t('more than {n} waiting', { n: 10_000 }) : t('{n} waiting', { n: hook.waiting })}</span>}
          <span>
            {tx('Created {when}', { when: <Ago at={hook.createdAt} /> })}
          </span>
        </p>
      </div>
      <div class="hook-actions">
        <Button small onClick={onToggle}>
          {hook.enabled ? t('Switch off') : t('Switch on')}
        </Button>
        <Button small icon="edit" onClick={() => onAsk('address')}>
          {t('Address')}
        </Button>
        <Button small icon="key" onClick={() => onAsk('renew')}>
          {t('New secret')}
        </Button>
        <button type="button" class="icon-button" aria-label={t('Delete {address}', { address: hook.address })} title={t('Delete')} onClick={() => onAsk('delete')}>
          <Icon name="trash" />
        </button>
      </div>
    </article>
  );
}

function Questions({ ask, close, onSaved, onSecret, reload }: { ask: NonNullable<Ask>; close: () => void; onSaved: (hook: Webhook, secret: string | null) => void; onSecret: (secret: string) => void; reload: () => void }) {
  const { what, hook } = ask;
  if (what === 'new' || what === 'address') return <AddressDialog hook={hook} onClose={close} onSaved={onSaved} />;
  if (!hook) return null;
  if (what === 'renew')
    return (
      <Confirm title={t('Make a new signing secret?')} action={t('Make a new secret')} onClose={close} onConfirm={async () => onSecret(await client.renewWebhookSecret(hook.id))}>
        <p>
          {tx('Requests to {what} are signed with the new one at once. Your program refuses them until it knows it.', { what: <b>{hook.address}</b> })}
        </p>
      </Confirm>
    );
  return (
    <Confirm
      title={t('Delete this webhook?')}
      action={t('Delete webhook')}
      onClose={close}
      onConfirm={async () => {
        await client.deleteWebhook(hook.id);
        announce(t('Deleted the webhook.'));
        navigate(PATH, { replace: true });
        reload();
      }}
    >
      <p>
        {tx('{what} is told nothing any more. What waits for it, and the list of its deliveries, are gone.', { what: <b>{hook.address}</b> })}
      </p>
    </Confirm>
  );
}

function List() {
  const [hooks, setHooks] = useState<Webhook[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [ask, setAsk] = useState<Ask>(null);
  const [secret, setSecret] = useState<string | null>(null);
  const { search } = useStore(place);
  const load = async () => {
    try {
      setHooks(await client.listWebhooks());
      setError(null);
      return true;
    } catch (e) {
      setError(words(e));
      return false;
    }
  };
  useEffect(() => poll(load, REFRESH_MS), []);
  const chosen = hooks?.find((h) => h.id === new URLSearchParams(search).get('webhook')) ?? null;
  const newButton = (
    <Button look="primary" icon="plus" onClick={() => setAsk({ what: 'new', hook: null })}>
      {t('New webhook')}
    </Button>
  );
  async function toggle(hook: Webhook) {
    try {
      const changed = await client.changeWebhook(hook.id, { enabled: !hook.enabled });
      announce(changed.enabled ? t('The webhook is on.') : t('The webhook is off.'));
      await load();
    } catch (e) {
      announce(words(e), { kind: 'error' });
    }
  }
  return (
    <div class="page">
      <a class="back" href="/dashboard">
        <Icon name="back" size={18} />{' '}{t('My streams')}
      </a>
      <div class="page-head">
        <div>
          <h1>Webhooks</h1>
          <p class="page-lead">{t('Your own program is told when a stream goes live, when a recording is ready, and more.')}</p>
        </div>
        {hooks && hooks.length > 0 && newButton}
      </div>
      {hooks && error && (
        <Strip>{t('The server cannot be reached. Trying again.')}</Strip>
      )}
      {!hooks && !error && <Skeleton kind="row" count={3} />}
      {!hooks && error && <Failed title={t('Your webhooks could not be loaded')} text={error} onRetry={() => void load()} />}
      {hooks?.length === 0 && (
        <Empty icon="link" title={t('You have no webhooks yet')}>
          <p>{t('Give the address of your program; each event is posted there, signed.')}</p>
          {newButton}
        </Empty>
      )}
      {hooks && hooks.length > 0 && (
        <ul class="rows">
          {hooks.map((h) => (
            <li key={h.id}>
              <Row hook={h} open={h === chosen} onToggle={() => void toggle(h)} onAsk={(what) => setAsk({ what, hook: h })} />
            </li>
          ))}
        </ul>
      )}
      {chosen && <Deliveries key={chosen.id} hook={chosen} />}
      {ask && (
        <Questions
          ask={ask}
          close={() => setAsk(null)}
          onSecret={setSecret}
          reload={() => void load()}
          onSaved={(hook, fresh) => {
            setAsk(null);
            setSecret(fresh);
            announce(fresh ? t('Created the webhook.') : t('Changed the address.'));
            if (fresh) navigate(`${PATH}?webhook=${encodeURIComponent(hook.id)}`, { replace: true });
            void load();
          }}
        />
      )}
      {secret && <SecretDialog secret={secret} onClose={() => setSecret(null)} />}
    </div>
  );
}

export function Webhooks() {
  useTitle('Webhooks');
  return <ForUser>{(user) => <List key={user.id} />}</ForUser>;
}
