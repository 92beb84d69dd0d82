// YAML text to a tree as PyYAML's FullLoader reads it: YAML 1.1's words, merge keys, the last of
// two equal keys; and before it the environment's variables, as dag-factory puts them in.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "dags/tree.h"

namespace tailrace::dags {

using Environment = std::function<std::optional<std::string>(const std::string&)>;

/// The one document of a text; none after a fatal finding. Places are those of the text before the
/// environment went in. An empty document is None.
std::optional<Node> load_yaml(const std::string& text, const std::string& file,
                              const Environment& environment, Findings& findings);

/// What a plain scalar of YAML 1.1 is: `yes`, `0x1F`, `1:30`, `2026-01-01`. An Error says why it is
/// none of what it looks like (`2026-13-01`).
Result<jinja::Value> plain_scalar(const std::string& text);

/// os.path.expandvars, and where each byte of the result was in the source.
class Expanded {
 public:
  Expanded(const std::string& source, const Environment& environment);
  const std::string& text() const { return text_; }
  /// Line and column, from 1, in the source.
  std::pair<int, int> place(std::size_t position) const;

 private:
  struct Piece {
    std::size_t start, source;
    bool value;  ///< a variable's: all of it is where the variable is named
  };
  const std::string& source_;
  std::vector<std::size_t> lines_;  ///< where each begins in the source
  std::string text_;
  std::vector<Piece> pieces_;
};

}  // namespace tailrace::dags
