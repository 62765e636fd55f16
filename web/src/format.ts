// SPDX-License-Identifier: GPL-2.0-or-later
// Sizes, times and rates as the command prints them (tools/units.c).

const SIZE_UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"];

/** Bytes, three digits or so: "51.2 MiB". */
export function size(bytes: number): string {
  if (bytes < 1024) {
    return `${Math.max(0, Math.floor(bytes))} B`;
  }
  let v = bytes / 1024;
  let u = 0;
  while (v >= 1023.5 && u + 1 < SIZE_UNITS.length) {
    v /= 1024;
    u++;
  }
  const whole = v >= 99.95 || v === Math.floor(v);
  return `${v.toFixed(whole ? 0 : 1)} ${SIZE_UNITS[u]}`;
}

function oneUnit(v: number, unit: string): string {
  return `${v.toFixed(v >= 9.95 || v === Math.floor(v) ? 0 : 1)} ${unit}`;
}

function twoUnits(v: number, per: number, big: string, small: string): string {
  const rest = v % per;
  const most = `${Math.floor(v / per)}${big}`;
  return rest ? `${most} ${rest}${small}` : most;
}

/** A time of at most two units: "50 ms", "1.5 s", "3m 20s". */
export function duration(seconds: number): string {
  const us = Math.floor(seconds * 1e6 + 0.5);
  const s = Math.floor(us / 1e6);
  if (us < 1000) {
    return us > 0 ? `${us} us` : "0 s";
  }
  if (us < 999500) {
    return oneUnit(us / 1e3, "ms");
  }
  if (s < 60) {
    return oneUnit(us / 1e6, "s");
  }
  if (s < 3600) {
    return twoUnits(s, 60, "m", "s");
  }
  if (s < 86400) {
    return twoUnits(Math.floor(s / 60), 60, "h", "m");
  }
  return twoUnits(Math.floor(s / 3600), 24, "d", "h");
}

/** A part of a whole: "5.1 %", "<0.1 %". */
export function percent(part: number, whole: number): string {
  const v = whole > 0 ? (part / whole) * 100 : 0;
  return v > 0 && v < 0.1 ? "<0.1 %" : oneUnit(v, "%");
}

/** As "%.{digits}g" of C, but never with an exponent for what is below 1e5. */
function significant(v: number, digits: number): string {
  return String(Number(v.toPrecision(digits)));
}

/** Accesses a second: "12.3/s"; the slower, the fewer digits. */
export function rate(hz: number): string {
  if (!(hz > 0)) {
    return "0/s";
  }
  if (hz < 0.00095) {
    return "<0.001/s";
  }
  if (hz >= 99999.5) {
    return `${exponential(hz, 3)}/s`;
  }
  if (hz >= 99.95) {
    return `${hz.toFixed(0)}/s`;
  }
  if (hz >= 9.995) {
    return `${hz.toFixed(1)}/s`;
  }
  if (hz >= 0.9995) {
    return `${hz.toFixed(2)}/s`;
  }
  return `${significant(hz, hz >= 0.0095 ? 2 : 1)}/s`;
}

function exponential(hz: number, digits: number): string {
  const [mantissa = "0", exponent = "+0"] = hz.toExponential(digits - 1).split("e");
  return `${Number(mantissa)}e+${exponent.slice(1).padStart(2, "0")}`;
}

function twoDigits(hz: number): string {
  if (hz < 0.000095) {
    return "0";
  }
  if (hz >= 99999.5) {
    return exponential(hz, 2);
  }
  return hz >= 99.5 ? hz.toFixed(0) : significant(hz, 2);
}

/** An interval of rates, with two digits: "9.8..15". */
export function rateRange(low: number, high: number): string {
  return `${twoDigits(low)}..${twoDigits(high)}`;
}

/** A round rate without zeros nobody needs: "10/s". */
export function roundRate(hz: number): string {
  return `${Number(hz.toPrecision(3))}/s`;
}

/** Accesses a second of many pages together: "48.6 M/s". */
export function manyRate(hz: number): string {
  const units = ["", "k", "M", "G", "T"];
  let u = 0;
  while (hz >= 999.5 && u + 1 < units.length) {
    hz /= 1000;
    u++;
  }
  return u ? `${hz.toFixed(hz >= 99.95 ? 0 : 1)} ${units[u]}/s` : rate(hz);
}

/** A guest-physical address, padded so that columns align. */
export function address(a: number): string {
  return `0x${a.toString(16).padStart(9, "0")}`;
}

/** Both ends of a region, in hexadecimal. */
export function addresses(start: number, end: number): string {
  return `${address(start)}..${address(end)}`;
}

const clockFormat = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});
const dateFormat = new Intl.DateTimeFormat("en-CA", {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
});

/** Time of day, local: "14:03:07". */
export function clock(time: number): string {
  return clockFormat.format(time * 1000);
}

/** Date and time of day, local. */
export function dateTime(time: number): string {
  return `${dateFormat.format(time * 1000)} ${clock(time)}`;
}

/** A count with thin groups: "1 234 567". */
export function count(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** What somebody typed as size: "128M", "1.5 GiB"; null: no size. */
export function parseSize(text: string): number | null {
  const m = /^\s*(\d+(?:\.\d+)?)\s*([kmgt])?(?:i?b)?\s*$/i.exec(text);
  if (!m) {
    return null;
  }
  const power = " kmgt".indexOf((m[2] ?? " ").toLowerCase());
  const bytes = Math.round(Number(m[1]) * 1024 ** power);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

const SECONDS: Record<string, number> = {
  us: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
  d: 86400,
};

/** What somebody typed as time: "90s", "2m", "1.5h"; seconds, null: no time. */
export function parseDuration(text: string): number | null {
  const m = /^\s*(\d+(?:\.\d+)?)\s*(us|ms|s|m|h|d)\s*$/.exec(text);
  return m ? Number(m[1]) * SECONDS[m[2] ?? "s"]! : null;
}

/** The shortest text that parseSize() and the command read back as @bytes. */
export function sizeInput(bytes: number): string {
  const units = ["", "K", "M", "G", "T"];
  let u = 0;
  while (u + 1 < units.length && bytes && bytes % 1024 === 0) {
    bytes /= 1024;
    u++;
  }
  return `${bytes}${units[u]}`;
}

/** The same for parseDuration(). */
export function durationInput(seconds: number): string {
  for (const unit of ["d", "h", "m", "s"]) {
    const v = seconds / SECONDS[unit]!;
    if (v >= 1 && v === Math.floor(v)) {
      return `${v}${unit}`;
    }
  }
  return seconds >= 1 ? `${seconds}s` : `${Math.round(seconds * 1e3)}ms`;
}
