#include "lambda/package.h"

#include <elf.h>
#include <fmt/format.h>
#include <minizip/zip.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "yaml/file.h"

namespace tailrace::lambda {
namespace {

namespace fs = std::filesystem;

struct CloseZip {
  void operator()(void* zip) const { zipClose(zip, nullptr); }
};
using Zip = std::unique_ptr<void, CloseZip>;

constexpr unsigned kUnix = 3 << 8 | 20;   ///< who made it: its mode counts
constexpr unsigned kUtf8Names = 1 << 11;  ///< a flag of an entry
constexpr std::uint64_t kMostFile = 64 << 20;

Status add(void* zip, const PackageFile& file) {
  zip_fileinfo info{};
  info.tmz_date = {
      .tm_sec = 0, .tm_min = 0, .tm_hour = 0, .tm_mday = 1, .tm_mon = 0, .tm_year = 1980};
  info.external_fa = static_cast<uLong>(file.executable ? 0100755 : 0100644) << 16;
  const bool opened =
      zipOpenNewFileInZip4(zip, file.name.c_str(), &info, nullptr, 0, nullptr, 0, nullptr,
                           Z_DEFLATED, Z_BEST_COMPRESSION, 0, -MAX_WBITS, DEF_MEM_LEVEL,
                           Z_DEFAULT_STRATEGY, nullptr, 0, kUnix, kUtf8Names) == ZIP_OK;
  if (!opened ||
      zipWriteInFileInZip(zip, file.content.data(), static_cast<unsigned>(file.content.size())) !=
          ZIP_OK ||
      zipCloseFileInZip(zip) != ZIP_OK)
    return error(Code::kUnavailable, file.name + ": could not be written into the zip");
  return {};
}

Result<std::string> content_of(const fs::path& path) {
  std::error_code failed;
  const auto size = fs::file_size(path, failed);
  if (failed) return error(Code::kNotFound, path.string() + ": " + failed.message());
  if (size > kMostFile) return error(Code::kInvalidArgument, path.string() + " is over 64 MiB");
  std::ifstream in(path, std::ios::binary);
  std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) return error(Code::kUnavailable, path.string() + " cannot be read");
  return content;
}

Result<std::vector<PackageFile>> named_files(const yaml::File& file, const yaml::File::Entry& part,
                                             const std::string& project) {
  std::vector<PackageFile> found;
  ASSIGN(const auto items, file.items(part.value, "files", "files: [certs/ca.pem]"));
  for (const auto& item : items) {
    ASSIGN(const std::string name, file.text(item, "files"));
    const fs::path path = fs::path(name).lexically_normal();
    if (path.is_absolute() || path.empty() || *path.begin() == ".." || path == "bootstrap")
      return file.fail(item, "`files` are paths below the project's folder");
    ASSIGN(std::string content, content_of(fs::path(project) / path));
    found.push_back({.name = path.generic_string(), .content = std::move(content)});
  }
  return found;
}

}  // namespace

Result<std::string> architecture_of(std::string_view program) {
  Elf64_Ehdr head{};
  const auto none = [] {
    return error(Code::kInvalidArgument, "this is no 64-bit program for Linux");
  };
  if (program.size() < sizeof head) return none();
  std::memcpy(&head, program.data(), sizeof head);
  if (std::memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64)
    return none();
  for (std::size_t i = 0; i < head.e_phnum; ++i) {
    Elf64_Phdr part{};
    const std::uint64_t at = head.e_phoff + i * sizeof part;
    if (at > program.size() || program.size() - at < sizeof part) return none();
    std::memcpy(&part, program.data() + at, sizeof part);
    if (part.p_type == PT_INTERP)
      return error(Code::kInvalidArgument,
                   "this program needs shared libraries, which a function does not have: give the "
                   "static one, `bootstrap`, that the build leaves in build/src/lambda");
  }
  if (head.e_machine == EM_X86_64) return "x86_64";
  if (head.e_machine == EM_AARCH64) return "arm64";
  return error(Code::kInvalidArgument, "Lambda has x86_64 and arm64; this program is for neither");
}

