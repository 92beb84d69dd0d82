#include "cql_schema/compression.h"

#include <algorithm>
#include <cmath>

#include "cql_schema/java_order.h"
#include "cql_schema/refusal.h"
#include "cql_types/number.h"

namespace tailrace::cql_schema {
namespace {

using cql_types::Outcome;

constexpr std::string_view kPackage = "org.apache.cassandra.io.compress.";

std::optional<std::string> taken(Options& options, const std::string& name) {
  const auto node = options.extract(name);
  if (node.empty()) return std::nullopt;
  return node.mapped();
}

Outcome<void> check_lz4(const Options& options) {
  const auto type = options.find("lz4_compressor_type");
  if (type != options.end() && type->second != "fast" && type->second != "high")
    return misconfigured(
        "Invalid compressor type '{}' specified for LZ4 parameter 'lz4_compressor_type'. Valid "
        "options are [high, fast].",
        type->second);
  const auto level = options.find("lz4_high_compressor_level");
  if (level == options.end()) return {};
  const auto value = java_int(level->second);
  if (!value || *value < 1 || *value > 17)
    return misconfigured(
        "Invalid value [{}] for parameter 'lz4_high_compressor_level'. Value must be between 1 and "
        "17.",
        level->second);
  return {};
}

Outcome<void> check_zstd(const Options& options) {
  const auto level = options.find("compression_level");
  if (level == options.end()) return {};
  const auto value = java_int(level->second);
  const std::string_view failed = "ZstdCompressor.create() threw an error:";
  if (!value)
    return misconfigured("{} java.lang.NumberFormatException For input string: \"{}\"", failed,
                         level->second);
  if (*value < -131072 || *value > 22)
    return misconfigured("{} java.lang.IllegalArgumentException compression_level={} is invalid",
                         failed, *value);
  return {};
}

// Of a compressor by its whole name, and all options that are its own.
Outcome<void> check_compressor(const std::string& name, const Options& options) {
  std::vector<std::string> known;
  const auto is = [&name](std::string_view word) {
    return name == std::string(kPackage) + std::string(word);
  };
  if (is("LZ4Compressor")) {
    TRY(check_lz4(options));
    known = {"lz4_compressor_type", "lz4_high_compressor_level"};
  } else if (is("ZstdCompressor")) {
    TRY(check_zstd(options));
    known = {"compression_level"};
  } else if (!is("SnappyCompressor") && !is("DeflateCompressor") && !is("NoopCompressor")) {
    return misconfigured("Could not create Compression for type {}", name);
  }
  for (const auto& key : java_order(keys_of(options)))
    if (std::find(known.begin(), known.end(), key) == known.end())
      return misconfigured("Unknown compression options {}", key);
  return {};
}

Outcome<std::int32_t> chunk_length(Options& options) {
  const auto text = taken(options, "chunk_length_in_kb");
  if (!text) return 16 * 1024;
  const auto kilobytes = java_int(*text);
  if (!kilobytes) return misconfigured("Invalid value for chunk_length_in_kb");
  if (*kilobytes > 2147483647 / 1024)
    return misconfigured("Value of chunk_length_in_kb is too large ({})", *kilobytes);
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(*kilobytes) * 1024U);
}

Outcome<void> check_sizes(std::int32_t chunk, double ratio) {
  const double longest = std::ceil(std::min(chunk / ratio, 2147483647.0));
  if (chunk <= 0) return misconfigured("Invalid negative or null chunk_length_in_kb");
  if ((chunk & (chunk - 1)) != 0) return misconfigured("chunk_length_in_kb must be a power of 2");
  if (longest < 0) return misconfigured("Invalid negative min_compress_ratio");
  if (longest > chunk && longest < 2147483647.0)
    return misconfigured("min_compress_ratio can either be 0 or greater than or equal to 1");
  return {};
}

}  // namespace

Outcome<Options> made_compression(Options given) {
  const auto enabled = given.find("enabled");
  const bool on = enabled == given.end() || lower(enabled->second) == "true";
  if (!given.empty() && on && !given.contains("class"))
    return misconfigured("Missing sub-option 'class' for the 'compression' option.");
  given.erase("enabled");
  if (!on && !given.empty())
    return misconfigured(
        "If the 'enabled' option is set to false no other options must be specified");
  auto name = taken(given, "class");
  if (name && name->empty())
    return misconfigured(
        "The 'class' option must not be empty. To disable compression use 'enabled' : false");
  ASSIGN(const auto chunk, chunk_length(given));
  double ratio = 0;
  if (const auto text = taken(given, "min_compress_ratio")) {
    const auto value = cql_types::parse_double(*text);
    if (!value) return crashed("java.lang.NumberFormatException: For input string: \"{}\"", *text);
    ratio = *value;
  }
  if (!name) return Options{{"enabled", "false"}};
  if (name->find('.') == std::string::npos) name = std::string(kPackage) + *name;
  TRY(check_compressor(*name, given));
  TRY(check_sizes(chunk, ratio));
  Options made = std::move(given);
  made["class"] = *name;
  made["chunk_length_in_kb"] = std::to_string(chunk / 1024);
  if (ratio != 0) made["min_compress_ratio"] = cql_types::double_text(ratio);
  return made;
}

}  // namespace tailrace::cql_schema
