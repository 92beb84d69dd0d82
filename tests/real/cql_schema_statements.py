"""DDL that nobody chose: statements over few names, so that they meet, with options good and bad. The same by seed.

Without COMPACT STORAGE: its hidden columns are not there in ours (src/cql_schema/README.md).
"""
import uuid

NATIVE = ["ascii", "bigint", "blob", "boolean", "date", "decimal", "double", "float", "inet", "int", "smallint", "text",
          "time", "timestamp", "timeuuid", "tinyint", "uuid", "varchar", "varint"]
COLUMNS = ["a", "b", "c", "d", "e", '"F"', "k", "value"]
TABLES = ["t1", "t2", "t3", '"T4"']
TYPES = ["u1", "u2", '"U3"']
VIEWS = ["v1", "v2"]
INDEXES = ["i1", "i2", '"I3"']
TABLE_OPTIONS = {
    "comment": ["'one'", "'it''s'", "''"],
    "gc_grace_seconds": ["0", "10", "-1", "'x'"],
    "default_time_to_live": ["0", "60", "-1", "630720001"],
    "bloom_filter_fp_chance": ["0.1", "1", "0", "2"],
    "crc_check_chance": ["0.5", "1.5"],
    "min_index_interval": ["1", "500", "0"],
    "max_index_interval": ["4096", "2"],
    "memtable_flush_period_in_ms": ["5", "-1"],
    "cdc": ["true", "'no'", "7"],
    "read_repair": ["'NONE'", "'blocking'"],
    "speculative_retry": ["'50ms'", "'99.5percentile'", "'min(99p,10ms)'", "'never'", "'soon'", "'0p'"],
    "additional_write_policy": ["'ALWAYS'", "'1.5p'", "'x'"],
    "caching": ["{'keys': 'NONE'}", "{'keys': 'all', 'rows_per_partition': '10'}", "{'rows': '1', 'keys': 'ALL'}",
                "'x'"],
    "compression": ["{'class': 'ZstdCompressor'}", "{'enabled': 'false'}", "{'class': 'Nope'}",
                    "{'chunk_length_in_kb': 4}",
                    "{'class': 'SnappyCompressor', 'chunk_length_in_kb': 64}",
                    "{'class': 'LZ4Compressor', 'chunk_length_in_kb': 3}"],
    "compaction": ["{'class': 'LeveledCompactionStrategy'}", "{'class': 'UnifiedCompactionStrategy'}",
                   "{'class': 'TimeWindowCompactionStrategy', 'compaction_window_size': 2}",
                   "{'class': 'SizeTieredCompactionStrategy', 'min_threshold': 6}",
                   "{'class': 'SizeTieredCompactionStrategy', 'min_threshold': 40}",
                   "{'class': 'LeveledCompactionStrategy', 'nope': 1, 'other': 2}", "{'min_threshold': 2}"],
    "allow_auto_snapshot": ["false", "true"],
    "incremental_backups": ["false"],
    "nothing": ["1"],
}
REPLICATION = ["{'class': 'SimpleStrategy', 'replication_factor': 1}",
               "{'class': 'SimpleStrategy', 'replication_factor': 2}",
               "{'class': 'NetworkTopologyStrategy', 'replication_factor': 1}", "{'class': 'NetworkTopologyStrategy'}",
               "{'class': 'NetworkTopologyStrategy', 'datacenter1': 3}", "{'class': 'SimpleStrategy', 'dc': 1}",
               "{'class': 'NetworkTopologyStrategy', 'elsewhere': 1}", "{'class': 'Nope'}"]
TABLE_ROW = ("additional_write_policy, allow_auto_snapshot, bloom_filter_fp_chance, caching, cdc, comment, compaction, "
             "compression, crc_check_chance, dclocal_read_repair_chance, default_time_to_live, extensions, "
             "gc_grace_seconds, id, incremental_backups, max_index_interval, memtable, memtable_flush_period_in_ms, "
             "min_index_interval, read_repair, read_repair_chance, speculative_retry")
