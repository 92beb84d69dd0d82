// A socket, with TLS over it or without: one stream type for Asio's and Beast's operations, so that
// a server or a client is written once. For the files of this room that already know Asio.
//
// Reads and writes wait for no handshake: call async_handshake first, which is done at once without
// TLS. The lower stream's own deadlines (beast::tcp_stream) hold for what goes through TLS too.
#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "net/tls.h"

namespace tailrace::net {

template <typename Lower>
class Secured {
 public:
  using executor_type = typename Lower::executor_type;
  using error_code = boost::system::error_code;

  /// Without TLS where `tls` is nullptr. A client's names the host that it wants to reach.
  Secured(Lower lower, const Tls* tls, const std::optional<std::string>& host = {})
      : lower_(std::move(lower)), side_(host ? Stream::client : Stream::server) {
    if (tls == nullptr) return;
    boost::asio::ssl::context context(tls->share());
    tls_.emplace(lower_, context);
    if (host) tls->aim(*tls_->native_handle(), *host);
  }
  Secured(const Secured&) = delete;
  Secured& operator=(const Secured&) = delete;

  executor_type get_executor() { return lower_.get_executor(); }
  Lower& lower() { return lower_; }
  bool secure() const { return tls_.has_value(); }
  ssl_st* handle() { return tls_->native_handle(); }

  template <typename Token>
  auto async_handshake(Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code)>(
        [this](auto handler) {
          if (tls_) return tls_->async_handshake(side_, std::move(handler));
          boost::asio::post(lower_.get_executor(), [handler = std::move(handler)]() mutable {
            std::move(handler)(error_code());
          });
        },
        token);
  }

  /// Says goodbye, and waits for the other side's.
  template <typename Token>
  auto async_shutdown(Token&& token) {
    return tls_->async_shutdown(std::forward<Token>(token));
  }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, const Buffers& into) {
          if (tls_) return tls_->async_read_some(into, std::move(handler));
          lower_.async_read_some(into, std::move(handler));
        },
        token, buffers);
  }

  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    return boost::asio::async_initiate<Token, void(error_code, std::size_t)>(
        [this](auto handler, const Buffers& from) {
          if (tls_) return tls_->async_write_some(from, std::move(handler));
          lower_.async_write_some(from, std::move(handler));
        },
        token, buffers);
  }

 private:
  using Stream = boost::asio::ssl::stream<Lower&>;
  Lower lower_;
  typename Stream::handshake_type side_;
  std::optional<Stream> tls_;
};

}  // namespace tailrace::net
