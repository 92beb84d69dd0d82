// The rules of the doctor, a function for each part of a folder; each appends what it finds.
#pragma once

#include <vector>

#include "doctor/doctor.h"

namespace tailrace::doctor {

using Findings = std::vector<Finding>;

/// image-gone, image-unpinned, no-volume, no-memory-limit, not-ready, unused-service.
void check_services(const Folder& folder, Findings& out);
/// localhost, listener: in environments and in scripts.
void check_addresses(const Folder& folder, Findings& out);
/// version-mismatch.
void check_versions(const Folder& folder, Findings& out);
/// unserialisable, swallowed-error, lost-checkpoint.
void check_scripts(const Folder& folder, Findings& out);
/// unknown-column, dropped-field, never-sent, topic-mismatch.
void check_columns(const Folder& folder, Findings& out);

/// A table of a CREATE TABLE; names in lower case.
struct CqlTable {
  std::string name;  ///< without the keyspace
  std::string keyspace;
  std::vector<std::string> columns, key;
};
std::vector<CqlTable> tables_of(const Folder& folder);

bool is_loopback(const std::string& host);
/// `word` in `text` with nothing of a name beside it.
bool mentions(const std::string& text, const std::string& word);

}  // namespace tailrace::doctor
