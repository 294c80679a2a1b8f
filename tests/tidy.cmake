# Refuses what the house does not want in its C++, one line per offence:  cmake -D ROOT=… -P tidy.cmake
#
# The rules see text, not C++: they are simple, and a comment or a string can trip them. Reword it then.
# First the rules are tried on texts that break them, so that a rule which no longer finds anything is noticed.

cmake_minimum_required(VERSION 3.25)

# A floor includes itself and the floors to its left.
set(floors chash protocol service store net)

# Headers that take seconds to parse stay in .cpp files, so that nobody else waits for them. The exceptions are headers
# that only .cpp files of their own part include:
set(heavy_header_exceptions
  "lib/protocol/record_json\\.h"  # templates over nlohmann's documents
  "lib/net/(connection|http_routes|http_session|line_session|listener|wait_for)\\.h"  # coroutines: Asio is in their types
  "lib/service/log_sinks\\.h"     # its classes derive from spdlog's
  "tests/.*\\.h")                 # whoever includes these includes doctest, too
list(JOIN heavy_header_exceptions "|" heavy_header_exceptions)
set(heavy_headers "nlohmann/json\\.hpp|asio\\.hpp|asio/|CLI/|spdlog/|toml\\+\\+/")

# Third-party libraries that one floor alone knows; its tests may look behind it.
set(asio_home "^(lib|tests)/net/")
set(sqlite_home "^(lib|tests)/store/")
set(llhttp_home "^(lib|tests)/net/")

string(ASCII 128 first_continuation)
string(ASCII 191 last_continuation)
string(REPEAT "[^\n]" 121 longer_than_120)

# One offence for every match of `regex`, whose first character may be the newline before the line that it is about.
function(refuse path content regex why)
  set(line 0)
  while(content MATCHES "${regex}")
    set(match "${CMAKE_MATCH_0}")
    string(FIND "${content}" "${match}" at)
    string(SUBSTRING "${content}" 0 ${at} before)
    string(REGEX MATCHALL "\n" newlines "${before}")
    list(LENGTH newlines lines)
    math(EXPR line "${line} + ${lines}")
    set(shown ${line})
    if(match MATCHES "^\n")
      math(EXPR shown "${line} + 1")
    endif()
    set_property(GLOBAL APPEND_STRING PROPERTY offences "${path}:${shown}: ${why}\n")

    string(LENGTH "${match}" length)
    math(EXPR next "${at} + ${length}")
    string(REGEX MATCHALL "\n" newlines "${match}")
    list(LENGTH newlines lines)
    math(EXPR line "${line} + ${lines}")
    string(SUBSTRING "${content}" ${next} -1 content)
  endwhile()
endfunction()

function(check_includes path content)
  list(JOIN floors "|" any)
  if(path MATCHES "^(lib|tests)/(${any})/")
    set(part "${CMAKE_MATCH_1}")
    set(floor "${CMAKE_MATCH_2}")
    set(others "${floors}")
    foreach(allowed IN LISTS floors)
      list(REMOVE_ITEM others ${allowed})
      if(allowed STREQUAL floor)
        break()
      endif()
    endforeach()
    list(JOIN others "|" others)
    if(others)
      refuse("${path}" "${content}" "\n#include [<\"](${others})/" "${floor} includes a floor above it")
    endif()
    if(part STREQUAL "lib")
      string(REGEX REPLACE "#include \"(${any})/" "" other "${content}")
      refuse("${path}" "${other}" "\n#include \"" "an include in quotes starts with the name of a floor")
      if(floor MATCHES "^(chash|protocol)$")
        refuse("${path}" "${content}"
          "\n#include <(thread|mutex|shared_mutex|condition_variable|future|atomic|fstream|iostream|filesystem)>"
          "${floor} has no threads, locks, files or streams")
      endif()
    endif()
  endif()
  if(path MATCHES "^apps/chash/")
    refuse("${path}" "${content}" "\n#include \"(service|store)/" "the command line has no code of the daemon")
  endif()
  if(NOT path MATCHES "${asio_home}")
    refuse("${path}" "${content}" "\n#include <asio[./]" "only lib/net knows Asio")
  endif()
  if(NOT path MATCHES "${sqlite_home}")
    refuse("${path}" "${content}" "\n#include <sqlite3\\.h" "only lib/store knows SQLite")
  endif()
  if(NOT path MATCHES "${llhttp_home}")
    refuse("${path}" "${content}" "\n#include <llhttp" "only lib/net knows llhttp")
  endif()
  if(path MATCHES "\\.h$" AND NOT path MATCHES "^(${heavy_header_exceptions})$")
    refuse("${path}" "${content}" "\n#include <(${heavy_headers})" "a heavy header is included in a header")
  endif()
