// SPDX-License-Identifier: GPL-2.0-or-later
// The heatmap of a virtual machine: guest memory by time.
//
// It has a viewport; input changes it, each change is drawn with what is at hand
// in the next frame, and once it stands still missing tiles are asked for.

import { api } from "../api";
import type { App } from "../app";
import { button, el, fill, themeValue } from "../dom";
import * as format from "../format";
import { onThemeChange } from "../theme";
import type { ColumnEvent, Range, RegionAt } from "../types";
import { Axis, packedAt, yOf, type Piece } from "./axis";
import { levelOf, tilesOf, type Grid } from "./grid";
import { Input, type Gestures, type Point } from "./input";
import { legend } from "./legend";
import { LiveColumns } from "./live";
import type { Mode } from "./palette";
import { Inks } from "./raster";
import { Readout, type Spot } from "./readout";
import { draw, drawCross, piecesOf, plotOf, type Colours, type Plot } from "./renderer";
import { cellOf, TileStore } from "./tiles";
import { clampView, pan, zoom, type Limits, type Viewport } from "./viewport";

const SETTLE_MS = 140;
const LEAST_COLUMNS = 20;
const RANGES: [string, number][] = [
  ["5 m", 300],
  ["15 m", 900],
  ["1 h", 3600],
  ["6 h", 21600],
  ["24 h", 86400],
];

function colours(): Colours {
  return {
    unknown: themeValue("--heat-unknown"),
    text: themeValue("--muted"),
    seam: themeValue("--muted"),
    font: themeValue("--plot-font"),
  };
}

export class Heatmap implements Gestures {
  readonly element: HTMLElement;
  private readonly axis: Axis;
  private readonly grid: Grid;
  private readonly tiles: TileStore;
  private readonly live: LiveColumns;
  private readonly inks = new Inks();
  private readonly map = el("canvas", { class: "heat-map" });
  private readonly cross = el("canvas", { class: "heat-cross", "aria-hidden": "true" });
  private readonly surface = el(
    "div",
    {
      class: "heat-surface",
      tabindex: 0,
      role: "application",
      "aria-roledescription": "heatmap",
      "aria-label":
        "Guest memory by time. Arrow keys look at memory, with Shift they move the picture; plus and minus zoom time, Page Up and Page Down zoom memory, 0 shows all.",
    },
    this.map,
    this.cross,
  );
  private readonly legendBox = el("div");
  private readonly readout: Readout;
  private readonly undo: (() => void)[] = [];
  private view: Viewport;
  private mode: Mode = "rate";
  private following = true;
  private colours = colours();
  private plot: Plot = plotOf(800, 400);
  private spot: { time: number; at: number } | null = null;
  private band: { start: number; end: number } | null = null;
  private byKeys = false;
  private frame = 0;
  private settle: ReturnType<typeof setTimeout> | undefined;
  private readonly rangeButtons: HTMLButtonElement[] = [];
  private readonly liveButton: HTMLButtonElement;
  /** Frames drawn so far; tests measure with it. */
  frames = 0;

  constructor(
    private readonly app: App,
    id: string,
    ranges: Range[],
    seconds: number,
    private readonly onView: (from: number, to: number, following: boolean) => void,
  ) {
    this.axis = Axis.ofRanges(ranges);
    this.grid = { interval: app.host.interval, length: this.axis.length };
    this.live = new LiveColumns(this.axis, app.host.interval, this.inks);
    this.tiles = new TileStore(
      this.axis,
      this.grid,
      (q, signal) => api.heatmap(id, q, signal),
      () => app.clock.now(),
      () => this.changed(),
    );
    this.readout = new Readout(id, (r, spot) => this.region(r, spot));
    const to = app.clock.now();
    this.view = clampView({ from: to - seconds, to, start: 0, end: this.axis.length }, this.limits());
    this.liveButton = button("Live", () => this.newest(), { title: "follow what happens now (End)" });
    this.element = this.build();
    this.listen();
  }

