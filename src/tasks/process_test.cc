// Real children: their output, ends, limits, and that nothing of them stays.
#include "tasks/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

namespace tailrace::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct Run {
  Ended ended;
  std::vector<std::string> lines;
};

Run run(Command command, std::stop_token stop = {}) {
  Run run;
  command.environment.try_emplace("PATH", "/usr/bin:/bin");
  const auto ended = run_process(
      command, [&](std::string_view line) { run.lines.emplace_back(line); }, stop);
  EXPECT_TRUE(ended) << ended.error().what;
  if (ended) run.ended = *ended;
  return run;
}

Command shell(const std::string& script) {
  return {.arguments = {"bash", "-c", script}};
}

bool is_alive(pid_t pid) {
  return kill(pid, 0) == 0;
}

TEST(Process, output_and_errors_come_by_lines_and_the_exit_code_in_the_end) {
  const auto done = run(shell("echo one; printf 'two\\nthree' >&2; exit 7"));
  EXPECT_THAT(done.lines, ElementsAre("one", "two", "three"));
  EXPECT_EQ(done.ended.code, 7);
  EXPECT_EQ(done.ended.signal, 0);
}

TEST(Process, a_long_line_comes_in_pieces_and_nothing_of_it_is_lost) {
  const auto done = run(shell("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo end"));
  std::size_t bytes = 0;
  for (const auto& line : done.lines) {
    EXPECT_LE(line.size(), 96U << 10);
    bytes += line.size();
  }
  EXPECT_EQ(bytes, 1'000'003U);
  EXPECT_EQ(done.lines.back(), "end");
}

TEST(Process, it_has_the_environment_that_was_said_and_no_other) {
  ::setenv("TAILRACE_PROCESS_TEST", "leaks", 1);
  auto command = shell("echo [$GIVEN] [$TAILRACE_PROCESS_TEST]");
  command.environment["GIVEN"] = "a b";
  EXPECT_THAT(run(command).lines, ElementsAre("[a b] []"));
}

