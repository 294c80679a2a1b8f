// Asio's own code, compiled once (ASIO_SEPARATE_COMPILATION): every other file of this floor compiles in 5 s instead
// of 7.
#include <asio/impl/src.hpp>
