// SPDX-License-Identifier: GPL-2.0-or-later
// Schemes made of a few values, as the command's recipes (tools/recipe-table.c),
// and changes of those in use.

import type { Scheme } from "./types";

export interface Kind {
  action: string;
  label: string;
  hint: string;
  minAge: number;
  quota: number;
}

export const KINDS: Kind[] = [
  { action: "pageout", label: "reclaim: page idle memory out", hint: "needs swap, or memory that is a file; what comes back counts as refaulted, and too much of it makes the scheme back off", minAge: 120, quota: 128 << 20 },
  { action: "cold", label: "cold: let the host take it first", hint: "only a hint to the host's kernel", minAge: 60, quota: 256 << 20 },
  { action: "balloon", label: "balloon: leave the guest its working set", hint: "needs a virtio-balloon device in the guest", minAge: 30, quota: 0 },
  { action: "hugepage", label: "hugepage: allow huge pages for hot memory", hint: "for regions of 2 MiB or more that are accessed 4 times a second", minAge: 0, quota: 256 << 20 },
  { action: "stat", label: "stat: only count", hint: "changes nothing", minAge: 60, quota: 0 },
];

const cold = (minAge: number) => ({
  "nr-accesses": { max: 0 },
  "age-time": { min: Math.round(minAge * 1e6) },
});
const coldFirst = { size: 0, "nr-accesses": 0, age: 1 };
const hotFirst = { size: 0, "nr-accesses": 1, age: 1 };

function quota(size: number, weights: object): Pick<Scheme, "quota"> {
  return size ? { quota: { size, "reset-interval": 1000000, weights } } : {};
}

/** A new scheme. @minAge in seconds, @size of the quota in bytes a second. */
export function makeScheme(action: string, name: string, minAge: number, size: number): Scheme {
  const base = { name, action };
  switch (action) {
    case "hugepage":
      return { ...base, pattern: { size: { min: 2 << 20 }, rate: { min: 4 } }, ...quota(size, hotFirst) };
    case "balloon":
      return {
        ...base, pattern: cold(minAge), "apply-interval": 1000000,
        balloon: { floor: 256 << 20, headroom: 200, step: 64 << 20, hysteresis: 16 << 20 },
      };
    case "pageout":
      return {
        ...base, pattern: cold(minAge), ...quota(size, coldFirst),
        filters: [{ type: "present", matching: false, allow: false }],
        "back-off": { refault: 100, psi: 2000 },
      };
    default:
      return { ...base, pattern: cold(minAge), ...quota(size, coldFirst) };
  }
}

/** A name that none of @schemes has. */
export function freeName(wish: string, schemes: Scheme[]): string {
  const taken = new Set(schemes.map((s) => s.name));
  let name = wish;
  for (let n = 2; taken.has(name); n++) {
    name = `${wish}-${n}`;
  }
  return name;
}

/** What "age" of the pattern is in seconds; null: it has none to be tuned. */
export function minAgeOf(s: Scheme): number | null {
  const min = s.pattern?.["age-time"]?.min;
  return min === undefined ? null : min / 1e6;
}

/** @s with another least age (null: as it is) and another quota (0: none). */
export function tuned(s: Scheme, minAge: number | null, size: number): Scheme {
  const out: Scheme = { ...s };
  if (minAge !== null) {
    const age = { ...s.pattern?.["age-time"], min: Math.round(minAge * 1e6) };
    out.pattern = { ...s.pattern, "age-time": age };
  }
  if (size || s.quota) {
    out.quota = { ...s.quota, size };
  }
  return out;
}
