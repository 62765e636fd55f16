// SPDX-License-Identifier: GPL-2.0-or-later
import * as format from "../../../web/src/format";
import { patternText, quotaText } from "../../../web/src/scheme-text";
import type { VmDetails } from "../../../web/src/types";
import { expect, NEEDS_HOUR, NEEDS_SIMULATOR, openVm, sameSnapshot, test } from "./fixtures";

const figures = (vm: VmDetails) => ({
  needs: format.size(vm.needs),
  has: format.size(vm.has),
  saved: format.size(vm.saved),
  working_set: format.size(vm.working_set),
  size: format.size(vm.size),
  paged_out: format.size(vm.paged_out),
  huge: vm.huge === null ? "–" : format.size(vm.huge),
  rate: vm.rate === null ? "–" : format.manyRate(vm.rate),
  cost: vm.cost === null ? "–" : format.percent(vm.cost, 1),
  confidence: vm.confidence === null ? "–" : format.percent(vm.confidence, 1),
  ...Object.fromEntries(Object.entries(vm.classes).map(([k, v]) => [`class-${k}`, format.size(v)])),
});

test("figures and classes are the server's", async ({ page, server }) => {
  const { id } = await server.watched();
  await openVm(page, server, id);
  await sameSnapshot(
    () =>
      page.evaluate(() => ({
        snapshot: Number(document.querySelector<HTMLElement>(".vm")!.dataset.snapshot),
        values: Object.fromEntries(
          [...document.querySelectorAll<HTMLElement>(".overview [data-value]")].map((e) => [
            e.dataset.value!,
            e.textContent,
          ]),
        ) as Record<string, string | null>,
      })),
    async () => {
      const vm = await server.vm(id);
      return { snapshot: vm.snapshot, values: figures(vm) as Record<string, string | null> };
    },
  );
});

test("schemes, their state and what they did", async ({ page, server }) => {
  const all = await Promise.all((await server.vms()).map((v) => server.vm(v.id)));
  const vm = all.find((v) => (v.schemes ?? []).length > 0);
  test.skip(!vm, "no machine of the server has a scheme");
  await openVm(page, server, vm!.id);
  const rows = (v: VmDetails) =>
    v.schemes!.map((s) => ({
      name: s.scheme.name,
      state: s.state,
      pattern: patternText(s.scheme),
      quota: quotaText(s.scheme),
      tried: format.size(s.stats["sz-tried"]),
      applied: format.size(s.stats["sz-applied"]),
      refaulted: format.size(s.stats.refaulted),
    }));
  await sameSnapshot(
    () =>
      page.evaluate(() => {
        const text = (e: Element, what: string) => e.querySelector(what)!.textContent ?? "";
        const trs = [...document.querySelectorAll<HTMLElement>("tr[data-scheme]")];
        return {
          snapshot: Number(document.querySelector<HTMLElement>(".vm")!.dataset.snapshot),
          values: trs.map((tr) => ({
            name: tr.dataset.scheme,
            state: text(tr, ".badge"),
            pattern: text(tr, ".cell-pattern"),
            quota: text(tr, '[data-label="Quota"]'),
            tried: text(tr, '[data-value="sz-tried"]'),
            applied: text(tr, '[data-value="sz-applied"]'),
            refaulted: text(tr, '[data-value="refaulted"]'),
          })),
        };
      }) as Promise<{ snapshot: number; values: ReturnType<typeof rows> }>,
    async () => {
      const now = await server.vm(vm!.id);
      return { snapshot: now.snapshot, values: rows(now) };
    },
  );
});

test("charts tell the newest values, and those of the cursor", async ({ page, server }) => {
  const { id } = await server.watched();
  await openVm(page, server, id);
  const chart = page.locator(".chart").first();
  await expect(chart.locator("canvas")).toBeVisible();
  await expect(chart.locator(".chart-empty")).toBeHidden();
  await expect(chart.locator(".chart-box")).toHaveAttribute("aria-label", /now has .*B, needs .*B/);
  const over = chart.locator(".u-over");
  await over.hover();
  await expect(chart.locator(".card-head span")).toHaveText(/^\d\d:\d\d:\d\d$/);
  const other = page.locator(".chart").nth(1);
  await expect(other.locator(".card-head span")).toHaveText(/^\d\d:\d\d:\d\d$/);
});

