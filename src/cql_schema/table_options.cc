#include "cql_schema/table_options.h"

#include "cql_schema/compaction.h"
#include "cql_schema/compression.h"
#include "cql_schema/java_order.h"
#include "cql_schema/refusal.h"
#include "cql_schema/retry_policy.h"
#include "cql_types/number.h"
#include "cql_types/uuid.h"

namespace tailrace::cql_schema {
namespace {

using cql_types::Outcome;

constexpr std::int32_t kMostTtl = 20 * 365 * 24 * 60 * 60;
// A bloom filter cannot promise less, whatever its size.
constexpr double kLeastFalsePositives = 6.71e-5;

const std::vector<std::string>& option_names() {
  static const std::vector<std::string> kNames = {
      "allow_auto_snapshot",
      "bloom_filter_fp_chance",
      "caching",
      "comment",
      "compaction",
      "compression",
      "memtable",
      "default_time_to_live",
      "extensions",
      "gc_grace_seconds",
      "incremental_backups",
      "max_index_interval",
      "memtable_flush_period_in_ms",
      "min_index_interval",
      "speculative_retry",
      "additional_write_policy",
      "crc_check_chance",
      "cdc",
      "read_repair",
      "auto_repair",
      "id",
  };
  return kNames;
}

Outcome<std::string> rows_per_partition(const std::string& text) {
  const auto word = lower(text);
  if (word == "all") return "ALL";
  if (word == "none") return "NONE";
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos)
    return misconfigured(
        "Invalid value '{}' for caching sub-option 'rows_per_partition': only 'ALL', 'NONE', and "
        "integer values are allowed",
        text);
  const auto rows = java_int(text);
  if (!rows) return crashed("java.lang.NumberFormatException: For input string: \"{}\"", text);
  if (*rows == 0) return "NONE";
  return *rows == 2147483647 ? "ALL" : std::to_string(*rows);
}

Outcome<Options> made_caching(Options given) {
  Options made = {{"keys", "NONE"}, {"rows_per_partition", "NONE"}};
  const auto size = given.size();
  if (const auto keys = given.extract("keys"); !keys.empty()) {
    const auto word = lower(keys.mapped());
    if (word != "all" && word != "none")
      return misconfigured(
          "Invalid value '{}' for caching sub-option 'keys': only 'ALL' and 'NONE' are allowed",
          keys.mapped());
    made["keys"] = word == "all" ? "ALL" : "NONE";
  }
  if (const auto rows = given.extract("rows_per_partition"); !rows.empty()) {
    ASSIGN(made["rows_per_partition"], rows_per_partition(rows.mapped()));
  }
  if (!given.empty())
    return misconfigured(
        "Invalid caching sub-options {}: only 'keys' and 'rows_per_partition' are allowed",
        java_list(java_copy_order(keys_of(given), size)));
  return made;
}

Outcome<void> read_switch(const Properties& given, const std::string& name,
                          std::optional<bool>& value, bool by_default) {
  if (!given.has(name)) return {};
  bool read = value.value_or(by_default);
  TRY(given.read(name, read));
  value = read == by_default ? std::nullopt : std::optional(read);
  return {};
}

Outcome<void> read_policy(const Properties& given, const std::string& name, std::string& value) {
  ASSIGN(const auto text, given.text(name));
  if (!text) return {};
  ASSIGN(value, retry_policy(*text));
  return {};
}

Outcome<void> read_read_repair(const Properties& given, std::string& value) {
  ASSIGN(const auto text, given.text("read_repair"));
  if (!text) return {};
  std::string word = *text;
  for (char& c : word)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  if (word != "NONE" && word != "BLOCKING")
    return crashed(
        "java.lang.IllegalArgumentException: No enum constant "
        "org.apache.cassandra.service.reads.repair.ReadRepairStrategy.{}",
        word);
  value = word;
  return {};
}

// The option is off, but its words are read before that is told.
Outcome<void> check_auto_repair(const Properties& given) {
  ASSIGN(const auto options, given.map("auto_repair"));
  if (!options) return {};
  for (const auto& name : java_order(keys_of(*options)))
    if (name != "full_enabled" && name != "incremental_enabled" &&
        name != "preview_repaired_enabled" && name != "priority")
      return misconfigured("Unknown property '{}'", name);
  return {};
}

Outcome<void> read_memtable(const Properties& given, std::optional<std::string>& value) {
  ASSIGN(const auto text, given.text("memtable"));
  if (!text) return {};
  if (*text != "default") return misconfigured("Memtable configuration \"{}\" not found.", *text);
  value = std::nullopt;
  return {};
}

}  // namespace

