// Who owns a key by the seed's rule, with nothing of lib/chash in it: MD5 as its RFC has it, a map, and a search.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "chash/naive.h"

namespace chash::e2e {

class Oracle {
 public:
  explicit Oracle(const std::vector<std::string>& nodes) {
    for (const std::string& node : nodes)
      for (int i = 0; i < 100; ++i) points_.emplace(test::naive_md5(node + ":" + std::to_string(i)), node);
  }
  const std::string& owner(std::string_view key) const { return owner(test::naive_md5(key)); }
  const std::string& owner(Token token) const {
    const auto after = points_.upper_bound(token);
    return (after == points_.end() ? points_.begin() : after)->second;
  }

 private:
  std::map<Token, std::string> points_;
};

}  // namespace chash::e2e
