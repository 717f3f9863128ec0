// SPDX-License-Identifier: MIT
// /_ui: every component in its states, for those who work on the pages. Only `build.mjs --dev` makes it; it is
// in no program (web/test/bundle.test.mjs).
import '../src/styles/app.css';
import './ui.css';
import { render, type ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { announce } from '../src/app';
import { startLanguage } from '../src/i18n/language';
import { chooseTheme, themeChoice, type ThemeChoice } from '../src/store/theme';
import { Button, LinkButton } from '../src/ui/button';
import { Confirm, Dialog } from '../src/ui/dialog';
import { Field } from '../src/ui/field';
import { Problem } from '../src/ui/form';
import { Icon } from '../src/ui/icons';
import { Badge } from '../src/ui/kit/badge';
import { Panel } from '../src/ui/kit/card';
import { Check } from '../src/ui/kit/check';
import { Menu } from '../src/ui/kit/menu';
import { Progress } from '../src/ui/kit/progress';
import { Select } from '../src/ui/kit/select';
import { Strip } from '../src/ui/kit/strip';
import { Table } from '../src/ui/kit/table';
import { Tabs } from '../src/ui/kit/tabs';
import { Notices } from '../src/ui/notices';
import { Avatar } from '../src/ui/poster';
import { Empty, Failed, Skeleton } from '../src/ui/states';
import { useStore } from '../src/ui/use-store';

const COLOURS = ['ground', 'surface', 'sunken', 'line', 'line-strong', 'ink', 'ink-2', 'ink-3', 'accent', 'accent-soft', 'live', 'danger', 'danger-soft', 'warn', 'warn-soft', 'ok', 'ok-soft'];
const nothing = () => {};

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="ui-part">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** By the object model: the pages' policy allows no style attributes. */
function Swatch({ name }: { name: string }) {
  const ref = useRef<HTMLElement>(null);
  useEffect(() => void (ref.current && (ref.current.style.background = `var(--${name})`)), [name]);
  return (
    <div class="ui-swatch">
      <i ref={ref} /> <code>--{name}</code>
    </div>
  );
}

function Fields() {
  const [text, setText] = useState('');
  const [device, setDevice] = useState('a');
  const [on, setOn] = useState(true);
  return (
    <div class="ui-grid">
      <Field label="Empty" name="a" value={text} onValue={setText} hint="A hint says what it is for." />
      <Field label="Filled" name="b" value="Evening concert" onValue={nothing} optional />
      <Field label="Wrong" name="c" value="x" onValue={nothing} error="Use at least 10 characters." />
      <Field label="Secret" name="password" type="password" value="correct horse" onValue={nothing} />
      <Field label="Long" name="d" rows={3} value="Words." onValue={nothing} optional />
      <Select label="One of a few" value={device} onValue={setDevice} options={[{ value: 'a', text: 'First' }, { value: 'b', text: 'Second' }]} />
      <Select label="Not now" value="a" onValue={nothing} disabled options={[{ value: 'a', text: 'First' }]} hint="Can be changed later." />
      <Check label="Yes or no" hint="With a hint." checked={on} onChecked={setOn} />
      <Check toggle label="At once" checked={on} onChecked={setOn} />
      <Check toggle label="Not now" checked={false} disabled onChecked={nothing} />
    </div>
  );
}

function Over() {
  const [open, setOpen] = useState<'dialog' | 'question' | null>(null);
  const [tab, setTab] = useState<'one' | 'two' | 'three'>('one');
  const close = () => setOpen(null);
  return (
    <>
      <div class="ui-row">
        <Button onClick={() => setOpen('dialog')}>Dialog</Button>
        <Button onClick={() => setOpen('question')}>Question</Button>
        <Button onClick={() => announce('Saved.')}>Toast</Button>
        <Button onClick={() => announce('It could not be saved.', { kind: 'error' })}>Error toast</Button>
        <Menu
          label="More"
          icon="edit"
          items={[
            { text: 'Rename', icon: 'edit', onChoose: () => announce('Renamed.') },
            { text: 'Copy', icon: 'copy', onChoose: () => announce('Copied.') },
            { text: 'Delete', icon: 'trash', danger: true, onChoose: () => announce('Deleted.') },
          ]}
        />
      </div>
      <Tabs label="Kinds" value={tab} onValue={setTab} tabs={[{ value: 'one', text: 'One' }, { value: 'two', text: 'Two' }, { value: 'three', text: 'Three' }]}>
        <p>What belongs to {tab}.</p>
      </Tabs>
      {open === 'dialog' && (
        <Dialog title="A dialog" onClose={close}>
          <Field label="Title" name="title" value="" onValue={nothing} />
          <div class="dialog-actions">
            <Button onClick={close}>Cancel</Button>
            <Button look="primary" onClick={close}>
              Save
            </Button>
          </div>
        </Dialog>
      )}
      {open === 'question' && (
        <Confirm title="Delete it?" action="Delete" onConfirm={async () => {}} onClose={close}>
          <p>It is gone then.</p>
        </Confirm>
      )}
    </>
  );
}

function Page() {
  const choice = useStore(themeChoice);
  return (
    <>
      <main id="main" class="page ui">
        <div class="page-head">
          <h1>Components</h1>
          <Select<ThemeChoice> small label="Colours" value={choice} onValue={chooseTheme} options={[{ value: 'system', text: 'As the system' }, { value: 'light', text: 'Light' }, { value: 'dark', text: 'Dark' }]} />
        </div>
        <Part title="Colours">
          <div class="ui-grid">
            {COLOURS.map((name) => (
              <Swatch key={name} name={name} />
            ))}
          </div>
        </Part>
        <Part title="Buttons">
          <div class="ui-row">
            <Button look="primary">Primary</Button>
            <Button>Plain</Button>
            <Button look="quiet">Quiet</Button>
            <Button look="danger">Danger</Button>
            <Button look="live">Go live</Button>
            <Button look="primary" busy>
              Busy
            </Button>
            <Button icon="plus">With an icon</Button>
            <Button small>Small</Button>
            <LinkButton href="#main">Link</LinkButton>
            <button type="button" class="icon-button" aria-label="Delete">
              <Icon name="trash" />
            </button>
          </div>
        </Part>
        <Part title="Badges">
          <div class="ui-row">
            <Badge look="live">Live</Badge>
            <Badge look="warn">Reconnecting</Badge>
            <Badge look="done">Recorded</Badge>
            <Badge look="calm">Ended</Badge>
            <Badge look="fail">Failed</Badge>
            <Avatar id="1" name="Ada Lovelace" />
            <Avatar id="2" name="Grace Hopper" size={28} />
          </div>
        </Part>
        <Part title="Fields">
          <Fields />
        </Part>
        <Part title="Messages">
          <Strip>The server cannot be reached. Trying again.</Strip>
          <Strip look="error">The recording could not be written.</Strip>
          <Strip look="calm" icon="info">
            Nothing to worry about.
          </Strip>
          <Problem text="E-mail or password is wrong." />
        </Part>
        <Part title="Over the page">
          <Over />
        </Part>
        <Part title="Panels and tables">
          <Panel title="A panel" foot={<Button small>Do it</Button>}>
            <Progress label="Uploaded" value={0.6} />
            <Progress label="Preparing" />
          </Panel>
          <Table caption="Streams" captioned columns={[{ name: 'Title' }, { name: 'Viewers', number: true }]}>
            <tr>
              <td>Evening concert</td>
              <td class="table-number">1,204</td>
            </tr>
            <tr>
              <td>Morning walk</td>
              <td class="table-number">7</td>
            </tr>
          </Table>
        </Part>
        <Part title="Loading, empty, failed">
          <Skeleton kind="card" count={3} />
          <Skeleton kind="row" count={2} />
          <Empty icon="play" title="Nobody is live at the moment">
            <p>This page fills by itself when somebody starts.</p>
          </Empty>
          <Failed title="The streams could not be loaded" text="The server cannot be reached right now." onRetry={nothing} />
        </Part>
      </main>
      <Notices />
    </>
  );
}

const root = document.getElementById('app');
if (root)
  void startLanguage().then(() => {
    root.replaceChildren();
    render(<Page />, root);
  });
