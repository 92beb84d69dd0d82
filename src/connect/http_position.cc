#include "connect/http_position.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

namespace tailrace::connect {
namespace {

using Json = nlohmann::json;

/// So many records may share one value of {since} and still be known again.
constexpr std::size_t kMostAtValue = 4096;

std::uint64_t hash_of(std::string_view record) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char c : record) hash = (hash ^ c) * 0x100000001b3;
  return hash;
}

std::optional<double> as_number(std::string_view text) {
  double value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

/// Numbers as numbers, all else (ISO times) as text.
bool is_less(const std::string& a, const std::string& b) {
  const auto x = as_number(a), y = as_number(b);
  return x && y ? *x < *y : a < b;
}

Json encode(const SinceMark& mark) {
  return {{"value", mark.value}, {"at_value", mark.at_value}};
}

SinceMark parse_mark(const Json& json) {
  return {json.at("value").get<std::string>(),
          json.at("at_value").get<std::vector<std::uint64_t>>()};
}

void end_sweep(const HttpPaging& paging, HttpPosition& position) {
  position.since = position.high;
  position.page = paging.first_page;
  position.cursor.clear();
  position.taken = 0;
}

/// The position after a page; whether another follows it now.
bool turn_page(const HttpPaging& paging, std::string_view body, std::int64_t count,
               HttpPosition& position) {
  if (paging.by_cursor) {
    const auto next = paging.cursor.find(body);
    if (next && *next != position.cursor && count > 0) {
      position.cursor = *next;
      position.taken = 0;
      return true;
    }
  } else if (paging.by_page && count > 0 && (paging.page_size == 0 || count >= paging.page_size)) {
    ++position.page;
    position.taken = 0;
    return true;
  }
  if (paging.by_since)
    end_sweep(paging, position);
  else if (paging.by_page || paging.by_cursor)
    position.taken = std::max(position.taken, count);
  return false;
}

}  // namespace

void SinceMark::note(const std::string& seen, std::uint64_t hash) {
  if (value.empty() || is_less(value, seen)) {
    value = seen;
    at_value.clear();
  }
  if (value != seen) return;
  if (at_value.size() == kMostAtValue) at_value.erase(at_value.begin());
  at_value.push_back(hash);
}

bool SinceMark::holds(const std::string& seen, std::uint64_t hash) const {
  return value == seen && std::ranges::find(at_value, hash) != at_value.end();
}

Result<HttpPosition> parse_http_position(std::string_view text, HttpPosition fresh) {
  if (text.empty()) return fresh;
  try {
    const Json json = Json::parse(text);
    HttpPosition position;
    json.at("page").get_to(position.page);
    json.at("cursor").get_to(position.cursor);
    json.at("taken").get_to(position.taken);
    position.since = parse_mark(json.at("since"));
    position.high = parse_mark(json.at("high"));
    json.at("etag").get_to(position.etag);
    json.at("etag_url").get_to(position.etag_url);
    return position;
  } catch (const Json::exception& failure) {
    return error(Code::kDataLoss, fmt::format("no position of a poller: {}", failure.what()));
  }
}

std::string encode_http_position(const HttpPosition& position) {
  const Json json = {{"page", position.page},         {"cursor", position.cursor},
                     {"taken", position.taken},       {"since", encode(position.since)},
                     {"high", encode(position.high)}, {"etag", position.etag},
                     {"etag_url", position.etag_url}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

HttpPosition HttpPaging::fresh() const {
  HttpPosition position;
  position.page = first_page;
  return position;
}

HttpTaken take_answer(const HttpPaging& paging, std::string_view body,
                      const std::vector<std::string>& elements, HttpPosition& position) {
  HttpTaken taken;
  const auto count = static_cast<std::int64_t>(elements.size());
  for (auto i = static_cast<std::size_t>(std::min(position.taken, count)); i < elements.size();
       ++i) {
    const auto since = paging.since.is_root() ? std::nullopt : paging.since.find(elements[i]);
    if (since) {
      const std::uint64_t hash = hash_of(elements[i]);
      if (position.since.holds(*since, hash) || position.high.holds(*since, hash)) continue;
      position.high.note(*since, hash);
    }
    taken.fresh.push_back(i);
  }
  taken.more = turn_page(paging, body, count, position);
  return taken;
}

}  // namespace tailrace::connect
