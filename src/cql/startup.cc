#include "cql/startup.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "cql_protocol/frame.h"

namespace tailrace::cql {

using cql_protocol::Compression;
using cql_types::ErrorCode;
using cql_types::Outcome;

namespace {

constexpr const char* kCqlVersion = "3.4.7";

const std::string* option(const cql_protocol::Startup& startup, const std::string& name) {
  const auto found = startup.options.find(name);
  return found == startup.options.end() ? nullptr : &found->second;
}

std::unexpected<cql_types::Failure> refused(std::string what) {
  return cql_types::failure(ErrorCode::kProtocol, std::move(what));
}

/// The number before the next dot, taken with it; -1 where there is none.
int take_number(std::string_view& text, bool dot_follows) {
  constexpr std::size_t kMostDigits = 9;
  const auto digits = static_cast<std::size_t>(
      std::ranges::find_if(text, [](unsigned char c) { return !std::isdigit(c); }) - text.begin());
  if (digits == 0 || digits > kMostDigits) return -1;
  if (dot_follows && (digits == text.size() || text[digits] != '.')) return -1;
  const int number = std::stoi(std::string(text.substr(0, digits)));
  text.remove_prefix(digits + (dot_follows ? 1 : 0));
  return number;
}

Outcome<void> check_cql_version(std::string_view version) {
  std::string_view rest = version;
  const int major = take_number(rest, true);
  const int minor = major < 0 ? -1 : take_number(rest, false);
  const bool clean = std::ranges::all_of(rest, [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '.' || c == '-' || c == '+';
  });
  const bool apart = rest.empty() || std::string_view(".-+").contains(rest[0]);
  if (minor < 0 || !clean || !apart) {
    return refused(fmt::format("Invalid version value: {}", version));
  }
  if (major < 2 || (major == 2 && minor < 99)) {
    return refused(fmt::format(
        "CQL version {} is not supported by the binary protocol (supported version are >= 3.0.0)",
        version));
  }
  return {};
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

Outcome<Compression> check_startup(int version, const cql_protocol::Startup& startup) {
  const std::string* cql = option(startup, "CQL_VERSION");
  if (cql == nullptr) return refused("Missing value CQL_VERSION in STARTUP message");
  TRY(check_cql_version(*cql));
  const std::string* name = option(startup, "COMPRESSION");
  if (name == nullptr) return Compression::kNone;
  const auto compression = cql_protocol::compression_of(*name);
  if (!compression) {
    return refused(fmt::format("Unknown compression algorithm: {}", lower(*name)));
  }
  if (version >= 5 && *compression == Compression::kSnappy) {
    return refused("Snappy compression is not supported in protocol V5");
  }
  return *compression;
}

std::optional<Compression> segments_of(int version, const cql_protocol::Startup& startup) {
  if (version < 5) return std::nullopt;
  const std::string* name = option(startup, "COMPRESSION");
  if (name == nullptr) return Compression::kNone;
  const auto compression = cql_protocol::compression_of(*name);
  return compression == Compression::kLz4 ? compression : std::nullopt;
}

cql_protocol::Supported supported() {
  cql_protocol::Supported supported;
  supported.options["CQL_VERSION"] = {kCqlVersion};
  supported.options["COMPRESSION"] = {"snappy", "lz4"};
  for (int version = cql_protocol::kLowestVersion; version <= cql_protocol::kBetaVersion; ++version)
    supported.options["PROTOCOL_VERSIONS"].push_back(cql_protocol::version_name(version));
  return supported;
}

}  // namespace tailrace::cql
