# Run at build time: types from the API's spec, npm packages, vite build, then the files as assembler and a table.
function(run what)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${ROOT}/web RESULT_VARIABLE failed
                  OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(failed)
    message(FATAL_ERROR "${what} failed:\n${output}")
  endif()
endfunction()

if(NODE)
  run("tools/gen_api_types.py" ${PYTHON} ${ROOT}/tools/gen_api_types.py)
  set(installed ${ROOT}/web/node_modules/.package-lock.json)
  if(NOT EXISTS ${installed} OR ${ROOT}/web/package-lock.json IS_NEWER_THAN ${installed})
    get_filename_component(node_folder ${NODE} DIRECTORY)
    find_program(NPM npm HINTS ${node_folder} REQUIRED)
    set(ENV{PATH} "${node_folder}:$ENV{PATH}")
    run("npm ci" ${NPM} ci --no-audit --no-fund)
    file(TOUCH ${installed})
  endif()
  run("vite build" ${NODE} node_modules/vite/bin/vite.js build --outDir ${DIST} --emptyOutDir)
else()
  file(WRITE ${DIST}/index.html "<!doctype html><title>Tailrace</title><p>Built without node: only the API is here.")
endif()

file(GLOB_RECURSE files RELATIVE ${DIST} ${DIST}/*)
set(assembler "    .section .rodata\n")
set(externs "")
set(rows "")
set(n 0)
foreach(file ${files})
  string(APPEND assembler "    .global web_asset_${n}_begin\n    .global web_asset_${n}_end\nweb_asset_${n}_begin:\n"
         "    .incbin \"${DIST}/${file}\"\nweb_asset_${n}_end:\n    .byte 0\n")
  string(APPEND externs "extern const char web_asset_${n}_begin[];\nextern const char web_asset_${n}_end[];\n")
  string(APPEND rows "    {\"/${file}\", web_asset_${n}_begin, web_asset_${n}_end},\n")
  math(EXPR n "${n} + 1")
endforeach()
string(APPEND assembler "    .section .note.GNU-stack,\"\",@progbits\n")
file(WRITE ${EMBED}/assets.S "${assembler}")
file(WRITE ${EMBED}/assets_table.cc "// Written by cmake/build_web.cmake.
#include \"console/assets.h\"

extern \"C\" {
${externs}}

namespace tailrace::console {

std::span<const Asset> assets() {
  static const Asset kAssets[] = {
${rows}  };
  return kAssets;
}

}  // namespace tailrace::console
")
