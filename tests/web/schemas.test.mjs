// The page of schemas over the real program: its own registry, one behind a URL, and one that is switched off.
// TAILRACE_PYTHON has confluent-kafka: build/venv/bin/python by default.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { serve, useBrowser, visit } from "./browser.mjs";

const PROGRAM = process.env.TAILRACE_PROGRAM ?? "build/tailrace";
const PYTHON = process.env.TAILRACE_PYTHON ?? "build/venv/bin/python";
const folder = mkdtempSync(join(tmpdir(), "tailrace-schemas-page-"));
const ORDER = { type: "record", name: "Order", fields: [{ name: "id", type: "long" }, { name: "note", type: "string", default: "" }] };
useBrowser();
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

/** A project with the example's SQL and another tailrace.yml where `change` makes one. */
async function run(name, change = (settings) => settings, registry = "127.0.0.1:0") {
  const project = join(folder, name);
  cpSync("examples/random_users", project, { recursive: true, filter: (path) => !/\.tailrace$|\/dags$/.test(path) });
  const file = join(project, "tailrace.yml");
  writeFileSync(file, change(readFileSync(file, "utf8")));
  const url = await serve(PROGRAM, ["run", project, "--console", "127.0.0.1:0", "--kafka", "127.0.0.1:0", "--registry", registry, "--cql", "off", "--airflow", "off"]);
  return { url, doors: JSON.parse(readFileSync(join(project, ".tailrace", "run.json"), "utf8")) };
}
const running = run("embedded");
const named = (registry) => (settings) => settings.replace("roles:\n", `roles:\n  registry: ${registry}\n`);

const write = (broker, registry, value) =>
  promisify(execFile)(PYTHON, ["tests/web/writer.py", broker, registry, "orders", JSON.stringify(ORDER), value]);

/** What the page promises of a registry, wherever it is. */
async function promises(url, broker, registry) {
  const page = await visit(`${url}/#/schemas`);
  await page.getByText("The registry has no subjects yet").waitFor();
  await write(broker, registry, '{"id": 9007199254740993, "note": "é"}'); // beyond the numbers of scripts
  await page.reload();
  await page.getByRole("row", { name: "orders-value AVRO 1 1 BACKWARD default orders" }).waitFor();
  await page.getByRole("link", { name: "orders-value" }).click();
  await page.getByText("used by the values of orders").waitFor();
  assert.deepEqual(JSON.parse(await page.getByRole("region", { name: "Schema" }).innerText()), ORDER);

  await page.getByRole("link", { name: "Try out" }).click();
  const text = page.getByLabel("Schema to try");
  await page.waitForFunction(() => document.querySelector("textarea").value.includes("Order"));
  const field = (more) => JSON.stringify({ ...ORDER, fields: [...ORDER.fields, { name: "paid", type: "boolean", ...more }] });
  await text.fill(field({}));
  await text.press("Control+Enter");
  await page.getByRole("list", { name: "Reasons" }).getByText(/READER_FIELD_MISSING_DEFAULT_VALUE.*'\/fields\/2'/).waitFor();
  await text.fill(field({ default: false }));
  await page.getByRole("button", { name: "Check" }).click();
  await page.getByText("It may be the next version of orders-value.").waitFor();
  assert.deepEqual(await (await fetch(`${registry}/subjects/orders-value/versions`)).json(), [1]);
  await page.getByRole("button", { name: "Register…" }).click();
  await page.getByRole("button", { name: "Register", exact: true }).click();
  await page.getByText("Version 2 is registered, with id 2.").waitFor();
  assert.deepEqual(await (await fetch(`${registry}/subjects/orders-value/versions`)).json(), [1, 2]);

  await page.getByRole("link", { name: "Compare" }).click();
  await page.getByText(/version 1 and version 2: \d+ lines differ/).waitFor();
  assert.match((await page.locator(".diff .added .new").allInnerTexts()).join(""), /"name": "paid"/);

  await page.getByRole("link", { name: "orders", exact: true }).click();
  await page.getByRole("list", { name: "Schemas" }).getByRole("link", { name: "orders-value" }).waitFor();
  await page.getByRole("button", { name: "Look" }).click();
  const record = page.locator(".record").first();
  await record.locator("summary").press("Enter");
  assert.equal(await record.locator("pre").last().innerText(), '{\n  "id": 9007199254740993,\n  "note": "é"\n}');
  await record.getByRole("link", { name: "orders-value version 1" }).waitFor();
  assert.deepEqual(page.problems, []);
}

test("subjects of the embedded registry are listed, compared, tried and decode records", async () => {
  const { url, doors } = await running;
  await promises(url, doors.kafka, doors.registry);
});

test("a registry behind a URL is shown and asked in the same way", async () => {
  const registry = await serve(PROGRAM, ["registry", "--data", join(folder, "elsewhere"), "--listen", "127.0.0.1:0"]);
  const address = registry.replace(/;$/, "");
  const { url, doors } = await run("remote", named(address));
  await promises(url, doors.kafka, address);
});

test("a registry that is down and one that is off are told in words", async () => {
  const down = await run("down", named("http://someone:secret@127.0.0.1:1"));
  const page = await visit(`${down.url}/#/schemas`);
  await page.getByRole("alert").getByText(/127\.0\.0\.1:1.*Is it running/).waitFor();
  assert.doesNotMatch(await page.content(), /secret/);
  const off = await run("off", (settings) => settings, "off");
  await (await visit(`${off.url}/#/schemas`)).getByText(/runs with --registry off/).waitFor();
});
