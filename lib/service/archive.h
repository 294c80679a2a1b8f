// Archive: rings as they were. Their definitions come from the store; the placements are built when somebody asks, and
// a few are kept.
//
// Threads: each belongs to one.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "service/published.h"
#include "service/rings.h"
#include "service/store.h"

namespace chash::service {

class Archive {
 public:
  Archive(Store& store, const Published<Rings>& published) : store_(store), published_(published) {}

  // The ring as it is, at this epoch, or at this time (RFC 3339); not both.
  // Errors: not_found (the ring, or an epoch that is not known), invalid_argument, storage_failed.
  Result<std::shared_ptr<const Snapshot>> ring(const std::string& name, std::optional<std::uint64_t> epoch = {},
                                               const std::string& at = {});

  Store& store() { return store_; }

 private:
  Result<std::shared_ptr<const Snapshot>> build(const std::string& name, std::uint64_t epoch);
  void keep(std::shared_ptr<const Snapshot> snapshot);

  Store& store_;
  const Published<Rings>& published_;
  std::list<std::shared_ptr<const Snapshot>> kept_;  // those asked for last are first
};

}  // namespace chash::service
