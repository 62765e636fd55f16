// SPDX-License-Identifier: GPL-2.0-or-later
// Begin: theme, header, the host's object, then the view of the address's hash.

import "uplot/dist/uPlot.min.css";
import "./theme.css";
import "./layout.css";
import { api, ApiError } from "./api";
import { ServerClock, type App, type View } from "./app";
import { el, fill, setText } from "./dom";
import { parseRoute } from "./router";
import { initTheme, themeButton } from "./theme";
import type { Host } from "./types";
import { ListView } from "./vm-list";
import { VmView } from "./vm-view";

const RETRY_MS = 1500;

function byId(id: string): HTMLElement {
  const e = document.getElementById(id);
  if (!e) {
    throw new Error(`the page has no #${id}`);
  }
  return e;
}

const main = byId("main");
const banner = byId("banner");
const status = byId("announce");

function setBanner(text: string | null): void {
  banner.hidden = text === null;
  setText(banner, text ?? "");
}

function lostText(): string {
  return "The exporter does not answer. What is shown may be old. Reconnecting …";
}

async function firstHost(): Promise<Host> {
  for (;;) {
    try {
      const host = await api.host();
      setBanner(null);
      return host;
    } catch (e) {
      const refused = e instanceof ApiError && e.status > 0;
      setBanner(refused ? `The exporter refuses: ${e.message}` : lostText());
      await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }
}

/** An exporter that comes back may be another one, with another page. */
async function reloadIfOther(host: Host): Promise<void> {
  const now = await api.host().catch(() => host);
  if (now.version !== host.version || now.control !== host.control || now.interval !== host.interval) {
    location.reload();
  }
}

function makeApp(host: Host): App {
  const clock = new ServerClock();
  clock.set(host.time);
  return {
    host,
    clock,
    setLive(live) {
      if (live && !banner.hidden) {
        void reloadIfOther(host);
      }
      setBanner(live ? null : lostText());
    },
    announce: (text) => setText(status, text),
  };
}

function viewOf(app: App): View {
  const route = parseRoute(location.hash);
  return route.name === "vm" ? new VmView(app, route.id) : new ListView(app);
}

function showHost(host: Host): void {
  setText(byId("node"), host.node);
  setText(byId("version"), `vmheat ${host.version}`);
}

/** Show the view of the hash; who came here by a link starts at its heading. */
function navigator(app: App): (first: boolean) => void {
  let view: View | null = null;
  return (first) => {
    view?.close();
    view = viewOf(app);
    document.title = view.title;
    fill(main, view.element);
    if (!first) {
      scrollTo(0, 0);
      main.querySelector<HTMLElement>("h1")?.focus();
    }
  };
}

async function start(): Promise<void> {
  initTheme();
  byId("tools").append(themeButton());
  byId("skip").addEventListener("click", (e) => {
    e.preventDefault(); /* the hash is the router's */
    main.focus();
  });
  fill(main, el("p", { class: "state" }, "Loading …"));
  const host = await firstHost();
  showHost(host);
  const show = navigator(makeApp(host));
  addEventListener("hashchange", () => show(false));
  show(true);
}

void start();