const TableOptions& default_options() {
  static const TableOptions kDefaults = [] {
    TableOptions made;
    made.caching = {{"keys", "ALL"}, {"rows_per_partition", "NONE"}};
    made.compaction = {{"class", "org.apache.cassandra.db.compaction.SizeTieredCompactionStrategy"},
                       {"max_threshold", "32"},
                       {"min_threshold", "4"}};
    made.compression = {{"chunk_length_in_kb", "16"},
                        {"class", "org.apache.cassandra.io.compress.LZ4Compressor"}};
    return made;
  }();
  return kDefaults;
}

Outcome<TableOptions> built_options(const Properties& given, const TableOptions& before) {
  TableOptions made = before;
  // In the order in which Cassandra reads them: the first that is wrong is told.
  TRY(read_switch(given, "allow_auto_snapshot", made.allow_auto_snapshot, true));
  TRY(given.read("bloom_filter_fp_chance", made.bloom_filter_fp_chance));
  ASSIGN(auto caching, given.map("caching"));
  if (caching) {
    ASSIGN(made.caching, made_caching(std::move(*caching)));
  }
  TRY(given.read("comment", made.comment));
  ASSIGN(auto compaction, given.map("compaction"));
  if (compaction) {
    ASSIGN(made.compaction, made_compaction(std::move(*compaction)));
  }
  ASSIGN(auto compression, given.map("compression"));
  if (compression) {
    ASSIGN(made.compression, made_compression(std::move(*compression)));
  }
  TRY(read_memtable(given, made.memtable));
  TRY(given.read("default_time_to_live", made.default_time_to_live));
  TRY(given.read("gc_grace_seconds", made.gc_grace_seconds));
  TRY(read_switch(given, "incremental_backups", made.incremental_backups, true));
  TRY(given.read("max_index_interval", made.max_index_interval));
  TRY(given.read("memtable_flush_period_in_ms", made.memtable_flush_period_in_ms));
  TRY(given.read("min_index_interval", made.min_index_interval));
  TRY(read_policy(given, "speculative_retry", made.speculative_retry));
  TRY(read_policy(given, "additional_write_policy", made.additional_write_policy));
  TRY(given.read("crc_check_chance", made.crc_check_chance));
  TRY(read_switch(given, "cdc", made.cdc, false));
  TRY(read_read_repair(given, made.read_repair));
  TRY(check_auto_repair(given));
  // A leveled table's filters are smaller unless something else is said when it is made.
  if (&before == &default_options() && !given.has("bloom_filter_fp_chance") &&
      is_compaction(made.compaction, "LeveledCompactionStrategy"))
    made.bloom_filter_fp_chance = 0.1;
  return made;
}

Outcome<void> check_ranges(const TableOptions& options) {
  TRY(check_compaction(options.compaction));
  const double filter = options.bloom_filter_fp_chance;
  if (filter <= kLeastFalsePositives || filter > 1)
    return misconfigured(
        "bloom_filter_fp_chance must be larger than {} and less than or equal to 1.0 (got {})",
        cql_types::double_text(kLeastFalsePositives), cql_types::double_text(filter));
  if (options.crc_check_chance < 0 || options.crc_check_chance > 1)
    return misconfigured(
        "crc_check_chance must be larger than or equal to 0 and smaller than or equal to 1.0 (got "
        "{})",
        cql_types::double_text(options.crc_check_chance));
  constexpr auto* kAtLeast = "{} must be greater than or equal to {} (got {})";
  if (options.default_time_to_live < 0)
    return misconfigured(kAtLeast, "default_time_to_live", 0, options.default_time_to_live);
  if (options.default_time_to_live > kMostTtl)
    return misconfigured("default_time_to_live must be less than or equal to {} (got {})", kMostTtl,
                         options.default_time_to_live);
  if (options.gc_grace_seconds < 0)
    return misconfigured(kAtLeast, "gc_grace_seconds", 0, options.gc_grace_seconds);
  if (options.min_index_interval < 1)
    return misconfigured(kAtLeast, "min_index_interval", 1, options.min_index_interval);
  if (options.max_index_interval < options.min_index_interval)
    return misconfigured(
        "max_index_interval must be greater than or equal to min_index_interval ({}) (got {})",
        options.min_index_interval, options.max_index_interval);
  if (options.memtable_flush_period_in_ms < 0)
    return misconfigured(kAtLeast, "memtable_flush_period_in_ms", 0,
                         options.memtable_flush_period_in_ms);
  return {};
}

Outcome<void> check_options(const Properties& given) {
  TRY(given.check_names(option_names()));
  if (given.has("auto_repair"))
    return misconfigured(
        "auto_repair option is not supported unless auto-repair is enabled with "
        "-Dcassandra.autorepair.enable=true");
  ASSIGN(const auto options, built_options(given, default_options()));
  return check_ranges(options);
}

Outcome<std::optional<std::string>> given_id(const Properties& given) {
  ASSIGN(const auto text, given.text("id"));
  if (!text) return std::nullopt;
  auto id = cql_types::parse_uuid(*text);
  if (!id) return misconfigured("Invalid table id");
  return id;
}

}  // namespace tailrace::cql_schema
