#include "connect/files_position.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace tailrace::connect {
namespace {

using Json = nlohmann::json;

std::string encode_mark(const FileMark& mark) {
  const FilePart& part = mark.part;
  const int flags =
      (part.open_line ? 1 : 0) | (mark.done ? 2 : 0) | static_cast<int>(part.last) << 2;
  return fmt::format("[\"{}\",{},{},{},{},{},{},{}]", mark.id, part.end, mark.mtime_ns, mark.print,
                     mark.records, part.offset, part.line, flags);
}

FileMark parse_mark(const Json& json) {
  FileMark mark;
  json.at(0).get_to(mark.id);
  json.at(1).get_to(mark.part.end);
  json.at(2).get_to(mark.mtime_ns);
  json.at(3).get_to(mark.print);
  json.at(4).get_to(mark.records);
  json.at(5).get_to(mark.part.offset);
  json.at(6).get_to(mark.part.line);
  const int flags = json.at(7).get<int>();
  mark.part.open_line = flags & 1;
  mark.done = flags & 2;
  mark.part.last = static_cast<LastLine>(std::min(flags >> 2, 2));
  return mark;
}

}  // namespace

Result<FilesPosition> FilesPosition::parse(std::string_view text) {
  FilesPosition position;
  if (text.empty()) return position;
  try {
    const Json json = Json::parse(text);
    for (const auto& [name, mark] : json.at("files").items()) position.put(name, parse_mark(mark));
    for (const Json& name : json.at("queue")) {
      position.queue.push_back(name.get<std::string>());
      if (!position.find(position.queue.back()))
        return error(Code::kDataLoss, "no position of a folder: a name without a mark");
    }
    return position;
  } catch (const Json::exception& failure) {
    return error(Code::kDataLoss, fmt::format("no position of a folder: {}", failure.what()));
  }
}

std::string FilesPosition::encode() const {
  std::string out = "{\"files\":{";
  for (const auto& [name, entry] : files_) {
    if (!out.ends_with('{')) out += ',';
    out += entry.text;
  }
  return out + "},\"queue\":" + Json(queue).dump() + "}";
}

const FileMark* FilesPosition::find(const std::string& name) const {
  const auto found = files_.find(name);
  return found == files_.end() ? nullptr : &found->second.mark;
}

std::map<std::string, FileMark> FilesPosition::marks() const {
  std::map<std::string, FileMark> marks;
  for (const auto& [name, entry] : files_) marks.emplace(name, entry.mark);
  return marks;
}

void FilesPosition::put(const std::string& name, const FileMark& mark) {
  files_[name] = {mark, Json(name).dump() + ":" + encode_mark(mark)};
}

}  // namespace tailrace::connect
