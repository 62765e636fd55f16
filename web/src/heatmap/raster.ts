// SPDX-License-Identifier: GPL-2.0-or-later
// Pixels of rasters: bytes column by column, lowest address first, become images
// with time to the right and addresses upwards.

import { pixels, type Mode } from "./palette";
import type { Scale } from "../types";

/** Bytes of base64. */
export function decode(text: string): Uint8Array {
  const raw = atob(text);
  const out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) {
    out[i] = raw.charCodeAt(i);
  }
  return out;
}

export interface Scales {
  rate: Scale;
  idle: Scale;
}

export function sameScale(a: Scale, b: Scale): boolean {
  return a.low === b.low && a.high === b.high && a.log === b.log;
}

/** Tables of pixels, made once for each scale. */
export class Inks {
  private readonly tables = new Map<string, Uint32Array>();

  get(mode: Mode, scales: Scales): Uint32Array {
    const scale = scales[mode];
    const key = `${mode}/${scale.low}/${scale.high}`;
    let table = this.tables.get(key);
    if (!table) {
      table = pixels(mode, scale);
      this.tables.set(key, table);
    }
    return table;
  }
}

/** An image of @columns columns that begin at byte 0. */
export function image(
  bytes: Uint8Array,
  columns: number,
  rows: number,
  table: Uint32Array,
): ImageData {
  const out = new ImageData(columns, rows);
  const to = new Uint32Array(out.data.buffer);
  for (let x = 0; x < columns; x++) {
    for (let y = 0; y < rows; y++) {
      to[(rows - 1 - y) * columns + x] = table[bytes[x * rows + y]!]!;
    }
  }
  return out;
}

/** A canvas that is not shown. */
export function offscreen(
  width: number,
  height: number,
): { canvas: HTMLCanvasElement; context: CanvasRenderingContext2D } {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  if (!context) {
    throw new Error("the browser has no 2D canvas");
  }
  return { canvas, context };
}
