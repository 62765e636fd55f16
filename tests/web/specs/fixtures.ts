// SPDX-License-Identifier: GPL-2.0-or-later
// The server under test: a simulated one, or the exporter at VMHEAT_WEB_URL.

import { test as base, expect, type Page } from "@playwright/test";
import { spawn, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Host, Vm, VmDetails, VmList } from "../../../web/src/types";

export { expect };
export const TOKEN = process.env.VMHEAT_WEB_TOKEN ?? "a-token-of-the-test";
const REAL = process.env.VMHEAT_WEB_URL;
const SIMULATOR = fileURLToPath(new URL("../simulator.mjs", import.meta.url));

/** A simulated exporter, which can be stopped and started again. */
export class Simulator {
  url = "";
  private child: ChildProcess | null = null;

  constructor(private readonly args: string[]) {}

  async start(): Promise<void> {
    const port = this.url ? new URL(this.url).port : "0";
    const assets = process.env.VMHEAT_WEB_ASSETS;
    if (!assets) {
      throw new Error("VMHEAT_WEB_ASSETS names no folder of a built dashboard");
    }
    const child = spawn(process.execPath, [
      SIMULATOR, `--assets=${assets}`, `--port=${port}`, ...this.args,
    ]);
    this.child = child;
    child.stderr.pipe(process.stderr);
    this.url = await new Promise((resolve, reject) => {
      child.stdout.on("data", (d) => {
        const m = /ready (\S+)/.exec(String(d));
        m && resolve(`${m[1]}/`);
      });
      child.on("exit", (code) => reject(new Error(`the simulator ended: ${code}`)));
    });
  }

  async stop(): Promise<void> {
    const child = this.child;
    this.child = null;
    if (child && child.exitCode === null) {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill();
      await ended;
    }
  }
}

/** Requests to the server that the page talks to. */
export class Server {
  constructor(
    readonly url: string,
    readonly simulator: Simulator | null,
  ) {}

  async get<T>(path: string): Promise<T> {
    const r = await fetch(`${this.url}api/v1/${path}`);
    if (!r.ok) {
      throw new Error(`${path}: ${r.status}`);
    }
    return (await r.json()) as T;
  }

  host = () => this.get<Host>("host");
  vms = async () => (await this.get<VmList>("vms")).vms;
  vm = (id: string) => this.get<VmDetails>(`vms/${encodeURIComponent(id)}`);

  /** A virtual machine that is watched, the largest. */
  async watched(): Promise<Vm> {
    const known = (await this.vms()).filter((v) => v.snapshot > 0 && v.state === "running");
    const vm = known.sort((a, b) => b.size - a.size)[0];
    if (!vm) {
      throw new Error("the server has no virtual machine that is watched");
    }
    return vm;
  }

  /** Something that only the simulator can do. */
  async simulate(query: string): Promise<void> {
    await fetch(`${this.url}sim?${query}`);
  }
}

interface Worker {
  server: Server;
}

/** Errors of the page fail the test, unless it expects them. */
interface PerTest {
  problems: string[];
}

export const test = base.extend<PerTest, Worker>({
  server: [
    async ({}, use) => {
      if (REAL) {
        await use(new Server(REAL.replace(/\/*$/, "/"), null));
        return;
      }
      const simulator = new Simulator([`--token=${TOKEN}`]);
      await simulator.start();
      await use(new Server(simulator.url, simulator));
      await simulator.stop();
    },
    { scope: "worker" },
  ],
  problems: [
    async ({ page }, use) => {
      const problems: string[] = [];
      page.on("pageerror", (e) => problems.push(e.message));
      page.on("console", (m) => {
        /* "Nothing is known there" is an answer, which browsers report. */
        const unknown = m.location().url.includes("/region?") && m.text().includes("404");
        if (m.type() === "error" && !unknown) {
          problems.push(m.text());
        }
      });
      await use(problems);
      expect(problems).toEqual([]);
    },
    { auto: true },
  ],
});

export const NEEDS_SIMULATOR = "only the simulated server can do this";
export const NEEDS_HOUR = "a server that was just started has no history of an hour";

/** A server of this test's own. */
export async function ownServer(...args: string[]): Promise<Server & { stop(): Promise<void> }> {
  const simulator = new Simulator(args);
  await simulator.start();
  const server = new Server(simulator.url, simulator);
  return Object.assign(server, { stop: () => simulator.stop() });
}

export async function openList(page: Page, server: Server): Promise<void> {
  await page.goto(server.url);
  await expect(page.locator("tr[data-id]").first()).toBeVisible();
}

export async function openVm(page: Page, server: Server, id: string): Promise<void> {
  await page.goto(`${server.url}#/vm/${encodeURIComponent(id)}`);
  await expect(page.locator("h1")).not.toHaveText("…");
}

export async function mapSettled(page: Page): Promise<void> {
  await expect(page.locator(".heat-surface")).toHaveAttribute("data-settled", "true");
}

/** Type the token. */
export async function unlock(page: Page, token = TOKEN): Promise<void> {
  await page.locator("#unlock").click();
  await page.locator("#token").fill(token);
  await page.getByRole("button", { name: "Unlock", exact: true }).click();
}

/**
 * Compare what the page shows with what the server says of the same snapshot.
 * @shown reads the page, @told asks the server; both with a snapshot's number.
 */
export async function sameSnapshot<T>(
  shown: () => Promise<{ snapshot: number; values: T }>,
  told: () => Promise<{ snapshot: number; values: T }>,
): Promise<void> {
  const end = Date.now() + 30_000;
  while (Date.now() < end) {
    const page = await shown();
    const server = await told();
    if (page.snapshot === server.snapshot && page.snapshot > 0) {
      expect(page.values).toEqual(server.values);
      return;
    }
    await new Promise((rest) => setTimeout(rest, 100)); // requests are limited
  }
  throw new Error("page and server never had the same snapshot");
}
