# Standalone Asio ships neither a CMake config nor a pkg-config file.  Defines Asio::asio.
find_path(Asio_INCLUDE_DIR asio.hpp)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Asio REQUIRED_VARS Asio_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install libasio-dev")
if(Asio_FOUND AND NOT TARGET Asio::asio)
  add_library(Asio::asio INTERFACE IMPORTED)
  target_include_directories(Asio::asio SYSTEM INTERFACE "${Asio_INCLUDE_DIR}")
  target_link_libraries(Asio::asio INTERFACE Threads::Threads)
  target_compile_definitions(Asio::asio INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_SEPARATE_COMPILATION
    # Asio finds this out from whatever was included before it, so that one file would allocate what another one frees.
    ASIO_HAS_STD_ALIGNED_ALLOC=1)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Asio 1.22 does not know the coroutines of clang 15 and later.
    target_compile_definitions(Asio::asio INTERFACE ASIO_HAS_CO_AWAIT=1 ASIO_HAS_STD_COROUTINE=1)
  endif()
endif()
