// One request to the API: its path's names, its parameters and body as Airflow reads them, and what
// is answered when they are wrong.
//
// FastAPI collects every fault of parameters and body and answers 422 with all of them; so do
// Parameters and Body here: read what there is, then ask check().
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "airflow/json.h"
#include "base/result.h"
#include "net/http_server.h"
#include "workflows/workflows.h"

namespace tailrace::airflow {

/// {"detail": …} with a status.
struct Refusal {
  int status = 400;
  Json detail;
};
template <typename T>
using Answer = std::expected<T, Refusal>;

std::unexpected<Refusal> refuse(int status, std::string detail);
/// A failure of the rooms below, as an API's.
std::unexpected<Refusal> refuse(const Error& failure);
template <typename T>
Answer<T> or_refuse(Result<T> result) {
  if (!result) return refuse(result.error());
  if constexpr (std::is_void_v<T>)
    return {};
  else
    return std::move(*result);
}

/// What a handler answers: JSON, nothing (204), or a response of its own.
struct Reply {
  int status = 200;
  std::optional<Json> body = {};
  std::optional<net::Response> whole = {};

  Reply(Json json) : body(std::move(json)) {}
  Reply(int code, Json json) : status(code), body(std::move(json)) {}
  explicit Reply(net::Response response) : whole(std::move(response)) {}
  static Reply nothing() {
    Reply reply{Json()};
    reply.status = 204;
    reply.body.reset();
    return reply;
  }
};

/// The faults of one request, as pydantic lists them.
class Faults {
 public:
  /// `where` is "query", "path" or "body".
  void add(std::string type, std::string where, const std::string& name, std::string message,
           Json input, std::optional<Json> context = std::nullopt);
  bool none() const { return list_.empty(); }
  /// 422 with all of them.
  Answer<void> check() const;

 private:
  Json list_ = Json::array();
};

/// The members of a JSON object; each may be asked for once, in the order in which Airflow's model
/// declares them.
class Body {
 public:
  /// 422 when the body is no JSON object.
  static Answer<Body> of(const net::Request& request);
  explicit Body(Json object) : object_(std::move(object)) {}

  bool has(const std::string& name) const { return object_.contains(name); }
  bool is_null(const std::string& name) const { return has(name) && object_[name].is_null(); }
  const Json& object() const { return object_; }

  /// None where it is absent or null.
  std::optional<std::string> text(const std::string& name, std::size_t most = SIZE_MAX);
  std::optional<bool> flag(const std::string& name);
  std::optional<std::int64_t> number(const std::string& name, std::int64_t least = INT64_MIN);
  std::optional<double> real(const std::string& name);
  /// `aware`: a time without an offset is a fault; else it is UTC's.
  std::optional<calendar::Micros> time(const std::string& name, bool aware = false);
  std::optional<Json> dict(const std::string& name);
  std::optional<std::vector<std::string>> texts(const std::string& name);
  std::optional<std::string> one_of(const std::string& name, const std::vector<std::string>& words);
  /// Anything.
  std::optional<Json> any(const std::string& name);
  void required(const std::string& name);
  void mismatch(const std::string& name, const std::string& pattern);
  /// A fault that a model's validator finds, of all of it or of one member: `Value error, …`.
  void fault(const std::string& message, const std::string& name = "");

  /// Faults so far, and members that nobody asked for unless `extra` may be.
  Answer<void> check(bool extra = false);

 private:
  const Json* asked(const std::string& name);

  Json object_;
  std::vector<std::string> asked_;
  Faults faults_;
};

/// The parameters of a query.
class Parameters {
 public:
  explicit Parameters(const net::Request& request) : request_(request) {}

  std::string text(const std::string& name) const { return request_.param(name).value_or(""); }
  bool has(const std::string& name) const { return request_.param(name).has_value(); }
  std::vector<std::string> texts(const std::string& name) const { return request_.params(name); }
  std::optional<std::int64_t> number(const std::string& name, std::int64_t least = INT64_MIN);
  std::optional<double> real(const std::string& name);
  std::optional<bool> flag(const std::string& name);
  std::optional<calendar::Micros> time(const std::string& name);
  std::optional<std::string> one_of(const std::string& name, const std::vector<std::string>& words);
  /// `limit`: 50 by default, at most 100, as `[api]` has it in Airflow; `offset`.
  std::int64_t limit();
  std::int64_t offset();
  Answer<void> check() const { return faults_.check(); }

 private:
  const net::Request& request_;
  Faults faults_;
};

/// A request with its path matched.
struct Call {
  workflows::Workflows& workflows;
  const net::Request& request;
  std::vector<std::string> names;  ///< what stands for {} in the route, in order
  std::string user;                ///< who asks; empty: nobody by name

  const std::string& at(std::size_t place) const { return names[place]; }
  metadata::Metadata& kept() const { return workflows.metadata(); }
  Parameters parameters() const { return Parameters(request); }
  Answer<Body> body() const { return Body::of(request); }
};

/// Whether a text matches SQL's ILIKE `%pattern%` with `|` between several, as Airflow's
/// `…_pattern` parameters do; `~` is everything.
bool matches_pattern(std::string_view text, std::string_view pattern);

}  // namespace tailrace::airflow
