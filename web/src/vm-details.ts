// SPDX-License-Identifier: GPL-2.0-or-later
// What is seldom looked at: how it is watched, the memory map, attributes.

import { el, fill } from "./dom";
import * as format from "./format";
import type { Primitive, Range, Reserved, VmDetails } from "./types";

function table(label: string, heads: string[], rows: (Node | string)[][]): HTMLElement {
  return el(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": label },
    el(
      "table",
      {},
      el("thead", {}, el("tr", {}, ...heads.map((h) => el("th", { scope: "col" }, h)))),
      el("tbody", {}, ...rows.map((cells) => el("tr", {}, ...cells.map((c) => el("td", {}, c))))),
    ),
  );
}

function rangeRow(r: Range): (Node | string)[] {
  return [
    format.addresses(r.start, r.start + r.size),
    format.size(r.size),
    r.block,
    r.node === undefined ? "–" : String(r.node),
    format.size(r.page_size),
    r.shared ? "shared" : "private",
    r.device ?? "–",
    r.monitored ? "yes" : "no",
    r.reserved ?? "–",
  ];
}

function reservedRow(r: Reserved): (Node | string)[] {
  return [format.addresses(r.start, r.start + r.size), format.size(r.size), r.kind, r.name ?? "–"];
}

function sees(p: Primitive): string {
  const all = [
    p.sees_reads && "reads",
    p.sees_writes && "writes",
    p.sees_dma && "DMA",
  ].filter((x) => x);
  return all.join(", ") || "nothing";
}

function primitiveRow(p: Primitive): (Node | string)[] {
  return [
    el("strong", {}, p.name),
    p.chosen ? "in use" : p.available ? "can run" : "cannot run",
    sees(p),
    [p.summary, p.reason, p.blind_spots && `blind spots: ${p.blind_spots}`].filter((x) => x).join("; "),
  ];
}

function attrText(name: string, v: number): string {
  if (name.endsWith("-interval")) {
    return format.duration(v / 1e6);
  }
  return name === "overhead-budget" ? `${v / 100} % of a vCPU` : format.count(v);
}

function pair(name: string, text: string): HTMLElement {
  return el("div", {}, el("dt", {}, name), el("dd", {}, text));
}

/** A section that can be opened; drawn anew only when something in it changes. */
export class DetailsCard {
  private readonly body = el("div");
  private shown = "";
  readonly element = el(
    "details",
    { class: "card" },
    el("summary", {}, el("h2", {}, "How it is watched")),
    this.body,
  );

  update(vm: VmDetails): void {
    const { ranges, reserved, attrs, primitives, choice, blind_spots, qemu_version, estimator, accelerator } = vm;
    const now = JSON.stringify([ranges, reserved, attrs, primitives, choice, blind_spots, vm.primitive]);
    if (now === this.shown || !ranges || !primitives) {
      return;
    }
    this.shown = now;
    fill(
      this.body,
      el(
        "dl",
        { class: "pairs" },
        pair("Primitive", `${vm.primitive}${vm.write_primitive ? `, writes: ${vm.write_primitive}` : ""}`),
        pair("Why", choice ?? ""),
        pair("Cannot see", blind_spots ?? "–"),
        pair("QEMU", `${qemu_version ?? ""}, ${accelerator ?? ""}, estimator ${estimator ?? ""}`),
        ...Object.entries(attrs ?? {}).map(([k, v]) => pair(k, attrText(k, v))),
      ),
      el("h3", {}, "Guest memory"),
      table(
        "Guest memory",
        ["Addresses", "Size", "RAMBlock", "Node", "Page", "Mapping", "Device", "Watched", "Reserved"],
        ranges.map(rangeRow),
      ),
      el("h3", {}, "Reserved memory, which no scheme acts on"),
      table("Reserved memory", ["Addresses", "Size", "Kind", "Name"], (reserved ?? []).map(reservedRow)),
      el("h3", {}, "Primitives"),
      table("Primitives", ["Name", "State", "Sees", "About"], primitives.map(primitiveRow)),
    );
  }
}
