// An engine for tests of the door: it knows one statement, and what tests teach it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cql_query/engine.h"

namespace tailrace::cql {

class FakeEngine : public cql_query::Engine {
 public:
  using Answer = cql_protocol::Answer;
  using Outcome = cql_types::Outcome<Answer>;

  static constexpr std::string_view kSelect = "SELECT cql_version FROM system.local";

  void log_in(std::string, std::string, LoggedIn done) override {
    done(cql_types::failure(cql_types::ErrorCode::kBadCredentials, "nobody logs in here"));
  }
  bool has_default_password() const override { return false; }
  void set_materialized_views(bool /*enabled*/) override {}
  void query(cql_query::Client& client, const cql_protocol::Query& request, Done done) override {
    if (on_query) return on_query(client, request, std::move(done));
    if (request.text == kSelect) return done(version_row());
    done(cql_types::failure(cql_types::ErrorCode::kSyntax,
                            "line 0:-1 no viable alternative at input '<EOF>'"));
  }
  void prepare(cql_query::Client&, const cql_protocol::Prepare&, Done done) override {
    done(cql_types::invalid("nothing is prepared here"));
  }
  void execute(cql_query::Client& client, const cql_protocol::Execute& request,
               Done done) override {
    if (on_execute) return on_execute(client, request, std::move(done));
    done(cql_types::invalid("nothing is executed here"));
  }
  std::map<std::string, std::string> described(const cql_protocol::Execute&) override { return {}; }
  void batch(cql_query::Client&, const cql_protocol::Batch&, Done done) override {
    done(Answer{cql_protocol::Void{}});
  }
  std::shared_ptr<void> listen(Listener listener) override {
    const std::lock_guard lock(mutex);
    listeners.push_back(std::move(listener));
    return std::make_shared<int>(0);
  }
  Status set_foreign(std::vector<std::shared_ptr<const cql_query::ForeignTable>>) override {
    return {};
  }
  cql_schema::SchemaPtr schema() const override { return nullptr; }
  cql_schema::Node node() const override { return {}; }
  void set_address(std::string to, std::uint16_t port) override {
    address = std::move(to);
    told_port = port;
  }

  void tell(const cql_protocol::SchemaChange& change) {
    const std::lock_guard lock(mutex);
    for (const Listener& listener : listeners) listener(change);
  }

  static Answer version_row() {
    using Columns = std::vector<cql_protocol::ColumnSpec>;
    static const auto kColumns = std::make_shared<const Columns>(Columns{
        {"system", "local", "cql_version", cql_types::native_type(cql_types::Kind::kText)}});
    cql_protocol::Rows rows{.columns = kColumns};
    rows.count = 1;
    rows.content = std::string("\0\0\0\5", 4) + "3.4.7";
    return {rows};
  }

  std::function<void(cql_query::Client&, const cql_protocol::Query&, Done)> on_query;
  std::function<void(cql_query::Client&, const cql_protocol::Execute&, Done)> on_execute;
  std::string address;
  std::uint16_t told_port = 0;
  std::mutex mutex;
  std::vector<Listener> listeners;
};

}  // namespace tailrace::cql
