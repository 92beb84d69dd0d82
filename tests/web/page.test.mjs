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

test("a thousand topics are listed, found by a part of their name and sorted by keyboard", async () => {
  const page = await open("many", "topics");
  await page.getByText("999 topics").waitFor();
  assert.equal(await page.locator("tbody tr").count(), 100);
  await page.getByText("page 1 of 10").waitFor();
  await page.getByRole("button", { name: "Next" }).click();
  await page.getByRole("link", { name: "topic_0101" }).waitFor();
  const name = page.getByRole("button", { name: "Topic", exact: true });
  assert.equal(await page.getByRole("columnheader", { name: "Topic" }).getAttribute("aria-sort"), "ascending");
  await name.press("Enter");
  assert.equal(await page.getByRole("columnheader", { name: "Topic" }).getAttribute("aria-sort"), "descending");
  await page.getByLabel("Filter").fill("c_0777");
  await page.getByText("1 topic", { exact: true }).waitFor();
  await page.getByRole("link", { name: "topic_0777" }).click();
  await page.getByRole("heading", { name: "topic_0777", level: 1 }).waitFor();
  assert.deepEqual(page.problems, []);
});

test("records are looked at on demand: JSON indented, bytes as hex, headers, tombstones", async () => {
  const page = await open("filled", "topics/users_created");
  await page.getByText("Nothing is read until you look.").waitFor();
  await page.getByRole("button", { name: "Records of partition 2" }).press("Enter");
  await page.getByLabel("From offset").fill("11");
  await page.getByRole("button", { name: "Look" }).press("Enter");
  await page.getByText("20 records; the partition goes from offset 10").waitFor();
  assert.equal(await page.getByRole("combobox", { name: "Partition" }).inputValue(), "2");
  const open1 = async (offset) => {
    const record = page.locator(`[data-offset="${offset}"]`);
    await record.locator("summary").press("Enter");
    return record.innerText();
  };
  assert.match(await open1(11), /\{\n {2}"id": 11,\n {2}"name": \{\n {4}"first": "Chiara"/);
  assert.match(await open1(12), /0000 01ff 3c73 6372/);
  assert.match(await open1(20), /null: a tombstone[^]*trace[^]*4bf92f3577b34da6/);
  await page.getByLabel("From offset").fill("1");
  await page.getByRole("button", { name: "Look" }).click();
  await page.getByRole("alert").getByText("users_created-2@1: no such offset").waitFor();
});

test("from a hop to its topic, to the group that reads it, and how its lag moves", async () => {
  const page = await open("filled");
  await page.locator('[data-hop="appended.users_created"] a').click();
  await page.getByRole("heading", { name: "users_created", level: 1 }).waitFor();
  await page.getByRole("list", { name: "Groups" }).getByRole("link", { name: "analytics" }).click();
  await page.getByText(/In the last 4 min 55 s the lag grew from 0 to/).waitFor();
  const lag = page.locator(".figure");
  const before = await lag.textContent();
  await page.waitForFunction((old) => document.querySelector(".figure").textContent !== old, before);
  await page.getByRole("row", { name: /users_created 2 none 400 unknown nobody/ }).waitFor();
  await page.getByRole("row", { name: /consumer-2 rack-2/ }).waitFor();
  await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name: "Groups" }).click();
  await page.getByRole("row", { name: /billing consumer Empty 0 1,200 users_created/ }).waitFor();
  assert.deepEqual(page.problems, []);
});

test("no topics and no groups say what to do", async () => {
  const page = await open("bare", "topics");
  await page.getByText("There are no topics yet").waitFor();
  await page.evaluate(() => (location.hash = "#/groups"));
  await page.getByText("No group reads the log yet").waitFor();
  await page.evaluate(() => (location.hash = "#/groups/nobody"));
  await page.getByRole("alert").getByText("there is no group `nobody`").waitFor();
});

test("nothing is wider than a phone", async () => {
  await assertFits(await open("filled", "", { viewport: { width: 360, height: 740 } }));
});
