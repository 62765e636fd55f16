// SPDX-License-Identifier: GPL-2.0-or-later
// The token, and what needs it.
//
// It is typed by the user, and kept in this tab's session storage only: not in
// cookies, which browsers send along by themselves, nor beyond the tab.

import { ApiError, control } from "./api";
import { ask, field } from "./dialog";
import { el } from "./dom";
import type { Scheme } from "./types";

const KEY = "vmheat-token";

function read(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export class Control {
  private token = read();
  private readonly listeners = new Set<() => void>();

  constructor(private readonly id: string) {}

  get unlocked(): boolean {
    return this.token !== null;
  }

  /** Call @f when it is unlocked or locked. */
  onChange(f: () => void): void {
    this.listeners.add(f);
  }

  private set(token: string | null): void {
    this.token = token;
    try {
      token === null ? sessionStorage.removeItem(KEY) : sessionStorage.setItem(KEY, token);
    } catch {
      /* then it lasts as long as the page */
    }
    this.listeners.forEach((f) => f());
  }

  lock(): void {
    this.set(null);
  }

  /** Ask for the token. */
  async unlock(): Promise<void> {
    const input = el("input", {
      type: "password", id: "token", required: true, autocomplete: "off", spellcheck: "false",
    });
    await ask({
      title: "Unlock control",
      body: [field("Token", input, "what is in the file of vmheat-exporter --token-file; kept in this tab only")],
      confirm: "Unlock",
      action: async () => {
        const token = input.value.trim();
        if (!token || /[^\x21-\x7e]/.test(token)) {
          throw new Error("a token is made of letters, digits and signs, without spaces");
        }
        this.set(token);
      },
    });
  }

  /** Run a request; a token that is refused is forgotten. */
  private async run(f: (token: string) => Promise<unknown>): Promise<void> {
    if (this.token === null) {
      throw new Error("control is locked");
    }
    try {
      await f(this.token);
    } catch (e) {
      if (e instanceof ApiError && e.status === 401) {
        this.set(null);
      }
      throw e;
    }
  }

  pause = () => this.run((t) => control.pause(this.id, t));
  resume = () => this.run((t) => control.resume(this.id, t));
  setSchemes = (schemes: Scheme[]) =>
    this.run((t) => control.schemes(this.id, t, schemes.map(sendable)));
}

/**
 * A scheme as it may be sent back. "No limit" is a number that JavaScript does not
 * hold exactly; left out it means the same.
 */
export function sendable<T>(v: T): T {
  if (Array.isArray(v)) {
    return v.map(sendable) as T;
  }
  if (typeof v !== "object" || v === null) {
    return v;
  }
  const kept = Object.entries(v).filter(
    ([, x]) => x !== null && !(typeof x === "number" && x > Number.MAX_SAFE_INTEGER),
  );
  return Object.fromEntries(kept.map(([k, x]) => [k, sendable(x)])) as T;
}
