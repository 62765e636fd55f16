// SPDX-License-Identifier: GPL-2.0-or-later
// Answers of the simulated exporter, made of simulated guests.
import { regionAt, stateOf } from "./guests.mjs";

const RATE_SCALE = { low: 0.01, high: 1000, log: true };
const IDLE_SCALE = { low: 0.001, high: 86400, log: true };
const IDLE_STEPS = [10, 60, 600, 3600];
const RATE_BOUNDS = [0.001, 0.01, 0.1, 1, 10, 100];
const IDLE_BOUNDS = [0.1, 1, 10, 60, 600, 3600];

function level(v, scale, least) {
  const at = Math.log(v / scale.low) / Math.log(scale.high / scale.low);
  return least + Math.round(Math.min(Math.max(at, 0), 1) * (255 - least));
}

export const rateByte = (hz) => (hz > 0 ? level(hz, RATE_SCALE, 2) : 1);
export const idleByte = (s) => level(Math.max(s, 1e-9), IDLE_SCALE, 1);

/** Sums over all regions at time @t. */
function sums(g, t) {
  const s = {
    needs: 0,
    working_set: 0,
    rate: 0,
    idle: IDLE_STEPS.map((seconds) => ({ seconds, bytes: 0 })),
    classes: { hot: 0, warm: 0, cold: 0, idle: 0, never: 0 },
    rate_histogram: new Array(RATE_BOUNDS.length + 1).fill(0),
    idle_histogram: new Array(IDLE_BOUNDS.length + 1).fill(0),
  };
  g.regions.forEach((r, i) => add(s, g, r, stateOf(g, i, t)));
  return s;
}

function classOf(r, st) {
  if (r.kind === "never") {
    return "never";
  }
  return st.rate >= 10 ? "hot" : st.rate >= 0.1 ? "warm" : st.idle < 60 ? "cold" : "idle";
}

const bin = (bounds, v) => {
  const at = bounds.findIndex((b) => v < b);
  return at < 0 ? bounds.length : at;
};

function add(s, g, r, st) {
  const bytes = r.end - r.start;
  s.needs += st.idle < 60 ? bytes : 0;
  s.working_set += st.rate >= 0.5 ? bytes : 0;
  s.rate += (st.rate * bytes) / 4096;
  for (const step of s.idle) {
    step.bytes += st.idle >= step.seconds ? bytes : 0;
  }
  s.classes[classOf(r, st)] += bytes;
  s.rate_histogram[bin(RATE_BOUNDS, st.rate)] += bytes;
  s.idle_histogram[bin(IDLE_BOUNDS, st.idle)] += bytes;
}

const page = (n) => Math.floor(n / 4096) * 4096;
const blank = () => ({
  needs: 0,
  has: 0,
  saved: 0,
  working_set: 0,
  idle: IDLE_STEPS.map((seconds) => ({ seconds, bytes: 0 })),
  classes: { hot: 0, warm: 0, cold: 0, idle: 0, never: 0 },
  cost: null,
  confidence: null,
  rate: null,
  write_rate: null,
  primitive: "",
  balloon: null,
  paged_out: 0,
  huge: null,
});

function living(g, t, s) {
  const saved = page(g.size * g.saved * (0.9 + 0.1 * Math.sin(t / 400)));
  return {
    needs: s.needs,
    has: Math.max(g.size - saved - page(g.size * 0.04), s.needs),
    saved,
    working_set: s.working_set,
    idle: s.idle,
    classes: s.classes,
    balloon: g.balloon ? { actual: g.size - page(saved / 2), target: g.size - page(saved / 2) } : null,
    paged_out: g.balloon ? page(saved / 2) : saved,
    huge: page(g.size * 0.2),
    cost: 0.0021 + 0.0012 * Math.sin(t / 60 + g.seed),
    confidence: 0.93,
    primitive: "trap",
    rate: s.rate,
    write_rate: g.write_primitive ? s.rate * 0.3 : null,
  };
}

