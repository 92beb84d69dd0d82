#include "pipeline/lake_commits.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "rt/file.h"

namespace tailrace::pipeline {
namespace {

constexpr std::size_t kMostBytes = 1 << 30;

std::string path_in(const std::string& data) {
  return data + "/lake_commits.json";
}

}  // namespace

Status LakeCommits::write(const std::string& data, rt::RoomWatch& room) const {
  const nlohmann::json json = {{"checkpoint", checkpoint}, {"commits", commits}};
  const std::string text = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  for (;;) {
    Status written = rt::write_atomically(rt::posix_files(), path_in(data), text);
    const bool full = !written && written.error().code == Code::kResourceExhausted;
    if (full && room.wait_for_room(path_in(data))) continue;
    if (written) room.got_room();
    return written;
  }
}

Result<LakeCommits> LakeCommits::read(const std::string& data, std::int64_t number) {
  if (number == 0) return LakeCommits{};
  const auto damaged = [&](const std::string& how) {
    return error(Code::kDataLoss,
                 fmt::format("{}: {}; bring the file back from a copy, or remove {}/state: the "
                             "tables are then made again from the log",
                             path_in(data), how, data));
  };
  const auto text = rt::read_whole(rt::posix_files(), path_in(data), kMostBytes);
  if (!text) return damaged(text.error().what);
  try {
    const auto json = nlohmann::json::parse(*text);
    LakeCommits found{json.at("checkpoint"), json.at("commits")};
    if (found.checkpoint < number)
      return damaged(fmt::format("of checkpoint {}, not {}", found.checkpoint, number));
    // Of a checkpoint that never became durable: its rows come again.
    if (found.checkpoint > number) found.commits.clear();
    return found;
  } catch (const nlohmann::json::exception& e) {
    return damaged(e.what());
  }
}

}  // namespace tailrace::pipeline
