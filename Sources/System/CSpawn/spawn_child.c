#define _GNU_SOURCE
#include "spawn_child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// Only async-signal-safe calls: other threads of the parent may hold any lock.
static int become_child(const struct child_request *request, pid_t parent) {
    if (!request->stays_in_group) setpgid(0, 0);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, 0);
    for (int signal_number = 1; signal_number < NSIG; signal_number++) signal(signal_number, SIG_DFL);
    if (dup2(request->standard_input, 0) < 0 || dup2(request->standard_output, 1) < 0 ||
        dup2(request->standard_error, 2) < 0)
        return errno;
    if (request->shared >= 0) {
        // dup2 onto itself would leave O_CLOEXEC on.
        if (request->shared == 3 ? fcntl(3, F_SETFD, 0) < 0 : dup2(request->shared, 3) < 0) return errno;
    }
    // What a library opened without O_CLOEXEC is not the child's.
    close_range(request->shared >= 0 ? 4 : 3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (request->working_directory && chdir(request->working_directory) < 0) return errno;
    if (request->change_user && (setgroups(0, 0) < 0 || setgid(request->group_id) < 0 || setuid(request->user_id) < 0))
        return errno;
    // After setuid, which clears it.
    if (request->parent_death_signal) {
        if (prctl(PR_SET_PDEATHSIG, request->parent_death_signal) < 0) return errno;
        if (getppid() != parent) _exit(127);  // the parent went before the line above
    }
    execve(request->path, request->arguments, request->environment);
    return errno;
}

pid_t spawn_child(const struct child_request *request) {
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0) return -errno;
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        int problem = become_child(request, parent);
        ssize_t written = write(report[1], &problem, sizeof problem);
        _exit(written == sizeof problem ? 127 : 126);
    }
    int fork_problem = errno, problem = 0;
    close(report[1]);
    if (child < 0) {
        close(report[0]);
        return -fork_problem;
    }
    ssize_t count;
    do count = read(report[0], &problem, sizeof problem);
    while (count < 0 && errno == EINTR);
    close(report[0]);
    if (count == (ssize_t)sizeof problem) {  // exec closes the pipe without a word
        waitpid(child, 0, 0);
        return -problem;
    }
    return child;
}
