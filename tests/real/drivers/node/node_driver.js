// What a client of the Node driver (cassandra-driver) is answered, line by line, for a comparison of two servers:
// node_driver.js HOST:PORT VERSION KEYSPACE VALUES. With TLS_AUTHORITY, TLS_CERTIFICATE and TLS_KEY it speaks TLS.
'use strict';
const fs = require('fs');
const util = require('util');
const { createRequire } = require('module');
const cassandra = createRequire(process.cwd() + '/package.json')('cassandra-driver');

const [address, version, keyspace, values] = process.argv.slice(2);
const tls = process.env;
const types = fs.readFileSync(values, 'utf8').trimEnd().split('\n').map((line) => line.split('\t'));
const say = (...words) => console.log(...words.map((word) => typeof word === 'string' ? word
  : util.inspect(word, { depth: 9, breakLength: Infinity, sorted: true })));
const named = (text) => text.replaceAll('$', keyspace);

function connect() {
  return new cassandra.Client({
    contactPoints: [address], localDataCenter: 'datacenter1', refreshSchemaDelay: 1,
    protocolOptions: { maxVersion: Number(version) }, socketOptions: { readTimeout: 120000 },
    sslOptions: tls.TLS_AUTHORITY && { ca: [fs.readFileSync(tls.TLS_AUTHORITY)], cert: fs.readFileSync(tls.TLS_CERTIFICATE),
      key: fs.readFileSync(tls.TLS_KEY) },
  });
}

const client = connect();
const run = (text, values, options) => client.execute(named(text), values, options);
const ask = (text, values) => run(text, values, { prepare: true });
const rows = async (text) => say((await run(text)).rows.map((row) => util.inspect({ ...row }, { depth: 9 })).sort());

async function refused(what, asked) {
  try {
    say(what, 'was answered:', (await asked()).rowLength);
  } catch (error) {
    // Of a host that could not answer there is the host's name and a statement's id in the message.
    say(what, error.constructor.name, error.code, error.innerErrors ? 'no host' : error.message);
  }
}

async function everyType() {
  await run('CREATE TYPE $.point (x int, y double, labels frozen<set<text>>)');
  const names = types.map((_, at) => `c${at}`);
  await run(`CREATE TABLE $.types (k int PRIMARY KEY, ${types.map(([kind], at) =>
    `c${at} ${kind.replaceAll('point', '$.point')}`).join(', ')})`);
  await run(`INSERT INTO $.types (k, ${names.join(', ')}) VALUES (1, ${types.map(([, text]) => text).join(', ')})`);
  const row = (await ask(`SELECT ${names.join(', ')} FROM $.types WHERE k = ?`, [1])).first();
  names.forEach((name, at) => say(types[at][0], row[name]));
  const write = `INSERT INTO $.types (k, ${names.join(', ')}) VALUES (?, ${names.map(() => '?').join(', ')})`;
  await ask(write, [2, ...names.map((name) => row[name])]);
  await ask(write, [3, ...names.map(() => null)]);
  await refused('unset', () => ask(write, [2, ...names.map(() => cassandra.types.unset)]));
  await rows('SELECT JSON * FROM $.types');
  await ask('UPDATE $.types SET c0 = :text, c12 = :number WHERE k = :k', { k: 4, text: 'named', number: 7 });
  await run('INSERT INTO $.types (k, c0) VALUES (?, ?)', [5, 'five'], { hints: ['int', 'ascii'] });
  await run('INSERT INTO $.types (k, c14) VALUES (:k, :v)', { k: 6, v: 'ü' }, { hints: { k: 'int', v: 'text' } });
  await rows('SELECT k, c0, c12, c14 FROM $.types WHERE k IN (4, 5, 6)');
}

async function pages() {
  await run('CREATE TABLE $.pages (p int, c int, v text, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC)');
  await Promise.all([...Array(1000).keys()].map((k) =>
    ask('INSERT INTO $.pages (p, c, v) VALUES (?, ?, ?)', [k % 2, k, `row ${k}`])));
  for (const where of ['', ' WHERE p = 1', ' WHERE p = 0 AND c > 100 AND c < 300 ORDER BY c ASC', ' WHERE p IN (0, 1)']) {
    let found, state, count = 0;
    const sizes = new Set(), all = [];
    do {
      found = await run(`SELECT c FROM $.pages${where}`, [], { prepare: true, fetchSize: 7, pageState: state });
      sizes.add(found.rowLength);
      all.push(...found.rows.map((row) => row.c));
      state = found.pageState;
      ++count;
    } while (state);
    say(where, count, sizes, all.reduce((sum, c, at) => sum + c * at, 0));
  }
  let streamed = 0;
  for await (const row of client.stream(named('SELECT * FROM $.pages'), [], { prepare: true, fetchSize: 100 }))
    streamed += row.c;
  say('streamed', streamed);
}

