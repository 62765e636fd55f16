// SPDX-License-Identifier: GPL-2.0-or-later
// What all views share: the host, the server's clock, the connection's state.

import type { Host } from "./types";

/** The server's time; pages on other machines may have another. */
export class ServerClock {
  private offset = 0;
  private known = false;

  constructor(private readonly local: () => number = () => Date.now() / 1000) {}

  /** The server said that it is @time. */
  set(time: number): void {
    const offset = time - this.local();
    // Answers are late by the way they took, so the earliest is the best.
    if (!this.known || offset > this.offset || offset < this.offset - 5) {
      this.offset = offset;
      this.known = true;
    }
  }

  now(): number {
    return this.local() + this.offset;
  }
}

export interface App {
  host: Host;
  clock: ServerClock;
  /** Show or hide what says that the server is gone. */
  setLive(live: boolean): void;
  /** Have it read out: for what somebody did, not for what merely changed. */
  announce(text: string): void;
}

export interface View {
  title: string;
  element: HTMLElement;
  close(): void;
}

/** How long an event may be late, in seconds. */
export function silenceOf(host: Host): number {
  return 3 * host.interval + 4;
}
