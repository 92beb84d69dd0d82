// The pages of workflows over the real program: what they show is what Airflow's REST API says, what they do is done.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { serve, useBrowser, visit } from "./browser.mjs";

const folder = mkdtempSync(join(tmpdir(), "tailrace-workflows-page-"));
const freePorts = ["--console", "--kafka", "--registry", "--cql", "--airflow"].flatMap((door) => [door, "127.0.0.1:0"]);
useBrowser();
after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

function project(name) {
  const made = join(folder, name);
  cpSync("examples/random_users", made, { recursive: true, filter: (path) => !/\.tailrace$|dags$/.test(path) });
  return made;
}
const run = (made) => serve(process.env.TAILRACE_PROGRAM ?? "build/tailrace", ["run", made, ...freePorts]);

const whole = project("whole");
cpSync("tests/web/workflows", join(whole, "dags"), { recursive: true });
const running = run(whole);

async function api(path, method = "GET", body = undefined) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${await running}/api/v2${path}`, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

const runPath = (dag, id) => `/dags/${dag}/dagRuns/${encodeURIComponent(id)}`;

async function until(what, ready) {
  for (let i = 0; i < 600; ++i) {
    const found = await ready();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what}: not within a minute`);
}

/** Runs a DAG to its end; the run as the API has it. */
async function finished(dag, conf = {}) {
  const { dag_run_id } = await api(`/dags/${dag}/dagRuns`, "POST", { conf, logical_date: null });
  return until(`run ${dag_run_id}`, async () => {
    const one = await api(runPath(dag, dag_run_id));
    return ["success", "failed"].includes(one.state) && one;
  });
}

const ordered = finished("orders");
ordered.catch(() => {});  // the tests that want it tell
const open = async (path, options) => visit(`${await running}/#/${path}`, options);
const hash = (page) => page.evaluate(() => decodeURIComponent(location.hash));

test("a project without dags/ says how the first workflow is written", async () => {
  const page = await visit(`${await run(project("none"))}/#/workflows`);
  await page.getByText("The project has no workflows yet").waitFor();
  await page.getByText("tailrace dags test hello").waitFor();
  assert.match(await page.locator("pre").innerText(), /^hello:\n {2}schedule/);
});

test("an empty dags/ says so too", async () => {
  const made = project("empty");
  mkdirSync(join(made, "dags"));
  const page = await visit(`${await run(made)}/#/workflows`);
  await page.getByText("The project has no workflows yet").waitFor();
  assert.deepEqual(page.problems, []);
});

test("the list has every workflow, found by words, tag and state", async () => {
  const page = await open("workflows");
  await page.locator('[data-dag="orders"]').waitFor();
  const listed = await page.locator("[data-dag]").evaluateAll((all) => all.map((one) => one.dataset.dag));
  assert.deepEqual(listed, (await api("/dags")).dags.map((dag) => dag.dag_id).toSorted());
  await page.locator('[data-dag="orders"]').getByText("Every 1 min").waitFor();
  await page.locator('[data-dag="reads"]').getByText("When file:///orders.csv changes").waitFor();
  await page.getByLabel("Filter").fill("WAREHOUSE");
  await page.waitForFunction(() => document.querySelectorAll("[data-dag]").length === 1);
  await page.getByLabel("Filter").fill("");
  await page.getByLabel("Tag").selectOption("shop");
  await page.waitForFunction(() => document.querySelectorAll("[data-dag]").length === 2);
  await page.getByLabel("Tag").selectOption("");
  await page.getByRole("button", { name: "Paused" }).click();
  await page.getByText("1 workflow", { exact: true }).waitFor();
  await page.locator('[data-dag="days"]').waitFor();
});

test("the switch pauses a workflow and lets it run again, by keyboard", async () => {
  const page = await open("workflows");
  const turn = page.getByRole("switch", { name: "slow runs by itself" });
  await turn.press("Enter");
  await page.locator('[data-dag="slow"] [aria-checked="false"]').waitFor();
  await until("slow is paused", async () => (await api("/dags/slow")).is_paused);
  await turn.press("Enter");
  await page.locator('[data-dag="slow"] [aria-checked="true"]').waitFor();
  await until("slow runs", async () => !(await api("/dags/slow")).is_paused);
  assert.deepEqual(page.problems, []);
});

