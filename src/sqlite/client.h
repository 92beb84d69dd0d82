// Statements that somebody else wrote, on a database of his: any text, any parameters, typed cells.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace tailrace::sqlite {

struct Blob {
  std::string bytes;
  bool operator==(const Blob&) const = default;
};
using Cell = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;

struct Answer {
  bool has_rows = false;  ///< it is a query, though it may have given none
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
};

/// As Python's module sqlite3 does it: what changes rows begins a transaction, which commit() ends;
/// without it nothing is kept.
class Client {
 public:
  /// A path, or a file: URI. It is made when it is not there, unless the URI says otherwise.
  static Result<std::unique_ptr<Client>> open(const std::string& file);
  virtual ~Client() = default;

  /// One statement: two are an Error, like everything SQLite refuses, in its own words. Parameters
  /// have a name (:name, @name, $name) or an empty one, and stand for ? in their order. An answer
  /// of over `most_rows` rows is kResourceExhausted.
  virtual Result<Answer> run(const std::string& sql,
                             const std::vector<std::pair<std::string, Cell>>& parameters,
                             std::size_t most_rows, std::stop_token stop) = 0;
  virtual Status commit() = 0;
};

}  // namespace tailrace::sqlite
