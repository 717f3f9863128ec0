// SPDX-License-Identifier: MIT
// Devices and quality.
import { msg, t } from '../../i18n/t';
import { deviceName } from '../../rtc/capture';
import { BITRATES, HEIGHTS, PRESETS, RATES, layersOf, suitableBitrate, uploadNeeded, type Height, type Quality, type Rate } from '../../rtc/plan';
import { CORNERS, type Corner } from '../../rtc/layout';
import { bitrate } from '../../store/format';
import type { InputKind, Studio, StudioStore } from '../../store/studio';
import { Check } from '../kit/check';
import { Select } from '../kit/select';

function DeviceSelect({ kind, label, studio, store }: { kind: InputKind; label: string; studio: Studio; store: StudioStore }) {
  const list = kind === 'camera' ? studio.devices.cameras : studio.devices.microphones;
  // Before it is allowed to, the browser tells no names and no ids.
  const known = list.filter((d) => d.id !== '');
  const { deviceId } = studio[kind];
  if (known.length === 0)
    return (
      <Select label={label} value="" onValue={() => {}} disabled>
        <option value="">{list.length === 0 ? t('No {kind} found', { kind: t(deviceName(kind)) }) : t('Your {kind}', { kind: t(deviceName(kind)) })}</option>
      </Select>
    );
  const there = known.some((d) => d.id === deviceId);
  return (
    <Select label={label} value={there ? (deviceId ?? '') : ''} onValue={(id) => void store.choose(kind, id)}>
      {!there && <option value="">{t('Choose a {kind}', { kind: t(deviceName(kind)) })}</option>}
      {known.map((d) => (
        <option key={d.id} value={d.id}>
          {d.label}
        </option>
      ))}
    </Select>
  );
}

const CORNER_WORDS: Record<Corner, string> = {
  'bottom-right': msg('Bottom right'),
  'bottom-left': msg('Bottom left'),
  'top-right': msg('Top right'),
  'top-left': msg('Top left'),
};

export function DevicePanel({ studio, store }: { studio: Studio; store: StudioStore }) {
  const sharing = studio.screen.state === 'on';
  return (
    <section class="panel" aria-labelledby="devices-title">
      <h2 id="devices-title">{t('Camera and sound')}</h2>
      <DeviceSelect kind="camera" label={t('Camera')} studio={studio} store={store} />
      <DeviceSelect kind="microphone" label={t('Microphone')} studio={studio} store={store} />
      <Check label={t('Mirror my preview')} hint={t('Only for you: viewers see text the right way round.')} checked={studio.mirror} onChecked={(on) => store.setMirror(on)} />
      {sharing && (
        <>
          <Check label={t('My camera over the screen')} checked={studio.inset} onChecked={(on) => store.setInset(on)} />
          {studio.inset && (
            <Select label={t('Camera’s corner')} value={studio.corner} onValue={(c) => store.setCorner(c as Corner)}>
              {CORNERS.map((c) => (
                <option key={c} value={c}>
                  {t(CORNER_WORDS[c])}
                </option>
              ))}
            </Select>
          )}
          <p class="field-hint">{studio.screenSound ? t('The sound of what you share is mixed with your microphone.') : t('What you share brings no sound. To share sound, choose a tab and tick “Also share tab audio”.')}</p>
        </>
      )}
    </section>
  );
}

function Presets({ quality, onQuality }: { quality: Quality; onQuality: (part: Partial<Quality>) => void }) {
  return (
    <fieldset class="presets">
      <legend class="hidden-text">{t('Quality')}</legend>
      {PRESETS.map((p) => (
        <label key={p.name} class="preset">
          <input
            type="radio"
            name="preset"
            checked={quality.height === p.height && quality.fps === p.fps && quality.bitrate === null}
            onChange={() => onQuality({ height: p.height, fps: p.fps, bitrate: null })}
          />
          <span>
            <b>{p.name}</b>
            <small>{p.words}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

export function QualityPanel({
  studio,
  store,
  sending,
  shortcuts,
  onShortcuts,
}: {
  studio: Studio;
  store: StudioStore;
  sending: boolean;
  shortcuts: boolean;
  onShortcuts: (on: boolean) => void;
}) {
  const { quality } = studio;
  const set = (part: Partial<Quality>) => store.setQuality(part);
  const layered = layersOf({ ...quality, simulcast: true }) > 1;
  return (
    <section class="panel" aria-labelledby="quality-title">
      <h2 id="quality-title">{t('Quality')}</h2>
      <Presets quality={quality} onQuality={set} />
      <p class="field-hint">
        {t('Needs about {bitrate} of upload. With less, the browser sends a smaller picture by itself.', { bitrate: bitrate(uploadNeeded(quality)) })}
      </p>
      <details class="more">
        <summary>{t('Advanced')}</summary>
        <div class="more-fields">
          <div class="field-row">
            <Select label={t('Resolution')} value={String(quality.height)} onValue={(v) => set({ height: Number(v) as Height })}>
              {HEIGHTS.map((h) => (
                <option key={h} value={String(h)}>
                  {h}p
                </option>
              ))}
            </Select>
            <Select label={t('Frame rate')} value={String(quality.fps)} onValue={(v) => set({ fps: Number(v) as Rate })}>
              {RATES.map((r) => (
                <option key={r} value={String(r)}>
                  {t('{r} a second', { r })}
                </option>
              ))}
            </Select>
            <Select label={t('Bit rate')} value={String(quality.bitrate ?? '')} onValue={(v) => set({ bitrate: v === '' ? null : Number(v) })}>
              <option value="">{t('Automatic, {bitrate}', { bitrate: bitrate(suitableBitrate(quality)) })}</option>
              {BITRATES.map((b) => (
                <option key={b} value={String(b)}>
                  {t('At most {bitrate}', { bitrate: bitrate(b) })}
                </option>
              ))}
            </Select>
          </div>
          <Check
            label={t('Send three sizes')}
            hint={
              sending
                ? t('Can be changed when you are not live.')
                : layered
                  ? t('Viewers on weak lines get a smaller picture. Takes a little more upload and computer.')
                  : t('From 540p on.')
            }
            checked={quality.simulcast}
            disabled={sending || !layered}
            onChecked={(simulcast) => set({ simulcast })}
          />
          <Check label={t('Stereo sound')} hint={sending ? t('Can be changed when you are not live.') : t('For music and good microphones.')} disabled={sending} checked={quality.stereo} onChecked={(stereo) => set({ stereo })} />
          <Check label={t('Cancel echo')} hint={t('Off only with headphones.')} checked={quality.echoCancellation} onChecked={(echoCancellation) => set({ echoCancellation })} />
          <Check label={t('Suppress noise')} hint={t('Off for music.')} checked={quality.noiseSuppression} onChecked={(noiseSuppression) => set({ noiseSuppression })} />
          <Check label={t('Keys M, V and S')} hint={t('Mute, camera, screen.')} checked={shortcuts} onChecked={onShortcuts} />
        </div>
      </details>
    </section>
  );
}
