#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
//
// A simulated exporter: the HTTP interface of vmheat-exporter with guests of
// guests.mjs, for the tests of the page. Its clock starts at a fixed time and
// runs with the real one.
//
// usage: simulator.mjs --assets=DIR [--port=N] [--token=TOKEN] [--interval=S]
//                      [--start=SECONDS] [--without-vms]
//
// Prints "ready http://127.0.0.1:PORT" when it listens.
import { createServer } from "node:http";
import { readFileSync, existsSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { makeGuests } from "./guests.mjs";
import * as views from "./views.mjs";

const args = Object.fromEntries(
  process.argv.slice(2).map((a) => {
    const [k, ...v] = a.replace(/^--/, "").split("=");
    return [k, v.length ? v.join("=") : true];
  }),
);
const INTERVAL = Number(args.interval ?? 1);
const START = Number(args.start ?? 1764252000);
const begin = performance.now();
/** Time of the last snapshot: a whole number of intervals after START. */
const now = () =>
  START + Math.floor((performance.now() - begin) / 1000 / INTERVAL) * INTERVAL;
const guests = args["without-vms"] ? [] : makeGuests(START);
const GiB = 1024 ** 3;

const TYPES = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".json": "application/json",
};
const CSP = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

class Problem extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

function send(res, status, body, type = "application/json") {
  res.writeHead(status, {
    "Content-Type": type, "Content-Security-Policy": CSP, "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
  });
  res.end(typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body));
}

function host() {
  return {
    node: "sim-host", version: "0.1", time: now(), interval: INTERVAL, control: Boolean(args.token),
    history: { seconds: 86400, bytes_per_vm: 64 * 1024 ** 2 },
    memory: { total: 32 * GiB, available: 9.5 * GiB }, swap: { total: 8 * GiB, used: 1.2 * GiB },
    compressed: { original: 1.2 * GiB, stored: 0.36 * GiB },
  };
}

const vms = () => {
  const time = now();
  const list = guests.map((g) => views.vm(g, time));
  return { time, vms: list.sort((a, b) => (a.domain < b.domain ? -1 : 1)) };
};

function find(id) {
  const g = guests.find((x) => x.id === id);
  if (!g) {
    throw new Problem(404, `no virtual machine has the id '${id}'`);
  }
  return g;
}

function number(query, name, fallback, least, most) {
  const text = query.get(name);
  if (text === null && fallback !== undefined) {
    return fallback;
  }
  const v = Number(text);
  if (text === null || text === "" || !(v >= least && v <= most)) {
    throw new Problem(400, `${name} is '${text}'; allowed is ${least} .. ${most}`);
  }
  return v;
}

const whole = (...a) => Math.floor(number(...a));

function period(query) {
  const to = number(query, "to", now(), 0, 1e11);
  const from = number(query, "from", to - 3600, 0, 1e11);
  if (from >= to) {
    throw new Problem(400, `from is ${from}, to is ${to}; from must be less`);
  }
  return { from, to };
}

function window(query) {
  return {
    start: number(query, "start", 0, 0, 2 ** 53),
    end: number(query, "end", 2 ** 53, 0, 2 ** 53),
  };
}

const streams = new Set();

/** Server-sent events: @first at once, @each at every interval. */
function stream(req, res, first, each) {
  res.writeHead(200, {
    "Content-Type": "text/event-stream", "Cache-Control": "no-store",
    "Content-Security-Policy": CSP,
  });
  const emit = (name, data) => res.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  first(emit);
  let last = now();
  const timer = setInterval(() => {
    if (now() !== last) {
      last = now();
      each(emit);
    }
  }, Math.min(INTERVAL * 500, 250));
  const s = { res, emit };
  streams.add(s);
  req.on("close", () => {
    clearInterval(timer);
    streams.delete(s);
  });
  return s;
}

function vmStream(req, res, g, query) {
  const rows = whole(query, "rows", 512, 1, 2048);
  const w = window(query);
  const { spans, indices } = views.layout(g, rows, w.start, w.end);
  const column = (emit, first) => {
    if (!g.regions.length || g.state !== "running") {
      return;
    }
    const data = Buffer.alloc(rows);
    const idle = Buffer.alloc(rows);
    views.fillColumn(g, indices, now(), data, idle, 0);
    emit("column", {
      time: now(), rows, data: data.toString("base64"), idle: idle.toString("base64"),
      ...(first ? { spans } : {}),
    });
  };
  const both = (first) => (emit) => {
    emit("vm", views.details(g, now()));
    column(emit, first);
  };
  stream(req, res, both(true), both(false)).guest = g;
}

function get(req, res, path, query) {
  const m = /^\/api\/v1\/vms\/([^/]+)(?:\/(\w+))?$/.exec(path);
  if (path === "/api/v1/host") {
    return send(res, 200, host());
  }
  if (path === "/api/v1/vms") {
    return send(res, 200, vms());
  }
  if (path === "/api/v1/events") {
    const emit = (e) => e("vms", vms());
    return stream(req, res, emit, emit);
  }
  if (!m) {
    throw new Problem(404, `nothing is at ${path}`);
  }
  return getVm(req, res, find(decodeURIComponent(m[1])), m[2], query);
}