TEST(Process, input_goes_in_and_output_comes_out_at_once) {
  auto command = shell("cat | tr a-z A-Z");
  command.input = std::string(200'000, 'a') + "\n";
  std::string all;
  for (const auto& line : run(command).lines) all += line;
  EXPECT_EQ(all, std::string(200'000, 'A'));
}

TEST(Process, what_it_asks_is_answered_in_its_order) {
  auto command = shell(
      "for i in 1 2 3; do echo \"ask $i\" >&3; read -u 4 answer; echo \"$answer\"; done; echo last "
      ">&3");
  std::vector<std::string> asked;
  command.serve = [&](std::string_view request) {
    asked.emplace_back(request);
    return "answer to " + asked.back();
  };
  EXPECT_THAT(run(command).lines,
              ElementsAre("answer to ask 1", "answer to ask 2", "answer to ask 3"));
  EXPECT_THAT(asked, ElementsAre("ask 1", "ask 2", "ask 3", "last"));
}

TEST(Process, a_request_without_end_kills_it) {
  auto command = shell("cat /dev/zero >&3");
  command.serve = [](std::string_view) { return ""; };
  command.most_request_bytes = 1 << 20;
  const auto done = run(command);
  EXPECT_TRUE(done.ended.asked_too_much);
  EXPECT_EQ(done.ended.signal, SIGKILL);
}

TEST(Process, one_that_does_not_read_its_input_ends_all_the_same) {
  auto command = shell("exit 0");
  command.input = std::string(1 << 20, 'a');
  ::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(run(command).ended.code, 0);
}

TEST(Process, a_timeout_asks_first_and_then_kills) {
  auto polite = shell("trap 'echo bye; exit 3' TERM; echo up; while true; do sleep 0.05; done");
  polite.timeout = std::chrono::milliseconds(500);
  auto left = run(polite);
  // Again on a machine so slow that it was asked before it had begun.
  while (left.lines.empty()) left = run(polite);
  EXPECT_TRUE(left.ended.timed_out);
  EXPECT_EQ(left.ended.code, 3);
  EXPECT_EQ(left.lines.back(), "bye");

  auto deaf = shell("trap '' TERM; echo up; while true; do sleep 0.05; done");
  deaf.timeout = std::chrono::milliseconds(300);
  deaf.grace = std::chrono::milliseconds(100);
  left = run(deaf);
  while (left.lines.empty()) left = run(deaf);
  EXPECT_EQ(left.ended.signal, SIGKILL);
}

TEST(Process, a_stop_reaches_what_it_started) {
  std::stop_source stop;
  std::vector<std::string> lines;
  const Command command{.arguments = {"bash", "-c", "sleep 1000 & echo $!; wait"},
                        .environment = {{"PATH", "/usr/bin:/bin"}}};
  std::jthread stopper;
  const auto ended = run_process(
      command,
      [&](std::string_view line) {
        lines.emplace_back(line);
        stopper = std::jthread([&] { stop.request_stop(); });
      },
      stop.get_token());
  ASSERT_TRUE(ended);
  EXPECT_TRUE(ended->stopped);
  const auto pid = static_cast<pid_t>(std::stol(lines.at(0)));
  for (int i = 0; i < 500 && is_alive(pid); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(is_alive(pid));
}

TEST(Process, what_it_left_in_the_background_goes_with_it) {
  const auto done = run(shell("sleep 1000 & echo $!"));
  const auto pid = static_cast<pid_t>(std::stol(done.lines.at(0)));
  for (int i = 0; i < 500 && is_alive(pid); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_FALSE(is_alive(pid));
}

TEST(Process, memory_beyond_its_limit_is_refused_to_it) {
  Command command{.arguments = {"python3", "-c", "b'x' * (600 << 20)"}};
  command.memory_bytes = 400 << 20;
  const auto done = run(command);
  EXPECT_NE(done.ended.code, 0);
  EXPECT_THAT(done.lines.back(), HasSubstr("MemoryError"));
}

TEST(Process, a_session_that_uses_more_memory_than_it_may_is_killed) {
  // A child of the shell has it, and lives on with it.
  auto command =
      shell("python3 -c \"held = b'x' * (200 << 20); import time; time.sleep(60)\" & wait");
  command.limits.memory_bytes = 100 << 20;
  const auto done = run(command);
  EXPECT_EQ(done.ended.beyond, Limit::kMemory);
  EXPECT_EQ(done.ended.signal, SIGKILL);
}

TEST(Process, memory_of_files_is_not_its_own) {
  auto command = shell(
      "head -c 200000000 /dev/zero > $FILE; python3 -c \"import mmap, os, sys, time\n"
      "whole = mmap.mmap(os.open(sys.argv[1], os.O_RDONLY), 0, prot=mmap.PROT_READ)\n"
      "sum(whole[0:len(whole):4096]); time.sleep(1)\" $FILE; rm $FILE");
  command.environment["FILE"] = testing::TempDir() + "mapped-" + std::to_string(getpid());
  command.limits.memory_bytes = 100 << 20;
  EXPECT_EQ(run(command).ended.beyond, Limit::kNone);
}

TEST(Process, a_session_that_computes_longer_than_it_may_is_killed) {
  auto command = shell("(while :; do :; done) & wait");
  command.limits.processor_time = std::chrono::milliseconds(300);
  const auto done = run(command);
  EXPECT_EQ(done.ended.beyond, Limit::kProcessorTime);
}

TEST(Process, a_session_of_too_many_processes_is_killed_with_groups_that_it_made) {
  auto command = shell("set -m; for i in 1 2 3 4 5 6 7 8; do sleep 1000 & echo $!; done; wait");
  command.limits.processes = 5;
  const auto done = run(command);
  EXPECT_EQ(done.ended.beyond, Limit::kProcesses);
  ASSERT_FALSE(done.lines.empty());
  for (const auto& line : done.lines) {
    const auto pid = static_cast<pid_t>(std::stol(line));
    for (int i = 0; i < 500 && is_alive(pid); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_FALSE(is_alive(pid));
  }
}

TEST(Process, it_has_as_many_files_as_it_may) {
  auto command = shell("ulimit -Sn; ulimit -Hn");
  command.limits.open_files = 100;
  EXPECT_THAT(run(command).lines, ElementsAre("100", "100"));
}

TEST(Process, limits_that_are_kept_change_nothing) {
  auto command = shell("sleep 0.6; echo done");
  command.limits = {.memory_bytes = 100 << 20,
                    .processor_time = std::chrono::seconds(10),
                    .processes = 10,
                    .open_files = 100};
  const auto done = run(command);
  EXPECT_EQ(done.ended.beyond, Limit::kNone);
  EXPECT_THAT(done.lines, ElementsAre("done"));
}

TEST(Process, one_that_cannot_be_started_says_what_and_why) {
  const auto nothing = [](std::string_view) {};
  EXPECT_THAT(run_process({.arguments = {"no-such-program"}}, nothing, {}).error().what,
              HasSubstr("no-such-program: no such program in PATH"));
  EXPECT_THAT(run_process({.arguments = {"/etc/passwd"}}, nothing, {}).error().what,
              HasSubstr("/etc/passwd: Permission denied"));
  EXPECT_THAT(
      run_process({.arguments = {"/bin/true"}, .folder = "/no/such"}, nothing, {}).error().what,
      HasSubstr("/no/such: No such file"));
}

TEST(Process, what_a_killed_program_left_is_found_by_its_environment) {
  // It ends when the one that it leaves is out of its session.
  auto command = shell("read pid < <(exec setsid bash -c 'echo $$; exec sleep 1000'); echo $pid");
  command.environment["TAILRACE_LEFT"] = "behind-1";
  const auto done = run(command);
  const auto pid = static_cast<pid_t>(std::stol(done.lines.at(0)));
  EXPECT_TRUE(is_alive(pid));
  EXPECT_EQ(kill_left_behind("TAILRACE_LEFT", "behind"), 0);
  EXPECT_GE(kill_left_behind("TAILRACE_LEFT", "behind-1"), 1);
}

}  // namespace
}  // namespace tailrace::tasks
