// SPDX-License-Identifier: GPL-2.0-or-later
// Mouse, touch and keys of the heatmap, as what they mean.
//
// The wheel zooms only while the heatmap has the focus (a click gives it), so
// that it does not stop who scrolls past. One finger moves through time and
// leaves up and down to the page; two fingers zoom both.

export interface Gestures {
  /** Move what is shown by so many pixels. */
  pan(dx: number, dy: number): void;
  /** Scale around a point; null: around what is looked at. */
  zoom(at: Point | null, time: number, memory: number): void;
  /** Look at a point; null: at none. */
  look(at: Point | null): void;
  /** Move what is looked at, by steps. */
  step(right: number, up: number): void;
  /** Show the oldest, the newest, all. */
  oldest(): void;
  newest(): void;
  reset(): void;
}

export interface Point {
  x: number;
  y: number;
}

const WHEEL_ZOOM = 1.0018;
const KEY_ZOOM = 0.7;
const KEY_PAN = 60;
const KEY_STEP = 1;
const KEY_LEAP = 10;

type Action = (g: Gestures) => void;

/** What keys do; those not listed are the page's. */
export function keyAction(e: {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}): Action | null {
  if (e.ctrlKey || e.metaKey) {
    return null;
  }
  const far = e.altKey ? KEY_LEAP : KEY_STEP;
  const arrow = (x: number, y: number): Action =>
    e.shiftKey
      ? (g) => g.pan(-x * KEY_PAN, y * KEY_PAN)
      : (g) => g.step(x * far, y * far);
  const actions: Record<string, Action> = {
    ArrowLeft: arrow(-1, 0),
    ArrowRight: arrow(1, 0),
    ArrowUp: arrow(0, 1),
    ArrowDown: arrow(0, -1),
    "+": (g) => g.zoom(null, KEY_ZOOM, 1),
    "=": (g) => g.zoom(null, KEY_ZOOM, 1),
    "-": (g) => g.zoom(null, 1 / KEY_ZOOM, 1),
    PageUp: (g) => g.zoom(null, 1, KEY_ZOOM),
    PageDown: (g) => g.zoom(null, 1, 1 / KEY_ZOOM),
    Home: (g) => g.oldest(),
    End: (g) => g.newest(),
    "0": (g) => g.reset(),
    Escape: (g) => g.look(null),
  };
  return actions[e.key] ?? null;
}

export class Input {
  private readonly pointers = new Map<number, Point>();
  private moved = false;

  constructor(
    private readonly surface: HTMLElement,
    private readonly g: Gestures,
  ) {
    surface.addEventListener("pointerdown", (e) => this.down(e));
    surface.addEventListener("pointermove", (e) => this.move(e));
    surface.addEventListener("pointerup", (e) => this.up(e));
    surface.addEventListener("pointercancel", (e) => this.up(e));
    surface.addEventListener("pointerleave", () => this.leave());
    surface.addEventListener("dblclick", (e) => g.zoom(this.point(e), 0.5, 0.5));
    surface.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
    surface.addEventListener("keydown", (e) => this.key(e));
  }

  private point(e: { clientX: number; clientY: number }): Point {
    const r = this.surface.getBoundingClientRect();
    return { x: e.clientX - r.left, y: e.clientY - r.top };
  }

  private down(e: PointerEvent): void {
    if (e.button === 0) {
      this.pointers.set(e.pointerId, this.point(e));
      this.moved = false;
      this.surface.setPointerCapture(e.pointerId);
    }
  }

  private move(e: PointerEvent): void {
    const now = this.point(e);
    const before = this.pointers.get(e.pointerId);
    if (!before) {
      this.g.look(now);
      return;
    }
    if (this.pointers.size === 2) {
      this.pinch(e.pointerId, before, now);
    } else if (this.moved || Math.hypot(now.x - before.x, now.y - before.y) > 3) {
      this.moved = true;
      this.surface.classList.add("dragging");
      this.g.pan(now.x - before.x, e.pointerType === "touch" ? 0 : now.y - before.y);
    } else {
      return; /* not moved yet: it may become a click */
    }
    this.pointers.set(e.pointerId, now);
  }

  private pinch(id: number, before: Point, now: Point): void {
    const other = [...this.pointers].find(([i]) => i !== id)?.[1];
    if (other) {
      const far = (p: Point) => Math.max(20, Math.hypot(p.x - other.x, p.y - other.y));
      const factor = far(before) / far(now);
      const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
      this.moved = true;
      this.g.zoom(middle, factor, factor);
      this.g.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
    }
  }

  private up(e: PointerEvent): void {
    if (this.pointers.delete(e.pointerId) && !this.moved) {
      this.g.look(this.point(e));
    }
    if (this.pointers.size === 0) {
      this.surface.classList.remove("dragging");
    }
  }

  private leave(): void {
    if (this.pointers.size === 0 && document.activeElement !== this.surface) {
      this.g.look(null);
    }
  }

  private wheel(e: WheelEvent): void {
    if (e.ctrlKey || document.activeElement !== this.surface) {
      return;
    }
    e.preventDefault();
    const pixels = e.deltaMode === 1 ? 30 : 1;
    const factor = (delta: number) => WHEEL_ZOOM ** (delta * pixels);
    if (e.shiftKey) {
      this.g.zoom(this.point(e), 1, factor(e.deltaY || e.deltaX));
    } else {
      this.g.zoom(this.point(e), factor(e.deltaY), 1);
      this.g.pan(-e.deltaX * pixels, 0);
    }
  }

  private key(e: KeyboardEvent): void {
    const action = keyAction(e);
    if (action) {
      e.preventDefault();
      action(this.g);
    }
  }
}