test("history in the charts is the server's", async ({ page, server }) => {
  test.skip(!server.simulator, NEEDS_HOUR);
  const { id } = await server.watched();
  const answer = page.waitForResponse((r) => r.url().includes("/history?") && !r.url().includes("columns=60&") && !r.url().endsWith("columns=60"));
  await openVm(page, server, id);
  const h = (await (await answer).json()) as { times: number[]; needs: (number | null)[] };
  const chart = page.locator(".chart").first();
  await expect(chart.locator(".chart-empty")).toBeHidden();
  await chart.scrollIntoViewIfNeeded();
  const box = (await chart.locator(".u-over").boundingBox())!;
  await page.mouse.move(box.x + box.width * 0.7, box.y + box.height / 2);
  const when = chart.locator(".card-head span");
  await expect(when).toHaveText(/:/);
  const [clock, needs] = await chart.evaluate((e) => [
    e.querySelector(".card-head span")!.textContent,
    e.querySelector('[data-value="needs"]')!.textContent,
  ]);
  const fits = h.times.some((t, i) => {
    const v = h.needs[i];
    const text = typeof v === "number" ? format.size(v) : "–";
    return utcClock(t) === clock && text === needs;
  });
  expect(fits, `needs ${needs} at ${clock} is of the history`).toBe(true);
});

const utcClock = (t: number) => new Date(t * 1000).toISOString().slice(11, 19);

test("how it is watched: ranges, primitives, attributes", async ({ page, server }) => {
  const vm = await server.vm((await server.watched()).id);
  await openVm(page, server, vm.id);
  await page.locator("summary").click();
  for (const r of vm.ranges!) {
    await expect(page.getByText(format.addresses(r.start, r.start + r.size)).first()).toBeVisible();
  }
  for (const p of vm.primitives!) {
    await expect(page.locator("details strong", { hasText: new RegExp(`^${p.name}$`) })).toBeVisible();
  }
});

test("the memory map tells devices and what is reserved", async ({ page, server }) => {
  const vm = await server.vm((await server.watched()).id);
  await openVm(page, server, vm.id);
  await page.locator("summary").click();
  const cells = (label: string) =>
    page.getByRole("region", { name: label, exact: true }).locator("tbody tr")
      .evaluateAll((rows) => rows.map((r) => [...r.querySelectorAll("td")].map((c) => c.textContent)));
  expect((await cells("Guest memory")).map((r) => [r[2], r[6], r[8]])).toEqual(
    vm.ranges!.map((r) => [r.block, r.device ?? "–", r.reserved ?? "–"]));
  expect((await cells("Reserved memory")).map((r) => [r[2], r[3]])).toEqual(
    vm.reserved!.map((r) => [r.kind, r.name ?? "–"]));
  expect(vm.reserved!.length).toBeGreaterThan(0);
});

test("a machine that cannot be reached says why, and comes back", async ({ page, server }) => {
  test.skip(!server.simulator, NEEDS_SIMULATOR);
  const vms = await server.vms();
  const lost = vms.find((v) => v.state === "unreachable")!;
  await openVm(page, server, lost.id);
  await expect(page.locator(".vm-head .badge")).toHaveText("unreachable");
  await expect(page.locator(".vm-head .reason")).toHaveText(lost.reason!);
  await expect(page.locator(".heat-surface")).toHaveCount(0);

  const { id } = await server.watched();
  await openVm(page, server, id);
  await expect(page.locator(".heat-surface")).toBeVisible();
  await server.simulate(`vm=${id}&state=suspended&reason=migration`);
  await expect(page.locator(".vm-head .badge").first()).toHaveText("suspended");
  await expect(page.locator(".vm-head .reason")).toHaveText("migration");
  await expect(page.locator(".events li").first()).toContainText("state changed");
  await server.simulate(`vm=${id}&state=running`);
  await expect(page.locator(".vm-head .badge").first()).toHaveText("running");
});

test("an unknown machine is told, and the list is a step away", async ({ page, server, problems }) => {
  await openVm(page, server, "no-such-id");
  await expect(page.locator("h1")).toHaveText("Unknown virtual machine");
  await page.getByRole("link", { name: "← Virtual machines" }).click();
  await expect(page.locator("h1")).toHaveText("Virtual machines");
  problems.length = 0; /* the browser reports the 404 */
});
