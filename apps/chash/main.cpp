// chash(1): asks chashd which node is responsible for a key, and changes its rings.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>

#include "run.h"

namespace {

// A descriptor 0, 1 or 2 that is closed would become our socket, and output would go to the daemon. In its place stands
// one on which every read or write fails.
void reserve_standard_descriptors() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor)
    if (::fcntl(descriptor, F_GETFD) < 0) ::open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY);
}

}  // namespace

int main(int argc, char** argv) {
  reserve_standard_descriptors();
  try {
    return chash::cli::run({argv + 1, argv + argc}, [](const char* name) -> const char* { return std::getenv(name); });
  } catch (const std::exception& error) {
    return chash::cli::report(chash::make_error(chash::Errc::internal, error.what()), {});
  }
}
