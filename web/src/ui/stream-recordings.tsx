// SPDX-License-Identifier: MIT
// Every recording of one stream, for its owner: the server's, the browser's, and which of them viewers see.
import { useEffect, useRef, useState } from 'preact/hooks';
import { announce, client } from '../app';
import { ApiError } from '../api/client';
import { here } from '../api/playlist';
import type { Recording, Stream } from '../api/types';
import { t } from '../i18n/t';
import { fullTime, shortTime, size } from '../store/format';
import { poll } from '../store/poller';
import { Button } from './button';
import { Confirm, Dialog } from './dialog';
import { Badge } from './kit/badge';
import { Icon } from './icons';
import { Player } from './player';
import { Duration } from './time';

const BUSY_MS = 1500;
const CALM_MS = 30_000;
const words = (e: unknown) => (e instanceof ApiError ? e.message : t('Something went wrong.'));
const nameOf = (r: Recording) => (r.source === 'BROWSER' ? t('Recorded in the browser') : r.remote ? t('Recorded at Mux') : t('Recorded by the server'));
const addressOf = (r: Recording, url: string) => (r.remote ? url : here(url));
const goesOn = (r: Recording) => r.status === 'RECORDING' || r.status === 'UPLOADING' || r.status === 'PROCESSING' || r.download.status === 'PREPARING';

function Facts({ of: r }: { of: Recording }) {
  return (
    <p class="recording-facts numbers">
      {r.duration !== null && <Duration seconds={r.duration} />}
      {r.size !== null && <span>{size(r.size)}</span>}
      {r.width !== null && r.height !== null && (
        <span>
          {r.width} × {r.height}
        </span>
      )}
      <time dateTime={r.startedAt ?? r.createdAt} title={fullTime(r.startedAt ?? r.createdAt)}>
        {shortTime(r.startedAt ?? r.createdAt)}
      </time>
    </p>
  );
}

/** What it is waited for, or what went wrong with it. */
function Progress({ of: r, ownIsThere }: { of: Recording; ownIsThere: boolean }) {
  const bar = (label: string) => <progress class="bar" aria-label={label} {...(r.progress === null ? {} : { max: 100, value: r.progress })} />;
  switch (r.status) {
    case 'RECORDING':
      return <p class="recording-state">{t('The server writes it now.')}</p>;
    case 'UPLOADING':
      return (
        <>
          {r.progress !== null && bar('Uploaded')}
          <p class="recording-state">
            {t('Being uploaded')}{r.received === null ? '.' : r.progress === null ? `: ${t('{size} so far.', { size: size(r.received) })}` : `: ${r.progress} %.`}{' '}{t('It comes from the browser that recorded it.')}
          </p>
        </>
      );
    case 'PROCESSING':
      return (
        <>
          {bar('Prepared')}
          <p class="recording-state">{r.remote ? t('Being prepared.') : r.progress === null || r.progress < 1 ? t('Waits to be prepared.') : t('Being prepared: {progress} %.', { progress: r.progress })}</p>
        </>
      );
    case 'FAILED':
      return (
        <p class="recording-state recording-failed">
          <Icon name="warning" size={16} />
          <span>
            {r.problem ?? t('There is no media in it.')} {ownIsThere ? t('Viewers see the other recording; this one can be deleted.') : t('It can be deleted.')}
          </span>
        </p>
      );
    case 'READY':
      return r.problem ? (
        <p class="recording-state recording-failed">
          <Icon name="warning" size={16} />
          <span>{t('{problem} What came before is here.', { problem: r.problem })}</span>
        </p>
      ) : null;
  }
}

interface Actions {
  wanted: boolean;
  onPlay: () => void;
  onDownload: () => void;
  onChoose: () => void;
  onDelete: () => void;
}

function Row({ of: r, ownIsThere, mayChoose, wanted, onPlay, onDownload, onChoose, onDelete }: { of: Recording; ownIsThere: boolean; mayChoose: boolean } & Actions) {
  const { download } = r;
  const name = nameOf(r);
  const ready = r.status === 'READY';
  const what = `${name}, ${shortTime(r.startedAt ?? r.createdAt)}`;
  return (
    <li class="recording">
      <div class="recording-picture" aria-hidden="true">
        {r.thumbnailUrl && ready ? <img src={`${addressOf(r, r.thumbnailUrl)}?width=320`} alt="" decoding="async" loading="lazy" /> : <Icon name={r.status === 'FAILED' ? 'warning' : r.status === 'UPLOADING' ? 'upload' : 'record'} size={24} />}
      </div>
      <div class="recording-words">
        <h3>{name}</h3>
        {r.own && r.status !== 'FAILED' && <Badge look="done">{ready ? t('What viewers see') : t('Will be seen by viewers')}</Badge>}
        <Facts of={r} />
      </div>
      {r.status !== 'RECORDING' && !(r.remote && r.source === 'SERVER') && (
        <button type="button" class="icon-button" aria-label={`Delete: ${what}`} title={t('Delete')} onClick={onDelete}>
          <Icon name="trash" />
        </button>
      )}
      <div class="recording-rest">
        <Progress of={r} ownIsThere={ownIsThere} />
        {ready && (
          <div class="recording-actions">
            {r.hlsUrl && (
              <Button small icon="play" aria-label={`Play: ${what}`} onClick={onPlay}>
                {t('Play')}
              </Button>
            )}
            {download.status === 'READY' && download.url && (
              <a class="button button-plain button-small" href={here(download.url)} download="">
                <Icon name="download" size={16} />{' '}{t('Download MP4')}{download.size !== null && <small>{size(download.size)}</small>}
                <span class="hidden-text">: {what}</span>
              </a>
            )}
            {r.hlsUrl && !r.remote && download.status !== 'READY' && (
              <Button small icon="download" busy={wanted || download.status === 'PREPARING'} aria-label={t('Download MP4: {what}', { what })} onClick={onDownload}>
                {t('Download MP4')}
              </Button>
            )}
            {!r.own && mayChoose && (
              <Button small icon="check" aria-label={t('Show to viewers: {what}', { what })} onClick={onChoose}>
                {t('Show to viewers')}
              </Button>
            )}
          </div>
        )}
      </div>
    </li>
  );
}

