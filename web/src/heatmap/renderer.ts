// SPDX-License-Identifier: GPL-2.0-or-later
// Draws tiles and live columns on a canvas, with axes and seams.
//
// All is drawn anew for each frame: some dozen scaled copies of ready images,
// which takes about a millisecond.

import {
  layout,
  yIn,
  type Axis,
  type Piece,
  type RowRun,
} from "./axis";
import type { LiveColumns } from "./live";
import type { Mode } from "./palette";
import type { Inks } from "./raster";
import { addressStep, tickTexts, timeTicks } from "./ticks";
import { tileImage, type Tile } from "./tiles";
import type { Viewport } from "./viewport";

export interface Colours {
  unknown: string;
  text: string;
  seam: string;
  font: string;
}

/** Pixels of the page. */
export interface Plot {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Frame {
  view: Viewport;
  axis: Axis;
  tiles: Tile[];
  live: LiveColumns;
  mode: Mode;
  inks: Inks;
  colours: Colours;
  plot: Plot;
  ratio: number;
}

export const SEAM = 7;
const BOTTOM = 22;

/** Where the plot is on a canvas of this size. */
export function plotOf(width: number, height: number): Plot {
  const left = width < 600 ? 60 : 92;
  return { left, top: 6, width: Math.max(1, width - left - 8), height: height - BOTTOM - 6 };
}

export function piecesOf(f: { axis: Axis; view: Viewport; plot: Plot }): Piece[] {
  return layout(f.axis, f.view.start, f.view.end, f.plot.height, SEAM);
}

interface Copy {
  image: CanvasImageSource;
  x: number;
  columns: number;
  from: number;
  to: number;
  rows: number;
  runs: RowRun[];
}

/** Copy what is seen of an image, run of rows by run, piece by piece. */
function copy(c: CanvasRenderingContext2D, f: Frame, pieces: Piece[], i: Copy): void {
  const perSecond = f.plot.width / (f.view.to - f.view.from);
  const x0 = Math.round((i.from - f.view.from) * perSecond * f.ratio) / f.ratio;
  const x1 = Math.round((i.to - f.view.from) * perSecond * f.ratio) / f.ratio;
  if (x1 <= x0 || x1 <= 0 || x0 >= f.plot.width) {
    return;
  }
  for (const run of i.runs) {
    for (const p of pieces) {
      copyRun(c, f, i, run, p, x0, x1);
    }
  }
}

function copyRun(
  c: CanvasRenderingContext2D,
  f: Frame,
  i: Copy,
  run: RowRun,
  p: Piece,
  x0: number,
  x1: number,
): void {
  const start = Math.max(run.start, p.start);
  const end = Math.min(run.end, p.end);
  if (start >= end) {
    return;
  }
  const rowOf = (at: number) =>
    run.row + ((at - run.start) / (run.end - run.start)) * run.rows;
  const y0 = Math.round(yIn(p, end) * f.ratio) / f.ratio;
  const y1 = Math.round(yIn(p, start) * f.ratio) / f.ratio;
  const top = i.rows - rowOf(end);
  const tall = rowOf(end) - rowOf(start);
  c.imageSmoothingEnabled = i.columns > (x1 - x0) * f.ratio || tall > (y1 - y0) * f.ratio;
  c.drawImage(
    i.image, i.x, top, i.columns, tall,
    f.plot.left + x0, f.plot.top + y0, x1 - x0, Math.max(y1 - y0, 1 / f.ratio),
  );
}

function drawLive(c: CanvasRenderingContext2D, f: Frame, pieces: Piece[]): void {
  const image = f.live.image(f.mode);
  const runs = f.live.rowRuns();
  if (image) {
    for (const r of f.live.runs) {
      copy(c, f, pieces, { image, x: r.x, columns: r.columns, from: r.from, to: r.to, rows: f.live.height, runs });
    }
  }
}

const tileEnd = (t: Tile) => t.from + t.columns * t.seconds;

/** Its columns that are complete, or all. */
function drawTile(c: CanvasRenderingContext2D, f: Frame, pieces: Piece[], t: Tile, all: boolean): void {
  const complete = Math.min(t.columns, Math.floor((t.until - t.from) / t.seconds + 1e-6));
  const columns = all ? t.columns : complete;
  if (columns > 0) {
    copy(c, f, pieces, {
      image: tileImage(t, f.mode, f.inks), x: 0, columns, from: t.from,
      to: t.from + columns * t.seconds, rows: t.rows, runs: t.runs,
    });
  }
}

/** What is not known, with seams where memory has holes. */
function drawGround(c: CanvasRenderingContext2D, f: Frame, pieces: Piece[]): void {
  c.fillStyle = f.colours.unknown;
  for (const p of pieces) {
    c.fillRect(f.plot.left, f.plot.top + p.top, f.plot.width, p.bottom - p.top);
  }
  c.strokeStyle = f.colours.seam;
  c.lineWidth = 1;
  c.setLineDash([6, 4]);
  for (const p of pieces.slice(1)) {
    const y = Math.round(f.plot.top + p.bottom + SEAM / 2) - 0.5;
    c.beginPath();
    c.moveTo(f.plot.left - 4, y);
    c.lineTo(f.plot.left + f.plot.width, y);
    c.stroke();
  }
  c.setLineDash([]);
}

function drawTimes(c: CanvasRenderingContext2D, f: Frame): void {
  const { left, top, width, height } = f.plot;
  const most = Math.max(2, Math.floor(width / 64));
  const seconds = f.view.to - f.view.from;
  c.textAlign = "center";
  c.textBaseline = "top";
  const ticks = timeTicks(f.view.from, f.view.to, most);
  const texts = tickTexts(ticks);
  ticks.forEach((t, i) => {
    const x = left + ((t - f.view.from) / seconds) * width;
    if (x > left + 16 && x < left + width - 16) {
      c.fillRect(Math.round(x), top + height, 1, 4);
      c.fillText(texts[i] ?? "", x, top + height + 7);
    }
  });
}

/** Round addresses, and where each piece begins. */
function drawAddresses(c: CanvasRenderingContext2D, f: Frame, pieces: Piece[]): void {
  const most = Math.max(2, Math.floor(f.plot.height / 48));
  const step = addressStep(f.view.end - f.view.start, most);
  let lowest = Infinity; /* where the last label is */
  c.textAlign = "right";
  c.textBaseline = "middle";
  const label = (y: number, address: number) => {
    if (lowest - y >= 13) {
      lowest = y;
      const at = Math.min(Math.max(f.plot.top + y, 7), f.plot.top + f.plot.height - 4);
      c.fillRect(f.plot.left - 4, Math.round(f.plot.top + y), 4, 1);
      c.fillText(addressText(address, f.plot.left < 80), f.plot.left - 8, at);
    }
  };
  for (const p of pieces) {
    const begin = f.axis.toAddress(p.start);
    label(p.bottom, begin);
    const end = begin + (p.end - p.start);
    for (let a = Math.ceil((begin + 1) / step) * step; a < end; a += step) {
      label(yIn(p, p.start + (a - begin)), a);
    }
  }
}

/** Short where there is little room: in GiB or MiB. */
function addressText(a: number, short: boolean): string {
  if (!short) {
    return `0x${a.toString(16).padStart(9, "0")}`;
  }
  const MiB = a / 1048576;
  return MiB >= 1024 ? `${Number((MiB / 1024).toFixed(2))} G` : `${Number(MiB.toFixed(1))} M`;
}

function drawAxes(c: CanvasRenderingContext2D, f: Frame, pieces: Piece[]): void {
  c.fillStyle = f.colours.text;
  c.font = f.colours.font;
  drawTimes(c, f);
  drawAddresses(c, f, pieces);
}

export function draw(c: CanvasRenderingContext2D, f: Frame): void {
  const pieces = piecesOf(f);
  const { left, top, width, height } = f.plot;
  c.setTransform(f.ratio, 0, 0, f.ratio, 0, 0);
  c.clearRect(0, 0, left + width + 20, top + height + BOTTOM + 20);
  drawGround(c, f, pieces);
  c.save();
  c.beginPath();
  c.rect(left, top, width, height);
  c.clip();
  /* The last column of a tile may be there in part: then live ones go above it. */
  f.tiles.forEach((t) => t.until < tileEnd(t) && drawTile(c, f, pieces, t, true));
  drawLive(c, f, pieces);
  f.tiles.forEach((t) => drawTile(c, f, pieces, t, false));
  c.restore();
  drawAxes(c, f, pieces);
}

/** Lines through what is looked at. */
export function drawCross(
  c: CanvasRenderingContext2D,
  plot: Plot,
  ratio: number,
  at: { x: number; y: number } | null,
  band: { top: number; bottom: number } | null,
): void {
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, plot.left + plot.width + 20, plot.top + plot.height + 40);
  if (!at) {
    return;
  }
  if (band) {
    c.fillStyle = "rgba(255, 255, 255, 0.14)";
    c.fillRect(plot.left, plot.top + band.top, plot.width, Math.max(2, band.bottom - band.top));
  }
  for (const [style, width] of [["rgba(0, 0, 0, 0.55)", 3], ["rgba(255, 255, 255, 0.9)", 1]] as const) {
    c.strokeStyle = style;
    c.lineWidth = width;
    c.beginPath();
    c.moveTo(plot.left + at.x, plot.top);
    c.lineTo(plot.left + at.x, plot.top + plot.height);
    c.moveTo(plot.left, plot.top + at.y);
    c.lineTo(plot.left + plot.width, plot.top + at.y);
    c.stroke();
  }
}