Result<std::vector<PackageFile>> project_files(const std::string& project) {
  std::vector<PackageFile> files;
  const std::string path = (fs::path(project) / "tailrace.yml").string();
  if (!fs::exists(path)) return files;
  ASSIGN(const auto file, yaml::File::load(path));
  ASSIGN(const auto parts, file.entries(file.root, "tailrace.yml", "lambda: {…}"));
  for (const auto& part : parts) {
    if (part.key != "lambda") continue;
    YAML::Emitter out;
    out << YAML::BeginMap << YAML::Key << "lambda" << YAML::Value << part.value << YAML::EndMap;
    files.push_back({.name = "tailrace.yml", .content = std::string(out.c_str()) + "\n"});
    ASSIGN(const auto settings, file.entries(part.value, "lambda", "lambda: {topic: events}"));
    for (const auto& one : settings) {
      if (one.key != "files") continue;
      ASSIGN(const auto named, named_files(file, one, project));
      files.insert(files.end(), named.begin(), named.end());
    }
  }
  return files;
}

Result<PackageReport> write_package(const std::string& path,
                                    const std::vector<PackageFile>& files) {
  const std::string temporary = path + ".part";
  PackageReport report;
  {
    const Zip zip(zipOpen64(temporary.c_str(), APPEND_STATUS_CREATE));
    if (!zip) return error(Code::kUnavailable, temporary + " cannot be written");
    for (const PackageFile& file : files) {
      TRY(add(zip.get(), file));
      report.unzipped += file.content.size();
      report.files.push_back(file.name);
    }
  }
  std::error_code failed;
  fs::rename(temporary, path, failed);
  if (failed) return error(Code::kUnavailable, path + ": " + failed.message());
  report.zipped = fs::file_size(path, failed);
  return report;
}

std::string create_command(const std::string& zip, const std::string& architecture) {
  return fmt::format(
      "aws lambda create-function --function-name my-events --runtime provided.al2023 \\\n"
      "  --handler bootstrap --architectures {} --memory-size 128 --timeout 30 \\\n"
      "  --zip-file fileb://{} --role arn:aws:iam::ACCOUNT:role/ROLE \\\n"
      "  --environment 'Variables={{TAILRACE_KAFKA=BROKER:9092,TAILRACE_TOPIC=events}}'",
      architecture, zip);
}

std::string sam_template(const std::string& zip, const std::string& architecture) {
  constexpr std::string_view kTemplate = R"(AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Description: Events of AWS's services become records of a Kafka topic.

Parameters:
  Brokers: {{Type: String, Description: 'HOST:PORT,HOST:PORT of Kafka'}}
  Topic: {{Type: String, Default: 'events-{{source}}'}}
  QueueArn: {{Type: String}}
  StreamArn: {{Type: String}}

Resources:
  Events:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
      Architectures: [{architecture}]
      CodeUri: {zip}
      MemorySize: 128
      Timeout: 30
      # A broker in a VPC: VpcConfig with its subnets and a security group.
      Environment:
        Variables:
          TAILRACE_KAFKA: !Ref Brokers
          TAILRACE_TOPIC: !Ref Topic
      # Keep what is yours of these. Queues and streams need ReportBatchItemFailures: without it Lambda
      # does not read which items failed, and drops them.
      Events:
        Queue:
          Type: SQS
          Properties:
            Queue: !Ref QueueArn
            BatchSize: 100
            MaximumBatchingWindowInSeconds: 1
            FunctionResponseTypes: [ReportBatchItemFailures]
        Stream:
          Type: Kinesis
          Properties:
            Stream: !Ref StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 500
            BisectBatchOnFunctionError: true
            FunctionResponseTypes: [ReportBatchItemFailures]
        Bus:
          Type: EventBridgeRule
          Properties:
            Pattern: {{source: [my.application]}}
        Http:
          Type: HttpApi
          Properties: {{Path: /events, Method: post}}
)";
  return fmt::format(fmt::runtime(kTemplate), fmt::arg("zip", zip),
                     fmt::arg("architecture", architecture));
}

}  // namespace tailrace::lambda
