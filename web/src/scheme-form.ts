// SPDX-License-Identifier: GPL-2.0-or-later
// Dialogs that change schemes. Each names the virtual machine it is about.
//
// All schemes are replaced at once, so those in use are read again just before.

import { api } from "./api";
import type { Control } from "./control";
import { ask, field } from "./dialog";
import { el, setText } from "./dom";
import * as format from "./format";
import { freeName, KINDS, makeScheme, minAgeOf, tuned } from "./scheme-make";
import type { ActionInfo, Scheme, Vm } from "./types";

async function change(
  vm: Vm,
  control: Control,
  edit: (schemes: Scheme[]) => Scheme[],
): Promise<void> {
  const now = await api.vm(vm.id);
  await control.setSchemes(edit((now.schemes ?? []).map((s) => s.scheme)));
}

function domain(vm: Vm): HTMLElement {
  return el("strong", { class: "domain" }, vm.domain);
}

function need<T>(v: T | null, text: string): T {
  if (v === null) {
    throw new Error(text);
  }
  return v;
}

const sizeOf = (text: string) =>
  need(format.parseSize(text || "0"), `quota is '${text}'; allowed is a size such as 128M, or 0 for no limit`);
const ageOf = (text: string) =>
  need(format.parseDuration(text), `age is '${text}'; allowed is a time such as 90s or 2m`);

function input(id: string, value: string): HTMLInputElement {
  const e = el("input", { id, autocomplete: "off", spellcheck: "false" });
  e.value = value;
  return e;
}

export function confirmPause(vm: Vm, control: Control): Promise<boolean> {
  const pause = vm.state !== "paused";
  return ask({
    title: pause ? "Pause monitoring?" : "Resume monitoring?",
    body: [
      el("p", {}, pause ? "Monitoring and all schemes of " : "Monitoring and the schemes of ", domain(vm),
        pause ? " stop until somebody resumes them. The guest itself goes on." : " go on."),
    ],
    confirm: pause ? "Pause" : "Resume",
    action: pause ? control.pause : control.resume,
  });
}

export function confirmRemove(vm: Vm, name: string, control: Control): Promise<boolean> {
  return ask({
    title: "Remove scheme?",
    body: [
      el("p", {}, "Scheme ", el("strong", {}, name), " of ", domain(vm),
        " stops and its counters are lost. What it has done to memory stays as it is."),
    ],
    confirm: "Remove",
    danger: true,
    action: () => change(vm, control, (all) => all.filter((s) => s.name !== name)),
  });
}

export function tuneScheme(vm: Vm, scheme: Scheme, control: Control): Promise<boolean> {
  const age = minAgeOf(scheme);
  const ageInput = input("tune-age", age === null ? "" : format.durationInput(age));
  const sizeInput = input("tune-quota", format.sizeInput(scheme.quota?.size ?? 0));
  return ask({
    title: "Tune scheme",
    body: [
      el("p", {}, "Scheme ", el("strong", {}, scheme.name ?? scheme.action), " of ", domain(vm), ". Its counters stay."),
      ...(age === null ? [] : [field("Idle for at least", ageInput, "such as 90s, 2m")]),
      field("Quota", sizeInput, "most bytes in a reset interval, such as 128M; 0: no limit"),
    ],
    confirm: "Apply",
    action: async () => {
      const size = sizeOf(sizeInput.value);
      const seconds = age === null ? null : ageOf(ageInput.value);
      await change(vm, control, (all) =>
        all.map((s) => (s.name === scheme.name ? tuned(s, seconds, size) : s)),
      );
    },
  });
}

/** The form of a new scheme; what cannot run here says why. */
export async function addScheme(vm: Vm, schemes: Scheme[], control: Control): Promise<boolean> {
  const actions = await api.actions(vm.id).catch((): ActionInfo[] => []);
  const info = (action: string) => actions.find((a) => a.name === action);
  const kind = el("select", { id: "scheme-kind" },
    ...KINDS.map((k) => el("option", { value: k.action, disabled: info(k.action)?.available === false },
      info(k.action)?.available === false ? `${k.label} (not here)` : k.label)));
  kind.value = KINDS.find((k) => info(k.action)?.available !== false)?.action ?? "stat";
  const name = input("scheme-name", "");
  const age = input("scheme-age", "");
  const size = input("scheme-quota", "");
  const hint = el("p", { class: "muted" });
  const ageField = field("Idle for at least", age, "such as 90s, 2m");
  const sizeField = field("Quota", size, "most bytes a second, such as 128M; 0: no limit");
  const fillIn = () => {
    const k = KINDS.find((x) => x.action === kind.value)!;
    name.value = freeName(k.action === "pageout" ? "reclaim" : k.action, schemes);
    age.value = format.durationInput(k.minAge);
    size.value = format.sizeInput(k.quota);
    ageField.hidden = k.action === "hugepage";
    sizeField.hidden = k.action === "balloon";
    setText(hint, k.hint);
  };
  kind.addEventListener("change", fillIn);
  fillIn();
  const missing = KINDS.map((k) => info(k.action)).filter((a) => a?.available === false);
  return ask({
    title: "Add scheme",
    body: [
      el("p", {}, "For ", domain(vm), ". The schemes in use stay."),
      field("Scheme", kind), hint, field("Name", name, "letters, digits, '-', '_' and '.'"), ageField, sizeField,
      ...missing.map((a) => el("p", { class: "muted small" }, `Not here: ${a!.name}: ${a!.reason ?? ""}`)),
    ],
    confirm: "Add",
    action: async () => {
      const seconds = ageField.hidden ? 0 : ageOf(age.value);
      const made = makeScheme(kind.value, name.value.trim(), seconds, sizeOf(size.value));
      await change(vm, control, (all) => [...all, made]);
    },
  });
}
