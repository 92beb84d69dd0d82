// The catalogue: every family's functions, and the search by name.
#include "engine/functions/registry.h"

#include <unordered_map>

#include "base/check.h"

namespace tailrace::engine {
namespace {

struct Catalogue {
  Functions functions;
  std::unordered_map<std::string_view, const Function*> by_name;
  std::vector<FunctionInfo> infos;

  Catalogue() {
    add_arithmetic(functions);
    add_comparison(functions);
    add_logic(functions);
    add_conditional(functions);
    add_from_json(functions);
    add_strings(functions);
    add_letter_case(functions);
    add_dates(functions);
    add_windows(functions);
    add_json(functions);
    add_to_json(functions);
    add_math(functions);
    add_pattern(functions);
    add_epochs(functions);
    add_collections(functions);
    add_arrays(functions);
    add_sequences(functions);
    add_maps(functions);
    add_lambdas(functions);
    add_more_strings(functions);
    add_format_string(functions);
    add_regex(functions);
    add_hashes(functions);
    add_encodings(functions);
    add_charsets(functions);
    add_trigonometry(functions);
    add_bits(functions);
    add_date_formats(functions);
    add_date_units(functions);
    for (const Function& function : functions) {
      CHECK(by_name.emplace(function.info.name, &function).second);
      for (const std::string& alias : function.aliases)
        CHECK(by_name.emplace(alias, &function).second);
      infos.push_back(function.info);
    }
  }
};

const Catalogue& catalogue() {
  static const Catalogue made;
  return made;
}

}  // namespace

const Function* find_function(std::string_view name) {
  const auto& names = catalogue().by_name;
  const auto found = names.find(name);
  return found == names.end() ? nullptr : found->second;
}

std::span<const FunctionInfo> function_catalogue() {
  return catalogue().infos;
}

Result<BoundFunction> bind_function(const std::string& name, std::span<const Type> args,
                                    std::span<const std::shared_ptr<arrow::Scalar>> constants) {
  const Function* function = find_function(name);
  if (!function) {
    return error(Code::kNotFound, "[UNRESOLVED_ROUTINE] Cannot resolve routine `" + name +
                                      "` on search path [`system`.`builtin`, `system`.`session`].");
  }
  return function->bind(BindCall{name, args, constants});
}

}  // namespace tailrace::engine
