// What one event may touch besides its group: time, actions, deadlines, settings, new names.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "groups/actions.h"
#include "groups/config.h"
#include "groups/deadlines.h"
#include "groups/types.h"

namespace tailrace::groups {

/// Gives a name no member ever had: a random UUID as text.
using NewName = std::function<std::string()>;

struct Turn {
  TimestampMs now;
  RequestId request;  // the event's; a deadline has none
  const GroupsConfig& config;
  const NewName& new_name;
  Deadlines& deadlines;
  Actions& actions;

  void reply(Answer answer) { reply_to(request, std::move(answer)); }
  void reply_to(RequestId to, Answer answer) { actions.push_back(Reply{to, std::move(answer)}); }
  /// Appends without applying: for state the group has changed itself.
  void append(Record record) { actions.push_back(Append{std::move(record), std::nullopt}); }
  void set_deadline(const TimerKey& key, Millis after) { deadlines.set(key, now + after); }
};

}  // namespace tailrace::groups
