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

test("subjects are listed, found, and their topics are a click away and back", async () => {
  const page = await open("many", "schemas");
  await page.getByText("1,002 subjects; registry: embedded").waitFor();
  assert.equal(await page.locator("tbody tr").count(), 25);
  await page.getByRole("button", { name: "Next" }).press("Enter");
  await page.getByText("page 2", { exact: true }).waitFor();
  await page.getByRole("link", { name: "subject_0024-value" }).waitFor();
  await page.getByLabel("Filter").fill("users_created");
  await page.getByRole("row", { name: "users_created-value AVRO 2 2 BACKWARD default users_created" }).waitFor();
  await page.getByRole("cell").getByRole("link", { name: "users_created", exact: true }).press("Enter");
  await page.getByRole("heading", { name: "users_created", level: 1 }).waitFor();
  await page.getByRole("list", { name: "Schemas" }).getByRole("link", { name: "users_created-value" }).press("Enter");
  await page.getByText("used by the values of users_created").waitFor();
  assert.deepEqual(page.problems, []);
});

test("a schema is formatted, with what it refers to, in any context", async () => {
  const page = await open("filled", "schemas");
  await page.getByRole("link", { name: ":.eu:orders/new-value" }).click();
  await page.getByText("no topic is known to use it").waitFor();
  assert.match(await page.getByRole("region", { name: "Schema" }).innerText(), /^syntax = "proto3";\nimport/);
  await page.getByRole("list", { name: "References" }).getByRole("link").click();
  await page.getByText("version 1, id 1, AVRO").waitFor();
  assert.match(await page.getByRole("region", { name: "Schema" }).innerText(), /^\{\n {2}"type": "record",\n/);
});

test("two versions stand side by side, chosen by keyboard", async () => {
  const page = await open("filled", "schemas/users_created-value");
  await page.getByRole("link", { name: "Compare" }).press("Enter");
  await page.getByText("version 1 and version 2: 5 lines differ").waitFor();
  const differ = page.getByRole("region", { name: "Differences" }).locator("tr.added, tr.changed");
  assert.match((await differ.locator(".new").allInnerTexts()).join(""), /"name": "age"/);
  const first = await page.locator(".diff tbody tr").first().locator("td").allInnerTexts();
  assert.deepEqual(first, ["1", "{", "1", "{"]);
  await page.getByLabel("Compare with version").selectOption("2");
  await page.getByText("version 2 and version 2: the same text").waitFor();
  await page.evaluate(() => (location.hash = `#/schemas/${encodeURIComponent(":.eu:orders/new-value")}/1/diff`));
  await page.getByText("There is one version").waitFor();
  assert.deepEqual(page.problems, []);
});

test("a schema is tried, refused with places, and registered only after a question", async () => {
  const page = await open("filled", "schemas/users_created-value/2/try");
  const text = page.getByLabel("Schema to try");
  await page.waitForFunction(() => document.querySelector("textarea")?.value.includes("age"));
  assert.equal(await page.getByRole("button", { name: "Register" }).count(), 0);
  await text.fill('{"vip": 1}');
  await text.press("Control+Enter");
  await page.getByRole("alert").getByText("Not compatible").waitFor();
  await page.getByRole("list", { name: "Reasons" }).getByText("at '/fields/2'").waitFor();
  await text.fill('"long"');
  assert.equal(await page.getByRole("alert").count(), 0);
  await page.getByRole("button", { name: "Check" }).click();
  await page.getByText("It may be the next version of users_created-value.").waitFor();
  await page.getByRole("button", { name: "Register…" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.evaluate(() => (location.hash = "#/schemas"));
  await page.getByRole("row", { name: "users_created-value AVRO 2 2" }).waitFor();
  await page.evaluate(() => (location.hash = "#/schemas/users_created-value/2/try"));
  await page.waitForFunction(() => document.querySelector("textarea")?.value.includes("age"));
  await text.fill('"long"');
  await page.getByRole("button", { name: "Check" }).click();
  await page.getByRole("button", { name: "Register…" }).press("Enter");
  await page.getByRole("button", { name: "Register", exact: true }).press("Enter");
  await page.getByText("Version 3 is registered, with id 3.").waitFor();
  await page.getByText("version 3, id 3, AVRO").waitFor();
  assert.deepEqual(page.problems, []);
});

test("no subjects, no registry and one that is down say what to do", async () => {
  await (await open("bare", "schemas")).getByText("tailrace schemas register users-value user.avsc").waitFor();
  await (await open("empty", "schemas")).getByText("--registry off").waitFor();
  const down = await open("error", "schemas");
  await down.getByRole("alert").getByText(/connection refused by 127.0.0.1:8081. Is it running/).waitFor();
  await down.evaluate(() => (location.hash = "#/topics/users_created"));
  await down.getByRole("heading", { name: "Partitions" }).waitFor();
  await down.evaluate(() => (location.hash = "#/schemas/users_created-value"));
  await down.getByRole("alert").getByText(/The subject cannot be read/).waitFor();
});

test("what has a schema is decoded, with the way to it, and bytes with the reason where it is not", async () => {
  const page = await open("filled", "topics/users_created");
  await page.getByLabel("From offset").fill("14");
  await page.getByRole("button", { name: "Look" }).click();
  const record = page.locator('[data-offset="14"]');
  assert.match(await record.locator("summary").innerText(), /\{"id":"Zo","age":7\}/);
  await record.locator("summary").press("Enter");
  assert.match(await record.innerText(), /Not decoded: Schema 99 not found[^]*0000 0000 637a 7a[^]*\{\n {2}"id": "Zo",\n/);
  await record.getByRole("link", { name: "users_created-value version 2" }).click();
  await page.getByText("version 2, id 2, AVRO").waitFor();
  assert.deepEqual(page.problems, []);
});
