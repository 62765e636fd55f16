// SPDX-License-Identifier: GPL-2.0-or-later
// Which time and which memory is shown. Packed addresses, see axis.ts.

export interface Viewport {
  from: number;
  to: number;
  start: number;
  end: number;
}

export interface Limits {
  /** Earliest time there may be history of, and the latest. */
  from: number;
  to: number;
  /** Least and most seconds shown. */
  leastSeconds: number;
  /** Packed length of memory, and the least shown. */
  length: number;
  leastBytes: number;
}

/** Move an interval of fixed length into limits; longer ones are cut. */
function fit(
  from: number,
  to: number,
  low: number,
  high: number,
  least: number,
): [number, number] {
  const most = Math.max(high - low, least);
  const length = Math.min(Math.max(to - from, least), most);
  const middle = (from + to) / 2;
  const begin = Math.min(
    Math.max(length === to - from ? from : middle - length / 2, low),
    Math.max(high - length, low),
  );
  return [begin, begin + length];
}

export function clampView(v: Viewport, l: Limits): Viewport {
  const [from, to] = fit(v.from, v.to, l.from, l.to, l.leastSeconds);
  const [start, end] = fit(v.start, v.end, 0, l.length, l.leastBytes);
  return { from, to, start, end };
}

/** Move by parts of what is shown: right and up are positive. */
export function pan(v: Viewport, right: number, up: number): Viewport {
  const dt = (v.to - v.from) * right;
  const da = (v.end - v.start) * up;
  return {
    from: v.from + dt,
    to: v.to + dt,
    start: v.start + da,
    end: v.end + da,
  };
}

/** Scale time and memory; what is at (time, at) stays where it is. */
export function zoom(
  v: Viewport,
  time: number,
  at: number,
  timeFactor: number,
  memoryFactor: number,
): Viewport {
  return {
    from: time - (time - v.from) * timeFactor,
    to: time + (v.to - time) * timeFactor,
    start: at - (at - v.start) * memoryFactor,
    end: at + (v.end - at) * memoryFactor,
  };
}
