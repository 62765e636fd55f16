// SPDX-License-Identifier: GPL-2.0-or-later
import { defineConfig } from "@playwright/test";

// Chromium is the distribution's; no browser is downloaded.
export default defineConfig({
  testDir: "specs",
  outputDir: process.env.VMHEAT_WEB_OUT ?? "results",
  fullyParallel: false,
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: [["list"]],
  use: {
    viewport: { width: 1280, height: 900 },
    colorScheme: "dark",
    timezoneId: "UTC",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox"],
    },
  },
});
