// SPDX-License-Identifier: GPL-2.0-or-later
import type { Locator, Page } from "@playwright/test";
import * as format from "../../../web/src/format";
import { regionTexts } from "../../../web/src/heatmap/readout";
import type { Raster, RegionAt } from "../../../web/src/types";
import { expect, mapSettled, NEEDS_HOUR, openVm, test } from "./fixtures";

interface Shown {
  from: number;
  to: number;
  start: number;
  end: number;
}

async function view(surface: Locator): Promise<Shown> {
  const names = ["from", "to", "start", "end"];
  const v = await surface.evaluate((e, n) => n.map((x) => Number(e.dataset[x])), names);
  return { from: v[0]!, to: v[1]!, start: v[2]!, end: v[3]! };
}

async function open(page: Page, server: import("./fixtures").Server): Promise<string> {
  const { id } = await server.watched();
  await openVm(page, server, id);
  if (!server.simulator) {
    await page.getByRole("button", { name: "5 m", exact: true }).click(); // it has not run for longer
  }
  await mapSettled(page);
  return id;
}

/** Look at a point by mouse; what the read-out then is about. */
async function hover(page: Page, x: number, y: number) {
  const box = (await page.locator(".heat-surface").boundingBox())!;
  await page.mouse.move(box.x + 92 + (box.width - 100) * x, box.y + 6 + (box.height - 28) * y);
  const readout = page.locator(".readout");
  await expect(readout).toHaveAttribute("data-state", /^(ok|unknown)$/);
  return {
    known: (await readout.getAttribute("data-state")) === "ok",
    time: Number(await readout.getAttribute("data-time")),
    address: Number(await readout.getAttribute("data-address")),
    values: await readout.evaluate((e) =>
      Object.fromEntries([...e.querySelectorAll<HTMLElement>("dd")].map((d) => [d.dataset.value!, d.textContent])),
    ),
  };
}

test("the read-out is what the server knows of the region", async ({ page, server }) => {
  const id = await open(page, server);
  for (const y of [0.1, 0.35, 0.6, 0.9, 0.99]) {
    let known = false;
    /* a monitor that a busy host delayed leaves holes in time */
    for (const x of [0.994, 0.992, 0.99, 0.985, 0.98, 0.97]) {
      const shown = await hover(page, x, y);
      const where = `vms/${encodeURIComponent(id)}/region?time=${shown.time}&address=${shown.address}`;
      known = shown.known;
      if (!known) {
        await expect(server.get(where), "the page knows less than the server").rejects.toThrow(": 404");
        continue;
      }
      const told = await server.get<RegionAt>(where);
      expect(shown.address).toBeGreaterThanOrEqual(told.start);
      expect(shown.address).toBeLessThan(told.end);
      expect(shown.values).toMatchObject(regionTexts(told));
      expect(shown.values.time).toBe(new Date(shown.time * 1000).toISOString().slice(11, 19));
      break;
    }
    expect(known, `nothing is known at ${y}`).toBe(true);
  }
});

/** Brightness of a pixel of the heatmap. */
async function brightness(page: Page, x: number, y: number): Promise<number> {
  return page.locator(".heat-map").evaluate((c: HTMLCanvasElement, [px, py]) => {
    const r = window.devicePixelRatio;
    const d = c.getContext("2d")!.getImageData(px! * r, py! * r, 1, 1).data;
    return 0.3 * d[0]! + 0.59 * d[1]! + 0.11 * d[2]!;
  }, [x, y]);
}

test("bright is hot: pixels follow the server's raster, low addresses below", async ({ page, server }) => {
  const id = await open(page, server);
  const host = await server.host();
  const q = `from=${host.time - 400}&to=${host.time - 300}&columns=1&rows=256`;
  const raster = await server.get<Raster>(`vms/${encodeURIComponent(id)}/heatmap?${q}`);
  const bytes = Buffer.from(raster.data, "base64");
  test.skip(bytes.every((b) => b < 2), "no history yet");
  const address = (row: number) => {
    const i = raster.spans.findLastIndex((s) => s.row <= row);
    const s = raster.spans[i]!;
    const rows = (raster.spans[i + 1]?.row ?? raster.rows) - s.row;
    return s.start + ((row - s.row + 0.5) * (s.end - s.start)) / rows;
  };
  /* Look from below until the read-out comes near; so the axis is tested, too. */
  const rows = [...bytes.keys()].filter((r) => r > 2 && r < 253);
  const near = (r: number) => [bytes[r - 1]!, bytes[r]!, bytes[r + 1]!];
  const hot = some(rows, (r) => Math.min(...near(r)));
  const cold = some(rows, (r) => -Math.max(...near(r)));
  expect(Math.min(...hot.flatMap(near))).toBeGreaterThan(Math.max(...cold.flatMap(near)) + 30);
  const light = async (list: number[]) => {
    const out: number[] = [];
    for (const row of list) {
      out.push(await brightnessAt(page, host.time - 350, address(row)));
    }
    return out;
  };
  expect(Math.min(...(await light(hot)))).toBeGreaterThan(Math.max(...(await light(cold))) + 20);
});

/** The five rows of the highest @score, not side by side. */
function some(rows: number[], score: (row: number) => number): number[] {
  const out: number[] = [];
  for (const r of [...rows].sort((a, b) => score(b) - score(a))) {
    if (out.length < 5 && out.every((o) => Math.abs(o - r) > 6)) {
      out.push(r);
    }
  }
  return out;
}