test("the grid shows each task of a run in the state that the API says, and groups fold", async () => {
  const { dag_run_id } = await ordered;
  const page = await open("workflows/orders");
  const cell = (row) => page.locator(`[data-cell="${row} ${dag_run_id}"]`);
  const said = (await api(`${runPath("orders", dag_run_id)}/taskInstances?limit=100`)).task_instances;
  assert.equal(new Set(said.map((one) => one.task_id)).size, 11);
  for (const one of said) {
    await cell(one.task_id).waitFor();
    assert.equal(await cell(one.task_id).getAttribute("data-state"), one.state, one.task_id);
  }
  assert.equal(await cell("per_country").innerText(), "4");
  assert.equal(await cell("load").getAttribute("data-state"), "failed");
  await page.getByRole("button", { name: "load", exact: true }).press("Enter");
  await cell("load.big").waitFor({ state: "detached" });
  assert.equal(await cell("load").getAttribute("data-state"), "failed");
  assert.deepEqual(page.problems, []);
});

test("arrow keys walk through the grid, and Enter opens the task", async () => {
  const { dag_run_id } = await ordered;
  const page = await open("workflows/orders");
  await page.locator(`[data-run="${dag_run_id}"] a`).focus();
  // To another run and back, where there is one: that of the schedule was made before this one or after it.
  const first = (await page.evaluate(() => document.activeElement.dataset.column)) === "0";
  const across = first ? ["ArrowRight", "ArrowLeft"] : ["ArrowLeft", "ArrowRight"];
  for (const key of ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown", ...across]) await page.keyboard.press(key);
  assert.match(await page.evaluate(() => document.activeElement.ariaLabel), /^flaky: success, .*2 tries$/);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "flaky", level: 2 }).waitFor();
  assert.equal(await hash(page), `#/workflows/orders/runs/${dag_run_id}/tasks/flaky`);
  assert.match(await page.evaluate(() => document.activeElement.ariaLabel), /^flaky/);
});

test("the graph has every task and every edge, with the states of the run", async () => {
  const { dag_run_id } = await ordered;
  const page = await open(`workflows/orders/runs/${encodeURIComponent(dag_run_id)}`);
  await page.locator('[data-node="tell"]').waitFor();
  const { tasks } = await api("/dags/orders/tasks");
  const nodes = await page.locator("[data-node]").evaluateAll((all) => all.map((one) => one.dataset.node));
  assert.deepEqual(nodes.toSorted(), tasks.map((task) => task.task_id).toSorted());
  const edges = await page.locator("[data-edge]").evaluateAll((all) => all.map((one) => one.dataset.edge));
  const said = tasks.flatMap((task) => task.downstream_task_ids.map((next) => `${task.task_id} → ${next}`));
  assert.deepEqual(edges.toSorted(), said.toSorted());
  assert.equal(await page.locator('[data-node="load.checks.sums"]').getAttribute("data-state"), "failed");
  await page.getByRole("button", { name: "Fold load", exact: true }).press("Enter");
  await page.locator('[data-node="load"]').waitFor();
  assert.equal(await page.locator("[data-node]").count(), 8);
  await page.getByRole("link", { name: "Gantt" }).click();
  await page.locator('[data-gantt="flaky"] .bar-of').nth(1).waitFor();
  assert.equal(await page.locator('[data-gantt="per_country"] .bar-of').count(), 4);
  assert.deepEqual(page.problems, []);
});

test("a task shows its tries, each with its log, and what it left", async () => {
  const { dag_run_id } = await ordered;
  const page = await open(`workflows/orders/runs/${encodeURIComponent(dag_run_id)}/tasks/flaky`);
  await page.getByRole("log").getByText("try 2", { exact: true }).waitFor();
  await page.getByRole("button", { name: /^\s*Try 1/ }).click();
  await page.getByRole("log").getByText("try 1", { exact: true }).waitFor();
  await page.getByText("Bash command failed. The command returned a non-zero exit code 1.").first().waitFor();
  assert.equal(await page.locator('[data-xcom="return_value"]').innerText(), "try 2");
  await page.evaluate((id) => (location.hash = `#/workflows/orders/runs/${encodeURIComponent(id)}/tasks/per_country`), dag_run_id);
  await page.getByText("4 instances: 4 success").waitFor();
  await page.getByRole("link", { name: "per_country [2]" }).click();
  await page.getByRole("log").getByText("FI", { exact: true }).waitFor();
  assert.deepEqual(page.problems, []);
});

