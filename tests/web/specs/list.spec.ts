// SPDX-License-Identifier: GPL-2.0-or-later
import * as format from "../../../web/src/format";
import { hasFigures } from "../../../web/src/sort";
import type { Vm } from "../../../web/src/types";
import { expect, NEEDS_SIMULATOR, openList, ownServer, sameSnapshot, test } from "./fixtures";

const idle = (vm: Vm) => vm.idle.find((i) => i.seconds === 60)!.bytes;

/** Cells of a row, as the server has them. */
const cells = (vm: Vm) => ({
  needs: format.size(vm.needs),
  has: format.size(vm.has),
  saved: format.size(vm.saved),
  size: format.size(vm.size),
  working_set: format.size(vm.working_set),
  spare: format.size(idle(vm)),
  cost: vm.cost === null ? "–" : format.percent(vm.cost, 1),
});

test("figures of the list are the server's", async ({ page, server }) => {
  await openList(page, server);
  const known = (await server.vms()).filter(hasFigures);
  expect(known.length).toBeGreaterThan(0);
  for (const vm of known) {
    const row = page.locator(`tr[data-id="${vm.id}"]`);
    await sameSnapshot(
      async () =>
        row.evaluate((e) => ({
          snapshot: Number(e.dataset.snapshot),
          values: Object.fromEntries(
            [...e.querySelectorAll<HTMLElement>("[data-value]")].map((c) => [c.dataset.value, c.textContent]),
          ),
        })),
      async () => {
        const now = (await server.vms()).find((v) => v.id === vm.id)!;
        return { snapshot: now.snapshot, values: cells(now) as Record<string, string | null> };
      },
    );
  }
});

test("the host's memory and sums over all machines", async ({ page, server }) => {
  await openList(page, server);
  const host = await server.host();
  await expect(page.locator('[data-value="total"]').first()).toHaveText(format.size(host.memory.total));
  await expect(page.locator("#node")).toHaveText(host.node);
  const shown = () =>
    page.evaluate(() => ({
      snapshot: [...document.querySelectorAll<HTMLElement>("tr[data-id]")].reduce(
        (n, e) => n + Number(e.dataset.snapshot), 0),
      values: [...document.querySelectorAll(".figures [data-value=needs], .figures [data-value=saved]")].map(
        (e) => e.textContent,
      ),
    }));
  await sameSnapshot(shown, async () => {
    const list = await server.get<{ time: number; vms: Vm[] }>("vms");
    const sum = (of: (v: Vm) => number) => format.size(list.vms.reduce((n, v) => n + of(v), 0));
    return { snapshot: list.vms.reduce((n, v) => n + v.snapshot, 0), values: [sum((v) => v.needs), sum((v) => v.saved)] };
  });
});

const names = (page: import("@playwright/test").Page) => page.locator(".cell-name").allTextContents();

test("sorts by each figure, both ways", async ({ page, server }) => {
  await openList(page, server);
  const vms = (await server.vms()).filter(hasFigures);
  const bySize = [...vms].sort((a, b) => b.size - a.size).map((v) => v.domain);
  await page.locator('th[data-sort="size"] button').click();
  await expect(page.locator('th[data-sort="size"]')).toHaveAttribute("aria-sort", "descending");
  expect((await names(page)).slice(0, bySize.length)).toEqual(bySize);
  await page.locator('th[data-sort="size"] button').click();
  await expect(page.locator('th[data-sort="size"]')).toHaveAttribute("aria-sort", "ascending");
  expect((await names(page)).slice(0, bySize.length)).toEqual(bySize.reverse());
});

test("filters by name", async ({ page, server }) => {
  await openList(page, server);
  const vm = await server.watched();
  const all = await server.vms();
  const part = vm.domain.slice(0, 6);
  const fit = all.filter((v) => v.domain.toLowerCase().includes(part.toLowerCase()));
  await page.locator("#filter").fill(part.toUpperCase());
  const count = fit.length === all.length ? `${all.length} in all` : `${fit.length} of ${all.length}`;
  await expect(page.locator("#count")).toHaveText(count);
  expect(await names(page)).toContain(vm.domain);
  await page.locator("#filter").fill("no such name");
  await expect(page.getByText("No name contains “no such name”.")).toBeVisible();
});

test("tells why a machine has no figures", async ({ page, server }) => {
  await openList(page, server);
  const without = (await server.vms()).filter((v) => !hasFigures(v));
  test.skip(without.length === 0, "the server knows only machines that are watched");
  for (const vm of without) {
    const row = page.locator(`tr[data-id="${vm.id}"]`);
    await expect(row.locator(".badge").first()).toHaveText(vm.state);
    await expect(row.locator(".reason")).toHaveText(vm.reason!);
    expect(await row.locator(".num").allTextContents()).toEqual(Array(7).fill("–"));
  }
});

test("hostile names stay text", async ({ page, server }) => {
  test.skip(!server.simulator, NEEDS_SIMULATOR);
  await openList(page, server);
  const hostile = (await server.vms()).find((v) => v.domain.includes("<img"))!;
  const link = page.locator(`tr[data-id="${hostile.id}"] a`);
  await expect(link).toHaveText(hostile.domain);
  await link.click();
  await expect(page.locator("h1")).toHaveText(hostile.domain);
  await page.locator("summary").click();
  await expect(page.getByText(`"><b onmouseover=window.owned=1>ram`).first()).toBeVisible();
  expect(await page.locator("main img, main script, main b[onmouseover]").count()).toBe(0);
  expect(await page.evaluate(() => "owned" in window)).toBe(false);
});

test("without machines it says how to add one", async ({ page, server }) => {
  test.skip(!server.simulator, NEEDS_SIMULATOR);
  const empty = await ownServer("--without-vms");
  await page.goto(empty.url);
  await expect(page.getByText("No virtual machines yet.")).toBeVisible();
  await expect(page.getByText("vmheat libvirt enable DOMAIN")).toBeVisible();
  await page.close();
  await empty.stop();
});