function DeleteRecording({ of: r, others, stream, onClose, onDone }: { of: Recording; others: boolean; stream: Stream; onClose: () => void; onDone: () => Promise<unknown> }) {
  const uploading = r.status === 'UPLOADING';
  return (
    <Confirm
      title={uploading ? t('Stop this upload?') : t('Delete this recording?')}
      action={uploading ? t('Stop and delete') : t('Delete recording')}
      onClose={onClose}
      onConfirm={async () => {
        await client.deleteRecording(stream.id, r.id);
        announce(t('Deleted the recording.'));
        await onDone();
      }}
    >
      <p>
        {uploading ? t('What has arrived of it is deleted.') : t('It is deleted for ever.')}{' '}
        {r.own && others && t('Viewers see the other recording from then on, at the same address.')}
        {r.own && !others && t('It is the only one: viewers see that the stream has ended, and no recording.')}
      </p>
    </Confirm>
  );
}

/** Starts the browser's own download. */
function fetchFile(url: string) {
  const a = Object.assign(document.createElement('a'), { href: here(url), download: '' });
  document.body.append(a);
  a.click();
  a.remove();
}

export function StreamRecordings({ stream, onChanged }: { stream: Stream; onChanged: () => void }) {
  const [all, setAll] = useState<Recording[] | null>(null);
  const [failed, setFailed] = useState<string | null>(null);
  const [playing, setPlaying] = useState<Recording | null>(null);
  const [deleting, setDeleting] = useState<Recording | null>(null);
  const [wanted, setWanted] = useState<string | null>(null);
  const wantedNow = useRef<string | null>(null);
  wantedNow.current = wanted;

  function take(list: Recording[]) {
    setAll(list);
    setFailed(null);
    const of = list.find((r) => r.id === wantedNow.current);
    if (!of || of.download.status === 'PREPARING' || of.download.status === 'NONE') return;
    setWanted(null);
    if (of.download.status === 'READY' && of.download.url) fetchFile(of.download.url);
    else announce(t('The file could not be made. Try again.'), { kind: 'error' });
  }
  const load = async () => {
    try {
      take(await client.listRecordings(stream.id));
      return true;
    } catch (e) {
      setFailed(words(e));
      return false;
    }
  };
  const busy = all?.some(goesOn) ?? false;
  useEffect(() => poll(load, busy ? BUSY_MS : CALM_MS), [stream.id, busy, stream.status, stream.recordingStatus, stream.recordingId]);

  async function prepare(r: Recording) {
    setWanted(r.id);
    try {
      await client.prepareDownload(stream.id, r.id);
      await load();
    } catch (e) {
      setWanted(null);
      announce(words(e), { kind: 'error' });
    }
  }
  async function choose(r: Recording) {
    try {
      await client.chooseRecording(stream.id, r.id);
      announce(t('Viewers see this recording now.'));
    } catch (e) {
      announce(words(e), { kind: 'error' });
    }
    await load();
    onChanged();
  }

  const ownIsThere = all?.some((r) => r.own && r.status === 'READY') ?? false;
  return (
    <section class="panel" aria-labelledby="recordings-title">
      <h2 id="recordings-title">{t('Recordings')}</h2>
      {!all && failed && (
        <p class="problem" role="alert">
          {failed}
        </p>
      )}
      {!all && !failed && <div class="skeleton skeleton-line" role="img" aria-label={t('Loading')} />}
      {all?.length === 0 && <p class="recording-none">{stream.status === 'ENDED' ? t('There is no recording of this stream.') : t('Nothing has been recorded yet.')}</p>}
      {all && all.length > 0 && (
        <ul class="recordings">
          {all.map((r) => (
            <Row
              key={r.id}
              of={r}
              ownIsThere={ownIsThere}
              mayChoose={stream.status !== 'LIVE'}
              wanted={wanted === r.id}
              onPlay={() => setPlaying(r)}
              onDownload={() => void prepare(r)}
              onChoose={() => void choose(r)}
              onDelete={() => setDeleting(r)}
            />
          ))}
        </ul>
      )}
      {playing?.hlsUrl && (
        <Dialog wide title={nameOf(playing)} onClose={() => setPlaying(null)}>
          <Player picture={{ way: 'hls', src: addressOf(playing, playing.hlsUrl), mode: 'recorded', fromStart: true }} title={`${nameOf(playing)}: ${stream.title}`} />
          <div class="dialog-actions">
            <Button onClick={() => setPlaying(null)}>{t('Close')}</Button>
          </div>
        </Dialog>
      )}
      {deleting && (
        <DeleteRecording
          of={deleting}
          others={all?.some((r) => r.id !== deleting.id && r.status === 'READY') ?? false}
          stream={stream}
          onClose={() => setDeleting(null)}
          onDone={async () => {
            await load();
            onChanged();
          }}
        />
      )}
    </section>
  );
}