/** Find the pixel of an address by bisection over what the read-out says. */
async function brightnessAt(page: Page, time: number, address: number): Promise<number> {
  const surface = page.locator(".heat-surface");
  const box = (await surface.boundingBox())!;
  const v = await view(surface);
  const x = 92 + ((time - v.from) / (v.to - v.from)) * (box.width - 100);
  let low = 6;
  let high = box.height - 23;
  for (let i = 0; i < 12; i++) {
    const y = (low + high) / 2;
    await page.mouse.move(box.x + x, box.y + y);
    const at = Number(await page.locator(".readout").getAttribute("data-address"));
    at > address ? (low = y) : (high = y);
  }
  await page.mouse.move(box.x + x, box.y + 2);
  await expect(page.locator(".readout")).toHaveAttribute("data-state", "none");
  return brightness(page, x, (low + high) / 2);
}

test("keys zoom, move and look", async ({ page, server }) => {
  test.skip(!server.simulator, NEEDS_HOUR);
  const id = await open(page, server);
  const surface = page.locator(".heat-surface");
  await surface.focus();
  const all = await view(surface);
  await page.keyboard.press("PageUp");
  await expect.poll(async () => (await view(surface)).end - (await view(surface)).start).toBeLessThan(0.75 * (all.end - all.start));
  const half = await view(surface);
  await page.keyboard.press("Shift+ArrowUp");
  await expect.poll(async () => (await view(surface)).start).toBeGreaterThan(half.start);
  await page.keyboard.press("+");
  await page.keyboard.press("+");
  await expect.poll(async () => (await view(surface)).to - (await view(surface)).from).toBeLessThan(0.55 * (all.to - all.from));
  const before = await view(surface);
  await page.keyboard.press("Shift+ArrowLeft");
  await expect.poll(async () => (await view(surface)).to).toBeLessThan(before.to);
  await expect(page.getByRole("button", { name: "Live" })).toHaveAttribute("aria-pressed", "false");
  await page.keyboard.press("End");
  await expect(page.getByRole("button", { name: "Live" })).toHaveAttribute("aria-pressed", "true");
  await page.keyboard.press("0");
  await expect.poll(async () => (await view(surface)).start).toBe(0);
  await expect.poll(async () => (await view(surface)).end).toBe(all.end);

  const readout = page.locator(".readout");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Alt+ArrowUp");
  await expect(readout).toHaveAttribute("data-state", /ok|unknown/);
  const first = Number(await readout.getAttribute("data-address"));
  await page.keyboard.press("Alt+ArrowUp");
  await expect.poll(async () => Number(await readout.getAttribute("data-address"))).toBeGreaterThan(first);
  await expect(readout).toHaveAttribute("data-state", /ok|unknown/);
  if ((await readout.getAttribute("data-state")) === "unknown") {
    await expect(page.locator("#announce")).toContainText("not known");
    return; /* the server has not run for so long */
  }
  const at = Number(await readout.getAttribute("data-address"));
  const time = Number(await readout.getAttribute("data-time"));
  const told = await server.get<RegionAt>(`vms/${encodeURIComponent(id)}/region?time=${time}&address=${at}`);
  await expect(page.locator("#announce")).toContainText(format.address(told.start));
  await page.keyboard.press("Escape");
  await expect(readout).toHaveAttribute("data-state", "none");
});

test("the mouse drags, and its wheel zooms once the heatmap has the focus", async ({ page, server }) => {
  test.skip(!server.simulator, NEEDS_HOUR);
  await open(page, server);
  const surface = page.locator(".heat-surface");
  const box = (await surface.boundingBox())!;
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  const before = await view(surface);
  await page.mouse.move(middle.x, middle.y);
  await page.mouse.wheel(0, -300);
  await page.waitForFunction(() => window.scrollY === 0 || true);
  expect((await view(surface)).end).toBe(before.end);
  await page.mouse.down();
  await page.mouse.move(middle.x + 200, middle.y, { steps: 5 });
  await page.mouse.up();
  await expect.poll(async () => (await view(surface)).to).toBeLessThan(before.to - 60);
  await page.mouse.wheel(0, -500);
  await expect.poll(async () => {
    const v = await view(surface);
    return v.to - v.from;
  }).toBeLessThan(0.8 * (before.to - before.from));
});

test("zoomed in, tiles of that part are asked for", async ({ page, server }) => {
  test.skip(!server.simulator, NEEDS_HOUR);
  await open(page, server);
  const part = page.waitForRequest((r) => /heatmap\?.*start=\d+&end=\d+/.test(r.url()));
  await page.locator(".heat-surface").focus();
  for (let i = 0; i < 5; i++) {
    await page.keyboard.press("PageUp");
  }
  const url = new URL((await part).url());
  expect(Number(url.searchParams.get("end"))).toBeGreaterThan(Number(url.searchParams.get("start")));
  await mapSettled(page);
});

test("new columns arrive", async ({ page, server }) => {
  await open(page, server);
  const surface = page.locator(".heat-surface");
  const first = (await view(surface)).to;
  await expect.poll(async () => (await view(surface)).to).toBeGreaterThan(first + 1.5);
});
