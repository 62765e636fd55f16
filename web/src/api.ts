// SPDX-License-Identifier: GPL-2.0-or-later
// Typed requests to the exporter. Paths are relative to the page.

import type {
  ActionInfo,
  History,
  Host,
  Raster,
  RegionAt,
  Scheme,
  VmDetails,
} from "./types";

/** The server answered no; its sentence is the message. Status 0: no answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

const BASE = "api/v1/";
const TIMEOUT_MS = 15000;

async function problemOf(r: Response): Promise<ApiError> {
  const body: unknown = await r.json().catch(() => null);
  const told = (body as { error?: unknown } | null)?.error;
  return new ApiError(
    r.status,
    typeof told === "string" ? told : `the server answered ${r.status}`,
  );
}

/** Abort when @signal does, or after some time. */
function limited(signal?: AbortSignal): { signal: AbortSignal; done(): void } {
  const c = new AbortController();
  const timer = setTimeout(() => c.abort(), TIMEOUT_MS);
  const abort = () => c.abort();
  signal?.addEventListener("abort", abort);
  return {
    signal: c.signal,
    done() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    },
  };
}

async function request<T>(
  path: string,
  init: RequestInit,
  signal?: AbortSignal,
): Promise<T> {
  const limit = limited(signal);
  try {
    const r = await fetch(BASE + path, { ...init, signal: limit.signal });
    if (!r.ok) {
      throw await problemOf(r);
    }
    return (await r.json()) as T;
  } catch (e) {
    if (e instanceof ApiError || signal?.aborted) {
      throw e;
    }
    throw new ApiError(0, "the server does not answer");
  } finally {
    limit.done();
  }
}

type Query = Record<string, number | undefined>;

/** A query string of what is defined. */
export function query(q: Query): string {
  const p = new URLSearchParams();
  for (const [name, v] of Object.entries(q)) {
    if (v !== undefined) {
      p.set(name, String(v));
    }
  }
  const text = p.toString();
  return text ? `?${text}` : "";
}

const get = <T>(path: string, signal?: AbortSignal) =>
  request<T>(path, { cache: "no-store" }, signal);

/** Path of a virtual machine, or of something of it. */
export function vmPath(id: string, what = ""): string {
  return `vms/${encodeURIComponent(id)}${what ? `/${what}` : ""}`;
}

export interface HeatmapQuery {
  from: number;
  to: number;
  columns: number;
  rows: number;
  start?: number;
  end?: number;
}

export const api = {
  host: (signal?: AbortSignal) => get<Host>("host", signal),
  vm: (id: string, signal?: AbortSignal) => get<VmDetails>(vmPath(id), signal),
  history: (
    id: string,
    from: number,
    to: number,
    columns: number,
    signal?: AbortSignal,
  ) =>
    get<History>(
      vmPath(id, "history") + query({ from, to, columns }),
      signal,
    ),
  heatmap: (id: string, q: HeatmapQuery, signal?: AbortSignal) =>
    get<Raster>(vmPath(id, "heatmap") + query({ ...q }), signal),
  region: (id: string, time: number, address: number, signal?: AbortSignal) =>
    get<RegionAt>(vmPath(id, "region") + query({ time, address }), signal),
  actions: (id: string, signal?: AbortSignal) =>
    get<ActionInfo[]>(vmPath(id, "actions"), signal),
};

function write(
  method: string,
  path: string,
  token: string,
  body: unknown,
): Promise<unknown> {
  return request(path, {
    method,
    cache: "no-store",
    headers: {
      "Content-Type": "application/json",
      Authorization: `Bearer ${token}`,
    },
    body: JSON.stringify(body),
  });
}

/** Requests that change something; they need the token. */
export const control = {
  pause: (id: string, token: string) =>
    write("POST", vmPath(id, "pause"), token, {}),
  resume: (id: string, token: string) =>
    write("POST", vmPath(id, "resume"), token, {}),
  schemes: (id: string, token: string, schemes: Scheme[]) =>
    write("PUT", vmPath(id, "schemes"), token, { schemes }),
};
