// SPDX-License-Identifier: GPL-2.0-or-later
// Simulated guests. What they access is a function of region and time alone, so
// history needs no memory and every run sees the same.
//
// Each monitored range is cut into regions of deterministic sizes. A region has
// a kind: "hot" (always), "wave" (comes and goes), "scan" (a window that moves
// over its neighbours), "burst" (seconds in every so many minutes), "cold" (now
// and then) or "never".

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

/** Numbers of a seed, 0 .. 1 (mulberry32). */
export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Cut @size into @n parts of random sizes, multiples of 4 KiB. */
function cut(size, n, next) {
  const weights = Array.from({ length: n }, () => 0.2 + next() ** 2 * 3);
  const sum = weights.reduce((a, b) => a + b, 0);
  const parts = weights.map((w) => Math.max(1, Math.floor((size / 4096) * (w / sum))));
  let rest = size / 4096 - parts.reduce((a, b) => a + b, 0);
  for (let i = 0; rest > 0; i = (i + 1) % n, rest--) {
    parts[i]++;
  }
  for (let i = 0; rest < 0; i = (i + 1) % n) {
    if (parts[i] > 1) {
      parts[i]--;
      rest++;
    }
  }
  return parts.map((p) => p * 4096);
}

function pickKind(mix, next) {
  let at = next();
  for (const [kind, share] of Object.entries(mix)) {
    if ((at -= share) < 0) {
      return kind;
    }
  }
  return "never";
}

/** Regions of a guest; neighbours often are of one kind, as in real guests. */
function regionsOf(guest) {
  const next = random(guest.seed);
  const total = guest.ranges.reduce((n, r) => n + (r.monitored ? r.size : 0), 0);
  const regions = [];
  let kind = "never";
  let left = 0;
  for (const range of guest.ranges.filter((r) => r.monitored)) {
    const n = Math.max(1, Math.round((guest.nr_regions * range.size) / total));
    let at = range.start;
    for (const size of cut(range.size, n, next)) {
      if (left-- <= 0) {
        kind = pickKind(guest.mix, next);
        left = Math.floor(next() * 14);
      }
      regions.push({ start: at, end: at + size, range, kind, a: next(), b: next() });
      at += size;
    }
  }
  return regions;
}

const HOUR = 3600;
const SCAN_PERIOD = 900;

/** Is a region that comes and goes in use, and since or for how long not. */
function phase(r, t, index, count) {
  if (r.kind === "burst") {
    const period = 240 + Math.floor(r.a * 8) * 60;
    const at = (t + r.b * period) % period;
    return at < 40 ? { on: true, since: at } : { on: false, since: at - 40 };
  }
  const at = (t / SCAN_PERIOD + 1 - index / count) % 1;
  return at < 0.08
    ? { on: true, since: at * SCAN_PERIOD }
    : { on: false, since: (at - 0.08) * SCAN_PERIOD };
}

function steady(hz, born, t) {
  return { rate: hz, idle: Math.min(hz > 0 ? 0.7 / hz : t - born, t - born), age: t - born };
}

/** What is known of region @index at time @t: { rate, idle, age }. */
export function stateOf(guest, index, t) {
  const r = guest.regions[index];
  if (r.kind === "hot") {
    return steady(10 ** (1 + r.a * 1.7), guest.born, t);
  }
  if (r.kind === "wave") {
    const swing = Math.sin((2 * Math.PI * t) / (HOUR / 2) + r.b * 1.5);
    const hz = 10 ** (-0.6 + r.a + swing * 1.3);
    return { rate: hz, idle: 0.7 / hz, age: 20 + r.b * 60 };
  }
  if (r.kind === "cold") {
    return steady(10 ** (-2.6 + r.a * 1.4), guest.born, t);
  }
  if (r.kind === "never") {
    return { rate: 0, idle: t - guest.born, age: t - guest.born };
  }
  const p = phase(r, t, index, guest.regions.length);
  const hz = p.on ? 10 ** (0.3 + r.a * 1.8) : 0;
  return { rate: hz, idle: p.on ? 0.7 / hz : p.since, age: p.since };
}

/** Index of the region that holds @address; -1: none. */
export function regionAt(guest, address) {
  let lo = 0;
  let hi = guest.regions.length;
  while (lo < hi) {
    const mid = (lo + hi) >> 1;
    guest.regions[mid].end <= address ? (lo = mid + 1) : (hi = mid);
  }
  const r = guest.regions[lo];
  return r && r.start <= address ? lo : -1;
}

function range(start, size, block, node, more = {}) {
  return {
    start, size, block, page_size: 4096, shared: true, monitored: true, node,
    backend: block, device: null, reserved: null, ...more,
  };
}

