// AdminServer: a real server on an ephemeral port with a handler of the test's; `api` makes one that answers with
// made-up reports.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "proxy/net/event_loops.h"
#include "proxy/net/server.h"
#include "storage/blocking_pool.h"
#include "tests/proxy/admin/api_fixture.h"

namespace paddock::test {

class AdminServer {
 public:
  // `handlers_pool`: where the handler works; joined before the loops go.
  explicit AdminServer(Handler handler, BlockingPool* handlers_pool = nullptr)
      : handlers_pool_(handlers_pool), server_(loops_, pool_, {}, std::move(handler), [](const Exchange&) {}) {
    server_.listen("127.0.0.1:0").value();
    loops_.run();
    server_.start();
  }
  ~AdminServer() {
    server_.abort();
    loops_.stop();
    pool_.join();
    if (handlers_pool_ != nullptr) handlers_pool_->join();
  }
  explicit AdminServer(ApiFixture& fixture)
      : AdminServer([&fixture](const Request& request) { return fixture.api.handle(request); }, &fixture.pool) {}
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  [[nodiscard]] std::string url() const { return "http://" + server_.addresses().at(0); }

 private:
  EventLoops loops_{1};
  BlockingPool pool_{1};
  BlockingPool* handlers_pool_;
  Server server_;
};

inline Task<Response> answer_with(int status, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  co_return response;
}

// Answers everything with this.
inline Handler fixed_handler(int status, std::string body) {
  return [status, body = std::move(body)](const Request&) { return answer_with(status, body); };
}

}  // namespace paddock::test
