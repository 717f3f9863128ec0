// SPDX-License-Identifier: MIT
// A stream's address to pass on, and the player for other sites.
import { useState } from 'preact/hooks';
import type { Stream } from '../api/types';
import { t } from '../i18n/t';
import { seconds } from '../store/play-options';
import { phaseOf } from '../store/watch';
import { Button } from './button';
import { CopyField, CopyLines } from './copy';
import { Dialog } from './dialog';
import { Field } from './field';

const SIZES: [width: number, height: number][] = [[426, 240], [640, 360], [854, 480], [1280, 720]];

const escaped = (text: string) => text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

export function embedCode(playbackId: string, title: string, [width, height]: [number, number], startAt = 0): string {
  const query = startAt ? `?t=${startAt}` : '';
  return `<iframe src="${location.origin}/embed/${playbackId}${query}" width="${width}" height="${height}" title="${escaped(title)}" allow="autoplay; fullscreen; picture-in-picture" allowfullscreen></iframe>`;
}

export interface ShareProps {
  stream: Stream;
  onClose: () => void;
}

export function ShareDialog({ stream, onClose }: ShareProps) {
  const [start, setStart] = useState('');
  const [size, setSize] = useState(1);
  const recorded = phaseOf(stream) === 'ended-recorded';
  const at = recorded ? seconds(start) : 0;
  const link = `${location.origin}/stream/${encodeURIComponent(stream.id)}${at ? `?t=${at}` : ''}`;
  const id = stream.playback && !stream.playback.remote ? stream.playback.playbackId : null;
  return (
    <Dialog title={t('Share')} onClose={onClose}>
      <div class="share">
        <CopyField label={t('Link')} what={t('link to this stream')} value={link} />
        {stream.visibility === 'PRIVATE' && <p class="field-hint">{t('This stream is private: the link alone lets nobody in.')}</p>}
        {recorded && <Field label={t('Start at')} name="start" optional autocomplete="off" hint={t('Minutes and seconds, such as 1:30.')} value={start} onValue={setStart} />}
        {typeof navigator.share === 'function' && (
          <Button icon="arrow" onClick={() => void navigator.share({ title: stream.title, url: link }).catch(() => {})}>
            {t('Share with another app')}
          </Button>
        )}
        {id && (
          <>
            <label class="share-size">
              {t('Size of the player')}
              <select value={String(size)} onChange={(e) => setSize(Number(e.currentTarget.value))}>
                {SIZES.map(([w, h], i) => (
                  <option key={w} value={String(i)}>{`${w} × ${h}`}</option>
                ))}
              </select>
            </label>
            <CopyLines label={t('Player for your own site')} what={t('embed code')} text={embedCode(id, stream.title, SIZES[size] ?? [640, 360], at)} />
          </>
        )}
      </div>
      <div class="dialog-actions">
        <Button onClick={onClose}>{t('Close')}</Button>
      </div>
    </Dialog>
  );
}
