// One Chromium for a test file, pages in it that note their errors, and the servers the pages come from.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { after, before } from "node:test";
import { chromium } from "playwright-core";

const BROWSERS = ["/usr/bin/chromium", "/usr/bin/google-chrome", "/usr/bin/chromium-browser", "/snap/bin/chromium"];
const ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];
export const PAGES = ["", "topics", "topics/users_created", "groups", "groups/analytics", "schemas",
  "schemas/users_created-value", "schemas/users_created-value/2/diff", "schemas/users_created-value/2/try", "tables", "tables/users", "dead-letters", "sql"];

let browser;
const servers = [];

/** Starts and ends the browser and every server with the tests of the calling file. */
export function useBrowser() {
  before(async () => {
    const executablePath = process.env.CHROMIUM ?? BROWSERS.find((path) => existsSync(path));
    assert.ok(executablePath, `no browser here (${BROWSERS.join(", ")}): install one or set CHROMIUM to its path`);
    browser = await chromium.launch({ executablePath, args: ARGS });
  });
  after(async () => {
    await browser?.close();
    await Promise.all(servers.map(end));
  });
}

function end(server) {
  if (server.exitCode !== null || server.signalCode !== null) return undefined;
  const gone = new Promise((resolve) => server.once("exit", resolve));
  server.kill();
  return gone;
}

/** Starts a server and resolves to the first text that it prints and `pattern` finds: its http:// address. */
export function serve(program, args, pattern = /http:\/\/\S+?(?=\/?\s)/) {
  const server = spawn(program, args);
  servers.push(server);
  return new Promise((resolve, reject) => {
    let said = "";
    const listen = (data) => {
      said += data;
      const found = pattern.exec(said);
      if (found) resolve(found[0]);
    };
    server.stdout.on("data", listen);
    server.stderr.on("data", listen);
    server.once("error", reject);
    server.once("exit", (code) => reject(new Error(`${program} ended with ${code}: ${said}`)));
  });
}

/** A page at `url`; `page.problems` holds the errors of its scripts and its console. */
export async function visit(url, options = {}) {
  const page = await browser.newPage(options);
  page.problems = [];
  page.on("pageerror", (problem) => page.problems.push(String(problem)));
  page.on("console", (message) => message.type() === "error" && page.problems.push(message.text()));
  await page.goto(url);
  return page;
}

/** Waits until `text` is on the page; what is there instead is in the error. */
export async function shows(page, text) {
  try {
    await page.getByText(text).waitFor();
  } catch (problem) {
    problem.message += `\nthe page: ${await page.locator("main").innerText()}\n${page.problems.join("\n")}`;
    throw problem;
  }
}

/** Fails when one of the pages is wider than the window. */
export async function assertFits(page) {
  for (const path of PAGES) {
    await page.evaluate((to) => (location.hash = `#/${to}`), path);
    await page.locator("h1").waitFor();
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${path} is ${over} px too wide`);
  }
}
