// SPDX-License-Identifier: GPL-2.0-or-later
// A strip of labelled figures.

import { el, setText } from "./dom";

export interface Figure {
  key: string;
  label: string;
  hint: string;
}

export class Figures {
  readonly element = el("dl", { class: "figures" });
  private readonly values = new Map<string, { value: HTMLElement; note: HTMLElement }>();

  constructor(figures: Figure[]) {
    for (const f of figures) {
      const value = el("span", { "data-value": f.key }, "–");
      const note = el("small", { class: "muted" });
      this.values.set(f.key, { value, note });
      this.element.append(
        el("div", { title: f.hint }, el("dt", {}, f.label), el("dd", {}, value, " ", note)),
      );
    }
  }

  set(key: string, text: string, note = ""): void {
    const f = this.values.get(key);
    if (f) {
      setText(f.value, text);
      setText(f.note, note);
    }
  }
}
