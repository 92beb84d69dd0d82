// What is wrong within a script: values that JSON refuses, failures that nobody hears of,
// checkpoints that do not last.
#include <algorithm>

#include "doctor/rules.h"

namespace tailrace::doctor {
namespace {

void check_checkpoint(const Folder& folder, const Script& script, Findings& out) {
  if (script.streams == 0) return;
  auto found = script.options.find("checkpointLocation");
  if (found == script.options.end())
    found = script.options.find("spark.sql.streaming.checkpointLocation");
  if (found == script.options.end()) {
    out.push_back({script.path, script.streams, "lost-checkpoint",
                   "the stream has no checkpointLocation: each start begins anew",
                   "name a folder on a volume"});
    return;
  }
  std::string at = found->second.text;
  if (at.starts_with("file://")) at = at.substr(7);
  if (at.find("://") != std::string::npos) return;
  const auto homes = folder.homes(script);
  for (const Service* home : homes)
    for (const Volume& volume : home->volumes)
      if (!volume.target.empty() && (at == volume.target || at.starts_with(volume.target + "/")))
        return;
  if (at.starts_with("/tmp") || at.starts_with("/var/tmp"))
    out.push_back(
        {script.path, found->second.line, "lost-checkpoint",
         "the checkpoint is in " + at + ": a restart loses the offsets, and rows with them",
         "put it on a volume"});
  else if (!homes.empty())
    out.push_back({script.path, found->second.line, "lost-checkpoint",
                   "the checkpoint is in " + at + ", which is on no volume of " + homes[0]->name,
                   "mount a volume there"});
}

}  // namespace

void check_scripts(const Folder& folder, Findings& out) {
  for (const Script& script : folder.scripts) {
    for (const Field& field : script.unserialisable)
      out.push_back({script.path, field.line, "unserialisable",
                     "`" + field.name + "` is a " + field.json_trouble +
                         ", which json.dumps refuses with a TypeError: no message is sent",
                     "write str(…) around it"});
    for (const Site& one : script.swallowed)
      out.push_back({script.path, one.line, "swallowed-error",
                     "when " + one.text + " fails it is only logged, and the task ends green",
                     "raise, or count the failures and raise at the end"});
    check_checkpoint(folder, script, out);
  }
}

}  // namespace tailrace::doctor
