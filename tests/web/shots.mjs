#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
//
// Screenshots of all views, dark and light, wide and narrow, to be looked at.
//
// usage: shots.mjs URL OUTDIR
import { mkdirSync } from "node:fs";
import { chromium } from "@playwright/test";

const [url, out] = process.argv.slice(2);
if (!url || !out) {
  console.error("usage: shots.mjs URL OUTDIR");
  process.exit(1);
}
mkdirSync(out, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});

async function settled(page) {
  await page.waitForFunction(
    () => document.querySelector(".heat-surface")?.dataset.settled === "true",
  );
  await page.waitForTimeout(800);
}

for (const colorScheme of ["dark", "light"]) {
  for (const [width, height] of [[1280, 900], [390, 844]]) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme });
    page.on("pageerror", (e) => console.error(`page error: ${e.message}`));
    page.on("console", (m) => m.type() === "error" && console.error(`console: ${m.text()}`));
    const shot = (name) =>
      page.screenshot({ path: `${out}/${name}-${colorScheme}-${width}.png`, fullPage: true });
    await page.goto(url);
    await page.waitForSelector("tr[data-id]");
    await shot("list");
    await page.locator("tbody a").filter({ hasText: "web-frontend" }).click();
    await settled(page);
    const box = await page.locator(".heat-surface").boundingBox();
    await page.mouse.move(box.x + box.width * 0.62, box.y + box.height * 0.45);
    await page.waitForTimeout(500);
    await shot("vm");
    await page.locator("#unlock").click();
    await page.locator("#token").fill("secret");
    await page.keyboard.press("Enter");
    await page.locator("#add-scheme").click();
    await page.waitForSelector("#scheme-kind");
    await page.screenshot({ path: `${out}/dialog-${colorScheme}-${width}.png` });
    await page.keyboard.press("Escape");
    await page.locator("summary").click();
    await shot("control");
    await page.close();
  }
}
await browser.close();
