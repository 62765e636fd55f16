// SPDX-License-Identifier: GPL-2.0-or-later
// What holds for all views: width, keyboard, accessibility, policy, network.

import type { Page } from "@playwright/test";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, mapSettled, NEEDS_HOUR, NEEDS_SIMULATOR, openList, openVm, ownServer, test, unlock } from "./fixtures";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Violations of WCAG 2.2 A and AA. */
async function violations(page: Page): Promise<string[]> {
  /* The page's policy forbids eval; the debugger's is not bound by it. */
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const run = (window as unknown as { axe: { run(c: unknown, o: unknown): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> } }).axe;
    const r = await run.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
    return r.violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 160)} ${n.failureSummary}`));
  });
}

for (const colorScheme of ["dark", "light"] as const) {
  test(`axe finds nothing, ${colorScheme}`, async ({ page, server }) => {
    await page.emulateMedia({ colorScheme });
    await openList(page, server);
    expect(await violations(page)).toEqual([]);
    await openVm(page, server, (await server.watched()).id);
    await mapSettled(page);
    await page.locator("summary").click();
    expect(await violations(page)).toEqual([]);
    if ((await server.host()).control) {
      await unlock(page);
      await page.locator("#add-scheme").click();
      await expect(page.locator("dialog")).toBeVisible();
      expect(await violations(page)).toEqual([]);
    }
  });
}

for (const width of [390, 320]) {
  test(`no sideways scroll at ${width} px`, async ({ page, server }) => {
    await page.setViewportSize({ width, height: 844 });
    const wide = () => page.evaluate(() => document.documentElement.scrollWidth);
    await openList(page, server);
    expect(await wide()).toBeLessThanOrEqual(width);
    for (const vm of await server.vms()) {
      await openVm(page, server, vm.id);
      if (await page.locator(".heat-surface").count()) {
        await page.locator("summary").click();
      }
      expect(await wide(), vm.domain).toBeLessThanOrEqual(width);
    }
  });
}

/** What has the focus, in a word. */
const focused = (page: Page) =>
  page.evaluate(() => {
    const e = document.activeElement;
    return e?.id || e?.getAttribute("aria-label") || e?.textContent || e?.tagName || "";
  });

test("a keyboard is enough", async ({ page, server }) => {
  test.skip(!server.simulator, NEEDS_HOUR);
  const vm = await server.watched();
  await openList(page, server);
  await page.keyboard.press("Tab");
  expect(await focused(page)).toBe("skip");
  await page.keyboard.press("Enter");
  expect(await focused(page)).toBe("main");
  const seen: string[] = [];
  for (let i = 0; i < 60 && seen[seen.length - 1] !== vm.domain; i++) {
    await page.keyboard.press("Tab");
    seen.push(await focused(page));
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle);
    expect(outline, `focus is seen on ${seen[seen.length - 1]}`).not.toBe("none");
  }
  expect(seen).toContain("filter");
  expect(seen).toContain("Needs");
  await page.keyboard.press("Enter");
  await expect(page.locator("h1")).toHaveText(vm.domain);
  await expect(page.locator("h1")).toBeFocused();
  await expect(page.locator(".heat-surface")).toBeVisible();
  for (let i = 0; i < 30 && !(await focused(page)).startsWith("Guest memory by time"); i++) {
    await page.keyboard.press("Tab");
  }
  await expect(page.locator(".heat-surface")).toBeFocused();
  await expect(page.locator(".readout")).toHaveAttribute("data-state", /ok|unknown/);
});

test("a dialog takes the focus and gives it back", async ({ page, server }) => {
  test.skip(!(await server.host()).control, "the server runs without --allow-control");
  await openVm(page, server, (await server.watched()).id);
  await page.locator("#unlock").focus();
  await page.keyboard.press("Enter");
  await expect(page.locator("#token")).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.locator("dialog")).toHaveCount(0);
  await expect(page.locator("#unlock")).toBeFocused();
});

test("the theme can be chosen, and stays chosen", async ({ page, server }) => {
  await openList(page, server);
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const dark = await ground();
  await page.locator("#theme").click();
  await expect(page.locator("#theme")).toHaveText("Theme: light");
  const light = await ground();
  expect(light).not.toBe(dark);
  await page.reload();
  await expect(page.locator("#theme")).toHaveText("Theme: light");
  expect(await ground()).toBe(light);
});

test("nothing comes from elsewhere, nothing breaks the policy", async ({ page, server }) => {
  const urls: string[] = [];
  page.on("request", (r) => urls.push(r.url()));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (e) => {
      throw new Error(`policy: ${e.violatedDirective} ${e.blockedURI}`);
    });
  });
  const answer = await page.goto(server.url);
  expect(answer!.headers()["content-security-policy"]).toContain("default-src 'self'");
  await expect(page.locator("tr[data-id]").first()).toBeVisible();
  await openVm(page, server, (await server.watched()).id);
  await mapSettled(page);
  expect(urls.filter((u) => !u.startsWith(server.url))).toEqual([]);
  expect(await page.locator("[style]:not(.u-wrap):not(.u-wrap *)").evaluateAll((es) =>
    es.filter((e) => e.outerHTML.includes("javascript:")).length)).toBe(0);
});

test("when the server goes it says so, and comes back with it", async ({ page, server, problems }) => {
  test.skip(!server.simulator, NEEDS_SIMULATOR);
  const own = await ownServer();
  for (const open of [() => openList(page, own), async () => openVm(page, own, (await own.watched()).id)]) {
    await open();
    await expect(page.locator("#banner")).toBeHidden();
    await own.simulator!.stop();
    await expect(page.locator("#banner")).toBeVisible();
    await expect(page.locator("#banner")).toContainText("does not answer");
    await own.simulator!.start();
    await expect(page.locator("#banner")).toBeHidden();
    const first = await page.locator("[data-snapshot]").first().getAttribute("data-snapshot");
    await expect(page.locator("[data-snapshot]").first()).not.toHaveAttribute("data-snapshot", first!);
  }
  await own.stop();
  problems.length = 0; /* the browser reports refused connections */
});

test("a view of a machine takes at most 50 KiB/s of events", async ({ page, server }) => {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Network.enable");
  const streams = new Map<string, number>();
  let bytes = 0;
  cdp.on("Network.requestWillBeSent", (e) => {
    if (/\/events(\?|$)/.test(e.request.url)) {
      streams.set(e.requestId, 0);
    }
  });
  cdp.on("Network.dataReceived", (e) => {
    bytes += streams.has(e.requestId) ? e.dataLength : 0;
  });
  await openVm(page, server, (await server.watched()).id);
  await expect.poll(() => bytes).toBeGreaterThan(0);
  const before = bytes;
  const begin = Date.now();
  await expect.poll(() => Date.now() - begin, { timeout: 20_000, intervals: [1000] }).toBeGreaterThan(8000);
  const rate = (bytes - before) / ((Date.now() - begin) / 1000);
  test.info().annotations.push({ type: "events", description: `${(rate / 1024).toFixed(1)} KiB/s` });
  console.log(`events of a machine: ${(rate / 1024).toFixed(1)} KiB/s`);
  expect(bytes).toBeGreaterThan(before);
  expect(rate).toBeLessThan(50 * 1024);
});
