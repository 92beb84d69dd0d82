// Random histories of writes to a table with columns of many kinds, for tests of what is kept
// beside its rows.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "cql_query/testing/scene.h"

namespace tailrace::cql_query {

inline constexpr std::string_view kColumns =
    "(k int, j int, c int, d int, v int, w text, s set<int>, l list<int>, m map<int, int>, "
    "m2 map<int, int>, f frozen<list<int>>, st int STATIC, PRIMARY KEY ((k, j), c, d))";

/// Writes the same to some tables.
class History {
 public:
  /// Time passes only in histories with TTLs; stale entries are removed only in those without,
  /// whose requests are of now.
  History(Scene& scene, std::string_view tables, unsigned seed)
      : scene_(scene), tables_(tables), random_(seed), ttls_(seed % 2 == 0) {
    if (ttls_) scene_.now_seconds = 2'000'000'000;
    for (const char table : tables_) scene_.ask(fmt::format("CREATE TABLE {} {}", table, kColumns));
  }

  int pick(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }

  /// The statement, with # for the tables.
  std::string write() {
    if (ttls_ && pick(8) == 0) *scene_.now_seconds += pick(4);
    const std::string statement = pick(9) == 0 ? batch() : one(true);
    for (const char table : tables_) {
      std::string text = statement;
      for (std::size_t at = 0; (at = text.find('#', at)) != std::string::npos;) text[at] = table;
      scene_.ask(text);
    }
    return statement;
  }

 private:
  std::string row() {
    return fmt::format("k = {} AND j = {} AND c = {} AND d = {}", pick(3), pick(2), pick(3),
                       pick(2));
  }
  std::string partition() { return fmt::format("k = {} AND j = {}", pick(3), pick(2)); }

  /// A change of some columns: `a = 1, b = 2`.
  std::string assignments() {
    std::string text;
    for (int i = pick(3) + 1, done = 0; done < i; ++done)
      text += (done > 0 ? ", " : "") + set(done * 5 + pick(5));
    return text;
  }
  std::string set(int which) {
    const int a = pick(5), b = pick(5);
    switch (which) {
      case 0:
        return fmt::format("v = {}", a);
      case 1:
        return "v = null";
      case 2:
        return fmt::format("v = {}", a);
      case 3:
        return fmt::format("w = '{}'", a);
      case 4:
        return fmt::format("f = [{}, {}]", a % 2, b % 2);
      case 5:
        return fmt::format("s = {{{}, {}}}", a, b == a ? b + 5 : b);
      case 6:
        return fmt::format("s = s + {{{}}}", a);
      case 7:
        return fmt::format("s = s - {{{}}}", a);
      case 8:
        return fmt::format("l = [{}, {}]", a, b);
      case 9:
        return fmt::format("l = l + [{}]", a);
      case 10:
        return fmt::format("m[{}] = {}", a % 3, b);
      case 11:
        return fmt::format("m = {{{}: {}}}", a, b);
      case 12:
        return fmt::format("m2[{}] = {}", a % 3, b);
      case 13:
        return fmt::format("m2 = {{{}: {}}}", a, b);
      default:
        return fmt::format("m2[{}] = null", a % 3);
    }
  }

  std::string one(bool alone) {
    std::vector<std::string> options;
    const int what = pick(20);
    if (alone && pick(3) == 0) options.push_back(fmt::format("TIMESTAMP {}", 10 + pick(20)));
    if (ttls_ && what < 12 && pick(5) == 0) options.push_back(fmt::format("TTL {}", 1 + pick(6)));
    const std::string usings =
        options.empty() ? "" : fmt::format(" USING {}", fmt::join(options, " AND "));
    if (what < 4)
      return fmt::format("INSERT INTO # (k, j, c, d, v, w) VALUES ({}, {}, {}, {}, {}, '{}'){}",
                         pick(3), pick(2), pick(3), pick(2), pick(5), pick(5), usings);
    if (what < 10) return fmt::format("UPDATE #{} SET {} WHERE {}", usings, assignments(), row());
    if (what < 12)
      return fmt::format("UPDATE #{} SET st = {} WHERE {}", usings, pick(5), partition());
    if (alone && options.empty() && what < 14)
      return fmt::format("UPDATE # SET v = {} WHERE {} IF v = {}", pick(5), row(), pick(5));
    if (what == 14) return fmt::format("DELETE v, s FROM #{} WHERE {}", usings, row());
    if (what == 15) return fmt::format("DELETE st FROM #{} WHERE {}", usings, partition());
    if (what == 16) return fmt::format("DELETE FROM #{} WHERE {}", usings, partition());
    if (what == 17)
      return fmt::format("DELETE FROM #{} WHERE {} AND c > {}", usings, partition(), pick(3));
    return fmt::format("DELETE FROM #{} WHERE {}", usings, row());
  }

  std::string batch() {
    std::string text = "BEGIN UNLOGGED BATCH ";
    for (int i = 0; i < 3; ++i) text += one(false) + "; ";
    return text + "APPLY BATCH";
  }

  Scene& scene_;
  std::string tables_;
  std::mt19937 random_;
  bool ttls_;
};

}  // namespace tailrace::cql_query
