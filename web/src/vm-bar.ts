// SPDX-License-Identifier: GPL-2.0-or-later
// Bars of memory: what a machine has, needs of it, and what was saved.

import { el, setText } from "./dom";
import * as format from "./format";
import type { Classes, Vm } from "./types";

function share(part: number, whole: number): string {
  const v = whole > 0 ? (100 * part) / whole : 0;
  return `${Math.min(Math.max(v, 0), 100).toFixed(2)}%`;
}

/** What the bar shows, in words. */
export function barText(vm: Vm): string {
  return (
    `needs ${format.size(vm.needs)}, has ${format.size(vm.has)}, ` +
    `saved ${format.size(vm.saved)} of ${format.size(vm.size)}`
  );
}

/** From the left what it needs within what it has, from the right the saved. */
export class MemoryBar {
  private readonly has = el("span", { class: "bar-has" });
  private readonly needs = el("span", { class: "bar-needs" });
  private readonly saved = el("span", { class: "bar-saved" });
  readonly element = el(
    "span",
    { class: "bar", role: "img" },
    this.has,
    this.needs,
    this.saved,
  );

  update(vm: Vm): void {
    this.has.style.width = share(vm.has, vm.size);
    this.needs.style.width = share(vm.needs, vm.size);
    this.saved.style.width = share(vm.saved, vm.size);
    this.element.setAttribute("aria-label", barText(vm));
    this.element.title = barText(vm);
  }
}

const CLASS_NAMES: { key: keyof Classes; label: string; hint: string }[] = [
  { key: "hot", label: "hot", hint: "10 accesses a second and page, or more" },
  { key: "warm", label: "warm", hint: "0.1 to 10 a second" },
  { key: "cold", label: "cold", hint: "less, but accessed in the last minute" },
  { key: "idle", label: "idle", hint: "not accessed for a minute or longer" },
  { key: "never", label: "never", hint: "no access ever seen" },
];

/** How much memory is how hot, as a bar with a legend. */
export class ClassBar {
  private readonly bar = el("div", { class: "classbar", "aria-hidden": "true" });
  private readonly list = el("ul", { class: "legend" });
  private readonly parts = CLASS_NAMES.map(({ key, label, hint }) => {
    const part = el("span", { class: `class-${key}` });
    const value = el("b", { "data-value": `class-${key}` });
    this.bar.append(part);
    this.list.append(
      el("li", { title: hint }, el("i", { class: `key class-${key}` }), `${label} `, value),
    );
    return { key, part, value };
  });
  readonly element = el("div", { class: "classes" }, this.bar, this.list);

  update(classes: Classes): void {
    const sum = Object.values(classes).reduce((a, b) => a + b, 0);
    for (const { key, part, value } of this.parts) {
      part.style.width = share(classes[key], sum);
      setText(value, format.size(classes[key]));
    }
  }
}