/* The past does not change, and browsers ask for it again and again. */
const rasters = new Map();

function raster(g, query) {
  const q = {
    ...period(query), ...window(query),
    columns: whole(query, "columns", 600, 1, 2048), rows: whole(query, "rows", 512, 1, 2048),
  };
  const name = `${g.id} ${JSON.stringify(q)}`;
  const body = rasters.get(name) ?? JSON.stringify(views.heatmap(g, now(), q));
  if (q.to <= now() && rasters.size < 200) {
    rasters.set(name, body);
  }
  return body;
}

function getVm(req, res, g, what, query) {
  switch (what) {
    case undefined:
      return send(res, 200, views.details(g, now()));
    case "history": {
      const p = period(query);
      return send(res, 200, views.history(g, p.from, p.to, whole(query, "columns", 600, 1, 2000)));
    }
    case "heatmap":
      return send(res, 200, raster(g, query));
    case "region": {
      const r = views.region(g, now(), number(query, "time", now(), 0, 1e11),
        number(query, "address", undefined, 0, 2 ** 53));
      if (!r) {
        throw new Problem(404, "nothing is known of this address at this time");
      }
      return send(res, 200, r);
    }
    case "actions":
      return send(res, 200, views.actions);
    case "events":
      return vmStream(req, res, g, query);
    default:
      throw new Problem(404, `nothing is at ${what}`);
  }
}

function allowed(req) {
  if (!args.token) {
    throw new Problem(403, "this exporter runs without --allow-control");
  }
  if (req.headers["sec-fetch-site"] && req.headers["sec-fetch-site"] !== "same-origin") {
    throw new Problem(403, "only this page may do that");
  }
  if (req.headers.authorization !== `Bearer ${args.token}`) {
    throw new Problem(401, "the token is missing or wrong");
  }
  if (!/^application\/json/.test(req.headers["content-type"] ?? "")) {
    throw new Problem(415, "Content-Type must be application/json");
  }
}

function qmp(g, name, data) {
  for (const s of streams) {
    if (s.guest === g) {
      s.emit("qmp", { time: now(), name, data });
      s.emit("vm", views.details(g, now()));
    }
  }
}

function setSchemes(g, list) {
  const names = new Set();
  for (const s of list) {
    if (!/^[\w.-]{1,63}$/.test(s.name ?? "") || names.has(s.name)) {
      throw new Problem(400, `name of a scheme is '${s.name}'; it must be unique, of letters, digits, '-', '_' and '.'`);
    }
    names.add(s.name);
    if ((s.quota?.["reset-interval"] ?? 1e6) < 1000) {
      throw new Problem(400, "reset-interval must be 1000 .. 3600000000");
    }
  }
  g.schemes = list;
}

function change(g, what, body) {
  if (what === "pause" || what === "resume") {
    g.state = what === "pause" ? "paused" : "running";
    qmp(g, "VMHEAT_STATE_CHANGED", { state: g.state });
    return {};
  }
  if (what === "attrs") {
    Object.assign(g.attrs, body);
    return g.attrs;
  }
  setSchemes(g, body.schemes);
  qmp(g, "VMHEAT_SIM_SCHEMES", { number: g.schemes.length });
  return {};
}

async function write(req, res, path) {
  const m = /^\/api\/v1\/vms\/([^/]+)\/(pause|resume|attrs|schemes)$/.exec(path);
  if (!m || (req.method === "PUT") !== (m[2] === "schemes")) {
    throw new Problem(m ? 405 : 404, `${req.method} ${path} is not to be had`);
  }
  allowed(req);
  let text = "";
  for await (const chunk of req) {
    text += chunk;
  }
  send(res, 200, change(find(decodeURIComponent(m[1])), m[2], JSON.parse(text)));
}

function asset(res, path) {
  const file = join(String(args.assets), normalize(path === "/" ? "/index.html" : path));
  if (!existsSync(file)) {
    throw new Problem(404, `nothing is at ${path}`);
  }
  send(res, 200, readFileSync(file), TYPES[extname(file)] ?? "application/octet-stream");
}

/** What only a simulator can: tests change a guest, or drop all streams. */
function simulate(res, query) {
  if (query.get("drop")) {
    streams.forEach((s) => s.res.destroy());
  }
  if (query.get("vm")) {
    const g = find(query.get("vm"));
    g.state = query.get("state") ?? g.state;
    g.reason = query.get("reason");
    qmp(g, "VMHEAT_STATE_CHANGED", { state: g.state });
  }
  send(res, 200, {});
}

const server = createServer(async (req, res) => {
  const url = new URL(req.url, "http://localhost");
  try {
    if (url.pathname === "/sim") {
      simulate(res, url.searchParams);
    } else if (req.method !== "GET") {
      await write(req, res, url.pathname);
    } else if (url.pathname.startsWith("/api/")) {
      get(req, res, url.pathname, url.searchParams);
    } else {
      asset(res, url.pathname);
    }
  } catch (e) {
    send(res, e.status ?? 500, { error: e.status ? e.message : String(e.stack) });
  }
});
server.listen(Number(args.port ?? 0), "127.0.0.1", () =>
  console.log(`ready http://127.0.0.1:${server.address().port}`),
);