test("a log grows while its task runs", async () => {
  const flag = join(folder, "enough");
  const { dag_run_id } = await api("/dags/slow/dagRuns", "POST", { conf: { until: flag }, logical_date: null });
  const page = await open(`workflows/slow/runs/${encodeURIComponent(dag_run_id)}/tasks/count`);
  await page.getByRole("log").getByText("line 1", { exact: true }).waitFor();
  await page.getByRole("log").getByText("line 9", { exact: true }).waitFor();
  await page.getByText(/lines, growing$/).waitFor();
  writeFileSync(flag, "");
  await page.getByRole("log").getByText("done", { exact: true }).waitFor();
  await page.locator(".standing").getByText("success").waitFor();
  const lines = (await page.locator(".log .line").allTextContents()).filter((line) => line.startsWith("line "));
  assert.deepEqual(lines, lines.map((_, i) => `line ${i + 1}`));
});

test("a run that is triggered with params has them as its conf", async () => {
  const page = await open("workflows");
  await page.getByRole("button", { name: "Trigger asked" }).press("Enter");
  const form = page.getByRole("dialog", { name: "Trigger asked" });
  await form.getByLabel("days").fill("12");
  await form.getByText("at most 9").waitFor();
  assert.ok(await form.getByRole("button", { name: "Trigger", exact: true }).isDisabled());
  await form.getByLabel("days").fill("5");
  await form.getByLabel("Shop").fill("bergen");
  await form.getByLabel("mode").selectOption("whole");
  await form.getByLabel("dry").uncheck();
  await form.getByLabel("kinds").fill("c\nd");
  await form.getByText("Configuration as JSON").click();
  const json = form.getByLabel("Configuration as JSON");
  const conf = { ...JSON.parse(await json.inputValue()), since: "2026-02-03", beside: [1] };
  await json.fill(JSON.stringify(conf));
  assert.equal(await form.getByLabel("since").inputValue(), "2026-02-03");
  await form.getByRole("button", { name: "Trigger", exact: true }).click();
  await page.getByRole("heading", { level: 2, name: /UTC$/ }).waitFor();
  const id = /runs\/(.*)$/.exec(await hash(page))[1];
  const wanted = { shop: "bergen", days: 5, mode: "whole", dry: false, since: "2026-02-03", kinds: ["c", "d"], limit: null, beside: [1] };
  assert.deepEqual((await api(runPath("asked", id))).conf, wanted);
  await page.getByRole("link", { name: "About" }).click();
  assert.deepEqual(JSON.parse(await page.locator("[data-conf]").innerText()), wanted);
  assert.deepEqual(page.problems, []);
});

test("what the server refuses is told in the form", async () => {
  const page = await open("workflows/asked");
  await page.getByRole("button", { name: "Trigger…" }).click();
  const form = page.getByRole("dialog", { name: "Trigger asked" });
  await form.getByText("Logical date, run id and note").click();
  const { dag_run_id } = await finished("asked", {});
  await form.getByLabel(/Run id/).fill(dag_run_id);
  await form.getByRole("button", { name: "Trigger", exact: true }).click();
  await form.getByRole("alert").getByText(/No run was made/).waitFor();
});

