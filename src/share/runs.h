// Runs of offsets that have one value each: neighbours with equal values are one run.
#pragma once

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

#include "base/strong.h"

namespace tailrace::share {

template <typename Value>
class Runs {
 public:
  struct Run {
    Offset last;
    Value value;
    bool operator==(const Run&) const = default;
  };
  using Map = std::map<Offset, Run>;  // by the first offset

  auto begin() const { return runs_.begin(); }
  auto end() const { return runs_.end(); }
  bool empty() const { return runs_.empty(); }
  std::size_t size() const { return runs_.size(); }
  bool operator==(const Runs&) const = default;

  /// Whatever was there before.
  void set(Offset first, Offset last, Value value) {
    cut(first);
    cut(last + 1);
    runs_.erase(runs_.lower_bound(first), runs_.upper_bound(last));
    runs_.emplace(first, Run{last, std::move(value)});
    join(first, last);
  }
  /// Calls act(first, last, value&) for what lies in [first, last], cut to it, by rising offset.
  template <typename Act>
  void change(Offset first, Offset last, const Act& act) {
    if (last < first) return;
    cut(first);
    cut(last + 1);
    for (auto at = runs_.lower_bound(first); at != runs_.end() && at->first <= last; ++at)
      act(at->first, at->second.last, at->second.value);
    join(first, last);
  }
  /// The same without changing anything.
  template <typename Act>
  void visit(Offset first, Offset last, const Act& act) const {
    if (last < first) return;
    for (auto at = holding(first); at != runs_.end() && at->first <= last; ++at)
      act(std::max(first, at->first), std::min(last, at->second.last), at->second.value);
  }
  /// The first run in [first, last] that `fits`, whole; end() when none does.
  template <typename Fits>
  auto find(Offset first, Offset last, const Fits& fits) const {
    auto at = holding(first);
    while (at != runs_.end() && at->first <= last && !fits(at->second.value)) ++at;
    return at != runs_.end() && at->first <= last ? at : runs_.end();
  }
  void drop_below(Offset first) {
    cut(first);
    runs_.erase(runs_.begin(), runs_.lower_bound(first));
  }

 private:
  /// The run that holds the offset, or the first one after it.
  typename Map::const_iterator holding(Offset offset) const {
    auto at = runs_.upper_bound(offset);
    if (at != runs_.begin() && std::prev(at)->second.last >= offset) --at;
    return at;
  }
  /// No run lies on both sides of the place before `at`.
  void cut(Offset at) {
    auto after = runs_.upper_bound(at);
    if (after == runs_.begin()) return;
    auto run = std::prev(after);
    if (run->first == at || run->second.last < at) return;
    runs_.emplace_hint(after, at, run->second);
    run->second.last = at - 1;
  }
  /// Makes equal neighbours one, from the one before `first` to the one after `last`.
  void join(Offset first, Offset last) {
    auto at = runs_.lower_bound(first);
    if (at != runs_.begin()) --at;
    while (at != runs_.end() && at->first <= last) {
      const auto next = std::next(at);
      if (next == runs_.end()) return;
      if (at->second.last + 1 == next->first && at->second.value == next->second.value) {
        at->second.last = next->second.last;
        runs_.erase(next);
      } else {
        at = next;
      }
    }
  }

  Map runs_;
};

}  // namespace tailrace::share
