// SPDX-License-Identifier: GPL-2.0-or-later
// Order and choice of virtual machines.

import type { Vm } from "./types";

export type SortKey =
  | "domain"
  | "state"
  | "needs"
  | "has"
  | "saved"
  | "size"
  | "working_set"
  | "spare"
  | "cost";

/** Whether its figures tell anything. */
export function hasFigures(vm: Vm): boolean {
  return vm.snapshot > 0 && vm.state !== "unreachable" && vm.state !== "absent";
}

const byName = new Intl.Collator("en", { numeric: true });

function value(vm: Vm, key: SortKey): number {
  switch (key) {
    case "spare":
      return vm.idle.find((i) => i.seconds === 60)?.bytes ?? 0;
    case "cost":
      return vm.cost ?? 0;
    case "domain":
    case "state":
      return 0;
    default:
      return vm[key];
  }
}

function compare(a: Vm, b: Vm, key: SortKey): number {
  if (key === "domain" || key === "state") {
    return byName.compare(a[key], b[key]);
  }
  return value(a, key) - value(b, key);
}

/** Sorted; those without figures last, equal ones by name. */
export function sortVms(vms: Vm[], key: SortKey, down: boolean): Vm[] {
  const sign = down ? -1 : 1;
  const figures = key !== "domain" && key !== "state";
  return [...vms].sort(
    (a, b) =>
      (figures ? Number(hasFigures(b)) - Number(hasFigures(a)) : 0) ||
      sign * compare(a, b, key) ||
      byName.compare(a.domain, b.domain),
  );
}

/** Whether its name or UUID contains what was typed. */
export function match(vm: Vm, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  return (
    vm.domain.toLowerCase().includes(wanted) ||
    (vm.uuid ?? "").toLowerCase().startsWith(wanted)
  );
}