async function batches() {
  await run('CREATE TABLE $.hits (k text PRIMARY KEY, n counter)');
  await run('CREATE TABLE $.batches (p int, c int, s int STATIC, v text, PRIMARY KEY (p, c))');
  const part = (query, params) => ({ query: named(query), params });
  for (const logged of [true, false]) {
    const p = logged ? 1 : 2;
    await client.batch([part('INSERT INTO $.batches (p, c, v) VALUES (?, ?, ?)', [p, 1, 'prepared']),
      part('UPDATE $.batches SET s = ? WHERE p = ?', [5, p])], { prepare: true, logged });
  }
  await client.batch([part('UPDATE $.hits SET n = n + ? WHERE k = ?', [4, 'a']),
    part('UPDATE $.hits SET n = n + ? WHERE k = ?', [-3, 'b'])], { prepare: true, counter: true });
  await rows('SELECT * FROM $.batches');
  await rows('SELECT * FROM $.hits');
  await refused('counters', () => client.batch([part('UPDATE $.hits SET n = n + 1 WHERE k = ?', ['a']),
    part('UPDATE $.batches SET s = ? WHERE p = ?', [5, 1])], { prepare: true }));
}

async function transactions() {
  await run('CREATE TABLE $.locks (k int PRIMARY KEY, v text)');
  for (const text of ["INSERT INTO $.locks (k, v) VALUES (1, 'a') IF NOT EXISTS",
    "INSERT INTO $.locks (k, v) VALUES (1, 'b') IF NOT EXISTS", "UPDATE $.locks SET v = 'c' WHERE k = 1 IF v = 'x'",
    "UPDATE $.locks SET v = 'c' WHERE k = 1 IF v = 'a'", 'DELETE FROM $.locks WHERE k = 2 IF EXISTS']) {
    for (const prepare of [true, false]) {
      const found = await run(text, [], { prepare, serialConsistency: cassandra.types.consistencies.localSerial });
      say(found.wasApplied(), { ...found.first() });
    }
  }
}

async function changes() {
  await run('CREATE TABLE $.changing (k int PRIMARY KEY, v text)');
  const read = async (k) => say((await ask('SELECT * FROM $.changing WHERE k = ?', [k])).rows.map((row) => ({ ...row })));
  const write = (k, v) => ask('INSERT INTO $.changing (k, v) VALUES (?, ?)', [k, v]);
  await write(1, 'a');
  await read(1);
  await run('ALTER TABLE $.changing ADD a int');
  await write(2, 'b');
  await run('UPDATE $.changing SET a = 4 WHERE k = 2');
  await read(2);
  await run('DROP TABLE $.changing');
  await refused('dropped', () => ask('SELECT * FROM $.changing WHERE k = ?', [1]));
  await run('CREATE TABLE $.changing (k int PRIMARY KEY, v text)');
  await write(3, 'c');
  await rows('SELECT * FROM $.changing');
}

async function refusals() {
  for (const text of ['SELEC', 'SELECT * FROM $.absent', 'CREATE TABLE $.types (k int PRIMARY KEY)',
    "SELECT * FROM $.pages WHERE v = 'x'", 'SELECT nothing FROM $.pages', "INSERT INTO $.pages (p, c) VALUES ('x', 1)"]) {
    await refused(text, () => run(text));
    await refused(text, () => ask(text));
  }
}

async function metadata() {
  await client.metadata.refreshKeyspace(keyspace);
  const of = client.metadata.keyspaces[keyspace];
  say(of.name, of.durableWrites, of.strategy, of.strategyOptions);
  for (const name of ['batches', 'changing', 'hits', 'locks', 'pages', 'types']) {
    const table = await client.metadata.getTable(keyspace, name);
    say(name, table.partitionKeys.map((c) => c.name), table.clusteringKeys.map((c) => c.name), table.clusteringOrder,
      table.columns.map((c) => [c.name, c.type, c.isStatic]), table.comment, table.gcGraceSeconds, table.compression);
  }
  say(await client.metadata.getUdt(keyspace, 'point'));
  say(await client.metadata.checkSchemaAgreement(), client.hosts.length, client.hosts.values()[0].cassandraVersion,
    client.hosts.values()[0].datacenter, client.metadata.getReplicas(keyspace, Buffer.from([0, 0, 0, 1])).length);
}

async function events() {
  const other = connect();
  await other.connect();
  for (const [what, text] of [['made', 'CREATE TABLE $.seen (k int PRIMARY KEY)'], ['altered', 'ALTER TABLE $.seen ADD v int']]) {
    await other.execute(named(text));
    const end = Date.now() + 60000;
    let table;
    do {
      table = await client.metadata.getTable(keyspace, 'seen');
      if (!table || (what === 'altered' && table.columns.length < 2)) await new Promise((done) => setTimeout(done, 50));
      else break;
    } while (Date.now() < end);
    say(what, table && table.columns.length);
  }
  await other.shutdown();
}

async function main() {
  await client.connect();
  say(client.controlConnection.protocolVersion);
  await run("CREATE KEYSPACE $ WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}");
  for (const part of [everyType, pages, batches, transactions, changes, refusals, metadata, events]) await part();
  await run('DROP KEYSPACE $');
  await client.shutdown();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
