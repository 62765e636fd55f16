// SPDX-License-Identifier: GPL-2.0-or-later
// Colours of heat: those of the command's pictures (tools/report/heat-scale.c).
//
// From black over violet and red to a light yellow: as bright as it is hot, so
// it can be read in grey, and by those who do not tell red from green. Idle times
// use the same colours: just accessed is as bright as hot.

import type { Scale } from "../types";

export type Mode = "rate" | "idle";

const POINTS: [number, number, number][] = [
  [0.04, 0.03, 0.12],
  [0.21, 0.05, 0.4],
  [0.47, 0.11, 0.43],
  [0.71, 0.21, 0.33],
  [0.9, 0.36, 0.19],
  [0.98, 0.58, 0.1],
  [0.97, 0.82, 0.28],
  [0.99, 1.0, 0.64],
];
const ABOVE_COLD = 0.08; /* where the least rate is */
export const RATE_LEAST = 0.01;
export const RATE_MOST = 300;
export const IDLE_LEAST = 0.1;
export const IDLE_MOST = 86400;

const clamp = (v: number) => Math.min(Math.max(v, 0), 1);

function logPart(v: number, low: number, high: number): number {
  return clamp(Math.log(v / low) / Math.log(high / low));
}

/** Place of accesses a second on the palette, 0 .. 1. */
export function ratePlace(hz: number): number {
  return hz > 0
    ? ABOVE_COLD + (1 - ABOVE_COLD) * logPart(hz, RATE_LEAST, RATE_MOST)
    : 0;
}

/** Place of seconds without an access, 0 .. 1. */
export function idlePlace(seconds: number): number {
  return 1 - logPart(Math.max(seconds, IDLE_LEAST), IDLE_LEAST, IDLE_MOST);
}

/** Red, green and blue of a place, 0 .. 255. */
export function ink(at: number): [number, number, number] {
  const place = clamp(at) * (POINTS.length - 1);
  const i = Math.min(Math.floor(place), POINTS.length - 2);
  const a = POINTS[i]!;
  const b = POINTS[i + 1]!;
  const mix = (c: 0 | 1 | 2) =>
    Math.round(255 * (a[c] + (b[c] - a[c]) * (place - i)));
  return [mix(0), mix(1), mix(2)];
}

/** Accesses a second of a raster's byte; null: not known. */
export function rateOf(byte: number, scale: Scale): number | null {
  if (byte < 2) {
    return byte === 0 ? null : 0;
  }
  return scale.low * (scale.high / scale.low) ** ((byte - 2) / 253);
}

/** Seconds without an access of a raster's byte; null: not known. */
export function idleOf(byte: number, scale: Scale): number | null {
  return byte === 0
    ? null
    : scale.low * (scale.high / scale.low) ** ((byte - 1) / 254);
}

const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Pixels of all bytes; what is not known is transparent. */
export function pixels(mode: Mode, scale: Scale): Uint32Array {
  const out = new Uint32Array(256);
  for (let b = 1; b < 256; b++) {
    const place =
      mode === "rate"
        ? ratePlace(rateOf(b, scale) ?? 0)
        : idlePlace(idleOf(b, scale) ?? 0);
    const [red, green, blue] = ink(place);
    out[b] = littleEndian
      ? 0xff000000 + blue * 0x10000 + green * 0x100 + red
      : red * 0x1000000 + green * 0x10000 + blue * 0x100 + 0xff;
  }
  return out;
}
