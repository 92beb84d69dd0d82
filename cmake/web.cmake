# The page: web/ built by Vite into the build folder and embedded by the assembler as the library tailrace_web.
# Node is the machine's, or the one ./dev unpacks into build/deps/node. Without it the binary holds a page that says so.
find_program(TAILRACE_NODE node HINTS ${CMAKE_SOURCE_DIR}/build/deps/node/bin)
find_package(Python3 REQUIRED COMPONENTS Interpreter)
set(web_dist ${CMAKE_BINARY_DIR}/web)
set(web_embed ${CMAKE_BINARY_DIR}/web_embed)
file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/src/* ${CMAKE_SOURCE_DIR}/web/*.ts
     ${CMAKE_SOURCE_DIR}/web/*.json ${CMAKE_SOURCE_DIR}/web/index.html)
list(FILTER web_sources EXCLUDE REGEX "types\\.gen\\.ts$")
if(NOT TAILRACE_NODE)
  message(WARNING "node was not found: the control centre's page will be missing (its API works)")
endif()
add_custom_command(
  OUTPUT ${web_embed}/assets.S ${web_embed}/assets_table.cc
  COMMAND ${CMAKE_COMMAND} -DNODE=${TAILRACE_NODE} -DPYTHON=${Python3_EXECUTABLE} -DROOT=${CMAKE_SOURCE_DIR}
          -DDIST=${web_dist} -DEMBED=${web_embed} -P ${CMAKE_SOURCE_DIR}/cmake/build_web.cmake
  DEPENDS ${web_sources} ${CMAKE_SOURCE_DIR}/spec/console-api.yml ${CMAKE_SOURCE_DIR}/tools/gen_api_types.py
          ${CMAKE_SOURCE_DIR}/cmake/build_web.cmake
  COMMENT "Building the page" VERBATIM)
add_library(tailrace_web STATIC ${web_embed}/assets.S ${web_embed}/assets_table.cc)
target_include_directories(tailrace_web PRIVATE ${CMAKE_SOURCE_DIR}/src)
target_link_libraries(tailrace_web PUBLIC tailrace_base)
