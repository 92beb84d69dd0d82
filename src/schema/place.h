// Where a walk through a document is: a chain of steps on the stack, written out as a JSON pointer
// (RFC 6901) only when it is asked for.
#pragma once

#include <string>
#include <string_view>

namespace tailrace::schema {

class Place {
 public:
  Place() = default;
  Place(const Place& above, std::string_view name) : above_(&above), name_(name) {}
  Place(const Place& above, std::size_t index) : above_(&above), index_(index), counts_(true) {}

  /// "/fields/0/type"; "/" is the document itself.
  std::string text() const {
    std::string made;
    append(made);
    return made.empty() ? "/" : made;
  }

 private:
  void append(std::string& out) const {
    if (!above_) return;
    above_->append(out);
    out += '/';
    if (counts_) return void(out += std::to_string(index_));
    for (const char c : name_) {
      if (c == '~')
        out += "~0";
      else if (c == '/')
        out += "~1";
      else
        out += c;
    }
  }

  const Place* above_ = nullptr;
  std::string_view name_;
  std::size_t index_ = 0;
  bool counts_ = false;
};

}  // namespace tailrace::schema
