// An engine in a folder of its own, asked in CQL and answering in text, for tests.
#pragma once

#include <filesystem>
#include <future>
#include <memory>
#include <optional>
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
    open();
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
  const std::string& folder() const { return folder_; }
  /// Ends the engine and starts another in its folder.
  void reopen() {
    engine_.reset();
    open();
  }

  /// "ok", the rows as literals ("1, 'a' | 2, null"), or the error's sentence.
  std::string ask(std::string_view text, std::vector<cql_protocol::Value> values = {}) {
    cql_protocol::Query query;
    query.text = text;
    query.parameters.values = std::move(values);
    query.parameters.now_seconds = now_seconds;
    std::promise<std::string> said;
    engine_->query(client_, query, [&](cql_types::Outcome<cql_protocol::Answer> answer) {
      said.set_value(answer ? told(*answer) : answer.error().message);
    });
    return said.get_future().get();
  }

  /// A page of an answer, as ask() tells it; `state` is where it ended, none behind the last.
  std::string ask_page(std::string_view text, std::int32_t rows,
                       std::optional<std::string>& state) {
    cql_protocol::Query query;
    query.text = text;
    query.parameters.page_size = rows;
    query.parameters.now_seconds = now_seconds;
    if (state) query.parameters.paging_state = *state;
    std::promise<std::string> said;
    std::optional<std::string> next;
    engine_->query(client_, query, [&](cql_types::Outcome<cql_protocol::Answer> answer) {
      if (answer)
        if (const auto* page = std::get_if<cql_protocol::Rows>(&answer->result))
          next = page->paging_state;
      said.set_value(answer ? told(*answer) : answer.error().message);
    });
    std::string page = said.get_future().get();
    state = std::move(next);
    return page;
  }

  /// The second in which requests are made; none: now.
  std::optional<std::int32_t> now_seconds;

 private:
  void open() {
    Options options;
    options.store.sync = false;
    auto opened = Engine::open(folder_, options);
    CHECK(opened.has_value());
    engine_ = std::move(*opened);
    engine_->set_materialized_views(true);
  }

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
