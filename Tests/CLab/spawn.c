#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include "lab.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

int lab_pipe(int ends[2]) {
#ifdef __linux__
    return pipe2(ends, O_CLOEXEC) == 0 ? 0 : errno;
#else
    // POSIX_SPAWN_CLOEXEC_DEFAULT keeps them from our own children, whoever starts one between the two calls.
    if (pipe(ends) != 0) return errno;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return 0;
#endif
}

int lab_resize(int leader, unsigned short rows, unsigned short columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return ioctl(leader, TIOCSWINSZ, &size) == 0 ? 0 : errno;
}

int lab_open_terminal(unsigned short rows, unsigned short columns, int *leader, char *name, size_t capacity) {
    int descriptor = posix_openpt(O_RDWR | O_NOCTTY);
    if (descriptor < 0) return errno;
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    int failed = grantpt(descriptor) != 0 || unlockpt(descriptor) != 0 || ptsname_r(descriptor, name, capacity) != 0
        ? errno
        : lab_resize(descriptor, rows, columns);
    if (failed) {
        close(descriptor);
        return failed;
    }
    *leader = descriptor;
    return 0;
}

int lab_spawn(pid_t *process, const char *program, char *const arguments[], char *const environment[],
              const char *directory, const char *terminal, const int standard[3]) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int failed;

    if ((failed = posix_spawn_file_actions_init(&actions)) != 0) return failed;
    if ((failed = posix_spawnattr_init(&attributes)) != 0) {
        posix_spawn_file_actions_destroy(&actions);
        return failed;
    }
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    short flags = POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
#ifdef __APPLE__
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#endif
    posix_spawnattr_setflags(&attributes, flags);

    for (int target = 0; target < 3 && !failed; target++) {
        if (standard[target] >= 0)
            failed = posix_spawn_file_actions_adddup2(&actions, standard[target], target);
        else
            // The first terminal that a session's leader opens becomes its controlling one.
            failed = posix_spawn_file_actions_addopen(&actions, target, terminal, O_RDWR, 0);
    }
#ifdef __linux__
    if (!failed) failed = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
#endif
    if (!failed) failed = posix_spawn_file_actions_addchdir_np(&actions, directory);
    if (!failed) failed = posix_spawn(process, program, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failed;
}
