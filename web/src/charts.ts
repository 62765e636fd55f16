// SPDX-License-Identifier: GPL-2.0-or-later
// Charts over time, of the time that the heatmap shows.

import uPlot from "uplot";
import { api } from "./api";
import type { App } from "./app";
import { el, setText, themeValue } from "./dom";
import * as format from "./format";
import { tickTexts, timeTicks } from "./heatmap/ticks";
import { onThemeChange } from "./theme";
import type { History, Series, VmDetails } from "./types";

export interface Line {
  key: string;
  label: string;
  /** Name of the theme's colour. */
  colour: string;
  fill?: boolean;
  of: (h: History) => Series;
  now: (vm: VmDetails) => number;
}

const idleNow = (seconds: number) => (vm: VmDetails) =>
  vm.idle.find((i) => i.seconds === seconds)?.bytes ?? 0;

export const USE_LINES: Line[] = [
  { key: "has", label: "has", colour: "--line-has", of: (h) => h.has, now: (v) => v.has },
  { key: "needs", label: "needs", colour: "--line-needs", of: (h) => h.needs, now: (v) => v.needs },
  { key: "working_set", label: "working set", colour: "--line-ws", of: (h) => h.working_set, now: (v) => v.working_set },
  { key: "saved", label: "saved", colour: "--line-saved", of: (h) => h.saved, now: (v) => v.saved },
];

/* What is idle for an hour is idle for a minute, too: each lies in the one before. */
export const IDLE_LINES: Line[] = [
  { key: "idle_10", label: "10 s", colour: "--idle-1", fill: true, of: (h) => h.idle_10, now: idleNow(10) },
  { key: "idle_60", label: "1 m", colour: "--idle-2", fill: true, of: (h) => h.idle_60, now: idleNow(60) },
  { key: "idle_600", label: "10 m", colour: "--idle-3", fill: true, of: (h) => h.idle_600, now: idleNow(600) },
  { key: "idle_3600", label: "1 h", colour: "--idle-4", fill: true, of: (h) => h.idle_3600, now: idleNow(3600) },
];

const HEIGHT = 190;
const AXIS = 68;

function axes(): uPlot.Axis[] {
  const grid = { stroke: themeValue("--grid"), width: 1 };
  const base = { stroke: themeValue("--muted"), font: themeValue("--plot-font"), grid, ticks: { ...grid, size: 4 } };
  return [
    {
      ...base,
      size: 28,
      splits: (u, _i, from, to) => timeTicks(from, to, Math.max(2, u.width / 100)),
      values: (_u, at) => tickTexts(at),
    },
    {
      ...base,
      size: AXIS,
      splits: (_u, _i, _from, to) => sizeTicks(to),
      values: (_u, at) => at.map((b) => format.size(b)),
    },
  ];
}

/** Round sizes up to @most. */
export function sizeTicks(most: number): number[] {
  const step = 2 ** Math.ceil(Math.log2(Math.max(most, 4096) / 5));
  const out: number[] = [];
  for (let v = 0; v <= most; v += step) {
    out.push(v);
  }
  return out;
}

/** One chart with its legend, which shows the values under the cursor. */
export class Chart {
  private plot: uPlot | null = null;
  private data: uPlot.AlignedData;
  private readonly box = el("div", { class: "chart-box" });
  private readonly values = new Map<string, HTMLElement>();
  private readonly when = el("span", { class: "muted" }, "now");
  private readonly empty = el("p", { class: "chart-empty muted" }, "No history yet.");
  readonly element: HTMLElement;
  private latest: VmDetails | null = null;
  private readonly resize: ResizeObserver;
  private range: { from: number; to: number } = { from: 0, to: 1 };

  constructor(
    title: string,
    private readonly lines: Line[],
    private readonly hint: string,
  ) {
    this.data = [[], ...lines.map(() => [])];
    const legend = el("ul", { class: "legend" });
    for (const l of lines) {
      const value = el("b", { "data-value": l.key }, "–");
      this.values.set(l.key, value);
      legend.append(el("li", {}, el("i", { class: `key key-${l.colour.slice(2)}` }), `${l.label} `, value));
    }
    this.box.setAttribute("role", "img");
    this.element = el(
      "section",
      { class: "card chart" },
      el("div", { class: "card-head" }, el("h2", { title: hint }, title), this.when),
      legend,
      this.box,
      this.empty,
    );
    this.resize = new ResizeObserver(() => this.resized());
    this.resize.observe(this.box);
  }

  close(): void {
    this.resize.disconnect();
    this.plot?.destroy();
  }

  /** Colours changed. */
  restyle(): void {
    this.plot?.destroy();
    this.plot = null;
    this.resized();
  }

  set(h: History): void {
    this.data = [h.times, ...this.lines.map((l) => l.of(h))];
    this.empty.hidden = this.lines.some((l) => l.of(h).some((v) => v !== null));
    this.plot?.setData(this.data, false);
    this.scale();
  }

  /** The newest values, at @time. */
  push(time: number, vm: VmDetails): void {
    this.latest = vm;
    const times = this.data[0] as number[];
    if (times.length > 0 && time > times[times.length - 1]!) {
      times.push(time);
      this.lines.forEach((l, i) => (this.data[i + 1] as Series).push(l.now(vm)));
      this.empty.hidden = true;
      this.plot?.setData(this.data, false);
    }
    this.legend();
  }

