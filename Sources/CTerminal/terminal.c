#define _GNU_SOURCE
#define _DARWIN_C_SOURCE
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

int terminal_resize(int descriptor, unsigned short rows, unsigned short columns) {
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    return ioctl(descriptor, TIOCSWINSZ, &size) == 0 ? 0 : errno;
}

int terminal_open_pair(unsigned short rows, unsigned short columns, int *leader, char *name, size_t capacity) {
    int descriptor = posix_openpt(O_RDWR | O_NOCTTY);
    if (descriptor < 0) return errno;
    fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    int failed = grantpt(descriptor) != 0 || unlockpt(descriptor) != 0 || ptsname_r(descriptor, name, capacity) != 0
        ? errno
        : terminal_resize(descriptor, rows, columns);
    if (failed) {
        close(descriptor);
        return failed;
    }
    *leader = descriptor;
    return 0;
}

// What a handler needs. It is written while no terminal is guarded, and `guarded` changes last.
static struct termios guarded_modes;
static char guarded_farewell[128];
static volatile sig_atomic_t guarded = -1;

static const int crashes[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGSYS, SIGTRAP};
enum { crash_count = sizeof crashes / sizeof crashes[0] };
static struct sigaction before[crash_count];

static void restore(int number) {
    int descriptor = guarded;
    if (descriptor >= 0) {
        // From the background this would stop the process instead.
        sigset_t output;
        sigemptyset(&output);
        sigaddset(&output, SIGTTOU);
        pthread_sigmask(SIG_BLOCK, &output, NULL);
        tcsetattr(descriptor, TCSANOW, &guarded_modes);
        if (write(descriptor, guarded_farewell, strlen(guarded_farewell)) < 0) {
            // There is nobody left to tell.
        }
    }
    // The handler was reset when it was called: now it ends as it would have without us.
    raise(number);
}

void terminal_guard(int descriptor, const void *modes, const char *farewell) {
    if (guarded >= 0) {
        guarded = -1;
        for (int index = 0; index < crash_count; index++) sigaction(crashes[index], &before[index], NULL);
    }
    if (!modes) return;
    guarded_modes = *(const struct termios *)modes;
    strncpy(guarded_farewell, farewell, sizeof guarded_farewell - 1);
    guarded = descriptor;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = restore;
    action.sa_flags = SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    for (int index = 0; index < crash_count; index++) sigaction(crashes[index], &action, &before[index]);
}
