// SPDX-License-Identifier: MIT
import { useState } from 'preact/hooks';
import { announce, client } from '../app';
import type { Ingest, Stream } from '../api/types';
import { Button } from './button';
import { CopyButton, CopyField } from './copy';
import { Confirm } from './dialog';

/** The panel's foot: who has the key, and a new one. */
function KeyFoot({ stream, onChanged }: { stream: Stream; onChanged: (s: Stream) => void }) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <div class="panel-foot">
        <p>Whoever has the key can stream in your name.</p>
        <Button small look="quiet" icon="key" onClick={() => setAsking(true)}>
          Reset key
        </Button>
      </div>
      {asking && (
        <Confirm
          title="Reset the stream key?"
          action="Reset the key"
          onClose={() => setAsking(false)}
          onConfirm={async () => {
            onChanged(await client.resetKey(stream.id));
            announce('There is a new stream key. Put it into your encoder.');
          }}
        >
          <p>The old key stops working at once. An encoder that uses it has to be given the new one.</p>
        </Confirm>
      )}
    </>
  );
}

/** What goes into the encoder. */
export function Credentials({ stream, ingest, onChanged }: { stream: Stream; ingest: Ingest; onChanged: (s: Stream) => void }) {
  return (
    <section class="panel" aria-labelledby="credentials-title">
      <h2 id="credentials-title">For your encoder</h2>
      <CopyField label="Server" what="server address" value={ingest.rtmpUrl} />
      {ingest.rtmpsUrl && <CopyField label="Server, encrypted" what="encrypted server address" value={ingest.rtmpsUrl} />}
      {ingest.streamKey === null ? (
        <p role="status">The stream key is being made. It appears here in a moment.</p>
      ) : (
        <>
          <CopyField key={ingest.streamKey} label="Stream key" what="stream key" value={ingest.streamKey} secret />
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
      <h2 id="whip-title">With OBS 30 or later</h2>
      <p>
        <b>Settings → Stream</b>: choose <i>WHIP</i> as the service, paste these two, press <b>Start Streaming</b>.
      </p>
      <CopyField label="Server (WHIP)" what="WHIP address" value={ingest.whipUrl} />
      <CopyField key={ingest.streamKey} label="Bearer token" what="bearer token" value={ingest.streamKey} secret />
      <KeyFoot stream={stream} onChanged={onChanged} />
    </section>
  );
}

export function HowTo({ ingest }: { ingest: Ingest }) {
  const command = `ffmpeg -re -i video.mp4 -c:v libx264 -bf 0 -g 60 -c:a aac -f flv ${ingest.rtmpUrl}/STREAM_KEY`;
  return (
    <section class="panel" aria-labelledby="howto-title">
      <h2 id="howto-title">In OBS Studio</h2>
      <ol class="steps">
        <li>
          <b>Settings → Stream</b>: choose <i>Custom…</i> as the service, paste the server and the stream key.
        </li>
        <li>
          <b>Settings → Output</b>, output mode <i>Advanced</i>:
          <ul>
            <li>
              <b>Keyframe interval: 2 s.</b> Viewers join faster and see you with less delay.
            </li>
            <li>
              <b>B-frames: 0</b> (in <i>x264 options</i>: <code>bframes=0</code>). The lowest delay, and every way of
              watching works.
            </li>
          </ul>
        </li>
        <li>
          Press <b>Start Streaming</b>. This page shows when the picture arrives.
        </li>
      </ol>
      <details class="more">
        <summary>With ffmpeg</summary>
        <div class="code">
          <code>{command}</code>
          <CopyButton small what="ffmpeg command" text={command} />
        </div>
      </details>
    </section>
  );
}