export function vm(g, t) {
  const s = sums(g, t);
  return {
    id: g.id,
    domain: g.domain,
    uuid: g.uuid,
    state: g.state,
    reason: g.reason,
    size: g.size,
    ...(g.regions.length ? living(g, t, s) : blank()),
    compressed: null,
    write_primitive: g.write_primitive ?? null,
    throttled: g.domain === "db-primary",
    snapshot: g.regions.length ? Math.floor(t - g.born) : 0,
  };
}

function primitives(chosen) {
  const base = { sees_dma: false, sees_writes: true, blind_spots: null };
  return [
    { name: "trap", summary: "unmaps pages and waits for faults", available: true, chosen: true,
      reason: null, sees_reads: true, ...base, blind_spots: "device DMA that bypasses QEMU" },
    { name: "dirty-log", summary: "KVM's log of writes", available: true, chosen: chosen === "dirty-log",
      reason: "trap sees reads, too", sees_reads: false, ...base },
    { name: "idle-page", summary: "the kernel's idle page bitmap", available: false, chosen: false,
      reason: "needs the files of 'vmheat grant'", sees_reads: true, ...base },
  ];
}

function schemeInfo(scheme, i, t, g) {
  const ago = Math.max(0, t - g.born) / (1 + i);
  const waits = scheme.watermarks !== undefined;
  const tried = page(ago * 190000);
  return {
    scheme,
    state: waits ? "inactive" : "active",
    ...(waits ? { reason: "mem-free is 612, above high 500" } : {}),
    stats: {
      "nr-tried": Math.floor(ago / 2), "sz-tried": tried, "nr-applied": Math.floor(ago / 3),
      "sz-applied": scheme.action === "stat" ? 0 : page(tried * 0.82),
      "sz-filter-passed": page(tried * 0.9), "qt-exceeds": Math.floor(ago / 700),
      "nr-snapshots": Math.floor(ago), errors: 0, "back-offs": Math.floor(ago / 3000),
      refaulted: scheme.action === "pageout" ? page(tried * 0.021) : 0, time: Math.floor(ago * 1e5),
    },
    ...(scheme.quota?.size ? { "effective-quota": scheme.quota.size } : {}),
    charged: 0,
  };
}

export function details(g, t) {
  if (!g.regions.length) {
    return vm(g, t);
  }
  const s = sums(g, t);
  return {
    ...vm(g, t),
    ranges: g.ranges,
    reserved: [{ start: 0xfffc0000, size: 0x40000, kind: "firmware", name: "pc.bios" },
      ...g.ranges.filter((r) => r.reserved).map((r) => ({
        start: r.start, size: r.size, kind: r.reserved, name: null,
      }))],
    attrs: g.attrs,
    primitives: primitives(g.write_primitive),
    blind_spots: "device DMA that bypasses QEMU",
    choice: "auto: it sees reads and writes, and costs least of those that can run here",
    accelerator: "kvm",
    estimator: "exposure",
    qemu_version: "10.0.2",
    rate_histogram: { bounds: RATE_BOUNDS, bytes: s.rate_histogram },
    idle_histogram: { bounds: IDLE_BOUNDS, bytes: s.idle_histogram },
    schemes: g.schemes.map((x, i) => schemeInfo(x, i, t, g)),
    sampling_interval_us: g.attrs["sampling-interval"],
    aggregation_interval_us: g.attrs["aggregation-interval"],
    max_nr_accesses: 20,
  };
}

function known(g, t) {
  return t >= g.born && !(g.gap && t >= g.gap[0] && t < g.gap[1]);
}

export function history(g, from, to, columns) {
  const step = (to - from) / columns;
  const out = { from, to, step, times: [] };
  const names = ["working_set", "needs", "has", "saved", "idle_10", "idle_60", "idle_600",
    "idle_3600", "hot", "warm", "cold", "idle", "never", "cost"];
  names.forEach((n) => (out[n] = []));
  for (let i = 0; i < columns; i++) {
    const t = from + (i + 0.5) * step;
    out.times.push(t);
    const v = known(g, t) && g.regions.length ? vm(g, t) : null;
    const flat = v && {
      ...v, ...v.classes, ...Object.fromEntries(v.idle.map((x) => [`idle_${x.seconds}`, x.bytes])),
    };
    names.forEach((n) => out[n].push(flat ? flat[n] : null));
  }
  return out;
}

