// SPDX-License-Identifier: GPL-2.0-or-later
// What a monitor is doing, as a badge.

import { el } from "./dom";
import type { Vm } from "./types";

/** The badge, and the reason for those who do not run. */
export function stateBadge(vm: Vm): HTMLElement[] {
  const badge = el("span", { class: `badge badge-${vm.state}` }, vm.state);
  const out = [badge];
  if (vm.throttled && vm.state === "running") {
    const hint = "the overhead budget stretches its sampling interval";
    out.push(el("span", { class: "badge badge-throttled", title: hint }, "throttled"));
  }
  if (vm.reason) {
    out.push(el("span", { class: "reason", title: vm.reason }, vm.reason));
  }
  return out;
}

const ADVICE: Partial<Record<Vm["state"], string>> = {
  unreachable: "It is asked again at every interval.",
  absent: "Give it the vmheat device to see its memory.",
  failed: "“vmheat doctor” tells what this host can do.",
  suspended: "It resumes by itself.",
};

/** What may help, in words. */
export function adviceOf(vm: Vm): string {
  return ADVICE[vm.state] ?? "";
}
