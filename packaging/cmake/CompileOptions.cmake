# Flags that every target of this project shares.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)

add_library(chash_options INTERFACE)
target_include_directories(chash_options INTERFACE "${PROJECT_SOURCE_DIR}/lib")
target_compile_options(chash_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor -Wold-style-cast
  # Placement must be the same on every machine: no fused multiply-add behind our back.
  -ffp-contract=off
  -fstack-protector-strong)
# g++ 12 reports these on correct code inside std::string and coroutine frames (GCC bugs 105651, 105329, 101361).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(chash_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
# To clang, -Wconversion is about signs too; to g++ it is not.
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(chash_options INTERFACE -Wno-sign-conversion)
endif()
# TSan does not see fences, of which Asio has some, and g++ says so at each.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CHASH_SANITIZE MATCHES "thread")
  target_compile_options(chash_options INTERFACE -Wno-tsan)
endif()
if(CHASH_WERROR)
  target_compile_options(chash_options INTERFACE -Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT CHASH_SANITIZE)
  target_compile_definitions(chash_options INTERFACE _FORTIFY_SOURCE=2 _GLIBCXX_ASSERTIONS)
  target_link_options(chash_options INTERFACE -Wl,-z,relro,-z,now)
endif()
if(CHASH_SANITIZE)
  # Global, so that the C sources of llhttp are instrumented too.
  add_compile_options(-fsanitize=${CHASH_SANITIZE} -fno-omit-frame-pointer -g)
  add_link_options(-fsanitize=${CHASH_SANITIZE})
  if(CHASH_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
      add_compile_options(-fno-sanitize=vptr)  # it needs a descriptor at run time, and a test takes them all away
    endif()
  endif()
endif()
