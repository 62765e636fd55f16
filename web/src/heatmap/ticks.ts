// SPDX-License-Identifier: GPL-2.0-or-later
// Round times and addresses for axes.

import { clock } from "../format";

const STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600,
  43200, 86400,
];

/** Round times, local, from @from to @to, at most @most of them. */
export function timeTicks(from: number, to: number, most: number): number[] {
  const wanted = (to - from) / Math.max(most, 1);
  const step = STEPS.find((s) => s >= wanted) ?? 86400;
  const zone = new Date(to * 1000).getTimezoneOffset() * 60;
  const out: number[] = [];
  for (let t = Math.ceil((from - zone) / step) * step + zone; t <= to; t += step) {
    out.push(t);
  }
  return out;
}

/** Times of day of ticks, without seconds where all are whole minutes. */
export function tickTexts(times: number[]): string[] {
  const texts = times.map(clock);
  const whole = texts.every((t) => t.endsWith(":00"));
  return whole ? texts.map((t) => t.slice(0, 5)) : texts;
}

/** A power of two that divides @bytes into at most @most parts. */
export function addressStep(bytes: number, most: number): number {
  return Math.max(4096, 2 ** Math.ceil(Math.log2(bytes / Math.max(most, 1))));
}