  /** Whether another heatmap is needed for these ranges. */
  fits(ranges: Range[]): boolean {
    return this.axis.same(Axis.ofRanges(ranges));
  }

  close(): void {
    cancelAnimationFrame(this.frame);
    clearTimeout(this.settle);
    this.tiles.close();
    this.readout.close();
    this.undo.forEach((f) => f());
  }

  private build(): HTMLElement {
    const mode = el(
      "select",
      { "aria-label": "Colours show" },
      el("option", { value: "rate" }, "access rate"),
      el("option", { value: "idle" }, "idle time"),
    );
    mode.addEventListener("change", () => this.setMode(mode.value as Mode));
    this.setMode("rate");
    return el(
      "section",
      { class: "card heat", "aria-labelledby": "heat-title" },
      el(
        "div",
        { class: "card-head" },
        el("h2", { id: "heat-title" }, "Memory by time"),
        mode,
        this.rangeGroup(),
        this.zoomGroup(),
      ),
      this.surface,
      el("div", { class: "heat-foot" }, this.legendBox, el("p", { class: "hint muted wide-only" },
        "drag to move · click, then the wheel zooms time, Shift+wheel memory · arrows look · + − PgUp PgDn zoom")),
      this.readout.element,
    );
  }

  private rangeGroup(): HTMLElement {
    const longest = Math.max(this.app.host.history.seconds, 300);
    for (const [label, seconds] of RANGES.filter(([, s]) => s <= longest)) {
      const b = button(label, () => this.lastSeconds(seconds), { "data-seconds": seconds });
      this.rangeButtons.push(b);
    }
    return el("div", { class: "group", role: "group", "aria-label": "Time shown" }, ...this.rangeButtons, this.liveButton);
  }

  private zoomGroup(): HTMLElement {
    return el(
      "div",
      { class: "group", role: "group", "aria-label": "Zoom" },
      button("−", () => this.zoom(null, 1.6, 1.6), { "aria-label": "Zoom out", title: "zoom out" }),
      button("+", () => this.zoom(null, 0.6, 0.6), { "aria-label": "Zoom in", title: "zoom in" }),
      button("All", () => this.reset(), { title: "all memory, the newest hour (0)" }),
    );
  }

  private listen(): void {
    new Input(this.surface, this);
    this.surface.addEventListener("keydown", () => (this.byKeys = true));
    this.surface.addEventListener("pointermove", () => (this.byKeys = false));
    this.surface.addEventListener("focus", () => this.focused());
    const resize = new ResizeObserver(() => this.resized());
    resize.observe(this.surface);
    this.undo.push(
      () => resize.disconnect(),
      onThemeChange(() => {
        this.colours = colours();
        this.redraw();
      }),
    );
  }

  private limits(): Limits {
    const now = this.app.clock.now();
    return {
      from: now - Math.max(this.app.host.history.seconds, 300),
      to: now,
      leastSeconds: LEAST_COLUMNS * this.grid.interval,
      length: this.axis.length,
      leastBytes: Math.min(this.axis.length, 64 * 4096),
    };
  }

  /** Time passes: follow it, or let the limits move. */
  tick(): void {
    const now = this.app.clock.now();
    if (this.following) {
      const seconds = this.view.to - this.view.from;
      this.use({ ...this.view, from: now - seconds, to: now }, true);
    }
  }

  column(c: ColumnEvent): void {
    this.live.push(c);
    this.tick();
    this.redraw();
  }

  private use(view: Viewport, following: boolean): void {
    this.view = clampView(view, this.limits());
    this.following = following;
    this.onView(this.view.from, this.view.to, following);
    this.changed();
  }

  private changed(): void {
    this.redraw();
    this.settle ??= setTimeout(() => {
      this.settle = undefined;
      this.ask();
    }, SETTLE_MS);
  }

  /** Ask for what is seen. */
  private ask(): void {
    this.tiles.want(tilesOf(this.grid, this.view, this.level()));
    this.describe();
  }

