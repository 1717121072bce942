// SPDX-License-Identifier: BSD-3-Clause
// A team of threads under ThreadSanitizer.
//
// GCC's OpenMP library synchronises with futexes that ThreadSanitizer cannot see, so every barrier
// looks like a race. These are the entry points GCC calls for the directives this library uses
// (parallel, barrier, for schedule(static|dynamic)), on plain threads, which it understands; being in
// the program itself they win over the library's.
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <vector>

namespace {

class Team {
 public:
  explicit Team(unsigned size) : size_(size) {}
  unsigned size() const { return size_; }

  void barrier() {
    std::unique_lock<std::mutex> lock(mutex_);
    const unsigned phase = phase_;
    if (++waiting_ == size_) {
      waiting_ = 0;
      n_members_in_loop_ = 0;
      ++phase_;
      all_here_.notify_all();
    } else {
      all_here_.wait(lock, [&] { return phase_ != phase; });
    }
  }

  /// The first member to arrive starts the loop; each is given one chunk after another.
  bool start_loop(long first, long end, long step, long chunk, long* begin, long* stop) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (step <= 0 || n_members_in_loop_ == size_) std::abort();  // backwards, or two loops without a barrier
    if (n_members_in_loop_++ == 0) {
      next_ = first;
      end_ = end;
      stride_ = chunk * step;
    }
    return take(begin, stop);
  }
  bool next_chunk(long* begin, long* stop) {
    std::lock_guard<std::mutex> lock(mutex_);
    return take(begin, stop);
  }

 private:
  bool take(long* begin, long* stop) {
    if (next_ >= end_) return false;
    *begin = next_;
    next_ += stride_;
    *stop = next_ < end_ ? next_ : end_;
    return true;
  }

  const unsigned size_;
  std::mutex mutex_;
  std::condition_variable all_here_;
  unsigned waiting_ = 0, phase_ = 0, n_members_in_loop_ = 0;
  long next_ = 0, end_ = 0, stride_ = 1;
};

thread_local Team* my_team = nullptr;
thread_local int my_rank = 0;

Team& team() {
  if (my_team == nullptr) std::abort();  // an OpenMP directive this file does not know
  return *my_team;
}

}  // namespace

extern "C" {

int omp_get_thread_num() { return my_rank; }
int omp_get_num_threads() { return my_team == nullptr ? 1 : static_cast<int>(my_team->size()); }

void GOMP_parallel(void (*body)(void*), void* data, unsigned n_threads, unsigned) {
  Team members(n_threads == 0 ? 2 : n_threads);
  const auto run = [&](int rank) {
    my_team = &members;
    my_rank = rank;
    body(data);
    my_team = nullptr;
    my_rank = 0;
  };
  std::vector<std::thread> others;
  for (unsigned rank = 1; rank < members.size(); ++rank) others.emplace_back(run, static_cast<int>(rank));
  run(0);
  for (std::thread& other : others) other.join();
}

void GOMP_barrier() {
  if (my_team != nullptr) my_team->barrier();
}

bool GOMP_loop_dynamic_start(long first, long end, long step, long chunk, long* begin, long* stop) {
  return team().start_loop(first, end, step, chunk, begin, stop);
}
bool GOMP_loop_dynamic_next(long* begin, long* stop) { return team().next_chunk(begin, stop); }
bool GOMP_loop_nonmonotonic_dynamic_start(long first, long end, long step, long chunk, long* begin, long* stop) {
  return team().start_loop(first, end, step, chunk, begin, stop);
}
bool GOMP_loop_nonmonotonic_dynamic_next(long* begin, long* stop) { return team().next_chunk(begin, stop); }
void GOMP_loop_end() { GOMP_barrier(); }
void GOMP_loop_end_nowait() {}

}  // extern "C"
