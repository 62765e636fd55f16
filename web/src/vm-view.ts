// SPDX-License-Identifier: GPL-2.0-or-later
// One virtual machine: figures, heatmap, charts, schemes, details.

import { api, ApiError, vmPath } from "./api";
import { silenceOf, type App, type View } from "./app";
import { Charts } from "./charts";
import { Control } from "./control";
import { button, el, fill, setText } from "./dom";
import { EventLog } from "./event-log";
import { Figures } from "./figures";
import * as format from "./format";
import { Heatmap } from "./heatmap/heatmap";
import { LIVE_ROWS } from "./heatmap/live";
import { idlePlace, ratePlace } from "./heatmap/palette";
import { HistogramTable } from "./histogram";
import { listHash } from "./router";
import { confirmPause } from "./scheme-form";
import { SchemeTable } from "./schemes";
import { hasFigures } from "./sort";
import { adviceOf, stateBadge } from "./state";
import { Stream } from "./stream";
import type { ColumnEvent, QmpEvent, Span, VmDetails } from "./types";
import { ClassBar, MemoryBar } from "./vm-bar";
import { DetailsCard } from "./vm-details";

const HOUR = 3600;
const QUARTER = 900;

export class VmView implements View {
  title = "vmheat";
  readonly element = el("div", { class: "vm" });
  private readonly name = el("h1", { tabindex: -1 }, "…");
  private readonly badges = el("span", { class: "badges" });
  private readonly advice = el("p", { class: "state", hidden: true });
  private readonly figures = new Figures([
    { key: "needs", label: "Needs", hint: "accessed in the last minute" },
    { key: "has", label: "Has", hint: "in the host's memory now" },
    { key: "saved", label: "Saved", hint: "paged out, discarded or held by the balloon" },
    { key: "working_set", label: "Working set", hint: "accessed in the last aggregation interval" },
    { key: "size", label: "Size", hint: "its memory" },
    { key: "paged_out", label: "Paged out", hint: "by schemes, and not come back" },
    { key: "huge", label: "Huge pages", hint: "of its memory in the host" },
    { key: "rate", label: "Accesses", hint: "a second, of all pages together" },
    { key: "cost", label: "Cost", hint: "CPU time that monitoring takes, of one CPU" },
    { key: "confidence", label: "Confidence", hint: "part of memory whose class is sure to 90 %" },
  ]);
  private readonly bar = new MemoryBar();
  private readonly classes = new ClassBar();
  private readonly mapBox = el("div", { class: "map-box" });
  private readonly charts: Charts;
  private readonly rates = new HistogramTable("Memory by rate", "Rate", format.roundRate, ratePlace, true);
  private readonly ages = new HistogramTable("Memory by idle time", "Idle for", format.duration, idlePlace);
  private readonly details = new DetailsCard();
  private readonly log = new EventLog();
  private readonly schemes: SchemeTable;
  private readonly control: Control | null;
  private readonly controls = el("span", { class: "controls" });
  private readonly body: HTMLElement;
  private heatmap: Heatmap | null = null;
  private spans: Span[] | undefined;
  private fresh = false;
  private stream: Stream | null = null;
  private vm: VmDetails | null = null;
  private seconds = QUARTER;
  private closed = false;
  private badgeText = "";
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly app: App,
    private readonly id: string,
  ) {
    this.control = app.host.control ? new Control(id) : null;
    this.control?.onChange(() => this.renderControls());
    this.charts = new Charts(app, id);
    this.schemes = new SchemeTable(this.control, (text) => app.announce(text));
    this.body = el("div", { class: "vm-body", hidden: true },
      el("div", { class: "card overview" }, this.figures.element, this.bar.element, this.classes.element),
      this.mapBox,
      el("div", { class: "two" }, this.charts.use.element, this.charts.idle.element),
      el("div", { class: "two" }, this.rates.element, this.ages.element),
      this.schemes.element,
      this.log.element,
      this.details.element,
    );
    this.element.append(
      el("nav", { "aria-label": "Breadcrumb" }, el("a", { href: listHash, class: "back" }, "← Virtual machines")),
      el("div", { class: "vm-head" }, this.name, this.badges, el("span", { class: "grow" }), this.controls),
      this.advice,
      this.body,
    );
    this.setAdvice("Loading …");
    void this.start();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
    this.stream?.close();
    this.heatmap?.close();
    this.charts.close();
  }

  private setAdvice(text: string): void {
    this.advice.hidden = text === "";
    setText(this.advice, text);
  }

  private async start(): Promise<void> {
    try {
      const [vm, seconds] = await Promise.all([api.vm(this.id), this.secondsKnown()]);
      if (!this.closed) {
        this.seconds = seconds;
        this.update(vm);
        this.listen();
      }
    } catch (e) {
      if (!this.closed) {
        this.failed(e);
      }
    }
  }

  private failed(e: unknown): void {
    if (e instanceof ApiError && e.status === 404) {
      setText(this.name, "Unknown virtual machine");
      this.setAdvice(`The exporter knows no virtual machine with the id “${this.id}”. It may have ended.`);
      return;
    }
    this.app.setLive(false);
    this.retry = setTimeout(() => void this.start(), 1500);
  }

  /** An hour when there is that much history, else what is easier to read. */
  private async secondsKnown(): Promise<number> {
    const now = this.app.clock.now();
    const h = await api.history(this.id, now - HOUR, now, 60).catch(() => null);
    const first = h?.needs.findIndex((v) => v !== null) ?? -1;
    return first >= 0 && first < 45 ? HOUR : QUARTER;
  }

  private listen(): void {
    this.stream = new Stream({
      path: vmPath(this.id, "events"),
      rows: LIVE_ROWS,
      handlers: {
        vm: (d) => this.update(d as VmDetails),
        column: (d) => this.column(d as ColumnEvent),
        qmp: (d) => this.log.push(d as QmpEvent),
      },
      silence: () => silenceOf(this.app.host),
      onLive: (live) => this.app.setLive(live),
    });
  }

  private column(c: ColumnEvent): void {
    this.app.clock.set(c.time);
    this.spans = c.spans ?? this.spans;
    /* They are told once; a heatmap may be younger than that. */
    this.heatmap?.column(this.fresh ? { ...c, spans: this.spans } : c);
    this.fresh &&= !this.heatmap;
  }

  private update(vm: VmDetails): void {
    this.vm = vm;
    this.title = `${vm.domain} – vmheat`;
    document.title = this.title;
    setText(this.name, vm.domain);
    this.renderBadges(vm);
    this.renderControls();
    const known = hasFigures(vm) && vm.ranges !== undefined;
    this.body.hidden = !known;
    this.setAdvice(known ? "" : adviceOf(vm) || "No snapshot yet: the first comes after an aggregation interval.");
    if (known) {
      this.renderFigures(vm);
      this.renderMap(vm);
      this.charts.push(vm.asked ?? this.app.clock.now(), vm);
      this.renderTables(vm);
    }
    this.element.setAttribute("data-snapshot", String(vm.snapshot));
  }

  private renderBadges(vm: VmDetails): void {
    const text = [vm.state, vm.reason, vm.throttled].join();
    if (text !== this.badgeText) {
      this.badgeText = text;
      fill(this.badges, ...stateBadge(vm));
    }
  }

  private renderFigures(vm: VmDetails): void {
    const f = this.figures;
    const optional = (v: number | null, print: (v: number) => string) => (v === null ? "–" : print(v));
    f.set("needs", format.size(vm.needs), format.percent(vm.needs, vm.size));
    f.set("has", format.size(vm.has), format.percent(vm.has, vm.size));
    f.set("saved", format.size(vm.saved), format.percent(vm.saved, vm.size));
    f.set("working_set", format.size(vm.working_set), format.percent(vm.working_set, vm.size));
    f.set("size", format.size(vm.size), vm.balloon ? `balloon ${format.size(vm.balloon.actual)}` : "");
    f.set("paged_out", format.size(vm.paged_out), vm.compressed === null ? "" : `in ${format.size(vm.compressed)}`);
    f.set("huge", optional(vm.huge, format.size));
    f.set("rate", optional(vm.rate, format.manyRate), vm.write_rate === null ? "" : `${format.manyRate(vm.write_rate)} writes`);
    f.set("cost", optional(vm.cost, (v) => format.percent(v, 1)));
    f.set("confidence", optional(vm.confidence, (v) => format.percent(v, 1)));
    this.bar.update(vm);
    this.classes.update(vm.classes);
  }

  private renderTables(vm: VmDetails): void {
    this.schemes.update(vm);
    vm.rate_histogram && this.rates.update(vm.rate_histogram);
    vm.idle_histogram && this.ages.update(vm.idle_histogram);
    this.details.update(vm);
  }

  /** A heatmap for this memory; another when memory is plugged. */
  private renderMap(vm: VmDetails): void {
    if (!vm.ranges || (this.heatmap && this.heatmap.fits(vm.ranges))) {
      this.heatmap?.tick();
      return;
    }
    this.heatmap?.close();
    this.heatmap = new Heatmap(this.app, this.id, vm.ranges, this.seconds, (from, to) =>
      this.charts.show(from, to));
    this.fresh = true;
    fill(this.mapBox, this.heatmap.element);
    this.heatmap.tick();
  }

  private renderControls(): void {
    const { control, vm } = this;
    const state = control ? `${control.unlocked}/${vm?.state}` : "";
    if (!control || !vm || this.controls.dataset.state === state) {
      return;
    }
    this.controls.dataset.state = state;
    if (!control.unlocked) {
      fill(this.controls, button("Unlock control …", () => void this.unlock(control), { id: "unlock" }));
      return;
    }
    const canPause = vm.state === "running" || vm.state === "suspended" || vm.state === "paused";
    fill(
      this.controls,
      canPause && button(vm.state === "paused" ? "Resume …" : "Pause …", () => void this.pause(), { id: "pause" }),
      button("Lock", () => control.lock(), { class: "quiet", title: "forget the token" }),
    );
  }

  private async unlock(control: Control): Promise<void> {
    await control.unlock();
    this.refocus();
  }

  /** The button that asked may be gone by now; its successor gets the focus. */
  private refocus(): void {
    this.controls.querySelector("button")?.focus();
  }

  private async pause(): Promise<void> {
    if (this.vm && this.control && (await confirmPause(this.vm, this.control))) {
      this.app.announce("done");
    }
    this.refocus();
  }
}