  private level(): { k: number; j: number } {
    return levelOf(this.grid, this.view, this.plot.width);
  }

  private describe(): void {
    const s = this.surface;
    s.setAttribute("data-from", this.view.from.toFixed(3));
    s.setAttribute("data-to", this.view.to.toFixed(3));
    s.setAttribute("data-start", String(Math.round(this.view.start)));
    s.setAttribute("data-end", String(Math.round(this.view.end)));
    s.setAttribute("data-settled", String(this.tiles.settled));
    const seconds = Math.round(this.view.to - this.view.from);
    for (const b of this.rangeButtons) {
      const on = Math.abs(Number(b.dataset.seconds) - seconds) <= 1;
      b.setAttribute("aria-pressed", String(on));
    }
    this.liveButton.setAttribute("aria-pressed", String(this.following));
  }

  private redraw(): void {
    if (!this.frame) {
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        this.paint();
      });
    }
  }

  private paint(): void {
    const c = this.map.getContext("2d");
    if (!c || this.map.width === 0) {
      return;
    }
    draw(c, {
      ...this.frameBase(),
      tiles: this.tiles.shown(tilesOf(this.grid, this.view, this.level()), this.view),
      live: this.live,
      mode: this.mode,
      inks: this.inks,
      colours: this.colours,
      ratio: this.ratio(),
    });
    this.paintCross();
    this.describe();
    this.frames++;
    this.surface.setAttribute("data-frames", String(this.frames));
  }

  private frameBase() {
    return { view: this.view, axis: this.axis, plot: this.plot };
  }

  private pieces(): Piece[] {
    return piecesOf(this.frameBase());
  }

  private ratio(): number {
    return window.devicePixelRatio || 1;
  }

  private paintCross(): void {
    const c = this.cross.getContext("2d");
    if (!c) {
      return;
    }
    const pieces = this.pieces();
    const y = this.spot && yOf(pieces, this.spot.at);
    const at = this.spot && y !== null ? { x: this.xOf(this.spot.time), y } : null;
    const seen = at && at.x >= 0 && at.x <= this.plot.width ? at : null;
    drawCross(c, this.plot, this.ratio(), seen, this.bandPixels(pieces));
  }

  private bandPixels(pieces: Piece[]): { top: number; bottom: number } | null {
    if (!this.band) {
      return null;
    }
    const { start, end } = this.band;
    const bottom = yOf(pieces, Math.max(start, this.view.start));
    const top = yOf(pieces, Math.min(end - 1, this.view.end));
    return bottom !== null && top !== null ? { top, bottom } : null;
  }

  private xOf(time: number): number {
    return ((time - this.view.from) / (this.view.to - this.view.from)) * this.plot.width;
  }

  private resized(): void {
    const width = this.surface.clientWidth;
    const height = this.surface.clientHeight;
    for (const canvas of [this.map, this.cross]) {
      canvas.width = Math.round(width * this.ratio());
      canvas.height = Math.round(height * this.ratio());
    }
    this.plot = plotOf(width, height);
    if (this.frame) {
      cancelAnimationFrame(this.frame);
      this.frame = 0;
    }
    this.paint(); /* at once: setting the size has cleared it */
    this.changed();
  }

  private setMode(mode: Mode): void {
    this.mode = mode;
    fill(this.legendBox, legend(mode));
    this.redraw();
  }

  private lastSeconds(seconds: number): void {
    const to = this.app.clock.now();
    this.use({ ...this.view, from: to - seconds, to }, true);
  }

  /* What input means. */

  pan(dx: number, dy: number): void {
    const moved = pan(this.view, -dx / this.plot.width, dy / this.plot.height);
    const atEnd = clampView(moved, this.limits()).to >= this.app.clock.now() - this.grid.interval;
    this.use(moved, atEnd && (this.following || dx < 0));
  }

  zoom(at: Point | null, time: number, memory: number): void {
    const about = at ? this.at(at) : this.middle();
    /* Who follows wants to see the newest afterwards, too. */
    const pivot = this.following && !at ? this.view.to : about.time;
    this.use(zoom(this.view, pivot, about.at, time, memory), this.following && pivot === this.view.to);
  }

  private middle(): { time: number; at: number } {
    const { from, to, start, end } = this.view;
    return this.spot ?? { time: (from + to) / 2, at: (start + end) / 2 };
  }

  private at(p: Point): { time: number; at: number } {
    const part = Math.min(Math.max((p.x - this.plot.left) / this.plot.width, 0), 1);
    const { from, to } = this.view;
    return {
      time: from + part * (to - from),
      at: packedAt(this.pieces(), p.y - this.plot.top),
    };
  }

  look(p: Point | null): void {
    const inside =
      p && p.x >= this.plot.left && p.x <= this.plot.left + this.plot.width &&
      p.y >= this.plot.top && p.y <= this.plot.top + this.plot.height;
    this.spotAt(inside ? this.at(p) : null);
  }

  step(right: number, up: number): void {
    if (!this.spot) {
      this.spotAt(this.middle());
      return;
    }
    const { from, to, start, end } = this.view;
    const dt = Math.max((to - from) / 120, this.grid.interval);
    const next = {
      time: this.spot.time + right * dt,
      at: Math.min(Math.max(this.spot.at + (up * (end - start)) / 80, 0), this.axis.length - 1),
    };
    this.bringInto(next);
    this.spotAt({ ...next, time: Math.min(Math.max(next.time, this.view.from), this.view.to) });
  }

  /** Move the view when what is looked at has left it. */
  private bringInto(s: { time: number; at: number }): void {
    const { from, to, start, end } = this.view;
    const dt = Math.min(s.time - from, 0) + Math.max(s.time - to, 0);
    const da = Math.min(s.at - start, 0) + Math.max(s.at - end, 0);
    if (dt || da) {
      this.use(
        { from: from + dt, to: to + dt, start: start + da, end: end + da },
        this.following && dt >= 0,
      );
    }
  }

  oldest(): void {
    const seconds = this.view.to - this.view.from;
    const { from } = this.limits();
    this.use({ ...this.view, from, to: from + seconds }, false);
  }

  newest(): void {
    this.lastSeconds(this.view.to - this.view.from);
  }

  reset(): void {
    const to = this.app.clock.now();
    const seconds = Math.min(3600, Math.max(this.app.host.history.seconds, 300));
    this.use({ from: to - seconds, to, start: 0, end: this.axis.length }, true);
  }

  private focused(): void {
    if (!this.spot && this.surface.matches(":focus-visible")) {
      this.spotAt(this.middle());
    }
  }

  private spotAt(spot: { time: number; at: number } | null): void {
    this.spot = spot;
    this.band = null;
    this.readout.show(spot && this.spotOf(spot));
    this.redraw();
  }

  private spotOf(s: { time: number; at: number }): Spot {
    const tiles = this.tiles.at({ from: s.time, to: s.time, start: s.at, end: s.at + 1 });
    const tile = tiles[tiles.length - 1];
    /* Between two snapshots nothing is known yet of the time since the last. */
    const time = Math.min(s.time, this.live.newest || this.app.clock.now());
    const base = { time, address: this.axis.toAddress(s.at), rate: null, idle: null };
    const cell = tile && cellOf(tile, s);
    return cell ? { ...base, ...cell, unknown: cell.rate === null } : base;
  }

  private region(r: RegionAt | null, spot: Spot): void {
    this.band = r && { start: this.axis.toPacked(r.start), end: this.axis.toPacked(r.end) };
    this.redraw();
    if (this.byKeys) {
      this.app.announce(
        r
          ? `${format.clock(spot.time)}, ${format.address(r.start)}, ${format.size(r.end - r.start)}, ${format.rate(r.rate)}, idle for ${format.duration(r.idle_seconds)}`
          : `${format.clock(spot.time)}, ${format.address(spot.address)}, not known`,
      );
    }
  }
}
