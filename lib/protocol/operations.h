// Every operation that a client can ask for: its request and its response, once. This is the vocabulary of chash.
//
// To add one: a struct here with `info`, `Request`, `Response`; its name in `Operations`; a handler in
// service/handlers.h (a missing one does not compile); a command in apps/chash that prints it; a line in the manual
// (a test looks). The wire, HTTP, OpenAPI, access checks and the client follow from this file.
//
// Names and meanings on the wire are promises: fields may be added, never renamed or renumbered. One that is added to a
// response is optional, since a client may be newer than the daemon.
#pragma once

#include <array>
#include <cstddef>
#include <tuple>
#include <type_traits>
#include <variant>

#include "protocol/daemon_operations.h"
#include "protocol/history_operations.h"
#include "protocol/lookup_operations.h"
#include "protocol/node_operations.h"
#include "protocol/pin_operations.h"
#include "protocol/plan_operations.h"
#include "protocol/ring_operations.h"
#include "protocol/watch_operations.h"

namespace chash::protocol {

using Operations =
    std::tuple<GetNode, GetNodes, Explain, ListNodes, AddNodes, RemoveNodes, AlterNodes, ReplaceNode, PinKeys,
               UnpinKeys, RingCreate, RingList, RingShow, RingCopy, RingDelete, RingSet, PlanChange, ApplyChange,
               RollBack, Diff, History, Watch, Blame, WhatIf, Status, Ping, Reload, SetLogLevel>;

// Rows of the table in the order of Operations; AnyRequest::index() is the row's number.
inline constexpr auto operation_table = []<class... Op>(std::type_identity<std::tuple<Op...>>) {
  return std::array<OperationInfo, sizeof...(Op)>{Op::info...};
}(std::type_identity<Operations>{});

namespace detail {
template <class>
struct Variants;
template <class... Op>
struct Variants<std::tuple<Op...>> {
  using Request = std::variant<typename Op::Request...>;
  using Response = std::variant<typename Op::Response...>;
};
}  // namespace detail

// The operation whose request this is.
template <class Request, class List>
struct OperationOf;
template <class Request, class... Op>
struct OperationOf<Request, std::tuple<Op...>> {
  template <class T>
  static auto pick() {
    if constexpr (std::is_same_v<typename T::Request, Request>) return std::tuple<T>();
    else return std::tuple<>();
  }
  using Type = std::tuple_element_t<0, decltype(std::tuple_cat(pick<Op>()...))>;
};

// Its row.
template <class Op>
inline constexpr std::size_t row_of = []<class... Other>(std::type_identity<std::tuple<Other...>>) {
  std::size_t row = 0;
  (void)((std::is_same_v<Op, Other> || (++row, false)) || ...);
  return row;
}(std::type_identity<Operations>{});

using AnyRequest = detail::Variants<Operations>::Request;
using AnyResponse = detail::Variants<Operations>::Response;

inline const OperationInfo& info(const AnyRequest& request) { return operation_table[request.index()]; }

}  // namespace chash::protocol
