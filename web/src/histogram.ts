// SPDX-License-Identifier: GPL-2.0-or-later
// How much memory has which rate, and is idle for how long: horizontal bars.

import { el, setText } from "./dom";
import * as format from "./format";
import { ink } from "./heatmap/palette";
import type { Histogram } from "./types";

/** Names of the classes between bounds. */
export function binNames(bounds: number[], print: (v: number) => string): string[] {
  return [
    `< ${print(bounds[0] ?? 0)}`,
    ...bounds.slice(1).map((b, i) => `${print(bounds[i] ?? 0)} .. ${print(b)}`),
    `≥ ${print(bounds[bounds.length - 1] ?? 0)}`,
  ];
}

export class HistogramTable {
  private readonly body = el("tbody");
  private rows: { bar: HTMLElement; value: HTMLElement; share: HTMLElement }[] = [];
  private bounds = "";
  readonly element: HTMLElement;

  constructor(
    title: string,
    what: string,
    private readonly print: (v: number) => string,
    /** Place on the palette of heat. */
    private readonly place: (v: number) => number,
    private readonly reverse = false,
  ) {
    this.element = el(
      "section",
      { class: "card histogram" },
      el("div", { class: "card-head" }, el("h2", {}, title)),
      el(
        "table",
        { "aria-label": title },
        el("thead", { class: "sr-only" }, el("tr", {},
          el("th", { scope: "col" }, what), el("th", { scope: "col" }, "Bar"),
          el("th", { scope: "col" }, "Memory"), el("th", { scope: "col" }, "Share"))),
        this.body,
      ),
    );
  }

  update(h: Histogram): void {
    if (h.bounds.join() !== this.bounds) {
      this.rebuild(h);
    }
    const sum = h.bytes.reduce((a, b) => a + b, 0);
    const most = Math.max(...h.bytes, 1);
    h.bytes.forEach((bytes, i) => {
      const row = this.rows[i];
      if (row) {
        row.bar.style.width = `${((100 * bytes) / most).toFixed(1)}%`;
        setText(row.value, format.size(bytes));
        setText(row.share, format.percent(bytes, sum));
      }
    });
  }

  /** As the heatmap's, but never so dark that it is not seen. */
  private colour(bounds: number[], i: number): string {
    const low = bounds[i - 1] ?? (bounds[0] ?? 1) / 10;
    const at = this.place(low * 3);
    return `rgb(${ink(0.28 + 0.6 * at).join(", ")})`;
  }

  private rebuild(h: Histogram): void {
    this.bounds = h.bounds.join();
    const lines = binNames(h.bounds, this.print).map((name, i) => {
      const bar = el("span", { class: "hist-bar" });
      bar.style.backgroundColor = this.colour(h.bounds, i);
      const value = el("td", { class: "num" });
      const share = el("td", { class: "num muted" });
      const line = el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: "hist-cell" }, bar), value, share);
      return { bar, value, share, line };
    });
    this.rows = lines;
    const shown = lines.map((l) => l.line);
    this.body.replaceChildren(...(this.reverse ? shown.reverse() : shown));
  }
}
