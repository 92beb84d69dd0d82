// Drives the page in Chromium against made-up live data: `node --test tests/web`; CONSOLE_DEMO names the demo's binary.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertFits, serve, useBrowser, visit } from "./browser.mjs";

useBrowser();

async function open(scene, path = "", options = {}) {
  const url = await serve(process.env.CONSOLE_DEMO ?? "build/src/console/console_demo", ["0", scene]);
  return visit(`${url}/#/${path}`, options);
}

test("the flow shows every hop and its counts grow", async () => {
  const page = await open("filled");
  const fetched = page.locator('[data-hop="fetched.fake_users"] .figure');
  const first = await fetched.textContent();
  await page.waitForFunction((old) => document.querySelector(".hop .figure").textContent !== old, first);
  const stages = await page.locator(".stage h2").allTextContents();
  assert.deepEqual(stages, ["Fetched", "Appended", "Decoded", "Bronze", "Silver", "Gold", "Lake", "Served"]);
  await page.locator(".spark polyline").first().waitFor();
  assert.deepEqual(page.problems, []);
});

test("an empty pipeline says which hop is empty and why", async () => {
  const page = await open("empty");
  await page.getByText("fetched is empty: connection refused by 127.0.0.1:8088").waitFor();
});

test("a stopped hop and a pipeline without hops are told in words", async () => {
  const stopped = await open("error");
  await stopped.getByRole("alert").getByText("silver users stopped").waitFor();
  const bare = await open("bare");
  await bare.getByText("Nothing flows yet").waitFor();
});

test("rows are paged and looked up by key", async () => {
  const page = await open("filled", "tables");
  await page.getByRole("link", { name: /^\s*users\b/ }).first().click();
  await page.getByRole("cell", { name: "u0000", exact: true }).waitFor();
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("cell", { name: "u0025", exact: true }).waitFor();
  await page.getByLabel("Key").fill("nobody");
  await page.getByRole("button", { name: "Look up" }).click();
  await page.getByText("no row has the key nobody").waitFor();
});

test("a query shows rows, or the place of its error", async () => {
  const page = await open("filled", "sql");
  await page.getByLabel("Query").press("Control+Enter");
  await page.getByText(/12 rows in/).waitFor();
  await page.getByLabel("Query").fill("SELECT * FORM users");
  await page.getByRole("button", { name: "Run" }).click();
  await page.getByText("expected FROM but found FORM at 1:10").waitFor();
});

test("dead letters are redriven after a confirmation, one and many", async () => {
  const page = await open("filled", "dead-letters");
  await page.getByText("28 records").waitFor();
  await page.getByRole("checkbox").first().check();
  await page.getByRole("button", { name: "Redrive chosen (1)" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("28 records").waitFor();
  await page.getByRole("button", { name: "Redrive chosen (1)" }).click();
  await page.getByRole("button", { name: "Redrive", exact: true }).click();
  await page.getByText("1 record was sent back.").waitFor();
  await page.getByRole("button", { name: "Redrive all (27)" }).click();
  await page.getByRole("button", { name: "Redrive", exact: true }).click();
  await page.getByText("No dead letters").waitFor();
});

test("nothing is wider than a phone", async () => {
  await assertFits(await open("filled", "", { viewport: { width: 360, height: 740 } }));
});
