#pragma once

#include "foundation/base/check.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace postern::store {

/// Stands between a client and a cluster's socket and, once armed, breaks the connection that sends
/// the word: before the server has got it, or when the server has answered it; or the client's side
/// alone, so that the server hears nothing of it.
class CuttingProxy {
public:
    enum class Cut { nothing, before, after_answer, silently };

    CuttingProxy(std::string folder, const std::string& server_folder)
        : folder_(std::move(folder)), server_(server_folder + "/.s.PGSQL.5432") {
        std::filesystem::create_directory(folder_);
        listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const auto name = address_of(folder_ + "/.s.PGSQL.5432");
        POSTERN_CHECK(::bind(listener_, as_address(name), sizeof name) == 0);
        POSTERN_CHECK(::listen(listener_, 8) == 0);
        thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
    }
    ~CuttingProxy() {
        thread_.request_stop();
        thread_.join();
        ::close(listener_);
    }
    CuttingProxy(const CuttingProxy&) = delete;
    CuttingProxy& operator=(const CuttingProxy&) = delete;

    [[nodiscard]] const std::string& folder() const { return folder_; }
    void arm(Cut cut, bool refuse_afterwards = false, const char* word = "COMMIT") {
        refuse_afterwards_ = refuse_afterwards;
        word_ = word;
        armed_ = cut;
    }
    /// How often it has cut.
    [[nodiscard]] int cuts() const { return cuts_; }

private:
    struct Pair {
        int client = -1;
        int server = -1;
        bool cut_at_answer = false;
    };

    static struct sockaddr_un address_of(const std::string& path) {
        struct sockaddr_un name{};
        name.sun_family = AF_UNIX;
        POSTERN_CHECK(path.size() < sizeof name.sun_path);
        std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
        return name;
    }
    static const struct sockaddr* as_address(const struct sockaddr_un& name) {
        return reinterpret_cast<const struct sockaddr*>(&name);
    }

    void run(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            std::vector<struct pollfd> waiting = {{listener_, POLLIN, 0}};
            for (const auto& pair : pairs_) {
                waiting.push_back({pair.client, POLLIN, 0});
                waiting.push_back({pair.server, POLLIN, 0});
            }
            if (::poll(waiting.data(), waiting.size(), 20) <= 0) continue;
            for (std::size_t i = pairs_.size(); i-- > 0;) {
                const bool from_client = waiting[1 + 2 * i].revents != 0;
                const bool from_server = waiting[2 + 2 * i].revents != 0;
                const bool open = (!from_client || pass_on_request(pairs_[i])) &&
                                  (!from_server || pass_on_answer(pairs_[i]));
                if (!open) close_pair(i);
            }
            if (waiting[0].revents != 0) accept_one();
        }
        while (!pairs_.empty())
            close_pair(pairs_.size() - 1);
        for (const int fd : held_)
            ::close(fd);
    }
    void accept_one() {
        Pair pair;
        pair.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        pair.server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const auto name = address_of(server_);
        pairs_.push_back(pair);
        const bool refused = refuse_afterwards_ && cuts_ > 0;
        if (refused || ::connect(pair.server, as_address(name), sizeof name) != 0)
            close_pair(pairs_.size() - 1);
    }
    bool pass_on_request(Pair& pair) {
        const auto text = read_from(pair.client);
        if (text.empty()) return false;
        const bool hit = armed_ != Cut::nothing && text.find(word_.load()) != std::string::npos;
        if (hit && armed_ == Cut::before) return cut();
        if (hit && armed_ == Cut::silently) {
            held_.push_back(std::exchange(pair.server, -1));
            return cut();
        }
        pair.cut_at_answer = hit;
        return write_to(pair.server, text);
    }
    bool pass_on_answer(Pair& pair) {
        const auto text = read_from(pair.server);
        if (text.empty()) return false;
        if (pair.cut_at_answer) return cut();
        return write_to(pair.client, text);
    }
    bool cut() {
        armed_ = Cut::nothing;
        ++cuts_;
        return false;
    }
    void close_pair(std::size_t i) {
        ::close(pairs_[i].client);
        ::close(pairs_[i].server);
        pairs_.erase(pairs_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    static std::string read_from(int fd) {
        std::string text(1U << 16U, '\0');
        const auto size = ::recv(fd, text.data(), text.size(), 0);
        text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        return text;
    }
    static bool write_to(int fd, const std::string& text) {
        return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(text.size());
    }

    std::string folder_;
    std::string server_;
    int listener_ = -1;
    std::vector<Pair> pairs_;
    std::vector<int> held_;
    std::atomic<Cut> armed_ = Cut::nothing;
    std::atomic<bool> refuse_afterwards_ = false;
    std::atomic<const char*> word_ = "COMMIT";
    std::atomic<int> cuts_ = 0;
    std::jthread thread_;
};

}  // namespace postern::store
