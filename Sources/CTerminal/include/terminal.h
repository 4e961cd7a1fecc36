// Pseudo-terminals, and the safety of the user's own terminal: calls that Swift's view of the C library leaves out, and signal
// handlers, which must be written in a language that allocates nothing behind one's back.
#ifndef TERMINAL_H
#define TERMINAL_H

#include <stddef.h>

/// Opens a new pseudo-terminal of the given size: its leading end in `leader`, the path of the following one in `name`.
/// Returns 0 or an errno.
int terminal_open_pair(unsigned short rows, unsigned short columns, int *leader, char *name, size_t capacity);

/// Tells a terminal, and the programs on it, its size. Returns 0 or an errno.
int terminal_resize(int descriptor, unsigned short rows, unsigned short columns);

/// From now on a signal of a crash gives the terminal at `descriptor` these modes, and writes `farewell` (at most 127 bytes) to
/// it, before it ends the process as it always does. One terminal at a time; NULL ends it. `modes` is a struct termios: including
/// <termios.h> here would make this module its owner.
void terminal_guard(int descriptor, const void *modes, const char *farewell);

#endif
