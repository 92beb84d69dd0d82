// What the commands print: hops, rows as a grid or as JSON lines, and statements taken from text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tailrace::app {

using Json = nlohmann::ordered_json;

/// Colours, where standard output is a terminal and NO_COLOR is not set.
class Paint {
 public:
  explicit Paint(int descriptor);
  /// A hop's state, padded to one width.
  std::string state(const std::string& state) const;

 private:
  bool on_;
};

/// A hop of GET /api/status as a line.
std::string status_line(const Json& hop);

/// Rows of POST /api/sql under their columns' names, a page at a time; the first page says how wide
/// the columns are. What would move a terminal's cursor is shown as \xNN.
class Grid {
 public:
  void print(const Json& rows);
  /// How many rows there were.
  void end() const;

 private:
  std::vector<std::size_t> widths_;
  std::size_t count_ = 0;
  bool begun_ = false;
};

/// One JSON object a row.
void print_json_lines(const Json& rows);

/// Rows (objects) under some of their members' names, or one JSON object a row.
void print_table(const Json& columns, const Json& rows, bool json);

struct Statements {
  std::vector<std::string> whole;  ///< without the semicolon at their end
  std::string rest;                ///< what no semicolon ended yet; empty when it is blank
};

/// Splits at semicolons outside of quotes and comments.
Statements split_statements(const std::string& text);

}  // namespace tailrace::app