/** Monitored memory from @start to @end without holes. */
function pieces(g, start, end) {
  const out = [];
  for (const r of g.ranges.filter((x) => x.monitored)) {
    const a = Math.max(r.start, start);
    const b = Math.min(r.start + r.size, end);
    if (a < b) {
      out.at(-1)?.end === a ? (out.at(-1).end = b) : out.push({ start: a, end: b });
    }
  }
  return out;
}

/** Rows of each piece, at least one, and the middle address of each row. */
export function layout(g, rows, start = 0, end = 2 ** 53) {
  const parts = pieces(g, start, end);
  const total = parts.reduce((n, p) => n + p.end - p.start, 0);
  const spans = [];
  const addresses = [];
  let left = rows;
  let bytes = total;
  parts.forEach((p, i) => {
    const size = p.end - p.start;
    const wish = Math.round((left * size) / bytes);
    const n = i + 1 === parts.length ? left : Math.min(Math.max(1, wish), left - (parts.length - i - 1));
    spans.push({ start: p.start, end: p.end, row: rows - left });
    for (let k = 0; k < n; k++) {
      addresses.push(p.start + ((k + 0.5) * size) / n);
    }
    left -= n;
    bytes -= size;
  });
  return { spans, indices: addresses.map((a) => regionAt(g, a)) };
}

/** One column of rates and idle times into two buffers. */
export function fillColumn(g, indices, t, data, idle, at) {
  if (!known(g, t)) {
    return;
  }
  let last = -2;
  let a = 0;
  let b = 0;
  for (let k = 0; k < indices.length; k++) {
    if (indices[k] !== last) {
      last = indices[k];
      const st = stateOf(g, last, t);
      a = rateByte(st.rate);
      b = idleByte(st.idle);
    }
    data[at + k] = a;
    idle[at + k] = b;
  }
}

export function heatmap(g, now, q) {
  const { spans, indices } = layout(g, q.rows, q.start, q.end);
  const data = Buffer.alloc(q.columns * q.rows);
  const idle = Buffer.alloc(q.columns * q.rows);
  const step = (q.to - q.from) / q.columns;
  for (let c = 0; c < q.columns; c++) {
    const t = q.from + (c + 0.5) * step;
    if (t <= now) {
      fillColumn(g, indices, t, data, idle, c * q.rows);
    }
  }
  return {
    from: q.from, to: q.to, columns: q.columns, rows: q.rows, spans, scale: RATE_SCALE,
    idle_scale: IDLE_SCALE, data: data.toString("base64"), idle: idle.toString("base64"),
  };
}

export function region(g, now, time, address) {
  const i = regionAt(g, address);
  if (i < 0 || time > now || !known(g, time)) {
    return null;
  }
  const r = g.regions[i];
  const st = stateOf(g, i, time);
  return {
    time, start: r.start, end: r.end, rate: st.rate, rate_low: st.rate * 0.8,
    rate_high: st.rate * 1.3 + 0.001, write_rate: g.write_primitive ? st.rate * 0.3 : null,
    idle_seconds: st.idle, age_seconds: st.age,
    nr_accesses: Math.round(20 * (1 - Math.exp(-st.rate * 0.05))), max_nr_accesses: 20,
    block: r.range.block, node: r.range.node ?? null,
    device: r.range.device, reserved: r.range.reserved,
  };
}

export const actions = [
  { name: "stat", summary: "count it", available: true },
  { name: "cold", summary: "MADV_COLD: reclaim this first", available: true },
  { name: "pageout", summary: "put it out to swap or its file", available: true, needs: "swap" },
  { name: "hugepage", summary: "allow huge pages", available: true },
  { name: "balloon", summary: "have the guest give back memory", available: false,
    reason: "the guest has no virtio-balloon device; add -device virtio-balloon" },
];
