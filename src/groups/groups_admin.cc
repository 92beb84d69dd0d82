// Describe, list and delete groups.
#include <algorithm>
#include <cctype>
#include <utility>

#include "groups/groups.h"

namespace tailrace::groups {

namespace {

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// An empty filter lets all pass.
bool passes(const std::vector<std::string>& filter, std::string_view word) {
  return filter.empty() || std::ranges::any_of(filter, [&](const std::string& one) {
           return lower_case(one) == lower_case(word);
         });
}

}  // namespace

std::vector<std::string> Groups::names() const {
  std::vector<std::string> out;
  for (const auto& [id, group] : classic_) out.push_back(id);
  return out;
}

std::optional<DescribedGroup> Groups::describe(const std::string& group) const {
  const auto found = classic_.find(group);
  if (found == classic_.end()) return std::nullopt;
  return found->second.describe();
}

void Groups::handle(const DescribeGroups& request, Turn& turn) {
  DescribeAnswer answer;
  for (const auto& id : request.groups) {
    if (auto described = describe(id)) {
      answer.groups.push_back(std::move(*described));
      continue;
    }
    DescribedGroup missing;
    missing.group = id;
    missing.state = "Dead";
    if (request.tells_missing) {
      missing.error = ErrorCode::kGroupIdNotFound;
      missing.message = "Group " + id + " not found.";
    }
    answer.groups.push_back(std::move(missing));
  }
  turn.reply(std::move(answer));
}

void Groups::handle(const ListGroups& request, Turn& turn) {
  ListAnswer answer;
  for (const auto& [id, group] : classic_)
    if (passes(request.states, group.state_name()) && passes(request.types, "classic"))
      answer.groups.push_back(
          {id, group.protocol_type(), std::string(group.state_name()), "classic"});
  turn.reply(std::move(answer));
}

ErrorCode Groups::check_delete(const std::string& group) const {
  const auto found = classic_.find(group);
  if (found == classic_.end()) return ErrorCode::kGroupIdNotFound;
  const bool empty = found->second.state() == ClassicGroup::State::kEmpty;
  return empty ? ErrorCode::kNone : ErrorCode::kNonEmptyGroup;
}

void Groups::handle(const DeleteGroups& request, Turn& turn) {
  DeleteAnswer answer;
  for (const auto& id : request.groups) {
    const auto error = check_delete(id);
    answer.groups.push_back({id, error});
    if (error != ErrorCode::kNone) continue;
    std::vector<OffsetEntry> records;
    offsets_.remove_all(id, records);
    append_all(records, turn);
    append_tombstones(id, turn);
  }
  turn.reply(std::move(answer));
}

void Groups::append_tombstones(const std::string& group, Turn& turn) {
  if (const auto* found = classic(group)) found->cancel_deadlines(turn);
  append(ClassicGroupEntry{{group}, std::nullopt}, turn);
}

}  // namespace tailrace::groups
