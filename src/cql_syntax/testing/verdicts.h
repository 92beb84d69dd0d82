// The statements of testing/cassandra_5_0_9.tsv with what Cassandra 5.0.9's own parser said about
// each (README.md tells how it was asked).
#pragma once

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace tailrace::cql_syntax::testing {

struct Verdict {
  char agreement = '=';   // how far ours agrees; see README.md
  std::string statement;  // CQL
  std::string sentence;   // "ok", or the error's sentence
};

inline std::string unescaped(const std::string& text) {
  std::string made;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      made += text[i];
      continue;
    }
    const char c = text[++i];
    made += c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
  }
  return made;
}

/// Of a test that runs in the project's folder.
inline std::vector<Verdict> verdicts(
    const std::string& path = "src/cql_syntax/testing/cassandra_5_0_9.tsv") {
  std::vector<Verdict> made;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t tab = line.find('\t', 2);
    if (tab == std::string::npos) continue;
    made.push_back({line[0], unescaped(line.substr(2, tab - 2)), unescaped(line.substr(tab + 1))});
  }
  return made;
}

}  // namespace tailrace::cql_syntax::testing