function reclaimScheme(name, active) {
  return {
    name,
    action: "pageout",
    pattern: { "nr-accesses": { min: 0, max: 0 }, "age-time": { min: 120000000 } },
    "apply-interval": 0,
    quota: {
      time: 10000,
      size: 134217728,
      "reset-interval": 1000000,
      weights: { size: 0, "nr-accesses": 0, age: 1 },
      tuner: "consist",
    },
    filters: [{ type: "present", matching: false, allow: false }],
    "max-snapshots": 0,
    "back-off": { refault: 100, psi: 2000 },
    ...(active
      ? {}
      : {
          watermarks: {
            metric: "mem-free",
            interval: 5000000,
            high: 500,
            mid: 400,
            low: 200,
          },
        }),
  };
}

const statScheme = {
  name: "count-idle",
  action: "stat",
  pattern: { "nr-accesses": { min: 0, max: 0 }, "age-time": { min: 30000000 } },
  "apply-interval": 0,
  "max-snapshots": 0,
};

const HOSTILE = `<img src=x onerror="window.owned=1">"'><script>window.owned=1</script>`;

const definitions = [
  {
    domain: "web-frontend-01",
    uuid: "4dea22b3-1d52-d8f3-2516-782e98ab3fa0",
    seed: 7,
    nr_regions: 1000,
    ranges: [
      range(0, 640 * KiB, "pc.ram", 0),
      range(768 * KiB, 128 * KiB, "pc.rom", 0, { monitored: false, shared: false }),
      range(1 * MiB, 3 * GiB - 1 * MiB, "pc.ram", 0),
      range(4 * GiB, 5 * GiB, "pc.ram", 1),
    ],
    mix: { hot: 0.1, wave: 0.22, scan: 0.1, burst: 0.12, cold: 0.14, never: 0.32 },
    saved: 0.11,
    schemes: [reclaimScheme("reclaim", true), statScheme],
  },
  {
    domain: "db-primary",
    uuid: "b7f1a7c2-99d1-4c1e-8f0b-3f7b5a0e2d11",
    seed: 23,
    nr_regions: 400,
    ranges: [
      range(0, 3 * GiB, "node0", 0),
      range(4 * GiB, 5 * GiB, "node0", 0),
      range(9 * GiB, 7 * GiB, "node1", 1, { device: "dimm0" }),
      range(16 * GiB, 1 * GiB, "node1", 1, { device: "dimm0", reserved: "no-map" }),
    ],
    mix: { hot: 0.35, wave: 0.3, scan: 0.2, burst: 0.05, cold: 0.05, never: 0.05 },
    saved: 0,
    schemes: [],
    write_primitive: "dirty-log",
  },
  {
    domain: "batch-worker",
    uuid: "0c2d8f64-5a53-4be0-a8d6-2f0f3f2f9c77",
    seed: 99,
    nr_regions: 120,
    ranges: [range(0, 2 * GiB, "pc.ram", undefined)],
    mix: { hot: 0.04, burst: 0.2, cold: 0.06, never: 0.7 },
    saved: 0.45,
    schemes: [reclaimScheme("reclaim", false)],
    balloon: true,
  },
  {
    domain: HOSTILE,
    uuid: null,
    id: "n-5a9e1f00c3",
    seed: 5,
    nr_regions: 30,
    ranges: [range(0, 512 * MiB, `"><b onmouseover=window.owned=1>ram`, 0)],
    mix: { hot: 0.2, wave: 0.2, never: 0.6 },
    saved: 0,
    schemes: [],
  },
  {
    domain: "legacy-nfs",
    uuid: "77777777-0000-4000-8000-000000000001",
    state: "unreachable",
    reason: "/run/vmheat/legacy-nfs.qmp: Connection refused",
  },
  {
    domain: "build-agent",
    uuid: "77777777-0000-4000-8000-000000000002",
    state: "absent",
    reason: "no vmheat device; 'vmheat libvirt enable build-agent' adds one",
  },
  {
    domain: "kiosk",
    uuid: "77777777-0000-4000-8000-000000000003",
    state: "failed",
    reason: "no primitive can check its memory: it is not shared",
  },
];

/** All simulated guests, of which @now is the time of the last snapshot. */
export function makeGuests(now) {
  return definitions.map((d) => {
    const guest = {
      state: "running",
      reason: null,
      ranges: [],
      schemes: [],
      attrs: {
        "sampling-interval": 50000,
        "aggregation-interval": 1000000,
        "update-interval": 10000000,
        "min-regions": 10,
        "max-regions": 1000,
        "traps-per-second": 1000,
        "overhead-budget": 50,
      },
      ...d,
      id: d.id ?? d.uuid,
      born: now - 2 * HOUR,
    };
    guest.regions = d.ranges ? regionsOf(guest) : [];
    guest.size = guest.regions.reduce((n, r) => n + r.end - r.start, 0);
    return guest;
  });
}