endfunction()

# g++ 12 destroys twice what is made inside an expression with co_await: lambdas that capture owning values, and
# aggregates made in braces. Both are safe once they have a name of their own.
function(check_coroutines path content)
  string(REGEX REPLACE "//[^\n]*" "" code "${content}")
  # Lambdas that capture only references and `this` are safe.
  string(REGEX REPLACE "\\[((&[^],]*|this)(, *(&[^],]*|this))*)?\\]" "()" code "${code}")
  refuse("${path}" "${code}" "co_await[^;{]*[(,= \n]\\[[^]]" "a lambda with owning captures inside a co_await expression")
  refuse("${path}" "${code}" "co_await[^;{]*([A-Za-z0-9_>(]|, *){" "an aggregate in braces inside a co_await expression")
  # It also mixes up frames where a co_await is part of a condition: `if (co_await a) co_await b;` crashes, and so do
  # its relatives with `while`, `&&`, `||` and `?`.
  refuse("${path}" "${code}" "(if|while|switch) \\([^;{)]*co_await|co_await[^;{]*(&&|\\|\\||[?])|(&&|\\|\\||[?])[^;{]*co_await"
    "a co_await inside a condition: name its result first")
endfunction()

function(check path text)
  set(content "\n${text}")
  check_includes("${path}" "${content}")
  if(content MATCHES "co_await")
    check_coroutines("${path}" "${content}")
  endif()
  if(path MATCHES "\\.h$" AND NOT content MATCHES "\n#pragma once\n")
    refuse("${path}" "${content}" "^\n" "a header has no #pragma once")
  endif()
  refuse("${path}" "${content}" "\t" "a tab")
  refuse("${path}" "${content}" "[ \r]\n" "blanks at the end of the line")
  string(REGEX REPLACE "[${first_continuation}-${last_continuation}]" "" columns "${content}")  # one byte a character
  refuse("${path}" "${columns}" "\n${longer_than_120}" "longer than 120 columns")
  string(CONCAT unfinished "TO" "DO|FIX" "ME|XX" "X")
  refuse("${path}" "${content}" "[^A-Za-z0-9_](${unfinished})[^A-Za-z0-9_]" "unfinished work is not noted in the code")
  # CTest's list of the cases is cut at these.
  refuse("${path}" "${content}" "\nTEST_CASE\\(\"[^\"\n]*[][;\\]" "the name of a test has a bracket, a semicolon or a backslash")
endfunction()

# --- The rules themselves -----------------------------------------------------------------------------------------------

function(expect wanted path text)
  set_property(GLOBAL PROPERTY offences "")
  check("${path}" "${text}")
  get_property(found GLOBAL PROPERTY offences)
  set_property(GLOBAL PROPERTY offences "")
  if((wanted STREQUAL "" AND found STREQUAL "") OR (NOT wanted STREQUAL "" AND found MATCHES "^[^\n]*${wanted}[^\n]*\n$"))
    return()
  endif()
  message(FATAL_ERROR "tidy.cmake itself is broken: expected '${wanted}' of\n${text}\nand found '${found}'")
endfunction()

