// SPDX-License-Identifier: GPL-2.0-or-later
// Server-sent events that come back by themselves.
//
// EventSource gives up for good on some errors (a proxy's 502 while the exporter
// restarts), and never notices a peer that vanished without a word. So each
// connection is made here: after an error, or when nothing came for too long, a
// new one follows, sooner at first, later not too often.

import { query } from "./api";

export type Handlers = Record<string, (data: unknown) => void>;

export interface StreamOptions {
  path: string;
  rows?: number;
  handlers: Handlers;
  /** Longest silence, in seconds, that is no sign of a lost connection. */
  silence: () => number;
  /** Told once for each change: events come, or do not. */
  onLive: (live: boolean) => void;
}

const FIRST_DELAY_MS = 400;
const MOST_DELAY_MS = 5000;

/** Wait before try @n, counted from 0. */
export function delayOf(n: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** n, MOST_DELAY_MS);
}

export class Stream {
  private source: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private tries = 0;
  private live: boolean | null = null;
  private closed = false;
  private readonly onVisible = () => this.visibility();

  constructor(private readonly o: StreamOptions) {
    document.addEventListener("visibilitychange", this.onVisible);
    this.open();
  }

  close(): void {
    this.closed = true;
    document.removeEventListener("visibilitychange", this.onVisible);
    this.stop();
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  private open(): void {
    this.stop();
    const source = new EventSource(
      `api/v1/${this.o.path}${query({ rows: this.o.rows })}`,
    );
    this.source = source;
    for (const [name, handler] of Object.entries(this.o.handlers)) {
      source.addEventListener(name, (e) => this.receive(e, handler));
    }
    source.onerror = () => this.lost();
    this.watch();
  }

  private receive(e: MessageEvent, handler: (data: unknown) => void): void {
    this.tries = 0;
    this.tell(true);
    this.watch();
    handler(JSON.parse(String(e.data)));
  }

  /** Expect something to come in time. */
  private watch(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.lost(), this.o.silence() * 1000);
  }

  private lost(): void {
    this.stop();
    this.tell(false);
    if (!this.closed && !document.hidden) {
      this.timer = setTimeout(() => this.open(), delayOf(this.tries++));
    }
  }

  private tell(live: boolean): void {
    if (live !== this.live && !this.closed) {
      this.live = live;
      this.o.onLive(live);
    }
  }

  /** A page that nobody sees costs nothing. */
  private visibility(): void {
    if (document.hidden) {
      this.stop();
    } else if (!this.source) {
      this.tries = 0;
      this.open();
    }
  }
}
