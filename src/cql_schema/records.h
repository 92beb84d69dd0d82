// The schema as it is kept: a record a keyspace, with its types, and a record a table or view.
//
//   name     := "k" keyspace | "t" keyspace "." table | "n"
//   bytes    := version:u8 = 1, then of
//     k      := options(replication) durable:u8 count { type }
//     type   := text(name) count { text(field) text(CQL type) }     a type after those it uses
//     t      := id:16 number table-flags:u8 count { column } options-of-table count { index }
//               count { dropped } [ view ] options(triggers)
//     column := text(name) text(CQL type) kind:u8 position:vint descending:u8 number [ mask ]
//     n      := number                                            the next table's
//   text     := length:uvint bytes; options := count { text text }; count, number := uvint
//   [ x ]    := 0:u8 | 1:u8 x
//
// Numbers that count are unsigned vints, others vints (cql_types/parts.h); a double is its eight
// bytes, big-endian. Keyspaces of the server itself have records once they were changed.
#pragma once

#include "cql_schema/change.h"

namespace tailrace::cql_schema {

/// Records that tell `after` where `before` is kept; only keyspace `name` differs.
std::vector<Record> records_between(const Schema& before, const Schema& after,
                                    const std::string& name);

/// Of all that is not virtual, in the order in which they may be read.
std::vector<Record> all_records(const Schema& schema);

/// User types, each after those it uses; else by name.
std::vector<TypePtr> types_in_order(const Keyspace& keyspace);

/// A version-3 UUID of all that is kept.
std::string contents_version(const Schema& schema);

}  // namespace tailrace::cql_schema
