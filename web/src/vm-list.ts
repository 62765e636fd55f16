// SPDX-License-Identifier: GPL-2.0-or-later
// First screen: the host's memory, and a table of its virtual machines.

import { api } from "./api";
import { silenceOf, type App, type View } from "./app";
import { el, fill, setText } from "./dom";
import { Figures } from "./figures";
import * as format from "./format";
import { vmHash } from "./router";
import { hasFigures, match, sortVms, type SortKey } from "./sort";
import { stateBadge } from "./state";
import { Stream } from "./stream";
import type { Host, Vm, VmList } from "./types";
import { MemoryBar } from "./vm-bar";

interface Column {
  key: SortKey;
  label: string;
  hint: string;
  text?: (vm: Vm) => string;
}

const COLUMNS: Column[] = [
  { key: "domain", label: "Domain", hint: "name of the virtual machine" },
  { key: "state", label: "State", hint: "what its monitor is doing" },
  {
    key: "needs",
    label: "Needs",
    hint: "accessed in the last minute",
    text: (v) => format.size(v.needs),
  },
  {
    key: "has",
    label: "Has",
    hint: "in the host's memory now",
    text: (v) => format.size(v.has),
  },
  {
    key: "saved",
    label: "Saved",
    hint: "paged out, discarded or held by the balloon",
    text: (v) => format.size(v.saved),
  },
  {
    key: "size",
    label: "Size",
    hint: "its memory",
    text: (v) => format.size(v.size),
  },
  {
    key: "working_set",
    label: "Working set",
    hint: "accessed in the last aggregation interval",
    text: (v) => format.size(v.working_set),
  },
  {
    key: "spare",
    label: "Idle 1 m",
    hint: "not accessed for a minute or longer",
    text: (v) => format.size(v.idle.find((i) => i.seconds === 60)?.bytes ?? 0),
  },
  {
    key: "cost",
    label: "Cost",
    hint: "CPU time that monitoring takes, of one CPU",
    text: (v) => (v.cost === null ? "–" : format.percent(v.cost, 1)),
  },
];
const NO_FIGURE = "–";

/** A row of the table; its cells stay, their text changes. */
class Row {
  private readonly state = el("td", { role: "cell", class: "cell-state" });
  private readonly bar = new MemoryBar();
  private readonly cells = COLUMNS.filter((c) => c.text).map((c) => ({
    column: c,
    cell: el("td", {
      role: "cell",
      class: "num",
      "data-label": c.label,
      "data-value": c.key,
    }),
  }));
  private shown = "";
  readonly element: HTMLTableRowElement;

  constructor(vm: Vm) {
    const link = el("a", { href: vmHash(vm.id) }, vm.domain);
    const cells = this.cells.map((c) => c.cell);
    this.element = el(
      "tr",
      { role: "row", "data-id": vm.id },
      el("th", { scope: "row", role: "rowheader", class: "cell-name" }, link),
      this.state,
      el("td", { role: "cell", class: "cell-bar" }, this.bar.element),
      ...cells,
    );
  }

  update(vm: Vm): void {
    this.element.setAttribute("data-snapshot", String(vm.snapshot));
    const state = `${vm.state} ${vm.reason ?? ""}`;
    if (state !== this.shown) {
      this.shown = state;
      fill(this.state, ...stateBadge(vm));
    }
    const known = hasFigures(vm);
    this.element.classList.toggle("no-figures", !known);
    this.bar.element.hidden = !known;
    this.bar.update(vm);
    for (const { column, cell } of this.cells) {
      setText(cell, known && column.text ? column.text(vm) : NO_FIGURE);
    }
  }
}

const sum = (vms: Vm[], of: (vm: Vm) => number) =>
  vms.reduce((n, vm) => n + of(vm), 0);

export class ListView implements View {
  readonly title = "Virtual machines – vmheat";
  readonly element: HTMLElement;
  private readonly figures = new Figures([
    { key: "total", label: "Host memory", hint: "all memory of the host" },
    { key: "needs", label: "VMs need", hint: "accessed in the last minute" },
    { key: "has", label: "VMs have", hint: "in the host's memory now" },
    { key: "saved", label: "Saved", hint: "paged out, discarded or ballooned" },
    { key: "headroom", label: "Headroom", hint: "available on the host now" },
    { key: "idle", label: "Could be freed", hint: "what VMs have and do not need" },
    { key: "swap", label: "Swap used", hint: "of the host; in brackets what it is compressed to" },
  ]);
  private readonly body = el("tbody", { role: "rowgroup" });
  private readonly rows = new Map<string, Row>();
  private readonly headers = new Map<SortKey, HTMLTableCellElement>();
  private readonly count = el("span", { class: "muted", id: "count" });
  private readonly empty = el("div", { class: "state" }, "Loading …");
  private readonly table: HTMLElement;
  private readonly filter = el("input", {
    type: "search",
    id: "filter",
    placeholder: "Filter by name",
    "aria-label": "Filter virtual machines by name",
    autocomplete: "off",
  });
  private sort: { key: SortKey; down: boolean } = { key: "domain", down: false };
  private vms: Vm[] | null = null;
  private host: Host;
  private readonly stream: Stream;
  private readonly hostTimer: ReturnType<typeof setInterval>;

  constructor(private readonly app: App) {
    this.host = app.host;
    this.filter.addEventListener("input", () => this.render());
    this.table = this.makeTable();
    this.element = el(
      "div",
      { class: "list" },
      el("h1", { tabindex: -1 }, "Virtual machines"),
      this.figures.element,
      el("div", { class: "toolbar" }, this.filter, this.sortMenu(), this.count, barLegend()),
      this.table,
      this.empty,
    );
    this.table.hidden = true;
    this.stream = new Stream({
      path: "events",
      handlers: { vms: (data) => this.receive(data as VmList) },
      silence: () => silenceOf(app.host),
      onLive: (live) => app.setLive(live),
    });
    this.hostTimer = setInterval(() => void this.askHost(), 5000);
  }

