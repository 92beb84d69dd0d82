#include "rt/simulated_files.h"

#include <fmt/format.h>

#include "base/check.h"

namespace tailrace::rt {
namespace {

std::unexpected<Error> down() {
  return error(Code::kUnavailable, "the simulated machine crashed");
}

std::unexpected<Error> missing(const std::string& path) {
  return error(Code::kNotFound, "open " + path + ": No such file or directory");
}

bool is_in(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() + 1 && path.starts_with(folder) && path[folder.size()] == '/';
}

bool is_child(const std::string& path, const std::string& folder) {
  return is_in(path, folder) && path.find('/', folder.size() + 1) == std::string::npos;
}

}  // namespace

class SimulatedFiles::Writable final : public WritableFile {
 public:
  Writable(SimulatedFiles& owner, std::string path, std::shared_ptr<Node> node)
      : owner_(owner),
        path_(std::move(path)),
        node_(std::move(node)),
        epoch_(owner.epoch_),
        size_(node_->content.size()) {}

  Status append(std::string_view data) override {
    std::unique_lock lock(owner_.mutex_);
    if (epoch_ != owner_.epoch_) return down();
    node_->content.resize(size_);
    TRY(owner_.append(*node_, path_, data));
    size_ = node_->content.size();
    return {};
  }

  Status sync() override {
    std::unique_lock lock(owner_.mutex_);
    if (epoch_ != owner_.epoch_) return down();
    bool dying = false;
    TRY(owner_.enter("fdatasync " + path_, &dying));
    if (dying) return down();
    node_->durable = node_->content;
    return {};
  }

  Status truncate(std::uint64_t size) override {
    std::unique_lock lock(owner_.mutex_);
    if (epoch_ != owner_.epoch_) return down();
    bool dying = false;
    TRY(owner_.enter("truncate " + path_, &dying));
    node_->content.resize(size);
    size_ = size;
    if (dying) return down();
    return {};
  }

  Status close() override { return {}; }
  std::uint64_t size() const override { return size_; }

 private:
  SimulatedFiles& owner_;
  const std::string path_;
  const std::shared_ptr<Node> node_;
  const std::uint64_t epoch_;
  std::uint64_t size_;
};

class SimulatedFiles::Readable final : public ReadableFile {
 public:
  Readable(const SimulatedFiles& owner, std::shared_ptr<Node> node)
      : owner_(owner), node_(std::move(node)) {}

  Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t length) const override {
    std::unique_lock lock(owner_.mutex_);
    const auto& content = node_->content;
    if (offset >= content.size()) return 0;
    return content.copy(to, length, offset);
  }

  Result<std::uint64_t> size() const override {
    std::unique_lock lock(owner_.mutex_);
    return node_->content.size();
  }

  void will_read(std::uint64_t, std::size_t) const override {}

 private:
  const SimulatedFiles& owner_;
  const std::shared_ptr<Node> node_;
};

class SimulatedFiles::Lock final : public FileLock {
 public:
  Lock(SimulatedFiles& owner, std::string folder)
      : owner_(owner), folder_(std::move(folder)), epoch_(owner.epoch_) {}
  ~Lock() override {
    std::unique_lock lock(owner_.mutex_);
    if (epoch_ == owner_.epoch_) owner_.locked_.erase(folder_);
  }

 private:
  SimulatedFiles& owner_;
  const std::string folder_;
  const std::uint64_t epoch_;
};

void SimulatedFiles::crash_at(std::uint64_t k) {
  std::unique_lock lock(mutex_);
  crash_at_ = k == 0 ? 0 : calls_ + k;
}

bool SimulatedFiles::crashed() const {
  std::unique_lock lock(mutex_);
  return crashed_;
}

std::uint64_t SimulatedFiles::calls() const {
  std::unique_lock lock(mutex_);
  return calls_;
}

void SimulatedFiles::set_capacity(std::uint64_t bytes) {
  std::unique_lock lock(mutex_);
  capacity_ = bytes;
}

