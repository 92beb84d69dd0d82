// The page of the real program over the example: TAILRACE_PROGRAM names the binary, build/tailrace by default.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertFits, serve, shows, useBrowser, visit } from "./browser.mjs";

const folder = mkdtempSync(join(tmpdir(), "tailrace-page-"));
const freePorts = ["--console", "--kafka", "--registry", "--cql", "--airflow"].flatMap((door) => [door, "127.0.0.1:0"]);
useBrowser();
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** Runs the example with another way of ingest than its generator. */
async function run(name, use = "fake", contract = "") {
  const project = join(folder, name);
  cpSync("examples/random_users", project, { recursive: true, filter: (path) => !/\.tailrace$|\/dags$/.test(path) });
  const settings = join(project, "tailrace.yml");
  writeFileSync(settings, readFileSync(settings, "utf8").replace("    use: fake\n", `    use: ${use}\n`));
  mkdirSync(join(project, "input"), { recursive: true });
  if (contract) {
    mkdirSync(join(project, "contracts"));
    writeFileSync(join(project, "contracts", "users.yml"), contract);
  }
  return {
    input: join(project, "input"),
    url: await serve(process.env.TAILRACE_PROGRAM ?? "build/tailrace", ["run", project, ...freePorts]),
  };
}

const example = run("generated");

test("every hop of the example has a count and no script fails", async () => {
  const page = await visit((await example).url);
  await page.locator(".stage.served .hop.ok").first().waitFor();
  const stages = await page.locator(".stage h2").allTextContents();
  assert.deepEqual(stages, ["Fetched", "Staged", "Appended", "Decoded", "Bronze", "Silver", "Gold", "Lake", "Served"]);
  assert.equal(await page.getByText("No rows are served yet").count(), 0);
  assert.deepEqual(page.problems, []);
});

test("every table has a page with rows, or with the reason why not", async () => {
  const page = await visit(`${(await example).url}/#/tables`);
  await page.locator(".card").first().waitFor();
  const names = (await page.locator(".card .title").allTextContents()).map((name) => name.trim());
  assert.ok(names.includes("users") && names.includes("users_by_country_gender"), names.join(" "));
  for (const name of names) {
    await page.evaluate((to) => (location.hash = `#/tables/${to}`), name);
    await page.getByRole("heading", { name, exact: true, level: 1 }).waitFor();
    await page.locator("table.grid:not(.columns) td, .notice").first().waitFor();
    assert.equal(await page.locator(".notice.error").count(), 0, `${name}: ${await page.locator("main").innerText()}`);
  }
});

test("a served row is found by its key", async () => {
  const page = await visit(`${(await example).url}/#/tables/users`);
  // The table of its columns may be there before its rows are.
  const id = await page.locator("table.grid:not(.columns) tbody td").first().textContent();
  await page.getByLabel("Key").fill(id);
  await page.getByRole("button", { name: "Look up" }).click();
  await page.waitForFunction(() => document.querySelectorAll("table.grid:not(.columns) tbody tr").length === 1);
  await page.getByRole("cell", { name: id, exact: true }).waitFor();
});

/** Queries of what is not served read the lake: it has rows from the first checkpoint on. */
async function rowsInLake(url, table) {
  const query = { method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: `SELECT * FROM ${table} LIMIT 1` }) };
  while ((await (await fetch(`${url}/api/sql`, query)).json()).rows.length === 0) await sleep(100);
}

test("the shell groups a table and names the place of an error", async () => {
  const { url } = await example;
  await rowsInLake(url, "users");
  const page = await visit(`${url}/#/sql`);
  await page.getByLabel("Query").fill("SELECT gender, count(*) AS n FROM users GROUP BY gender");
  await page.getByRole("button", { name: "Run" }).click();
  await shows(page, /2 rows in/);
  await page.getByLabel("Query").fill("SELECT gender FORM users");
  await page.getByRole("button", { name: "Run" }).click();
  await page.locator(".notice.error").getByText("1:20").waitFor();
});

test("a line that is no JSON is a dead letter with its text on the page", async () => {
  const files = await run("files", "files");
  writeFileSync(join(files.input, "bad.jsonl"), '{"gender": "female", broken\n');
  const page = await visit(files.url);
  await page.locator(".hop.rejected .reasons a").first().waitFor();
  await page.getByRole("link", { name: /Dead letters/ }).click();
  await page.getByText("1 record", { exact: true }).waitFor();
  await page.locator("summary").click();
  await page.getByText('{"gender": "female", broken').waitFor();
  await page.getByRole("button", { name: "Hex" }).click();
  await page.getByText("7b22 6765 6e64").waitFor();
});

test("what a contract asks of a table is on its page and its hop", async () => {
  const { url } = await run("contract", "fake", `apiVersion: v3.1.0
kind: DataContract
id: users
version: 1.0.0
status: active
schema:
- name: users
  quality:
  - {id: a_crowd, metric: rowCount, mustBeGreaterThan: 100000000}
  - {id: not_empty, metric: rowCount, mustBeGreaterThan: 0}
`);
  const page = await visit(`${url}/#/tables/users`);
  await page.getByRole("heading", { name: "Contract rules" }).waitFor();
  // Judged before its first rows came it breaks both; the page asks again.
  await page.locator("[data-contract-rules] li", { hasText: "holds" }).waitFor();
  const rules = await page.locator("[data-contract-rules] li").allInnerTexts();
  assert.match(rules[0], /a_crowd rows[^]*mustBeGreaterThan: 100000000[^]*\d+ broken/);
  assert.match(rules[1], /not_empty rows[^]*mustBeGreaterThan: 0[^]*\d+ holds/);
  assert.deepEqual(page.problems, []);
  const flow = await visit(url);
  await flow.locator(".hop .detail", { hasText: "broken: a_crowd is" }).waitFor();
});

test("no page of the example is wider than a phone or a desktop", async () => {
  const { url } = await example;
  await assertFits(await visit(url, { viewport: { width: 360, height: 740 } }));
  await assertFits(await visit(url, { viewport: { width: 1280, height: 800 } }));
});

test("rules, channels and silences of alerts are shown, and a channel that is off says why", async () => {
  const page = await visit(`${(await example).url}/#/alerts`);
  await page.getByRole("row", { name: /no users are served inactive warning ops/ }).waitFor();
  await page.getByText("off: SLACK_WEBHOOK is not set in the environment").waitFor();
  assert.ok(await page.getByRole("button", { name: "Test ops" }).isDisabled());
  assert.deepEqual(page.problems, []);
});
