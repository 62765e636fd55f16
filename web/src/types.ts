// SPDX-License-Identifier: GPL-2.0-or-later
// What the exporter answers; see docs/user/exporter-api.md. Objects passed
// through from QMP keep the names of qapi/vmheat.json.

export interface Host {
  node: string;
  version: string;
  time: number;
  interval: number;
  control: boolean;
  history: { seconds: number; bytes_per_vm: number };
  memory: { total: number; available: number };
  swap: { total: number; used: number };
  compressed: { original: number; stored: number } | null;
}

export type VmState =
  | "running"
  | "paused"
  | "suspended"
  | "failed"
  | "unreachable"
  | "absent";

export interface IdleBytes {
  seconds: number;
  bytes: number;
}

export interface Classes {
  hot: number;
  warm: number;
  cold: number;
  idle: number;
  never: number;
}

export interface Vm {
  id: string;
  domain: string;
  uuid: string | null;
  state: VmState;
  reason: string | null;
  /** When these figures were asked for. */
  asked?: number | null;
  size: number;
  needs: number;
  has: number;
  saved: number;
  working_set: number;
  idle: IdleBytes[];
  classes: Classes;
  balloon: { actual: number; target: number } | null;
  paged_out: number;
  compressed: number | null;
  huge: number | null;
  cost: number | null;
  confidence: number | null;
  primitive: string;
  write_primitive: string | null;
  throttled: boolean;
  snapshot: number;
  rate: number | null;
  write_rate: number | null;
}

export interface Range {
  start: number;
  size: number;
  block: string;
  page_size: number;
  shared: boolean;
  monitored: boolean;
  node?: number;
  backend: string | null;
  device: string | null;
  reserved: string | null;
}

export interface Reserved {
  start: number;
  size: number;
  kind: string;
  name: string | null;
}

export interface Primitive {
  name: string;
  summary: string;
  available: boolean;
  chosen: boolean;
  reason: string | null;
  blind_spots: string | null;
  sees_reads: boolean;
  sees_writes: boolean;
  sees_dma: boolean;
}

export interface Histogram {
  bounds: number[];
  bytes: number[];
}

export interface Bounds {
  min?: number;
  max?: number;
}

export interface Quota {
  time?: number;
  size?: number;
  "reset-interval"?: number;
  [more: string]: unknown;
}

export interface Scheme {
  name?: string;
  action: string;
  pattern?: {
    "nr-accesses"?: Bounds;
    "age-time"?: Bounds;
    age?: Bounds;
    rate?: Bounds;
    size?: Bounds;
  };
  quota?: Quota;
  [more: string]: unknown;
}

export interface SchemeStats {
  "nr-tried": number;
  "sz-tried": number;
  "nr-applied": number;
  "sz-applied": number;
  "qt-exceeds": number;
  errors: number;
  "back-offs": number;
  refaulted: number;
  time: number;
  [more: string]: number;
}

export interface SchemeInfo {
  scheme: Scheme;
  state: "active" | "inactive" | "back-off" | "finished";
  reason?: string;
  stats: SchemeStats;
  "effective-quota"?: number;
  charged: number;
  detail?: string;
}

export interface Details {
  ranges: Range[];
  reserved: Reserved[];
  attrs: Record<string, number>;
  primitives: Primitive[];
  blind_spots: string | null;
  choice: string;
  accelerator: string;
  estimator: string;
  qemu_version: string;
  rate_histogram: Histogram;
  idle_histogram: Histogram;
  schemes: SchemeInfo[];
  sampling_interval_us: number;
  aggregation_interval_us: number;
  max_nr_accesses: number;
}

/** A VM that is not reachable has no details. */
export type VmDetails = Vm & Partial<Details>;

export interface VmList {
  time: number;
  vms: Vm[];
}

export type Series = (number | null)[];

export interface History {
  from: number;
  to: number;
  step: number;
  times: number[];
  working_set: Series;
  needs: Series;
  has: Series;
  saved: Series;
  idle_10: Series;
  idle_60: Series;
  idle_600: Series;
  idle_3600: Series;
  hot: Series;
  warm: Series;
  cold: Series;
  idle: Series;
  never: Series;
  cost: Series;
}

export interface Span {
  start: number;
  end: number;
  row: number;
}

export interface Scale {
  low: number;
  high: number;
  log: boolean;
}

export interface Raster {
  from: number;
  to: number;
  columns: number;
  rows: number;
  spans: Span[];
  scale: Scale;
  idle_scale: Scale;
  data: string;
  idle: string;
}

export interface ColumnEvent {
  time: number;
  rows: number;
  data: string;
  idle: string;
  spans?: Span[];
}

export interface RegionAt {
  time: number;
  start: number;
  end: number;
  rate: number;
  rate_low: number;
  rate_high: number;
  write_rate: number | null;
  idle_seconds: number;
  age_seconds: number;
  nr_accesses: number;
  max_nr_accesses: number;
  block: string;
  device: string | null;
  reserved: string | null;
  node: number | null;
}

export interface ActionInfo {
  name: string;
  summary: string;
  available: boolean;
  reason?: string;
  needs?: string;
}

export interface QmpEvent {
  time: number;
  name: string;
  data: Record<string, unknown>;
}
