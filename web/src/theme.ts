// SPDX-License-Identifier: GPL-2.0-or-later
// Dark or light: as the system wants it, or as was chosen here.

import { button, setText } from "./dom";

const KEY = "vmheat-theme";
const CHOICES = ["auto", "light", "dark"] as const;
type Choice = (typeof CHOICES)[number];

function stored(): Choice {
  try {
    const v = localStorage.getItem(KEY);
    return CHOICES.find((c) => c === v) ?? "auto";
  } catch {
    return "auto"; /* storage may be forbidden */
  }
}

function store(choice: Choice): void {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    /* then it lasts as long as the page */
  }
}

const listeners = new Set<() => void>();

/** Call @f when colours change; returns what undoes it. */
export function onThemeChange(f: () => void): () => void {
  listeners.add(f);
  return () => listeners.delete(f);
}

function use(choice: Choice): void {
  if (choice === "auto") {
    document.documentElement.removeAttribute("data-theme");
  } else {
    document.documentElement.setAttribute("data-theme", choice);
  }
  listeners.forEach((f) => f());
}

/** Use the stored choice. */
export function initTheme(): void {
  use(stored());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    listeners.forEach((f) => f()),
  );
}

/** A button that goes through the choices. */
export function themeButton(): HTMLButtonElement {
  let choice = stored();
  const label = () => `Theme: ${choice}`;
  const b = button(
    label(),
    () => {
      choice = CHOICES[(CHOICES.indexOf(choice) + 1) % CHOICES.length] ?? "auto";
      store(choice);
      use(choice);
      setText(b, label());
    },
    { class: "quiet", id: "theme" },
  );
  return b;
}
