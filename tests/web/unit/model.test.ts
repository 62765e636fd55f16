// SPDX-License-Identifier: GPL-2.0-or-later
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ServerClock } from "../../../web/src/app";
import { query, vmPath } from "../../../web/src/api";
import { sizeTicks } from "../../../web/src/charts";
import { sendable } from "../../../web/src/control";
import { binNames } from "../../../web/src/histogram";
import { parseRoute, vmHash } from "../../../web/src/router";
import { freeName, KINDS, makeScheme, minAgeOf, tuned } from "../../../web/src/scheme-make";
import { patternText, quotaText } from "../../../web/src/scheme-text";
import { match, sortVms } from "../../../web/src/sort";
import { delayOf } from "../../../web/src/stream";
import type { Vm } from "../../../web/src/types";

const vm = (domain: string, more: Partial<Vm> = {}): Vm =>
  ({ id: domain, domain, uuid: null, state: "running", snapshot: 1, size: 1, needs: 1, idle: [], cost: null, ...more }) as Vm;

test("machines sort by figure, those without figures last", () => {
  const vms = [vm("a", { needs: 1 }), vm("gone", { needs: 0, state: "unreachable" }), vm("b10", { needs: 3 }), vm("b9", { needs: 3 })];
  assert.deepEqual(sortVms(vms, "needs", true).map((v) => v.domain), ["b9", "b10", "a", "gone"]);
  assert.deepEqual(sortVms(vms, "needs", false).map((v) => v.domain), ["a", "b9", "b10", "gone"]);
  assert.deepEqual(sortVms(vms, "domain", true).map((v) => v.domain), ["gone", "b10", "b9", "a"]);
});

test("the filter takes parts of names, and begins of UUIDs", () => {
  const v = vm("Web-1", { uuid: "4dea22b3-0000" });
  assert.ok(match(v, " web"));
  assert.ok(match(v, "4DEA"));
  assert.ok(match(v, ""));
  assert.ok(!match(v, "22b3"));
});

test("addresses of views survive any id", () => {
  for (const id of ["4dea22b3", "a b/c?#%", "../x", "ü"]) {
    assert.deepEqual(parseRoute(vmHash(id)), { name: "vm", id });
    assert.ok(!vmPath(id, "pause").slice(4, -6).includes("/"));
  }
  for (const hash of ["", "#", "#/", "#/vm/", "#/vm/%E0%A4%A", "#/else"]) {
    assert.deepEqual(parseRoute(hash), { name: "list" });
  }
  assert.equal(query({ from: 1.5, end: undefined, rows: 2 }), "?from=1.5&rows=2");
});

test("the clock is the server's, of the answer that was least late", () => {
  let local = 1000;
  const c = new ServerClock(() => local);
  c.set(5000);
  assert.equal(c.now(), 5000);
  local = 1010;
  c.set(5009.5);
  assert.equal(c.now(), 5010, "half a second late");
  c.set(5012);
  assert.equal(c.now(), 5012);
  c.set(100);
  assert.equal(c.now(), 100, "the clock was set back");
});

test("the wait before another try grows, but not for ever", () => {
  assert.deepEqual([0, 1, 2, 10].map(delayOf), [400, 800, 1600, 5000]);
});

test("schemes in words", () => {
  const s = makeScheme("pageout", "reclaim", 120, 128 << 20);
  assert.equal(patternText(s), "not accessed, age ≥ 2m");
  assert.equal(quotaText(s), "128 MiB a second");
  assert.equal(quotaText({ action: "stat" }), "no limit");
  assert.equal(patternText({ action: "stat" }), "all memory");
  assert.equal(patternText({ action: "stat", pattern: { "nr-accesses": { min: 0, max: 2 ** 64 } } }), "all memory");
  assert.equal(patternText(makeScheme("hugepage", "h", 0, 0)), "rate ≥ 4.00/s, size ≥ 2 MiB");
});

/** Members of a struct of the schema. */
function members(name: string): string[] {
  const schema = readFileSync(`${process.env.VMHEAT_SOURCE}/qapi/vmheat.json`, "utf8");
  const body = new RegExp(`'struct': '${name}',\\s*'data': \\{([^}]*)\\}`).exec(schema)![1]!;
  return [...body.matchAll(/'\*?([a-z-]+)':/g)].map((m) => m[1]!);
}

test("schemes made here have only members of the schema", () => {
  const known: Record<string, string[]> = {
    "": members("VmheatScheme"), pattern: members("VmheatPattern"), quota: members("VmheatQuota"),
    balloon: members("VmheatBalloon"), "back-off": members("VmheatBackOff"),
  };
  for (const k of KINDS) {
    const s = makeScheme(k.action, k.action, k.minAge, k.quota);
    for (const [part, names] of Object.entries(known)) {
      const o = part ? s[part] : s;
      Object.keys((o as object | undefined) ?? {}).forEach((m) => assert.ok(names.includes(m), `${k.action}: ${part}.${m}`));
    }
  }
});

test("tuning changes only what it is told", () => {
  const s = makeScheme("pageout", "reclaim", 120, 128 << 20);
  const t = tuned(s, 60, 0);
  assert.equal(minAgeOf(t), 60);
  assert.equal(t.quota?.size, 0);
  assert.deepEqual({ ...t, pattern: 0, quota: 0 }, { ...s, pattern: 0, quota: 0 });
  assert.equal(tuned({ action: "stat" }, null, 0).quota, undefined);
  assert.equal(freeName("reclaim", [s]), "reclaim-2");
});

test("limits that JavaScript cannot hold are left out when sent back", () => {
  const s = { name: "x", pattern: { size: { min: 4096, max: 18446744073709551615 } }, filters: [{ end: 2 ** 40 }], z: null };
  assert.deepEqual(sendable(s), { name: "x", pattern: { size: { min: 4096 } }, filters: [{ end: 2 ** 40 }] });
});

test("histograms and size axes", () => {
  assert.deepEqual(binNames([1, 10], String), ["< 1", "1 .. 10", "≥ 10"]);
  assert.deepEqual(sizeTicks(8 * 2 ** 30), [0, 2, 4, 6, 8].map((v) => v * 2 ** 30));
});

test("both ways to the dark theme have the same colours, and the light one all names", () => {
  const css = readFileSync(`${process.env.VMHEAT_SOURCE}/web/src/theme.css`, "utf8");
  const block = (from: string) =>
    Object.fromEntries([...css.slice(css.indexOf(from)).split("}")[0]!.matchAll(/(--[\w-]+|color-scheme): ([^;]+);/g)].map((m) => [m[1], m[2]]));
  const light = block(":root {");
  const dark = block(':root[data-theme="dark"]');
  assert.deepEqual(block(":root:not([data-theme])"), dark);
  const only = Object.keys(light).filter((k) => !(k! in dark));
  assert.deepEqual(only, ["--plot-font"]);
});
