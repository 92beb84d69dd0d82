// /proc/net/tcp{,6} names the listening socket's inode; /proc/PID/fd/* links to socket:[INODE].
#include "net/port_owner.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace tailrace::net {
namespace {

namespace fs = std::filesystem;

/// The inode of the socket listening on `port` in one of /proc/net's tables; "" when there is none.
std::string listening_inode(const char* table, std::uint16_t port) {
  constexpr const char* kListen = "0A";
  std::ifstream in(table);
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line)) {
    std::istringstream words(line);
    std::string slot, local, remote, state, queues, timer, retransmits, uid, timeout, inode;
    words >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> uid >> timeout >>
        inode;
    if (state == kListen && local.ends_with(fmt::format(":{:04X}", port))) return inode;
  }
  return "";
}

bool holds_socket(const fs::path& process, const std::string& link) {
  std::error_code failed;
  for (fs::directory_iterator fd(process / "fd", failed), end; !failed && fd != end;
       fd.increment(failed)) {
    std::error_code unreadable;
    if (fs::read_symlink(fd->path(), unreadable) == link) return true;
  }
  return false;
}

}  // namespace

std::string port_owner(std::uint16_t port) {
  auto inode = listening_inode("/proc/net/tcp", port);
  if (inode.empty()) inode = listening_inode("/proc/net/tcp6", port);
  if (inode.empty()) return "";
  auto link = "socket:[" + inode + "]";
  std::error_code failed;
  for (fs::directory_iterator process("/proc", failed), end; !failed && process != end;
       process.increment(failed)) {
    auto pid = process->path().filename().string();
    if (pid.find_first_not_of("0123456789") != pid.npos) continue;
    if (!holds_socket(process->path(), link)) continue;
    std::string name;
    std::ifstream comm(process->path() / "comm");
    std::getline(comm, name);
    return fmt::format(" by {}, pid {}", name.empty() ? "a program" : name, pid);
  }
  return "";
}

}  // namespace tailrace::net
