// SPDX-License-Identifier: GPL-2.0-or-later
// The latest events of vmheat in the virtual machine.

import { el } from "./dom";
import * as format from "./format";
import type { QmpEvent } from "./types";

const MOST = 30;

/** An event's members in a line. */
export function eventText(e: QmpEvent): string {
  return Object.entries(e.data)
    .filter(([k]) => k !== "id")
    .map(([k, v]) => `${k} ${typeof v === "string" ? v : JSON.stringify(v)}`)
    .join(", ");
}

export class EventLog {
  private readonly list = el("ol", { class: "events", "aria-label": "Events" });
  readonly element = el(
    "section",
    { class: "card", hidden: true },
    el("div", { class: "card-head" }, el("h2", {}, "Events")),
    this.list,
  );

  push(e: QmpEvent): void {
    this.element.hidden = false;
    this.list.prepend(
      el(
        "li",
        {},
        el("time", { class: "muted" }, format.clock(e.time)),
        " ",
        el("strong", {}, e.name.replace(/^VMHEAT_/, "").toLowerCase().replace(/_/g, " ")),
        " ",
        eventText(e),
      ),
    );
    while (this.list.children.length > MOST) {
      this.list.lastElementChild?.remove();
    }
  }
}
