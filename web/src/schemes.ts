// SPDX-License-Identifier: GPL-2.0-or-later
// Table of schemes: what they do, how much they did, why they do not.

import type { Control } from "./control";
import { button, el, setText } from "./dom";
import * as format from "./format";
import { addScheme, confirmRemove, tuneScheme } from "./scheme-form";
import { patternText, quotaText } from "./scheme-text";
import type { SchemeInfo, VmDetails } from "./types";

const COLUMNS: [string, string, (s: SchemeInfo) => string][] = [
  ["Tried", "sz-tried", (s) => format.size(s.stats["sz-tried"])],
  ["Applied", "sz-applied", (s) => format.size(s.stats["sz-applied"])],
  ["Refaulted", "refaulted", (s) => format.size(s.stats.refaulted)],
  ["Quota used up", "qt-exceeds", (s) => format.count(s.stats["qt-exceeds"])],
  ["Errors", "errors", (s) => format.count(s.stats.errors)],
  ["Time", "time", (s) => format.duration(s.stats.time / 1e9)],
];

class Row {
  private readonly text = el("td", { role: "cell", class: "cell-pattern", "data-label": "For" });
  private readonly quota = el("td", { role: "cell", "data-label": "Quota" });
  private readonly badge = el("span", { class: "badge" });
  private readonly reason = el("span", { class: "reason" });
  private readonly cells = COLUMNS.map(([label, key, print]) => ({
    print,
    cell: el("td", { role: "cell", class: "num", "data-label": label, "data-value": key }),
  }));
  private readonly buttons = el("td", { role: "cell", class: "cell-buttons" });
  readonly element: HTMLTableRowElement;

  constructor(info: SchemeInfo, actions: HTMLElement[]) {
    const { name, action } = info.scheme;
    this.buttons.append(...actions);
    this.element = el(
      "tr",
      { role: "row", "data-scheme": name },
      el("th", { scope: "row", role: "rowheader", class: "cell-name" }, name ?? action, el("small", { class: "muted" }, action)),
      this.text,
      this.quota,
      el("td", { role: "cell", class: "cell-state" }, this.badge, this.reason),
      ...this.cells.map((c) => c.cell),
      this.buttons,
    );
  }

  update(info: SchemeInfo, controls: boolean): void {
    setText(this.text, patternText(info.scheme));
    setText(this.quota, quotaText(info.scheme));
    this.badge.className = `badge badge-${info.state}`;
    setText(this.badge, info.state);
    const why = [info.reason, info.detail].filter((x) => x).join("; ");
    setText(this.reason, why);
    this.reason.title = why;
    this.cells.forEach(({ cell, print }) => setText(cell, print(info)));
    this.buttons.hidden = !controls;
  }
}

export class SchemeTable {
  private readonly body = el("tbody", { role: "rowgroup" });
  private readonly rows = new Map<string, Row>();
  private readonly add: HTMLButtonElement;
  private readonly empty = el("p", { class: "muted" }, "No schemes: memory is only watched.");
  private readonly buttonHead: HTMLElement;
  private readonly table: HTMLElement;
  readonly element: HTMLElement;
  private vm: VmDetails | null = null;

  constructor(
    private readonly control: Control | null,
    private readonly onChange: (text: string) => void,
  ) {
    this.add = button("Add scheme …", () => void this.openAdd(), { id: "add-scheme", hidden: true });
    const head = (label: string, cls = "") =>
      el("th", { scope: "col", role: "columnheader", class: cls || null }, label);
    this.buttonHead = head("Change");
    this.table = el(
      "table",
      { class: "schemes", role: "table", "aria-label": "Schemes" },
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" },
        head("Scheme"), head("For"), head("Quota"), head("State"),
        ...COLUMNS.map(([label]) => head(label, "num")), this.buttonHead)),
      this.body,
    );
    this.element = el(
      "section",
      { class: "card", "aria-labelledby": "schemes-title" },
      el("div", { class: "card-head" }, el("h2", { id: "schemes-title" }, "Schemes"), this.add),
      this.table,
      this.empty,
    );
    control?.onChange(() => this.vm && this.update(this.vm));
  }

  private get unlocked(): boolean {
    return this.control?.unlocked ?? false;
  }

  update(vm: VmDetails): void {
    this.vm = vm;
    const schemes = vm.schemes ?? [];
    this.add.hidden = !this.unlocked;
    this.buttonHead.hidden = !this.unlocked;
    this.table.hidden = schemes.length === 0;
    this.empty.hidden = schemes.length > 0;
    this.element.setAttribute("data-snapshot", String(vm.snapshot));
    const wanted = schemes.map((s) => this.row(s));
    for (const [name, row] of this.rows) {
      if (!wanted.includes(row)) {
        this.rows.delete(name);
        row.element.remove();
      }
    }
    wanted.forEach((row, i) => {
      if (this.body.children[i] !== row.element) {
        this.body.insertBefore(row.element, this.body.children[i] ?? null);
      }
    });
  }

  private row(info: SchemeInfo): Row {
    const key = `${info.scheme.name ?? ""}/${info.scheme.action}`;
    let row = this.rows.get(key);
    if (!row) {
      row = new Row(info, this.actions(info.scheme.name ?? ""));
      this.rows.set(key, row);
    }
    row.update(info, this.unlocked);
    return row;
  }

  private actions(name: string): HTMLElement[] {
    return [
      button("Tune …", () => void this.openTune(name), { "aria-label": `Tune scheme ${name}` }),
      button("Remove …", () => void this.openRemove(name), { "aria-label": `Remove scheme ${name}` }),
    ];
  }

  private async openAdd(): Promise<void> {
    if (this.vm && this.control) {
      const schemes = (this.vm.schemes ?? []).map((s) => s.scheme);
      if (await addScheme(this.vm, schemes, this.control)) {
        this.onChange("scheme added");
      }
    }
  }

  private async openTune(name: string): Promise<void> {
    const info = this.vm?.schemes?.find((s) => s.scheme.name === name);
    if (this.vm && info && this.control && (await tuneScheme(this.vm, info.scheme, this.control))) {
      this.onChange(`scheme ${name} changed`);
    }
  }

  private async openRemove(name: string): Promise<void> {
    if (this.vm && this.control && (await confirmRemove(this.vm, name, this.control))) {
      this.onChange(`scheme ${name} removed`);
      this.add.focus();
    }
  }
}