  close(): void {
    this.stream.close();
    clearInterval(this.hostTimer);
  }

  private async askHost(): Promise<void> {
    try {
      this.host = await api.host();
    } catch {
      /* the stream tells what is to be told */
    }
  }

  private receive(list: VmList): void {
    this.app.clock.set(list.time);
    this.vms = list.vms;
    this.element.setAttribute("data-time", String(list.time));
    this.render();
  }

  private makeTable(): HTMLElement {
    const heads = COLUMNS.map((c) => this.header(c));
    heads.splice(2, 0, el("th", { scope: "col", role: "columnheader" }, "Memory"));
    return el(
      "table",
      { class: "vms", role: "table", "aria-label": "Virtual machines" },
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, ...heads)),
      this.body,
    );
  }

  private header(c: Column): HTMLTableCellElement {
    const b = el("button", { type: "button", title: c.hint }, c.label);
    b.addEventListener("click", () => this.sortBy(c.key));
    const th = el(
      "th",
      { scope: "col", role: "columnheader", class: c.text && "num", "data-sort": c.key },
      b,
    );
    this.headers.set(c.key, th);
    return th;
  }

  /** Where there is no room for a header. */
  private sortMenu(): HTMLElement {
    const select = el(
      "select",
      { "aria-label": "Sort by", class: "narrow-only" },
      ...COLUMNS.map((c) => el("option", { value: c.key }, `by ${c.label.toLowerCase()}`)),
    );
    select.addEventListener("change", () => this.sortBy(select.value as SortKey));
    return select;
  }

  private sortBy(key: SortKey): void {
    const text = key === "domain" || key === "state";
    const down = this.sort.key === key ? !this.sort.down : !text;
    this.sort = { key, down };
    this.render();
    const label = COLUMNS.find((c) => c.key === key)?.label ?? key;
    this.app.announce(`sorted by ${label}, ${down ? "descending" : "ascending"}`);
  }

  private render(): void {
    if (!this.vms) {
      return;
    }
    this.renderHost(this.vms);
    const shown = sortVms(
      this.vms.filter((vm) => match(vm, this.filter.value)),
      this.sort.key,
      this.sort.down,
    );
    this.renderRows(shown);
    this.renderState(shown.length, this.vms.length);
    for (const [key, th] of this.headers) {
      const is = key === this.sort.key;
      th.setAttribute("aria-sort", is ? (this.sort.down ? "descending" : "ascending") : "none");
    }
  }

  private renderHost(vms: Vm[]): void {
    const { memory, swap, compressed } = this.host;
    const f = this.figures;
    f.set("total", format.size(memory.total));
    f.set("needs", format.size(sum(vms, (v) => v.needs)), format.percent(sum(vms, (v) => v.needs), memory.total));
    f.set("has", format.size(sum(vms, (v) => v.has)), format.percent(sum(vms, (v) => v.has), memory.total));
    f.set("saved", format.size(sum(vms, (v) => v.saved)));
    f.set("headroom", format.size(memory.available), format.percent(memory.available, memory.total));
    f.set("idle", format.size(sum(vms, (v) => Math.max(0, v.has - v.needs))));
    f.set(
      "swap",
      swap.total ? format.size(swap.used) : "none",
      compressed ? `in ${format.size(compressed.stored)}` : "",
    );
  }

  private renderRows(vms: Vm[]): void {
    const wanted = vms.map((vm) => this.rowOf(vm).element);
    const now = [...this.body.children];
    if (wanted.length !== now.length || wanted.some((e, i) => e !== now[i])) {
      this.place(wanted);
    }
  }

  /** New order; the focus stays where it was. */
  private place(rows: HTMLElement[]): void {
    const focus = document.activeElement;
    this.body.replaceChildren(...rows);
    if (focus instanceof HTMLElement && this.body.contains(focus)) {
      focus.focus({ preventScroll: true });
    }
  }

  private rowOf(vm: Vm): Row {
    let row = this.rows.get(vm.id);
    if (!row) {
      row = new Row(vm);
      this.rows.set(vm.id, row);
    }
    row.update(vm);
    return row;
  }

  private renderState(shown: number, all: number): void {
    this.table.hidden = shown === 0;
    this.empty.hidden = shown > 0;
    setText(this.count, shown === all ? `${all} in all` : `${shown} of ${all}`);
    if (all === 0) {
      fill(this.empty, ...howToAdd());
    } else if (shown === 0) {
      fill(this.empty, `No name contains “${this.filter.value}”.`);
    }
  }
}

function barLegend(): HTMLElement {
  const key = (name: string, label: string) =>
    el("li", {}, el("i", { class: `key bar-${name}` }), label);
  return el(
    "ul",
    { class: "legend push", "aria-hidden": "true" },
    key("needs", "needs"),
    key("has", "has"),
    key("saved", "saved"),
  );
}

function howToAdd(): (Node | string)[] {
  return [
    el("p", {}, "No virtual machines yet."),
    el(
      "p",
      {},
      "The exporter shows those of libvirt, or those whose QMP sockets it was told of. Add the device to a domain of libvirt with ",
      el("code", {}, "vmheat libvirt enable DOMAIN"),
      ", or start QEMU with ",
      el("code", {}, "-plugin vmheat.so -device vmheat"),
      ".",
    ),
  ];
}
