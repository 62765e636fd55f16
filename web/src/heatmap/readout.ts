// SPDX-License-Identifier: GPL-2.0-or-later
// What is known of the point that is looked at.
//
// The region comes from the server, a moment after the point stands still; until
// then there is what the picture tells.

import { api, ApiError } from "../api";
import { el, setText } from "../dom";
import * as format from "../format";
import type { RegionAt } from "../types";

export interface Spot {
  time: number;
  address: number;
  /** As the picture has it; null: not known. */
  rate: number | null;
  idle: number | null;
  /** The picture says that nothing is known; there is no need to ask. */
  unknown?: boolean;
}

const FIELDS = [
  ["time", "Time"],
  ["region", "Region"],
  ["size", "Size"],
  ["rate", "Rate"],
  ["writes", "Writes"],
  ["idle", "Idle for"],
  ["age", "Like this for"],
  ["block", "RAMBlock"],
  ["node", "NUMA node"],
  ["device", "Device"],
  ["reserved", "Reserved"],
] as const;
type Field = (typeof FIELDS)[number][0];
const WAIT_MS = 80;
const NOTHING = "–";

/** The rate with the interval it is in, with a probability of 90 %. */
export function rateText(r: RegionAt): string {
  return `${format.rate(r.rate)} (${format.rateRange(r.rate_low, r.rate_high)})`;
}

export function regionTexts(r: RegionAt): Record<Exclude<Field, "time">, string> {
  return {
    region: format.addresses(r.start, r.end),
    size: format.size(r.end - r.start),
    rate: rateText(r),
    writes: r.write_rate === null ? NOTHING : format.rate(r.write_rate),
    idle: format.duration(r.idle_seconds),
    age: format.duration(r.age_seconds),
    block: r.block,
    node: r.node === null ? NOTHING : String(r.node),
    device: r.device ?? NOTHING,
    reserved: r.reserved ?? NOTHING,
  };
}

export class Readout {
  private readonly cells = new Map<Field, HTMLElement>();
  readonly element = el("dl", { class: "readout", "data-state": "none" });
  private timer: ReturnType<typeof setTimeout> | undefined;
  private request: AbortController | null = null;

  constructor(
    private readonly id: string,
    private readonly onRegion: (r: RegionAt | null, spot: Spot) => void,
  ) {
    for (const [key, label] of FIELDS) {
      const value = el("dd", { "data-value": key }, NOTHING);
      this.cells.set(key, value);
      this.element.append(el("div", { class: `readout-${key}` }, el("dt", {}, label), value));
    }
  }

  close(): void {
    clearTimeout(this.timer);
    this.request?.abort();
  }

  private set(key: Field, text: string): void {
    const cell = this.cells.get(key);
    if (cell) {
      setText(cell, text);
      cell.title = text;
    }
  }

  private state(state: string): void {
    this.element.setAttribute("data-state", state);
  }

  show(spot: Spot | null): void {
    this.close();
    if (!spot) {
      FIELDS.forEach(([key]) => this.set(key, NOTHING));
      this.state("none");
      return;
    }
    this.state("loading");
    this.element.setAttribute("data-time", String(spot.time));
    this.element.setAttribute("data-address", String(spot.address));
    this.preview(spot);
    const next = () => (spot.unknown ? this.unknown(spot) : void this.ask(spot));
    this.timer = setTimeout(next, WAIT_MS);
  }

  private preview(spot: Spot): void {
    FIELDS.forEach(([key]) => this.set(key, NOTHING));
    this.set("time", format.clock(spot.time));
    this.set("region", format.address(spot.address));
    this.set("rate", spot.rate === null ? "not known" : `≈ ${format.rate(spot.rate)}`);
    this.set("idle", spot.idle === null ? NOTHING : `≈ ${format.duration(spot.idle)}`);
  }

  private async ask(spot: Spot): Promise<void> {
    const c = new AbortController();
    this.request = c;
    try {
      const r = await api.region(this.id, spot.time, spot.address, c.signal);
      if (!c.signal.aborted) {
        this.region(r, spot);
      }
    } catch (e) {
      if (!c.signal.aborted) {
        this.nothing(e, spot);
      }
    }
  }

  private region(r: RegionAt, spot: Spot): void {
    for (const [key, text] of Object.entries(regionTexts(r))) {
      this.set(key as Field, text);
    }
    this.state("ok");
    this.onRegion(r, spot);
  }

  private unknown(spot: Spot): void {
    this.set("rate", "not known");
    this.state("unknown");
    this.onRegion(null, spot);
  }

  private nothing(e: unknown, spot: Spot): void {
    if (e instanceof ApiError && e.status === 404) {
      this.unknown(spot);
      return;
    }
    this.set("rate", (e as Error).message);
    this.state("failed");
  }
}