  show(from: number, to: number): void {
    this.range = { from, to };
    this.scale();
  }

  private scale(): void {
    this.plot?.batch(() => {
      this.plot?.setScale("x", { min: this.range.from, max: this.range.to });
    });
  }

  private resized(): void {
    const width = this.box.clientWidth;
    if (width < 50) {
      return;
    }
    if (this.plot) {
      this.plot.setSize({ width, height: HEIGHT });
    } else {
      this.plot = new uPlot(this.options(width), this.data, this.box);
      this.scale();
    }
  }

  private options(width: number): uPlot.Options {
    return {
      width,
      height: HEIGHT,
      legend: { show: false },
      cursor: { sync: { key: "vm" }, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: true, auto: false, range: () => [this.range.from, this.range.to] },
        y: { range: (_u, _min, max) => [0, Math.max(max || 0, 4096) * 1.08] },
      },
      axes: axes(),
      series: [{}, ...this.lines.map((l) => seriesOf(l))],
      hooks: { setCursor: [() => this.legend()] },
    };
  }

  /** Values at the cursor, or the newest. */
  private legend(): void {
    const i = this.plot?.cursor.idx;
    const time = typeof i === "number" ? this.data[0][i] : undefined;
    const at = typeof i === "number" && time !== undefined ? i : null;
    setText(this.when, at === null ? "now" : format.clock(time!));
    const texts = this.lines.map((l, n) => {
      const v = at === null ? (this.latest && l.now(this.latest)) : this.data[n + 1]?.[at];
      const text = typeof v === "number" ? format.size(v) : "–";
      const cell = this.values.get(l.key);
      cell && setText(cell, text);
      return `${l.label} ${text}`;
    });
    if (at === null) {
      this.box.setAttribute("aria-label", `${this.hint}: now ${texts.join(", ")}`);
    }
  }
}

function seriesOf(l: Line): uPlot.Series {
  const stroke = themeValue(l.colour);
  return {
    label: l.label,
    stroke,
    width: l.fill ? 1 : 1.75,
    points: { show: false },
    ...(l.fill ? { fill: stroke } : {}),
  };
}

const SETTLE_MS = 200;
const FOLLOW_MS = 100;
const COLUMNS = 600;
const MOST_PUSHED = 300;

/** All charts of a virtual machine, and their history. */
export class Charts {
  readonly use = new Chart("Needs, has, saved", USE_LINES, "memory needed, had and saved");
  readonly idle = new Chart("Idle for at least", IDLE_LINES, "memory idle for at least");
  private readonly all = [this.use, this.idle];
  private readonly undo = onThemeChange(() => this.all.forEach((c) => c.restyle()));
  private timer: ReturnType<typeof setTimeout> | undefined;
  private following: ReturnType<typeof setTimeout> | undefined;
  private request: AbortController | null = null;
  private range = { from: 0, to: 0 };
  private have = { from: 0, to: 0, step: Infinity };
  private pushed = 0;
  private last = 0;

  constructor(
    private readonly app: App,
    private readonly id: string,
  ) {}

  close(): void {
    clearTimeout(this.timer);
    clearTimeout(this.following);
    this.request?.abort();
    this.undo();
    this.all.forEach((c) => c.close());
  }

  show(from: number, to: number): void {
    this.range = { from, to };
    this.following ??= setTimeout(() => this.follow(), FOLLOW_MS);
    if (this.lacks()) {
      this.timer ??= setTimeout(() => void this.load(), SETTLE_MS);
    }
  }

  /** Show the range; not in each frame, so that panning stays smooth. */
  private follow(): void {
    this.following = undefined;
    this.all.forEach((c) => c.show(this.range.from, this.range.to));
  }

  push(time: number, vm: VmDetails): void {
    /* Something was missed, as while the page was hidden: ask for it. */
    const late = time - this.last > 3 * this.app.host.interval + 2;
    this.pushed = late ? MOST_PUSHED : this.pushed + 1;
    this.last = time;
    this.all.forEach((c) => c.push(time, vm));
  }

  /** What is at hand ends too early, or is too coarse or too long. */
  private lacks(): boolean {
    const { from, to } = this.range;
    const wanted = (to - from) / COLUMNS;
    const end = Math.min(to, this.app.clock.now() - 5 * this.app.host.interval);
    const live = this.have.to >= end || (this.pushed > 0 && this.pushed < MOST_PUSHED);
    return (
      from < this.have.from || !live ||
      this.have.step > Math.max(1.9 * wanted, this.app.host.interval) || this.have.step < wanted / 4
    );
  }

  private async load(): Promise<void> {
    this.timer = undefined;
    this.request?.abort();
    const c = new AbortController();
    this.request = c;
    const margin = (this.range.to - this.range.from) / 3;
    const now = this.app.clock.now();
    const from = this.range.from - margin;
    const to = Math.min(this.range.to + margin, now);
    try {
      const columns = Math.min(COLUMNS * 1.5, Math.max(2, Math.ceil((to - from) / this.app.host.interval)));
      const h = await api.history(this.id, from, to, columns, c.signal);
      this.have = { from: h.from, to: h.to, step: h.step };
      this.pushed = h.to >= now - 2 * this.app.host.interval ? 1 : 0;
      this.all.forEach((x) => x.set(h));
    } catch {
      /* asked again when the range changes, which it does while live */
    }
  }
}