Status SimulatedFiles::enter(const std::string&, bool* dying) {
  if (crashed_) return down();
  ++calls_;
  if (crash_at_ != 0 && calls_ >= crash_at_) crashed_ = *dying = true;
  return {};
}

std::uint64_t SimulatedFiles::used() const {
  std::uint64_t total = 0;
  for (const auto& [path, node] : names_) total += node->content.size();
  return total;
}

Status SimulatedFiles::append(Node& node, const std::string& path, std::string_view data) {
  bool dying = false;
  TRY(enter("write " + path, &dying));
  if (dying) {
    node.content.append(data.substr(0, random_.below(data.size() + 1)));
    return down();
  }
  if (capacity_ != UINT64_MAX) {
    const std::uint64_t taken = used();
    const std::uint64_t room = capacity_ > taken ? capacity_ - taken : 0;
    if (room < data.size()) {
      node.content.append(data.substr(0, room));
      return error(Code::kResourceExhausted,
                   fmt::format("no space left on the disk of {}: write failed", path));
    }
  }
  node.content.append(data);
  return {};
}

void SimulatedFiles::lose_unsynced(Node& node) {
  const std::string& durable = node.durable;
  std::string& content = node.content;
  if (content.starts_with(durable)) {
    const std::size_t more = content.size() - durable.size();
    content.resize(durable.size() + (more == 0 ? 0 : random_.below(more + 1)));
  } else if (random_.one_in(2)) {
    content = durable;  // a truncation that did not reach the disk
  }
  node.durable = content;
}

void SimulatedFiles::restart() {
  std::unique_lock lock(mutex_);
  Names kept = durable_names_;
  for (const auto& [path, node] : names_) {
    if (!durable_names_.contains(path) && random_.one_in(2)) kept[path] = node;
  }
  for (const auto& [path, node] : durable_names_) {
    if (!names_.contains(path) && random_.one_in(2)) kept.erase(path);
  }
  for (const auto& [path, node] : kept) lose_unsynced(*node);
  names_ = durable_names_ = kept;
  locked_.clear();
  crashed_ = false;
  crash_at_ = 0;
  ++epoch_;
}

std::string SimulatedFiles::content(const std::string& path) const {
  std::unique_lock lock(mutex_);
  const auto found = names_.find(path);
  CHECK(found != names_.end());
  return found->second->content;
}

void SimulatedFiles::overwrite(const std::string& path, std::uint64_t at, std::string_view bytes) {
  std::unique_lock lock(mutex_);
  const auto found = names_.find(path);
  CHECK(found != names_.end());
  Node& node = *found->second;
  CHECK(at + bytes.size() <= node.content.size());
  node.content.replace(at, bytes.size(), bytes);
  node.durable = node.content;
}

Result<std::unique_ptr<WritableFile>> SimulatedFiles::open_writable(const std::string& path) {
  std::unique_lock lock(mutex_);
  if (crashed_) return down();
  auto& node = names_[path];
  if (!node) {
    node = std::make_shared<Node>();
    bool dying = false;
    TRY(enter("create " + path, &dying));
    if (dying) return down();
  }
  return std::make_unique<Writable>(*this, path, node);
}

Result<std::unique_ptr<ReadableFile>> SimulatedFiles::open_readable(const std::string& path) {
  std::unique_lock lock(mutex_);
  if (crashed_) return down();
  const auto found = names_.find(path);
  if (found == names_.end()) return missing(path);
  return std::make_unique<Readable>(*this, found->second);
}

Result<bool> SimulatedFiles::exists(const std::string& path) {
  std::unique_lock lock(mutex_);
  if (crashed_) return down();
  return names_.contains(path) || folders_.contains(path);
}

