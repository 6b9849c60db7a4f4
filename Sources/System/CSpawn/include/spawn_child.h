#ifndef TODO_SPAWN_CHILD_H
#define TODO_SPAWN_CHILD_H

#include <sys/types.h>

/// What posix_spawn cannot say: a user to become, and a signal to get when the thread that spawned ends.
struct child_request {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const char *working_directory;  // null: the parent's
    int standard_input, standard_output, standard_error;
    int shared;                     // -1: none; else open as descriptor 3 in the child and in what it starts
    int change_user;                // non-zero: become user_id and group_id, without supplementary groups
    uid_t user_id;
    gid_t group_id;
    int parent_death_signal;        // 0: none
    int stays_in_group;             // non-zero: in the parent's process group, so that it may read from its terminal
};

/// Forks and executes. The child leads a process group of its own unless told otherwise, and has default signal handling.
/// Returns the process id, or the negative errno of what failed, exec included.
pid_t spawn_child(const struct child_request *request);

#endif
