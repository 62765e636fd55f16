// SPDX-License-Identifier: GPL-2.0-or-later
import { expect, NEEDS_SIMULATOR, openVm, ownServer, test, TOKEN, unlock } from "./fixtures";

test.beforeEach(async ({ server }) => {
  test.skip(!(await server.host()).control, "the server runs without --allow-control");
});

test("without a token nothing can be changed", async ({ page, server }) => {
  await openVm(page, server, (await server.watched()).id);
  await expect(page.locator("#unlock")).toBeVisible();
  await expect(page.locator("#pause")).toHaveCount(0);
  await expect(page.locator("#add-scheme")).toBeHidden();
  await expect(page.locator(".cell-buttons:visible")).toHaveCount(0);
});

test("a server without control offers none", async ({ page, server }) => {
  test.skip(!server.simulator, NEEDS_SIMULATOR);
  const own = await ownServer();
  await openVm(page, own, (await own.watched()).id);
  await expect(page.locator(".heat-surface")).toBeVisible();
  await expect(page.locator("#unlock")).toHaveCount(0);
  await expect(page.locator("#add-scheme")).toBeHidden();
  await page.close();
  await own.stop();
});

test("a wrong token is refused and forgotten", async ({ page, server, problems }) => {
  const { id } = await server.watched();
  await openVm(page, server, id);
  await unlock(page, "wrong");
  await page.locator("#pause").click();
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await expect(page.locator(".problem")).not.toBeEmpty();
  await page.keyboard.press("Escape");
  await expect(page.locator("#unlock")).toBeVisible();
  expect((await server.vm(id)).state).toBe("running");
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  problems.length = 0; /* the browser reports the 401 */
});

test("pauses and resumes, after it asked for which machine", async ({ page, server }) => {
  const { id, domain } = await server.watched();
  await openVm(page, server, id);
  await unlock(page);
  await page.locator("#pause").click();
  await expect(page.locator("dialog .domain")).toHaveText(domain);
  await page.getByRole("button", { name: "Cancel" }).click();
  expect((await server.vm(id)).state).toBe("running");
  await page.locator("#pause").click();
  await page.getByRole("button", { name: "Pause", exact: true }).click();
  await expect(page.locator(".vm-head .badge").first()).toHaveText("paused");
  expect((await server.vm(id)).state).toBe("paused");
  await page.locator("#pause").click();
  await page.getByRole("button", { name: "Resume", exact: true }).click();
  await expect(page.locator(".vm-head .badge").first()).toHaveText("running");
  expect((await server.vm(id)).state).toBe("running");
});

test("adds, tunes and removes a scheme; others stay", async ({ page, server }) => {
  const all = await Promise.all((await server.vms()).map((v) => server.vm(v.id)));
  const vm = all.find((v) => (v.schemes ?? []).length > 0) ?? all.find((v) => v.schemes)!;
  const before = vm.schemes!.map((s) => s.scheme.name);
  const schemes = async () => (await server.vm(vm.id)).schemes!.map((s) => s.scheme);
  await openVm(page, server, vm.id);
  await unlock(page);

  await page.locator("#add-scheme").click();
  await expect(page.locator("dialog .domain")).toHaveText(vm.domain);
  await page.locator("#scheme-kind").selectOption("stat");
  await page.locator("#scheme-name").fill("test-idle");
  await page.locator("#scheme-age").fill("soon");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.locator(".problem")).toContainText("age is 'soon'; allowed is");
  await page.locator("#scheme-age").fill("90s");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  const row = page.locator('tr[data-scheme="test-idle"]');
  await expect(row).toBeVisible();
  expect((await schemes()).map((s) => s.name)).toEqual([...before, "test-idle"]);
  const made = (await schemes()).find((s) => s.name === "test-idle")!;
  expect(made).toMatchObject({ action: "stat", pattern: { "nr-accesses": { max: 0 }, "age-time": { min: 90e6 } } });

  await row.getByRole("button", { name: /^Tune/ }).click();
  await expect(page.locator("dialog .domain")).toHaveText(vm.domain);
  await page.locator("#tune-age").fill("5m");
  await page.locator("#tune-quota").fill("64M");
  await page.getByRole("button", { name: "Apply", exact: true }).click();
  await expect(row).toContainText("age ≥ 5m");
  const tuned = (await schemes()).find((s) => s.name === "test-idle")!;
  expect(tuned).toMatchObject({ pattern: { "age-time": { min: 300e6 } }, quota: { size: 64 << 20 } });

  await row.getByRole("button", { name: /^Remove/ }).click();
  await expect(page.locator("dialog .domain")).toHaveText(vm.domain);
  await page.locator("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(row).toHaveCount(0);
  expect((await schemes()).map((s) => s.name)).toEqual(before);
});

test("what cannot be done here says why", async ({ page, server }) => {
  const { id } = await server.watched();
  const actions = await server.get<{ name: string; available: boolean; reason?: string }[]>(`vms/${id}/actions`);
  const not = actions.filter((a) => !a.available && ["cold", "pageout", "balloon", "hugepage", "stat"].includes(a.name));
  test.skip(not.length === 0, "every action can run here");
  await openVm(page, server, id);
  await unlock(page);
  await page.locator("#add-scheme").click();
  for (const a of not) {
    await expect(page.locator(`#scheme-kind option[value="${a.name}"]`)).toHaveAttribute("disabled", "");
    await expect(page.locator("dialog")).toContainText(a.reason!);
  }
});

test("the token stays in this tab, and Lock forgets it", async ({ page, server, context }) => {
  await openVm(page, server, (await server.watched()).id);
  await unlock(page);
  expect(await page.evaluate(() => Object.values(sessionStorage))).toEqual([TOKEN]);
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).not.toContain(TOKEN);
  expect(await context.cookies()).toEqual([]);
  await page.getByRole("button", { name: "Lock" }).click();
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  await expect(page.locator("#unlock")).toBeVisible();
});
