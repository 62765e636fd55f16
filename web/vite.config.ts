// SPDX-License-Identifier: GPL-2.0-or-later
import { defineConfig } from "vite";

// The exporter answers with "default-src 'self'": nothing inline, no data: URLs.
// Paths are relative, so the page works below any prefix of a proxy.
export default defineConfig({
  base: "./",
  build: {
    target: "es2020",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: { "/api": process.env.VMHEAT_WEB_URL ?? "http://127.0.0.1:9724" },
  },
});
