// SPDX-License-Identifier: MIT
import './styles/app.css';
import { render } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { announce, session } from './app';
import { msg } from './i18n/t';
import { BroadcastLoader } from './routes/broadcast-loader';
import { Home } from './routes/home';
import { Login } from './routes/login';
import { NotFound } from './routes/not-found';
import { Register } from './routes/register';
import { Watch } from './routes/watch';
import { language, startLanguage } from './i18n/language';
import { startConnection } from './store/connection';
import { startInstalled } from './store/installed';
import { place, startRouter, type Route } from './store/router';
import { ConfirmBanner } from './ui/account/banner';
import { ConnectionNote } from './ui/connection';
import { Footer } from './ui/footer';
import { Header } from './ui/header';
import { lazyPage } from './ui/lazy-page';
import { lazyPart } from './ui/lazy-part';
import { Notices } from './ui/notices';
import { useStore } from './ui/use-store';

const Admin = lazyPage(msg('Administration'), () => import('./routes/admin').then((m) => m.Admin));
const ApiAccess = lazyPage(msg('API access'), () => import('./routes/api-access').then((m) => m.ApiAccess));
const Notifications = lazyPage(msg('Notifications'), () => import('./routes/notifications').then((m) => m.Notifications));
const Unsubscribe = lazyPage(msg('Unsubscribe'), () => import('./routes/unsubscribe').then((m) => m.Unsubscribe));
const Channel = lazyPage(msg('Channel'), () => import('./routes/channel').then((m) => m.Channel));
const Dashboard = lazyPage(msg('Dashboard'), () => import('./routes/dashboard').then((m) => m.Dashboard));
const Manage = lazyPart(() => import('./routes/manage').then((m) => m.Manage));
const Account = lazyPage(msg('Account'), () => import('./routes/account').then((m) => m.Account));
const Forgot = lazyPage(msg('Forgotten password'), () => import('./routes/forgot').then((m) => m.Forgot));
const Reset = lazyPage(msg('New password'), () => import('./routes/reset').then((m) => m.Reset));
const Confirm = lazyPage(msg('Confirm your address'), () => import('./routes/confirm').then((m) => m.Confirm));
const Webhooks = lazyPage(msg('Webhooks'), () => import('./routes/webhooks').then((m) => m.Webhooks));

function page(route: Route) {
  switch (route.name) {
    case 'home':
      return <Home />;
    case 'login':
      return <Login />;
    case 'register':
      return <Register />;
    case 'dashboard':
      return <Dashboard />;
    case 'account':
      return <Account />;
    case 'forgot':
      return <Forgot />;
    case 'reset':
      return <Reset />;
    case 'confirm':
      return <Confirm />;
    case 'webhooks':
      return <Webhooks />;
    case 'admin':
      return <Admin />;
    case 'api':
      return <ApiAccess />;
    case 'notifications':
      return <Notifications />;
    case 'unsubscribe':
      return <Unsubscribe />;
    case 'manage':
      return <Manage key={route.id} id={route.id} />;
    case 'channel':
      return <Channel key={route.handle} />;
    case 'watch':
      return <Watch key={route.id} id={route.id} />;
    case 'broadcast':
      return <BroadcastLoader key={route.id} id={route.id} />;
    case 'not-found':
      return <NotFound />;
  }
}

function App() {
  const { path, route } = useStore(place);
  useStore(language); // another one: everything is drawn again, in place
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    // A new page: the keyboard starts at its beginning, and its name is spoken.
    if (!main.current?.contains(document.activeElement)) main.current?.focus();
    announce(document.title.replace(' · bspnode', ''), { quiet: true });
  }, [path]);
  return (
    <>
      <Header />
      <ConfirmBanner />
      <main id="main" ref={main} tabIndex={-1}>
        {page(route)}
      </main>
      <Footer />
      <ConnectionNote />
      <Notices />
    </>
  );
}

startRouter();
startInstalled();
startConnection();
void session.start();
const root = document.getElementById('app');
if (root)
  void startLanguage().then(() => {
    root.replaceChildren();
    render(<App />, root);
  });
