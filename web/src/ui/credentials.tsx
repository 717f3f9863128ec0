// SPDX-License-Identifier: MIT
import { useState } from 'preact/hooks';
import { announce, client } from '../app';
import type { Ingest, Stream } from '../api/types';
import { t, tx } from '../i18n/t';
import { Button } from './button';
import { CopyButton, CopyField } from './copy';
import { Confirm } from './dialog';

/** The panel's foot: who has the key, and a new one. */
function KeyFoot({ stream, onChanged }: { stream: Stream; onChanged: (s: Stream) => void }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <div class="panel-foot">
        <p>{t('Whoever has the key can stream in your name.')}</p>
        <Button small look="quiet" icon="key" onClick={() => setAsking(true)}>
          {t('Reset key')}
        </Button>
      </div>
      {asking && (
        <Confirm
          title={t('Reset the stream key?')}
          action={t('Reset the key')}
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            onChanged(await client.resetKey(stream.id));
            announce(t('There is a new stream key. Put it into your encoder.'));
          }}
        >
          <p>{t('The old key stops working at once. An encoder that uses it has to be given the new one.')}</p>
        </Confirm>
      )}
    </>
  );
}

/** What goes into the encoder. */
export function Credentials({ stream, ingest, onChanged }: { stream: Stream; ingest: Ingest; onChanged: (s: Stream) => void }) {
  return (
    <section class="panel" aria-labelledby="credentials-title">
      <h2 id="credentials-title">{t('For your encoder')}</h2>
      <CopyField label={t('Server')} what={t('server address')} value={ingest.rtmpUrl} />
      {ingest.rtmpsUrl && <CopyField label={t('Server, encrypted')} what={t('encrypted server address')} value={ingest.rtmpsUrl} />}
      {ingest.streamKey === null ? (
        <p role="status">{t('The stream key is being made. It appears here in a moment.')}</p>
      ) : (
        <>
          <CopyField key={ingest.streamKey} label={t('Stream key')} what={t('stream key')} value={ingest.streamKey} secret />
          <KeyFoot stream={stream} onChanged={onChanged} />
        </>
      )}
    </section>
  );
}

/** WHIP, for OBS 30 and later: the lowest delay, and no key frames or B-frames to set. */
export function WhipCredentials({ stream, ingest, onChanged }: { stream: Stream; ingest: Ingest; onChanged: (s: Stream) => void }) {
  if (!ingest.whipUrl || !ingest.streamKey) return null;
  return (
    <section class="panel" aria-labelledby="whip-title">
      <h2 id="whip-title">{t('With OBS 30 or later')}</h2>
      <p>
        {tx('{what}: choose {i} as the service, paste these two, press {what2}.', { what: <b>{t('Settings → Stream')}</b>, i: <i>WHIP</i>, what2: <b>{t('Start Streaming')}</b> })}
      </p>
      <CopyField label={t('Server (WHIP)')} what={t('WHIP address')} value={ingest.whipUrl} />
      <CopyField key={ingest.streamKey} label={t('Bearer token')} what={t('bearer token')} value={ingest.streamKey} secret />
      <KeyFoot stream={stream} onChanged={onChanged} />
    </section>
  );
}

export function HowTo({ ingest }: { ingest: Ingest }) {
  const command = `ffmpeg -re -i video.mp4 -c:v libx264 -bf 0 -g 60 -c:a aac -f flv ${ingest.rtmpUrl}/STREAM_KEY`;
  return (
    <section class="panel" aria-labelledby="howto-title">
      <h2 id="howto-title">{t('In OBS Studio')}</h2>
      <ol class="steps">
        <li>
          {tx('{what}: choose {i} as the service, paste the server and the stream key.', { what: <b>{t('Settings → Stream')}</b>, i: <i>{t('Custom…')}</i> })}
        </li>
        <li>
          {tx('{what}, output mode {i}:', { what: <b>{t('Settings → Output')}</b>, i: <i>{t('Advanced')}</i> })}
          <ul>
            <li>
              {tx('{what} Viewers join faster and see you with less delay.', { what: <b>{t('Keyframe interval: 2 s.')}</b> })}
            </li>
            <li>
              {tx('{what} (in {i}: {code}). The lowest delay, and every way of watching works.', { what: <b>{t('B-frames: 0')}</b>, i: <i>{t('x264 options')}</i>, code: <code>bframes=0</code> })}
            </li>
          </ul>
        </li>
        <li>
          {tx('Press {what}. This page shows when the picture arrives.', { what: <b>{t('Start Streaming')}</b> })}
        </li>
      </ol>
      <details class="more">
        <summary>{t('With ffmpeg')}</summary>
        <div class="code">
          <code>{command}</code>
          <CopyButton small what={t('ffmpeg command')} text={command} />
        </div>
      </details>
    </section>
  );
}
