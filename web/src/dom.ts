// SPDX-License-Identifier: GPL-2.0-or-later
// Elements are made here only. Text goes in as text: nothing that comes from a
// guest or from the server is ever read as HTML.

type Child = Node | string | null | undefined | false;
type Props = Record<string, string | number | boolean | null | undefined>;

/** An element with attributes and children; true is an empty attribute. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value !== false && value !== null && value !== undefined) {
      e.setAttribute(name, value === true ? "" : String(value));
    }
  }
  append(e, children);
  return e;
}

function append(parent: Node, children: Child[]): void {
  for (const c of children) {
    if (c) {
      parent.appendChild(typeof c === "string" ? document.createTextNode(c) : c);
    }
  }
}

/** Set the text when it is another: what is selected or read out stays. */
export function setText(e: Element, text: string): void {
  if (e.textContent !== text) {
    e.textContent = text;
  }
}

/** Make @children all that @parent holds. */
export function fill(parent: Element, ...children: Child[]): void {
  const f = document.createDocumentFragment();
  append(f, children);
  parent.replaceChildren(f);
}

/** A button that does something. */
export function button(
  label: string,
  onClick: (e: MouseEvent) => void,
  props: Props = {},
): HTMLButtonElement {
  const b = el("button", { type: "button", ...props }, label);
  b.addEventListener("click", onClick);
  return b;
}

/** The value of a custom property of the theme. */
export function themeValue(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
