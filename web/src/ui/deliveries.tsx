// SPDX-License-Identifier: MIT
// What was sent to one endpoint: newest first, each with its request and the answers, and once more.
import { useEffect, useState } from 'preact/hooks';
import { announce, client } from '../app';
import { ApiError } from '../api/client';
import type { Delivery, DeliveryDetail, DeliveryState, Webhook } from '../api/types';
import { msg, t, tn, tx } from '../i18n/t';
import { poll } from '../store/poller';
import { Button } from './button';
import { CopyButton } from './copy';
import { Badge as Look } from './kit/badge';
import { Empty, Failed, Skeleton } from './states';
import { Ago } from './time';

const REFRESH_MS = 3000;
const FILTERS: [DeliveryState | null, string][] = [
  [null, msg('All')],
  ['WAITING', msg('Waiting')],
  ['DELIVERED', msg('Delivered')],
  ['GIVEN_UP', msg('Given up')],
];
const words = (e: unknown) => (e instanceof ApiError ? e.message : t('Something went wrong.'));

function Badge({ d }: { d: Delivery }) {
  if (d.state === 'DELIVERED') return <Look look="done">{t('Delivered')}</Look>;
  if (d.state === 'GIVEN_UP') return <Look look="fail">{t('Given up')}</Look>;
  return <Look look={d.attempts ? 'warn' : 'calm'}>{d.attempts ? t('Trying again') : t('Waiting')}</Look>;
}

const pretty = (json: string) => {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
};

function Detail({ hook, id, version }: { hook: string; id: string; version: string }) {
  const [detail, setDetail] = useState<DeliveryDetail | null>(null);
  const [error, setError] = useState<string | null>(null);
  const load = () =>
    client.getDelivery(hook, id).then(
      (d) => {
        setDetail(d);
        setError(null);
      },
      (e) => setError(words(e)),
    );
  useEffect(() => void load(), [version]);
  if (error && !detail) return <Failed title={t('The delivery could not be loaded')} text={error} onRetry={() => void load()} />;
  if (!detail) return <Skeleton kind="row" count={1} />;
  return (
    <div class="delivery-detail">
      <div class="delivery-head">
        <h4>{t('Request')}</h4>
        <CopyButton small what={t('request')} text={detail.request} />
      </div>
      <pre class="code" tabIndex={0} aria-label={t('Request')}>
        {pretty(detail.request)}
      </pre>
      <h4>{detail.answers.length === 1 ? t('Answer') : t('Answers')}</h4>
      {detail.answers.length === 0 && <p class="delivery-none">{t('Not sent yet.')}</p>}
      <ol class="answers">
        {detail.answers.map((a) => (
          <li key={a.at}>
            <p>
              {tx('{what} {when}, after {tookMs} ms', { what: <b>{a.status === null ? t('No answer') : t('HTTP {status}', { status: a.status })}</b>, when: <Ago at={a.at} />, tookMs: a.tookMs })}
            </p>
            {a.answer && (
              <pre class="code" tabIndex={0} aria-label={t('Answer')}>
                {a.answer}
              </pre>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

function Row({ hook, d, onSent }: { hook: Webhook; d: Delivery; onSent: () => void }) {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  async function send() {
    setBusy(true);
    try {
      await client.sendAgain(hook.id, d.id);
      announce(t('Sending it again.'));
      onSent();
    } catch (e) {
      announce(words(e), { kind: 'error' });
    }
    setBusy(false);
  }
  return (
    <article class="delivery">
      <div class="delivery-row">
        <div class="row-words">
          <h3>{d.type}</h3>
          <p>
            <Badge d={d} />
            {d.lastAt && <span>{d.lastStatus === null ? t('no answer') : t('HTTP {lastStatus}', { lastStatus: d.lastStatus })}</span>}
            {d.attempts > 1 && <span>{tn(d.attempts, '{n} attempt', '{n} attempts')}</span>}
            <span>
              <Ago at={d.createdAt} />
            </span>
          </p>
          <p class="delivery-id">
            {d.objectType} {d.objectId}
          </p>
        </div>
        <div class="row-actions">
          <Button small aria-expanded={open} onClick={() => setOpen(!open)}>
            {t('Details')}
          </Button>
          <Button small icon="refresh" busy={busy} onClick={send}>
            {t('Send again')}
          </Button>
        </div>
      </div>
      {open && <Detail hook={hook.id} id={d.id} version={`${d.state} ${d.attempts}`} />}
    </article>
  );
}

export function Deliveries({ hook }: { hook: Webhook }) {
  const [filter, setFilter] = useState<DeliveryState | null>(null);
  const [rows, setRows] = useState<Delivery[] | null>(null);
  const [older, setOlder] = useState<Delivery[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [more, setMore] = useState<'idle' | 'loading' | 'error'>('idle');
  const [error, setError] = useState<string | null>(null);
  const load = async () => {
    try {
      const page = await client.listDeliveries(hook.id, { state: filter });
      setRows(page.deliveries);
      setNext((now) => now ?? page.nextCursor);
      setError(null);
      return true;
    } catch (e) {
      setError(words(e));
      return false;
    }
  };
  useEffect(() => {
    setRows(null);
    setOlder([]);
    setNext(null);
    return poll(load, REFRESH_MS);
  }, [filter]);
  async function loadMore() {
    setMore('loading');
    try {
      const page = await client.listDeliveries(hook.id, { state: filter, cursor: next });
      setOlder([...older, ...page.deliveries]);
      setNext(page.nextCursor ?? '');
      setMore('idle');
    } catch {
      setMore('error');
    }
  }
  const fresh = new Set(rows?.map((d) => d.id));
  const all = [...(rows ?? []), ...older.filter((d) => !fresh.has(d.id))];
  return (
    <section class="deliveries" aria-labelledby="deliveries-title">
      <div class="delivery-head">
        <h2 id="deliveries-title">{t('Deliveries')}</h2>
        <div class="filters" role="group" aria-label={t('Show')}>
          {FILTERS.map(([state, text]) => (
            <button key={text} type="button" class="filter" aria-pressed={filter === state} onClick={() => setFilter(state)}>
              {text}
            </button>
          ))}
        </div>
      </div>
      {!rows && !error && <Skeleton kind="row" count={3} />}
      {!rows && error && <Failed title={t('The deliveries could not be loaded')} text={error} onRetry={() => void load()} />}
      {rows && all.length === 0 && (
        <Empty icon="link" title={filter ? t('Nothing of this kind') : t('Nothing was sent yet')}>
          {!filter && <p>{t('Go live, and the first events show here.')}</p>}
        </Empty>
      )}
      {all.length > 0 && (
        <ul class="rows">
          {all.map((d) => (
            <li key={d.id}>
              <Row hook={hook} d={d} onSent={() => void load()} />
            </li>
          ))}
        </ul>
      )}
      {next && all.length > 0 && (
        <div class="shelf-more">
          {more === 'error' && <p role="alert">{t('The next page could not be loaded.')}</p>}
          <Button busy={more === 'loading'} onClick={() => void loadMore()}>
            {more === 'error' ? t('Try again') : t('Show more')}
          </Button>
        </div>
      )}
    </section>
  );
}
