// What the console shows of a schema registry, embedded or somewhere else: subjects, their
// versions, and a check whether a schema may be the next one. Implemented by app/ over a client of
// the registry; the functions are called from several threads at once and may wait for a network.
//
//   GET  /api/schemas?search&topic&after&limit   a page of subjects
//   GET  /api/schemas/SUBJECT                    SubjectDetail
//   GET  /api/schemas/SUBJECT/VERSION            SchemaText; VERSION is a number or "latest"
//   POST /api/schemas/SUBJECT/check              Verdict; nothing is registered
//   POST /api/schemas/SUBJECT/register           the SchemaText that it became
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tailrace::console {

/// A topic whose keys or values have a schema of a subject.
struct SubjectUse {
  std::string topic;
  std::string part;  ///< "key" or "value"
};

struct SubjectInfo {
  std::string name;           ///< with its context, where that is not the default one
  std::string context;        ///< "." is the default one
  std::string type;           ///< AVRO, JSON or PROTOBUF
  std::int64_t version = 0;   ///< the latest
  std::int64_t id = 0;        ///< of the latest
  std::string compatibility;  ///< the level that holds: "BACKWARD"
  std::vector<SubjectUse> uses;
};

struct SubjectQuery {
  std::string search = {};  ///< a part of the name, in any case; "" for all
  std::string topic = {};   ///< those that this topic uses; "" for all
  std::string after = {};   ///< page token of the page before
  int limit = 25;           ///< 1 … kMostSubjects, checked
};
/// Each subject of a page is asked for by itself.
inline constexpr int kMostSubjects = 100;

struct SubjectPage {
  std::string registry = {};  ///< "embedded", or where it is, without credentials
  std::string off = {};       ///< why there is no registry, and what to do; else ""
  std::int64_t total = 0;
  std::vector<SubjectInfo> subjects = {};  ///< by name
  std::string next = {};                   ///< page token; "" at the end
};

struct SubjectDetail {
  SubjectInfo info;
  std::vector<std::int64_t> versions;  ///< the lowest first
};

struct SchemaReference {
  std::string name;
  std::string subject;
  std::int64_t version = 0;
};

struct SchemaText {
  std::string subject;
  std::int64_t version = 0;
  std::int64_t id = 0;
  std::string type;
  std::string text;
  std::vector<SchemaReference> references;
};

struct SchemaProposal {
  std::string type;  ///< AVRO, JSON or PROTOBUF, checked
  std::string text;
  std::vector<SchemaReference> references;
};

struct SchemaVerdict {
  bool compatible = false;
  std::vector<std::string> messages = {};  ///< the registry's own, with places
};

/// Errors: kNotFound; kUnavailable when the registry does not answer; kFailedPrecondition when
/// there is none, or when it refuses.
class SchemaView {
 public:
  virtual ~SchemaView() = default;
  virtual Result<SubjectPage> subjects(const SubjectQuery& query) = 0;
  virtual Result<SubjectDetail> subject(const std::string& name) = 0;
  /// `version` -1 is the latest.
  virtual Result<SchemaText> schema(const std::string& subject, int version) = 0;
  virtual Result<SchemaVerdict> check(const std::string& subject,
                                      const SchemaProposal& proposal) = 0;
  virtual Result<SchemaText> put(const std::string& subject, const SchemaProposal& proposal) = 0;
};

}  // namespace tailrace::console