# Not column_masks: Cassandra keeps the masks of columns that are dropped.
READS = [f"keyspace_name, table_name, flags, {TABLE_ROW} FROM system_schema.tables",
         f"keyspace_name, view_name, base_table_name, where_clause, include_all_columns, {TABLE_ROW} FROM "
         "system_schema.views",
         "keyspace_name, table_name, column_name, clustering_order, column_name_bytes, kind, position, type FROM "
         "system_schema.columns",
         "keyspace_name, table_name, column_name, dropped_time, kind, type FROM system_schema.dropped_columns",
         "keyspace_name, type_name, field_names, field_types FROM system_schema.types",
         "keyspace_name, table_name, index_name, kind, options FROM system_schema.indexes"]


class Writer:
    """One keyspace's statements."""

    def __init__(self, chance, keyspace):
        self.chance, self.keyspace = chance, keyspace

    def maybe(self, text, odds=0.2):
        return text if self.chance.random() < odds else ""

    def type(self, depth=0):
        pick = self.chance.random()
        if depth > 2 or pick < 0.6:
            return self.chance.choice(NATIVE) if pick > 0.02 else "duration"
        inner = self.type(depth + 1)
        made = self.chance.choice([
            f"list<{inner}>", f"set<{inner}>", f"map<{self.chance.choice(NATIVE)}, {inner}>", f"tuple<{inner}, int>",
            "vector<float, 3>", self.chance.choice(TYPES)])
        return f"frozen<{made}>" if self.chance.random() < (0.3 if depth == 0 else 0.9) else made

    def id(self):
        return f"id = {uuid.UUID(int=self.chance.getrandbits(128), version=4)}"

    def options(self, first, odds=0.5):
        chosen = list(first)
        if self.chance.random() < odds:
            for name in self.chance.sample(list(TABLE_OPTIONS), self.chance.choice([1, 1, 2])):
                chosen.append(f"{name} = {self.chance.choice(TABLE_OPTIONS[name])}")
        return " WITH " + " AND ".join(chosen) if chosen else ""

    def create_table(self):
        names = self.chance.sample(COLUMNS, self.chance.randint(2, 6))
        keys = self.chance.randint(1, min(3, len(names)))
        split = self.chance.randint(1, keys)
        counter = self.chance.random() < 0.08
        columns = []
        for at, name in enumerate(names):
            kind = self.type() if self.chance.random() < 0.15 or at >= keys else self.chance.choice(NATIVE)
            if counter and at >= keys:
                kind = "counter"
            static = " STATIC" if at >= keys and self.chance.random() < 0.15 else ""
            mask = self.maybe(f" MASKED WITH {self.chance.choice(['DEFAULT', 'mask_null()'])}", 0.05)
            columns.append(f"{name} {kind}{static}{mask}")
        first = [self.id()]
        if keys > split and self.chance.random() < 0.4:
            order = ", ".join(f"{one} {self.chance.choice(['ASC', 'DESC'])}" for one in names[split:keys])
            first.append(f"CLUSTERING ORDER BY ({order})")
        partition = ", ".join(names[:split])
        key = ", ".join([f"({partition})" if split > 1 else partition, *names[split:keys]])
        return (f"CREATE TABLE {self.maybe('IF NOT EXISTS ')}{self.chance.choice(TABLES)} "
                f"({', '.join(columns)}, PRIMARY KEY ({key})){self.options(first, 0.25)}")

    def alter_table(self):
        table, column = self.chance.choice(TABLES), self.chance.choice(COLUMNS)
        return f"ALTER TABLE {self.maybe('IF EXISTS ', 0.1)}{table} " + self.chance.choice([
            f"ADD {self.maybe('IF NOT EXISTS ')}{column} {self.type()}{self.maybe(' STATIC')}",
            f"ADD ({column} {self.type()}, g{self.chance.randint(1, 9)} {self.type()})",
            f"DROP {self.maybe('IF EXISTS ')}{column} USING TIMESTAMP {self.chance.randint(1, 10**15)}",
            f"RENAME {column} TO {self.chance.choice(COLUMNS)}",
            f"ALTER {column} {self.chance.choice(['MASKED WITH DEFAULT', 'DROP MASKED'])}",
            f"{self.options([], 1)[1:]}",
            f"{self.options([], 1)[1:]}"])

    def create_index(self):
        column = self.chance.choice(COLUMNS)
        words = ("keys", "values", "entries", "full")
        target = self.chance.choice([column] * 4 + [f"{word}({column})" for word in words])
        custom = self.chance.random() < 0.4
        using = " USING 'StorageAttachedIndex'" if custom else ""
        options = self.maybe(" WITH OPTIONS = {'case_sensitive': 'false'}") if custom else ""
        name = self.maybe(self.chance.choice(INDEXES) + " ", 0.6)
        return (f"CREATE {'CUSTOM ' if custom else ''}INDEX {self.maybe('IF NOT EXISTS ')}{name}"
                f"ON {self.chance.choice(TABLES)} ({target}){using}{options}")

    def create_view(self):
        key = self.chance.sample(COLUMNS, self.chance.randint(1, 4))
        where = [f"{name} IS NOT NULL" for name in key if self.chance.random() < 0.97]
        where = where or ["a IS NOT NULL"]
        some = ", ".join(self.chance.sample(COLUMNS, self.chance.randint(2, 6)))
        chosen = "*" if self.chance.random() < 0.7 else some
        return (f"CREATE MATERIALIZED VIEW {self.maybe('IF NOT EXISTS ', 0.1)}{self.chance.choice(VIEWS)} "
                f"AS SELECT {chosen} FROM {self.chance.choice(TABLES)} "
                f"WHERE {' AND '.join(where)} PRIMARY KEY ({', '.join(key)})"
                f"{self.options([self.id()], 0.2)}")

    def types(self):
        name, field = self.chance.choice(TYPES), self.chance.choice(COLUMNS)
        return self.chance.choice([
            f"CREATE TYPE {self.maybe('IF NOT EXISTS ')}{name} ({field} {self.type()}, g {self.type()})",
            f"CREATE TYPE {name} ({field} {self.type()}, g {self.type()})",
            f"ALTER TYPE {name} ADD {self.maybe('IF NOT EXISTS ')}{field} {self.type()}",
            f"ALTER TYPE {name} RENAME {self.maybe('IF EXISTS ')}{field} TO {self.chance.choice(COLUMNS)}",
            f"DROP TYPE {self.maybe('IF EXISTS ')}{name}"])

    def drop(self):
        kind, names = self.chance.choice([
            ("TABLE", TABLES), ("TABLE", TABLES + VIEWS), ("INDEX", INDEXES),
            ("INDEX", ["t1_a_idx", "t2_b_idx", '"T4_c_idx"']), ("MATERIALIZED VIEW", VIEWS)])
        return f"DROP {kind} {self.maybe('IF EXISTS ')}{self.chance.choice(names)}"

    def alter_other(self):
        if self.chance.random() < 0.5:
            return (f"ALTER KEYSPACE {self.keyspace} WITH replication = {self.chance.choice(REPLICATION)}"
                    f"{self.maybe(' AND durable_writes = false')}")
        return f"ALTER MATERIALIZED VIEW {self.chance.choice(VIEWS)}{self.options([], 1)}"

    def describe(self):
        return self.chance.choice([
            f"DESCRIBE TABLE {self.chance.choice(TABLES)}{self.maybe(' WITH INTERNALS', 0.5)}",
            f"DESCRIBE INDEX {self.chance.choice(INDEXES)}", f"DESCRIBE TYPE {self.chance.choice(TYPES)}",
            f"DESCRIBE MATERIALIZED VIEW {self.chance.choice(VIEWS)}", f"DESCRIBE {self.chance.choice(TABLES + VIEWS)}",
            "DESCRIBE TABLES", "DESCRIBE TYPES"])

    def one(self):
        return self.chance.choices(
            [self.create_table, self.alter_table, self.create_index, self.create_view, self.types, self.drop,
             self.alter_other, self.describe], [18, 26, 14, 10, 14, 8, 4, 6])[0]()

    def all(self, count):
        yield f"CREATE KEYSPACE {self.keyspace} WITH replication = {REPLICATION[0]}"
        yield f"USE {self.keyspace}"
        for name in TYPES:
            yield f"CREATE TYPE {name} (a int, b text)"
        for at in range(count):
            yield self.one()
            if at % 20 == 19:
                yield from (f"SELECT {read} WHERE keyspace_name = '{self.keyspace}'" for read in READS)
        yield "DESCRIBE KEYSPACE"
        yield f"DROP KEYSPACE {self.keyspace}"


def statements(chance, keyspaces, count):
    """`count` of each of so many keyspaces, and reads of what is there."""
    return [one for at in range(keyspaces) for one in Writer(chance, f"r{at}").all(count)]
