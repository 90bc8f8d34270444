// FillSlots: at most so many fills at work; the others wait in line, those that a client waits for before those that
// nobody does. What is in the background never keeps a client's fill out: it takes what clients leave, and those that
// come later are let in beside it. Thread-safe; wait() on any event loop. A slot may outlive it.
#pragma once

#include <cstddef>
#include <list>
#include <memory>

#include "proxy/fill/fill_priority.h"
#include "storage/mutex.h"
#include "storage/notifier.h"
#include "storage/task.h"

namespace paddock {

class FillSlots {
 private:
  struct Line;

 public:
  // A place in line, then at work; given up when it goes. Who waits for something else lends his place to the next in
  // line, and needs not wait in line again: for a while there may then be more at work than the limit.
  class Slot {
   public:
    ~Slot();
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    // Until it is at work. A slot that was closed meanwhile never is: false.
    Task<bool> wait();
    // A client came to what was in the background.
    void raise();
    [[nodiscard]] FillPriority priority() const;
    // In the background, while clients' fills are at work.
    [[nodiscard]] bool gives_way() const;
    // Once at work.
    void lend();
    void take_back();

   private:
    friend class FillSlots;
    Slot(std::shared_ptr<Line> line, FillPriority priority);
    // Guarded by the line's mutex.
    const std::shared_ptr<Line> line_;
    FillPriority priority_;
    bool working_ = false;
    bool lent_ = false;
    std::list<Slot*>::iterator place_;
  };

  explicit FillSlots(std::size_t limit);

  [[nodiscard]] std::unique_ptr<Slot> enter(FillPriority priority);
  // Who waits goes home, and nobody comes in any more.
  void close();
  [[nodiscard]] std::size_t waiting() const;

 private:
  const std::shared_ptr<Line> line_;
};

}  // namespace paddock
