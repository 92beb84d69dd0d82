// What a contract file may say: the keys of the Open Data Contract Standard 3.1, the kind of each
// value, which are needed. A file is checked whole before anything of it is read.
//
// As the standard's own JSON Schema over YAML's core types (a plain 1.0 is a number, no text), with
// these differences: an empty value is as good as none; v3.0 contracts may name a library rule by
// `rule`; texts are not held to `format` (a URI, a date).
#pragma once

#include <string>
#include <vector>

#include "yaml/file.h"

namespace tailrace::pipeline {

inline constexpr int kMaxContractDepth = 64;
/// Aliases count each time they are met.
inline constexpr int kMaxContractNodes = 200'000;
inline constexpr std::uint64_t kMaxContractBytes = 8 << 20;

enum class YamlKind { kNone, kText, kInteger, kNumber, kFlag, kList, kMapping };

/// By YAML's core schema.
YamlKind yaml_kind(const YAML::Node& node);

/// All that is against the standard, in the file's order: "file:line:column: what".
std::vector<std::string> standard_faults(const yaml::File& file);

}  // namespace tailrace::pipeline
