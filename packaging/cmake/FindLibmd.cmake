# libmd: MD5 without the weight of libcrypto.  Linked statically, so that the command line starts with no extra library.
# Defines Libmd::md.
find_path(Libmd_INCLUDE_DIR md5.h)
find_library(Libmd_LIBRARY NAMES libmd.a md)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libmd REQUIRED_VARS Libmd_LIBRARY Libmd_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "install libmd-dev")
if(Libmd_FOUND AND NOT TARGET Libmd::md)
  add_library(Libmd::md UNKNOWN IMPORTED)
  set_target_properties(Libmd::md PROPERTIES IMPORTED_LOCATION "${Libmd_LIBRARY}")
  target_include_directories(Libmd::md SYSTEM INTERFACE "${Libmd_INCLUDE_DIR}")
endif()
