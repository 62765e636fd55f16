// SPDX-License-Identifier: GPL-2.0-or-later
// "#/" is the list, "#/vm/ID" a virtual machine.

export type Route = { name: "list" } | { name: "vm"; id: string };

export function parseRoute(hash: string): Route {
  const m = /^#\/vm\/([^/]+)$/.exec(hash);
  if (!m?.[1]) {
    return { name: "list" };
  }
  try {
    return { name: "vm", id: decodeURIComponent(m[1]) };
  } catch {
    return { name: "list" };
  }
}

export const listHash = "#/";

export function vmHash(id: string): string {
  return `#/vm/${encodeURIComponent(id)}`;
}
