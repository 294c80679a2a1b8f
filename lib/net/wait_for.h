// wait_for(): a coroutine waits for a callback that another thread will call.
#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/post.hpp>
#include <asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <utility>

namespace chash::net {

// `start` gets a function to be called once, on any thread; the coroutine goes on with its argument on `executor`.
// Requires: `start` outlives the call; `executor`'s context outlives whoever calls back.
template <class T>
asio::awaitable<T> wait_for(asio::any_io_executor executor, const std::function<void(std::function<void(T)>)>& start) {
  auto initiate = [&executor, &start](auto handler) {
    // std::function wants something that can be copied; the handler can only be moved.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    start([shared, executor](T value) {
      asio::post(executor, [shared, value = std::move(value)]() mutable { std::move (*shared)(std::move(value)); });
    });
  };
  // Named, not written inside the co_await expression: g++ 12 destroys such lambdas twice.
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(T)>(initiate, asio::use_awaitable);
}

}  // namespace chash::net
