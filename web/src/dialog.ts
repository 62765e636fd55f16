// SPDX-License-Identifier: GPL-2.0-or-later
// Modal questions. The browser's <dialog> keeps the focus inside and gives it
// back; Escape closes.

import { button, el, setText } from "./dom";

export interface Ask {
  title: string;
  body: (Node | string)[];
  /** What the button says that does it. */
  confirm: string;
  danger?: boolean;
  /** Do it; an error's message is shown and the dialog stays. */
  action: () => Promise<void>;
}

/** Ask; true once it is done, false when it was cancelled. */
export function ask(o: Ask): Promise<boolean> {
  return new Promise((resolve) => {
    const problem = el("p", { class: "problem", role: "alert" });
    const go = el("button", { type: "submit", class: o.danger ? "danger" : "primary" }, o.confirm);
    const cancel = button("Cancel", () => dialog.close());
    const form = el(
      "form",
      { method: "dialog" },
      el("h2", { id: "dialog-title" }, o.title),
      ...o.body,
      problem,
      el("div", { class: "dialog-buttons" }, cancel, go),
    );
    const dialog = el("dialog", { "aria-labelledby": "dialog-title" }, form);
    let done = false;
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      go.disabled = true;
      setText(problem, "");
      o.action()
        .then(() => {
          done = true;
          dialog.close();
        })
        .catch((x: unknown) => setText(problem, x instanceof Error ? x.message : String(x)))
        .finally(() => (go.disabled = false));
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(done);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A labelled field of a form, with a hint below it. */
export function field(label: string, input: HTMLElement, hint = ""): HTMLElement {
  return el(
    "label",
    { class: "field" },
    el("span", {}, label),
    input,
    hint ? el("small", { class: "muted" }, hint) : null,
  );
}
