// What the lake asks of the file system: durable files and folders, and a file that only one writer
// can create.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rt/room_watch.h"

namespace tailrace::lake {

struct FileInfo {
  std::string name;
  std::int64_t size_bytes = 0;
  std::int64_t modified_ms = 0;
};

/// Creates `folder/name` with this content and makes it durable; false when the name is taken. All
/// or nothing: a reader sees the whole file or none. With a `room` it waits on a full disk.
Result<bool> put_if_absent(const std::string& folder, const std::string& name,
                           std::string_view content, bool sync, rt::RoomWatch* room = nullptr);
Status sync_file(const std::string& path);
Status sync_folder(const std::string& folder);
Status make_folder(const std::string& folder);
/// kNotFound when it is not there.
Result<std::string> read_file(const std::string& path);
/// Regular files only; an absent folder is empty.
Result<std::vector<FileInfo>> list_files(const std::string& folder);
void remove_quietly(const std::string& path);
std::int64_t now_ms();
/// A random (version 4) UUID.
std::string random_uuid();

}  // namespace tailrace::lake
