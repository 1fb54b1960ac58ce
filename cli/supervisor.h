#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bertha {

struct Supervision {
  int64_t failures = 0;  // at one step, after which it gives up
  std::string launch;    // words of a shell before the command, such as `mpirun -n 4`; may be empty
  std::string output;    // the run directory, whose history says how far the run came
};

/// Runs `command` as a child process and, whenever it fails, again, since the command goes on from the run's last good
/// checkpoint. Pauses grow from 1 s to a minute while the run gets no further. A wrong configuration, and files that
/// are damaged or do not fit before training begins, are not tried again. Stop signals go to the child, which does not
/// outlive this process. Says in a sentence, with the cause, when it starts again or gives up.
/// Returns the child's last exit code.
int supervise(const Supervision& supervision, const std::vector<std::string>& command);

}  // namespace bertha
