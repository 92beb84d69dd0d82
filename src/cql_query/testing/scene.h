// An engine in a folder of its own, asked in CQL and answering in text, for tests.
#pragma once

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "cql_query/engine.h"
#include "cql_types/parts.h"
#include "cql_types/text.h"

namespace tailrace::cql_query {

class Scene {
 public:
  Scene() {
    std::string name = (std::filesystem::temp_directory_path() / "tailrace-cql-XXXXXX").string();
    CHECK(::mkdtemp(name.data()));
    folder_ = name;
    Options options;
    options.store.sync = false;
    auto opened = Engine::open(folder_, options);
    CHECK(opened.has_value());
    engine_ = std::move(*opened);
    ask("CREATE KEYSPACE ks WITH replication = "
        "{'class': 'SimpleStrategy', 'replication_factor': 1}");
    ask("USE ks");
  }
  ~Scene() {
    engine_.reset();
    std::filesystem::remove_all(folder_);
  }
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  Engine& engine() { return *engine_; }

  /// "ok", the rows as literals ("1, 'a' | 2, null"), or the error's sentence.
  std::string ask(std::string_view text, std::vector<cql_protocol::Value> values = {}) {
    cql_protocol::Query query;
    query.text = text;
    query.parameters.values = std::move(values);
    std::promise<std::string> said;
    engine_->query(client_, query, [&](cql_types::Outcome<cql_protocol::Answer> answer) {
      said.set_value(answer ? told(*answer) : answer.error().message);
    });
    return said.get_future().get();
  }

 private:
  static std::string told(const cql_protocol::Answer& answer) {
    std::string text;
    for (const auto& warning : answer.warnings) text += "warning: " + warning + "\n";
    const auto* rows = std::get_if<cql_protocol::Rows>(&answer.result);
    if (rows == nullptr) return text + "ok";
    cql_types::TupleReader parts(rows->content);
    for (int row = 0; row < rows->count; ++row) {
      if (row > 0) text += " | ";
      for (bool first = true; const auto& column : *rows->columns) {
        cql_types::Part value;
        CHECK(parts.next(value));
        if (!first) text += ", ";
        first = false;
        text += cql_types::to_literal(*column.type, value).value_or("damaged");
      }
    }
    return text;
  }

  std::string folder_;
  std::unique_ptr<Engine> engine_;
  Client client_;
};

}  // namespace tailrace::cql_query