Result<std::vector<std::string>> SimulatedFiles::list(const std::string& folder) {
  std::unique_lock lock(mutex_);
  if (crashed_) return down();
  if (!folders_.contains(folder)) return missing(folder);
  std::set<std::string> found;
  for (const auto& [path, node] : names_) {
    if (is_child(path, folder)) found.insert(path.substr(folder.size() + 1));
  }
  for (const auto& path : folders_) {
    if (is_child(path, folder)) found.insert(path.substr(folder.size() + 1));
  }
  return std::vector<std::string>(found.begin(), found.end());
}

Status SimulatedFiles::rename(const std::string& from, const std::string& to) {
  std::unique_lock lock(mutex_);
  bool dying = false;
  TRY(enter("rename " + from, &dying));
  const auto found = names_.find(from);
  if (found == names_.end()) return missing(from);
  if (dying && random_.one_in(2)) return down();
  names_[to] = found->second;
  names_.erase(found);
  durable_names_[to] = names_[to];
  durable_names_.erase(from);
  if (dying) return down();
  keep_names(to.substr(0, to.rfind('/')));
  return {};
}

Status SimulatedFiles::remove(const std::string& path) {
  std::unique_lock lock(mutex_);
  bool dying = false;
  TRY(enter("remove " + path, &dying));
  names_.erase(path);
  if (dying) return down();
  return {};
}

Status SimulatedFiles::remove_folder(const std::string& folder) {
  std::unique_lock lock(mutex_);
  bool dying = false;
  TRY(enter("remove " + folder, &dying));
  std::erase_if(names_, [&](const auto& entry) {
    return is_in(entry.first, folder) && !(dying && random_.one_in(2));
  });
  if (dying) return down();
  std::erase_if(folders_, [&](const auto& path) { return path == folder || is_in(path, folder); });
  return {};
}

Status SimulatedFiles::make_folder(const std::string& folder) {
  std::unique_lock lock(mutex_);
  if (crashed_) return down();
  for (auto slash = folder.find('/', 1); slash != std::string::npos;
       slash = folder.find('/', slash + 1)) {
    folders_.insert(folder.substr(0, slash));
  }
  folders_.insert(folder);
  return {};
}

Status SimulatedFiles::sync_folder(const std::string& folder) {
  std::unique_lock lock(mutex_);
  bool dying = false;
  TRY(enter("fsync " + folder, &dying));
  if (dying) return down();
  keep_names(folder);
  return {};
}

void SimulatedFiles::keep_names(const std::string& folder) {
  std::erase_if(durable_names_, [&](const auto& entry) {
    return is_child(entry.first, folder) && !names_.contains(entry.first);
  });
  for (const auto& [path, node] : names_) {
    if (is_child(path, folder)) durable_names_[path] = node;
  }
}

class SimulatedFiles::WholeDisk final : public Disk {
 public:
  WholeDisk(SimulatedFiles& owner, std::string folder)
      : owner_(owner), folder_(std::move(folder)) {}

  Status sync() override {
    std::unique_lock lock(owner_.mutex_);
    bool dying = false;
    TRY(owner_.enter("syncfs " + folder_, &dying));
    if (dying) return down();
    for (const auto& [path, node] : owner_.names_) node->durable = node->content;
    owner_.durable_names_ = owner_.names_;
    return {};
  }

 private:
  SimulatedFiles& owner_;
  const std::string folder_;
};

Result<std::unique_ptr<Disk>> SimulatedFiles::open_disk(const std::string& folder) {
  std::unique_lock lock(mutex_);
  if (crashed_) return down();
  return std::make_unique<WholeDisk>(*this, folder);
}

Result<std::unique_ptr<FileLock>> SimulatedFiles::lock_folder(const std::string& folder) {
  std::unique_lock lock(mutex_);
  if (crashed_) return down();
  if (!locked_.insert(folder).second) {
    return error(Code::kFailedPrecondition,
                 "data folder " + folder + " is in use by another process");
  }
  return std::make_unique<Lock>(*this, folder);
}

}  // namespace tailrace::rt
