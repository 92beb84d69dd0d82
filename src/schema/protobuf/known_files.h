// The files that every schema may import without a reference: google/protobuf, google/type and
// Confluent's own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schema/protobuf/element.h"
#include "schema/protobuf/names.h"

namespace tailrace::schema::protobuf {

struct KnownFile {
  std::string path;
  std::string text;
  File file;
};

/// All of them; what a file imports stands before it.
const std::vector<KnownFile>& known_files();

/// What they define; the number of each as an import is its place among them.
const Names& known_names();

/// Null when there is none.
const KnownFile* known_file(std::string_view path);

}  // namespace tailrace::schema::protobuf
