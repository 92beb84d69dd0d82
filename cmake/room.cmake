# room(NAME DEPS a b … LIBS x y …): the static library tailrace_NAME of every .cc of the folder, and one test
# binary NAME_test of every *_test.cc. DEPS are rooms on strictly lower floors (tools/tidy.py checks it). COLD: no record
# goes through it, it waits for people, processes and databases; optimised a little, it compiles in three quarters of
# the time (Release optimises all alike).
find_package(GTest REQUIRED)
add_library(tailrace_test_main STATIC ${CMAKE_CURRENT_LIST_DIR}/test_main.cc)
target_compile_definitions(tailrace_test_main PRIVATE TAILRACE_SOURCE_FOLDER="${CMAKE_SOURCE_DIR}")
target_link_libraries(tailrace_test_main PUBLIC GTest::gtest GTest::gmock)

# Files that disturb each other in nothing are compiled together, which takes a third of the time for all; for a single
# change apart is quicker. tools/together.py says which go together.
option(TAILRACE_TOGETHER "compile many files at a time: for a build of everything" OFF)
set(TAILRACE_TOGETHER_MOST 16)
if(TAILRACE_TOGETHER)
  add_compile_options(-Wno-subobject-linkage)  # it takes what is included for a header
  # More is inlined, and what the optimiser then warns of differs by version: g++ 12's is looked at, others' is shown.
  if(NOT CMAKE_CXX_COMPILER_VERSION MATCHES "^12\\.")
    add_compile_options(-Wno-error)
  endif()
endif()

# compiled_together(LIST NAME): in its place files that include those of the list.
function(compiled_together list name)
  if(TAILRACE_TOGETHER AND ${list})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tools/together.py)
    execute_process(
      COMMAND python3 ${CMAKE_SOURCE_DIR}/tools/together.py ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/together
              ${name} ${TAILRACE_TOGETHER_MOST} ${${list}}
      OUTPUT_VARIABLE together COMMAND_ERROR_IS_FATAL ANY)
    set(${list} ${together} PARENT_SCOPE)
  endif()
endfunction()

function(room name)
  cmake_parse_arguments(ROOM "COLD" "" "DEPS;LIBS;TEST_LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "*.cc")
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_(test|bench)|/main)\\.cc$")
  compiled_together(sources ${name})
  compiled_together(tests ${name}_test)
  if(sources)
    add_library(tailrace_${name} STATIC ${sources})
    set(scope PUBLIC)
  else()
    add_library(tailrace_${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  if(ROOM_COLD)
    target_compile_options(tailrace_${name} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O1>)
  endif()
  target_include_directories(tailrace_${name} ${scope} ${CMAKE_SOURCE_DIR}/src)
  foreach(dep ${ROOM_DEPS})
    target_link_libraries(tailrace_${name} ${scope} tailrace_${dep})
  endforeach()
  target_link_libraries(tailrace_${name} ${scope} ${ROOM_LIBS} Threads::Threads)
  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE tailrace_${name} ${ROOM_TEST_LIBS} tailrace_test_main GTest::gtest GTest::gmock)
    add_test(NAME ${name}_test COMMAND ${name}_test WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  endif()
endfunction()
