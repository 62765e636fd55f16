// SPDX-License-Identifier: GPL-2.0-or-later
// Schemes in words.

import * as format from "./format";
import type { Bounds, Scheme } from "./types";

function between(
  b: Bounds | undefined,
  print: (v: number) => string,
  what: string,
): string | null {
  if (!b) {
    return null;
  }
  const max = b.max !== undefined && b.max < Number.MAX_SAFE_INTEGER ? b.max : undefined;
  const min = b.min ? b.min : undefined;
  if (min === undefined && max === undefined) {
    return null;
  }
  if (min === max) {
    return `${what} ${print(min!)}`;
  }
  if (max === undefined) {
    return `${what} ≥ ${print(min!)}`;
  }
  return min === undefined ? `${what} ≤ ${print(max)}` : `${what} ${print(min)} .. ${print(max)}`;
}

const us = (v: number) => format.duration(v / 1e6);

/** Which memory a scheme is for: "not accessed, age ≥ 2m". */
export function patternText(s: Scheme): string {
  const p = s.pattern ?? {};
  const never = p["nr-accesses"]?.max === 0;
  const parts = [
    never ? "not accessed" : between(p["nr-accesses"], String, "nr-accesses"),
    between(p.rate, format.rate, "rate"),
    between(p["age-time"], us, "age"),
    between(p.age, String, "age"),
    between(p.size, format.size, "size"),
  ].filter((x) => x !== null);
  return parts.join(", ") || "all memory";
}

/** How much it may do: "128 MiB, 10 ms a second". */
export function quotaText(s: Scheme): string {
  const q = s.quota;
  const limits = [q?.size ? format.size(q.size) : null, q?.time ? us(q.time) : null].filter(
    (x) => x !== null,
  );
  if (limits.length === 0) {
    return "no limit";
  }
  const reset = q?.["reset-interval"] ?? 1e6;
  return `${limits.join(", ")} ${reset === 1e6 ? "a second" : `each ${us(reset)}`}`;
}