set(guard "#pragma once\n")
expect("a.cpp:2: chash includes a floor above" "lib/chash/a.cpp" "#include \"chash/a.h\"\n#include \"protocol/json.h\"\n")
expect("a.h:3: service includes a floor above" "lib/service/a.h" "${guard}\n#include \"store/a.h\"\n")
expect("store includes a floor above" "tests/store/a.cpp" "#include <doctest/doctest.h>\n#include \"net/a.h\"\n")
expect("" "lib/net/a.cpp" "#include \"chash/a.h\"\n#include \"store/b.h\"\n#include \"net/c.h\"\n")
expect("" "tests/chash/a.cpp" "#include \"shared_material.h\"\n")
expect("a.cpp:1: an include in quotes" "lib/net/a.cpp" "#include \"client.h\"\n")
expect("chash has no threads" "lib/chash/a.cpp" "#include <mutex>\n")
expect("" "lib/service/a.cpp" "#include <mutex>\n")
expect("no code of the daemon" "apps/chash/a.cpp" "#include \"service/a.h\"\n")
expect("" "apps/chashd/a.cpp" "#include \"service/a.h\"\n")
expect("only lib/net knows Asio" "lib/service/a.cpp" "#include <asio/io_context.hpp>\n")
expect("only lib/net knows Asio" "apps/chashd/a.cpp" "#include <asio.hpp>\n")
expect("" "lib/net/a.cpp" "#include <asio/io_context.hpp>\n")
expect("only lib/store knows SQLite" "lib/net/a.cpp" "#include <sqlite3.h>\n")
expect("only lib/net knows llhttp" "lib/protocol/a.cpp" "#include <llhttp.h>\n")
expect("a.h:2: a heavy header" "lib/protocol/a.h" "${guard}#include <nlohmann/json.hpp>\n")
expect("" "lib/protocol/a.h" "${guard}#include <nlohmann/json_fwd.hpp>\n")
expect("" "lib/net/line_session.h" "${guard}#include <asio/awaitable.hpp>\n")
expect("a heavy header" "lib/net/access.h" "${guard}#include <asio/awaitable.hpp>\n")
expect("no #pragma once" "apps/chash/a.h" "int a();\n")
expect("a.cpp:2: a tab" "lib/chash/a.cpp" "int a;\n\tint b;\n")
expect("a.cpp:2: blanks" "lib/chash/a.cpp" "int a;\nint b;  \nint c;\n")
string(REPEAT "x" 120 widest)
expect("" "lib/chash/a.cpp" "${widest}\n")
expect("a.cpp:1: longer" "lib/chash/a.cpp" "x${widest}\n")
string(REPEAT "é" 120 widest)
expect("" "lib/chash/a.cpp" "${widest}\n")
expect("a.cpp:2: longer" "lib/chash/a.cpp" "\né${widest}\n")
expect("unfinished" "lib/chash/a.cpp" "// TO${empty}DO: later\n")
expect("" "lib/chash/a.cpp" "mkstemp(\"/tmp/aXXXXXX\")\n")
expect("the name of a test" "tests/chash/a.cpp" "TEST_CASE(\"a[0]\") {\n")
expect("a.cpp:2: a lambda" "lib/net/a.cpp" "// co_await f(A{});\nco_await f(1,\n  [text] { g(text); });\n")
expect("a lambda" "lib/net/a.cpp" "co_await f([&a, b] { g(a, b); });\n")
expect("" "lib/net/a.cpp" "auto [e, n] = co_await f([this, &a] { g(a[0]); }, b[0]);\nif (n) {\n")
expect("an aggregate" "lib/net/a.cpp" "co_await f(Point{1, 2});\n")
expect("an aggregate" "lib/net/a.cpp" "co_await f(a, {1, 2});\n")
foreach(condition IN ITEMS "if (co_await f()) co_await g()" "while (!co_await f()) g()" "const bool a = b && co_await f()"
    "co_return co_await f() ? 1 : 2" "co_return co_await f() || b")
  expect("a co_await inside a condition" "lib/net/a.cpp" "${condition};\n")
endforeach()
expect("" "lib/net/a.cpp" "if (a) co_await g(f(), b);\n")

# --- The code -----------------------------------------------------------------------------------------------------------

file(GLOB_RECURSE paths RELATIVE "${ROOT}"
  "${ROOT}/lib/*.h" "${ROOT}/lib/*.cpp" "${ROOT}/apps/*.h" "${ROOT}/apps/*.cpp" "${ROOT}/tests/*.h" "${ROOT}/tests/*.cpp")
list(LENGTH paths count)
if(count LESS 50)
  message(FATAL_ERROR "only ${count} files under '${ROOT}': is that the right place?")
endif()
foreach(path IN LISTS paths)
  file(READ "${ROOT}/${path}" text)
  check("${path}" "${text}")
endforeach()

get_property(offences GLOBAL PROPERTY offences)
if(offences)
  message(NOTICE "${offences}")
  message(FATAL_ERROR "the code is not tidy")
endif()
message(STATUS "${count} files are tidy")
