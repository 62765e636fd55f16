#!/usr/bin/env node
// SPDX-License-Identifier: GPL-2.0-or-later
//
// What the page takes: time until the first paint, frames a second while the
// heatmap is dragged over an hour, kinetic zoom, and bytes of events a second.
//
// usage: bench.mjs URL
import { chromium } from "@playwright/test";

const url = process.argv[2];
if (!url) {
  console.error("usage: bench.mjs URL");
  process.exit(1);
}
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
const print = (what, figure) => console.log(`${what.padEnd(44)} ${figure}`);

/** First contentful paint, in ms, and when @selector is there. */
async function paint(path, selector) {
  await page.goto("about:blank");
  await page.waitForTimeout(1500); /* the last visit's answers are done */
  await page.goto(url + path);
  await page.waitForSelector(selector);
  const ready = await page.evaluate(() => performance.now());
  const first = await page.evaluate(
    () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
  );
  return { first, ready };
}

const { vms } = await (await fetch(`${url}api/v1/vms`)).json();
const vm = vms.filter((v) => v.state === "running").sort((a, b) => b.size - a.size);
const chosen = vm.find((v) => v.domain.startsWith("web-frontend")) ?? vm[0];
const path = `#/vm/${encodeURIComponent(chosen.id)}`;
for (const [name, p, selector] of [["list", "", "tr[data-id]"], ["machine", path, ".heat-surface"]]) {
  const cold = await paint(p, selector);
  const warm = await paint(p, selector);
  print(`first paint, ${name}, first visit and again`, `${cold.first.toFixed(0)} ms, ${warm.first.toFixed(0)} ms`);
  print(`figures shown, ${name}`, `${warm.ready.toFixed(0)} ms`);
}
await page.waitForFunction(() => document.querySelector(".heat-surface").dataset.settled === "true");

/** Frames while something goes on: how many, and the longest gap. */
async function frames(action) {
  await page.evaluate(() => {
    const s = (window.bench = { times: [], on: true });
    const tick = (t) => {
      s.times.push(t);
      s.on && requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  const drawn = Number(await page.locator(".heat-surface").getAttribute("data-frames"));
  const begin = performance.now();
  await action();
  const seconds = (performance.now() - begin) / 1000;
  const now = Number(await page.locator(".heat-surface").getAttribute("data-frames"));
  const gaps = await page.evaluate(() => {
    const s = window.bench;
    s.on = false;
    return s.times.slice(1).map((t, i) => t - s.times[i]).sort((a, b) => a - b);
  });
  const at = (q) => gaps[Math.floor(q * (gaps.length - 1))].toFixed(1);
  return `${((now - drawn) / seconds).toFixed(1)}/s drawn; browser's frames: ${(gaps.length / seconds).toFixed(1)}/s, 95 % within ${at(0.95)} ms, longest ${at(1)} ms`;
}

const box = await page.locator(".heat-surface").boundingBox();
const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };

/** Drag within the page, so that the driver's speed does not count. */
const drag = (mode) =>
  page.evaluate(
    ([x, y, how]) =>
      new Promise((done) => {
        const s = document.querySelector(".heat-surface");
        s.setPointerCapture = () => {};
        const send = (type, px) =>
          s.dispatchEvent(new PointerEvent(type, { pointerId: 1, pointerType: "mouse", clientX: px, clientY: y, button: 0, bubbles: true }));
        const begin = performance.now();
        send("pointerdown", x);
        const step = () => {
          const t = (performance.now() - begin) / 1000;
          if (t > 4) {
            send("pointerup", x);
            return done();
          }
          if (how === "drag") {
            send("pointermove", x + 300 * Math.sin(t * 3));
          } else {
            s.focus();
            s.dispatchEvent(new WheelEvent("wheel", { clientX: x, clientY: y, deltaY: 30 * Math.sin(t * 3), bubbles: true, cancelable: true }));
          }
          requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
      }),
    [middle.x, middle.y, mode],
  );
print("panning an hour of 1000 regions", await frames(() => drag("drag")));
print("zooming it", await frames(() => drag("zoom")));

const cdp = await page.context().newCDPSession(page);
await cdp.send("Network.enable");
const streams = new Set();
let bytes = 0;
cdp.on("Network.requestWillBeSent", (e) => /\/events/.test(e.request.url) && streams.add(e.requestId));
cdp.on("Network.dataReceived", (e) => (bytes += streams.has(e.requestId) ? e.dataLength : 0));
await page.goto("about:blank");
await page.goto(url + path);
await page.waitForTimeout(2000);
const before = bytes;
await page.waitForTimeout(6000);
print("events of a machine", `${((bytes - before) / 6 / 1024).toFixed(1)} KiB/s`);
await browser.close();
