// The pages of the log over the real program, its topics read by groups of a foreign client. TAILRACE_PYTHON has
// confluent-kafka: build/venv/bin/python by default.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { serve, useBrowser, visit } from "./browser.mjs";

const PROGRAM = process.env.TAILRACE_PROGRAM ?? "build/tailrace";
const PYTHON = process.env.TAILRACE_PYTHON ?? "build/venv/bin/python";
const folder = mkdtempSync(join(tmpdir(), "tailrace-log-page-"));
useBrowser();
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

async function run() {
  const project = join(folder, "project");
  cpSync("examples/random_users", project, { recursive: true, filter: (path) => !/\.tailrace$|\/dags$/.test(path) });
  const freePorts = ["--console", "--kafka", "--registry", "--cql", "--airflow"].flatMap((door) => [door, "127.0.0.1:0"]);
  const url = await serve(PROGRAM, ["run", project, ...freePorts]);
  return { url, broker: JSON.parse(readFileSync(join(project, ".tailrace", "run.json"), "utf8")).kafka };
}
const running = run();

async function consumer(group, protocol, records) {
  const { broker } = await running;
  await serve(PYTHON, ["tests/web/consumer.py", broker, "users_created", group, protocol, records], /committed/);
}

test("before a consumer comes the page says how one is started", async () => {
  const page = await visit(`${(await running).url}/#/groups`);
  await page.getByText("No group reads the log yet").waitFor();
});

test("groups of a foreign client are on the page with members, offsets and lag", async () => {
  const { url } = await running;
  await Promise.all([consumer("old school", "classic", "5"), consumer("new/school", "consumer", "7")]);
  const page = await visit(`${url}/#/groups`);
  await page.getByRole("row", { name: /new\/school consumer Stable 1 .* users_created/ }).waitFor();
  await page.getByRole("row", { name: /old school classic Stable 1 .* users_created/ }).waitFor();
  for (const [group, records] of [["old school", 5], ["new/school", 7]]) {
    await page.evaluate(() => (location.hash = "#/groups"));
    await page.getByRole("link", { name: group }).click();
    await page.getByRole("row", { name: new RegExp(`client-of-${group}.* users_created-0`) }).waitFor();
    const offsets = page.getByRole("region", { name: "Offsets" }).locator("tbody tr");
    const committed = (await offsets.locator("td:nth-child(3)").allTextContents()).map(Number);
    assert.equal(committed.filter((n) => n > 0).reduce((sum, n) => sum + n, 0), records);
    await page.getByText(/lag grew from|No lag|again what it was|lag shrank/).waitFor();
  }
  await page.locator("main").getByRole("link", { name: "users_created" }).first().click();
  await page.getByRole("list", { name: "Groups" }).getByRole("link", { name: "new/school" }).waitFor();
  await page.evaluate(() => (location.hash = "#/topics"));
  await page.getByText(/^\d+ topics?$/).waitFor();
  assert.equal(await page.getByRole("link", { name: "__consumer_offsets" }).count(), 0);
  await page.getByLabel("Kafka's own").check();
  await page.getByRole("link", { name: "__consumer_offsets" }).waitFor();
  assert.deepEqual(page.problems, []);
});

test("a share group has its members and what is in flight with its delivery count on the page", async () => {
  const { url, broker } = await running;
  await serve(PYTHON, ["tests/web/sharer.py", broker, "jobs", "pickers"], /holding/);
  const page = await visit(`${url}/#/groups`);
  await page.getByRole("row", { name: /pickers share Stable 1 1 jobs/ }).waitFor();
  await page.getByRole("link", { name: "pickers" }).click();
  await page.getByRole("region", { name: "Members" }).getByRole("row", { name: /client-of-pickers .* jobs-0/ }).waitFor();
  // What is kept of its begin moves with the next fate that is kept, as Kafka's does.
  await page.getByRole("region", { name: "Offsets" }).getByRole("row", { name: /^jobs 0 [01] 2 1$/ }).waitFor();
  await page.getByRole("region", { name: "In flight" })
    .getByRole("row", { name: "jobs-0@1 acquired 2 times client-of-pickers" }).waitFor();
  assert.deepEqual(page.problems, []);
});

test("a streams group has its members' tasks on the page", async () => {
  const { url, broker } = await running;
  await serve(PYTHON, ["tests/web/streams_group.py", broker, "users_created", "counters"], /settled/);
  const page = await visit(`${url}/#/groups`);
  await page.getByRole("link", { name: "counters" }).click();
  await page.getByRole("region", { name: "Members" }).getByRole("row", { name: /users_created-0.* 0_0.*1_0.* none none/ })
    .waitFor();
  assert.deepEqual(page.problems, []);
});

test("the newest records of a topic of the example are JSON", async () => {
  const page = await visit(`${(await running).url}/#/topics`);
  await page.getByRole("link", { name: "users_created", exact: true }).click();
  await page.getByRole("button", { name: "Look" }).click();
  const newest = page.locator(".record").first();
  await newest.locator("summary").press("Enter");
  const value = await newest.locator("pre").last().innerText();
  assert.ok(JSON.parse(value).login.uuid, value);
  assert.match(value, /^\{\n {2}"/);
});
