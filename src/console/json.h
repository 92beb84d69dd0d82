// All JSON of the console but that of workflows (workflows_json.h), in and out; the shapes are
// spec/console-api.yml's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "console/console.h"

namespace tailrace::console {

inline constexpr const char* kJsonType = "application/json";

std::string error_json(std::string_view code, std::string_view message);
std::string status_json(const Status& status);
std::string tables_json(const std::vector<TableInfo>& tables);
std::string rows_json(const Rows& rows);
/// [{"COLUMN": value …} …], in the order of the columns.
std::string objects_json(const Rows& rows);
std::string value_json(const Value& value);
std::string dead_letters_json(const DeadLetterPage& page);
std::string redriven_json(std::int64_t count);
std::string topics_json(const std::vector<TopicInfo>& topics);
std::string topic_json(const TopicDetail& topic);
std::string records_json(const TopicRecords& records);
std::string groups_json(const GroupList& groups);
std::string group_json(const GroupDetail& group);
std::string subjects_json(const SubjectPage& page);
std::string subject_json(const SubjectDetail& subject);
std::string schema_json(const SchemaText& schema);
std::string verdict_json(const SchemaVerdict& verdict);
std::string operation_json(const Operation& operation);
/// Whether bytes are meant to be read: UTF-8 without control characters, whose last character may
/// be cut short.
bool is_text(std::string_view bytes);

struct Query {
  std::string text;
  int limit = kQueryRows;
  std::string next;  ///< instead of text: the next page of an answer
};

/// {"query": "…", "limit": …} or {"next": "…"}; kInvalidArgument when it is anything else.
Result<Query> parse_query_body(std::string_view body);

/// {"ids": […]} or {"table": …, "reason": …} or {"all": true}: nothing at all is an error, not
/// everything.
Result<RedriveSelection> parse_redrive_body(std::string_view body);

/// {"type": "AVRO", "text": "…", "references": [{"name", "subject", "version"}]}, the last left out
/// where there are none.
Result<SchemaProposal> parse_proposal_body(std::string_view body);

/// {} or {"seconds": …}, over 0 and at most a day.
Result<std::optional<double>> parse_ingest_body(std::string_view body);
/// {}: nothing is asked for.
tailrace::Status parse_empty_body(std::string_view body);

}  // namespace tailrace::console