test("clearing says what it touches, and does that", async () => {
  const { dag_run_id } = await finished("orders");
  const page = await open(`workflows/orders/runs/${encodeURIComponent(dag_run_id)}/tasks/load.checks.sums`);
  await page.getByRole("button", { name: "Clear…" }).click();
  const form = page.getByRole("dialog", { name: "Run load.checks.sums again" });
  await form.getByText("3 task instances").first().waitFor();
  const touched = (await form.locator(".touches li").allInnerTexts()).map((text) => text.trim().split(/\s/)[0]);
  assert.deepEqual(touched.toSorted(), ["load.checks.sums", "publish", "tell"]);
  await form.getByLabel("Only what failed").check();
  await form.getByText("1 task instance", { exact: true }).waitFor();
  await form.getByRole("button", { name: "Clear 1 task instance" }).click();
  await until("the task ran again", async () => {
    const one = await api(`${runPath("orders", dag_run_id)}/taskInstances/load.checks.sums`);
    return one.try_number === 2 && one.state === "failed";
  });
  await page.getByRole("button", { name: /^\s*Try 2/ }).waitFor();
  await page.getByRole("button", { name: "Mark success…" }).click();
  await page.getByRole("button", { name: "Mark as success" }).click();
  await page.locator(".standing").getByText("success").waitFor();
  assert.equal((await api(`${runPath("orders", dag_run_id)}/taskInstances/load.checks.sums`)).state, "success");
});

test("a backfill shows what it makes before it makes it, and how far it is", async () => {
  await api("/dags/days", "PATCH", { is_paused: false });
  const page = await open("workflows/days");
  await page.getByRole("button", { name: "Backfill…" }).click();
  const form = page.getByRole("dialog", { name: "Backfill days" });
  await form.getByLabel(/^From/).fill("2025-03-01T00:00");
  await form.getByLabel(/^To/).fill("2025-03-09T00:00");
  await form.getByText("9 runs", { exact: true }).waitFor();
  const said = await api("/backfills/dry_run", "POST", { dag_id: "days", from_date: "2025-03-01T00:00:00Z", to_date: "2025-03-09T00:00:00Z" });
  const shown = (await form.locator(".touches li").allInnerTexts()).map((text) => text.trim());
  assert.deepEqual(shown, said.backfills.map((one) => one.logical_date.slice(0, 19).replace("T", " ")));
  await form.getByRole("button", { name: "Make 9 runs" }).click();
  await page.getByText(/9 of 9 runs: 9 success/).waitFor();
  await page.locator("[data-backfill]").getByText("over").waitFor();
  const made = await api("/dags/days/dagRuns?run_type=backfill");
  assert.deepEqual([made.total_entries, made.dag_runs.every((one) => one.state === "success")], [9, true]);
});

test("an asset shows who makes it, its events, and the runs that they made", async () => {
  await finished("makes");
  const page = await open("assets");
  await page.getByRole("link", { name: "orders", exact: true }).click();
  await page.getByRole("link", { name: "makes.write" }).first().waitFor();
  await page.locator("[data-event]").getByRole("link", { name: /reads/ }).first().waitFor();
  await page.getByRole("button", { name: "Tell of a change…" }).click();
  await page.getByLabel("What is known of it, as JSON").fill('{"rows": 7}');
  await page.getByRole("button", { name: "Tell", exact: true }).click();
  const told = page.locator("[data-event]", { hasText: '"rows":7' });
  await told.getByRole("link", { name: /reads/ }).click();
  await page.getByRole("list", { name: "Events it runs for" }).getByText('"rows":7').waitFor();
  assert.deepEqual(page.problems, []);
});

test("a page of another origin cannot trigger", async () => {
  const answer = await fetch(`${await running}/api/v2/dags/asked/dagRuns`, {
    method: "POST", headers: { "content-type": "application/json", origin: "http://elsewhere.example" }, body: '{"logical_date": null}',
  });
  assert.equal(answer.status, 403);
});

test("no page of workflows is wider than a phone or a desktop", async () => {
  const { dag_run_id } = await ordered;
  const at = `workflows/orders/runs/${encodeURIComponent(dag_run_id)}`;
  const paths = ["workflows", "workflows/orders", "workflows/orders/about", "workflows/orders/backfills", at, `${at}/gantt`, `${at}/about`, `${at}/tasks/flaky`, "assets"];
  for (const [width, colorScheme] of [[360, "dark"], [1280, "light"]]) {
    const page = await open("workflows", { viewport: { width, height: 800 }, colorScheme });
    for (const path of paths) {
      await page.evaluate((to) => (location.hash = `#/${to}`), path);
      await page.locator("h1").waitFor();
      await page.locator(".skeleton").waitFor({ state: "detached" });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${path} is ${over} px too wide at ${width}`);
    }
    assert.deepEqual(page.problems, []);
  }
});
