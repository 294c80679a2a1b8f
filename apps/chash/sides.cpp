#include "sides.h"

#include "chash/profile.h"
#include "protocol/plan_report.h"

namespace chash::cli {

using protocol::RingShow;

Result<Side> make_side(std::string label, RingSpec spec) {
  auto placement = build(spec);
  if (!placement) return std::move(placement).error();
  return Side{std::move(label), 0, std::move(spec), std::move(*placement)};
}

Result<Side> fetch_side(const Run& run, const std::string& ring, std::optional<std::uint64_t> epoch,
                        const std::string& at) {
  auto shown = run.session.call<RingShow>({ring, false, epoch, at});
  if (!shown) return std::move(shown).error();
  const auto profile = parse_profile(shown->profile);
  if (!profile) return profile.error();
  if (profile->algorithm == Profile::Algorithm::balanced) {
    const std::uint64_t seen = shown->epoch;  // the next question is to be about just this one
    shown = run.session.call<RingShow>({ring, true, seen, {}});
    if (!shown) return std::move(shown).error();
  }
  std::vector<Node> nodes;
  for (const auto& node : shown->nodes) nodes.push_back({node.name, node.weight, node.fields_given, node.labels});
  auto pins = protocol::pins_of(shown->pins);
  if (!pins) return std::move(pins).error();
  auto side = make_side(ring, {shown->profile, std::move(nodes), SlotTable(shown->slots), shown->max_move.value_or(1),
                               PinList(std::move(*pins))});
  if (side) side->epoch = shown->epoch;
  if (side && hex(fingerprint(side->spec)) != shown->fingerprint)
    return make_error(Errc::internal, "the daemon places ring '" + ring + "' otherwise than this chash",
                      "see chash version: they are of different releases");
  return side;
}

}  // namespace chash::cli
