#pragma once

namespace bertha {

// The layer stands between a process and libc's calls that change files or open them, for paths below one directory. It
// is a shared library, linked before libc or given in LD_PRELOAD, and does what the environment says:
//
//   BERTHA_FAULT_DIRECTORY  where calls count, and nowhere else
//   BERTHA_FAULT_TRACE      a file elsewhere; gets one line a counted call: its name and path
//   BERTHA_FAULT_AT         the number of the call at which the fault happens, from 1; 0: none
//   BERTHA_FAULT_KIND       what happens there:
//     kill        the process is killed before the call
//     kill-half   it is killed after the call; a write has written its first half
//     lose        the machine fails before the call: what was not synced is lost, names as well as content
//     lose-bytes  the machine fails: names are there, content that was not synced is not
//     lose-some   the machine fails: what of the rest is there is drawn with BERTHA_FAULT_LOT
//     enospc, eio the call fails, and the next succeeds
//     enospc-on   from there on every call that needs space fails
//     eio-on      from there on every call fails
//     short       a write takes the first half only
//     stop        the process is stopped before the call, as by SIGSTOP
//   BERTHA_FAULT_LOT        a number
//   BERTHA_FAULT_NO_EXCHANGE  if set, renameat2 is refused, as on NFS
//
// Nothing is synced while the layer is armed: it knows what would have been, and tests need no disk.

/// Begins to count, as the environment says; a process started with BERTHA_FAULT_DIRECTORY set begins by itself.
/// Threads that are running already may write elsewhere only.
extern "C" void bertha_arm_faults();

}  // namespace bertha
