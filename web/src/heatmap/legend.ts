// SPDX-License-Identifier: GPL-2.0-or-later
// The palette with its values.

import { el } from "../dom";
import * as format from "../format";
import { idlePlace, ink, ratePlace, type Mode } from "./palette";

const WIDTH = 220;
const RATES = [0.01, 1, 10, 100];
const IDLES = [86400, 3600, 60, 1];

function ramp(): HTMLCanvasElement {
  const canvas = el("canvas", { width: WIDTH, height: 1, class: "ramp", "aria-hidden": "true" });
  const c = canvas.getContext("2d");
  for (let x = 0; c && x < WIDTH; x++) {
    c.fillStyle = `rgb(${ink(x / (WIDTH - 1)).join(",")})`;
    c.fillRect(x, 0, 1, 1);
  }
  return canvas;
}

function mark(place: number, text: string): HTMLElement {
  const e = el("span", {}, text);
  e.style.left = `${(100 * place).toFixed(1)}%`;
  return e;
}

/** A legend of what the colours mean. */
export function legend(mode: Mode): HTMLElement {
  const marks =
    mode === "rate"
      ? RATES.map((v) => mark(ratePlace(v), format.roundRate(v)))
      : IDLES.map((v) => mark(idlePlace(v), format.duration(v)));
  return el(
    "div",
    { class: "heat-legend" },
    el("span", { class: "muted" }, mode === "rate" ? "never" : "idle"),
    el("div", { class: "ramp-box" }, ramp(), el("div", { class: "ramp-marks" }, ...marks)),
    el("span", { class: "muted" }, mode === "rate" ? "hot" : "in use"),
    el("i", { class: "key key-unknown" }),
    el("span", { class: "muted" }, "not known"),
  );
}
