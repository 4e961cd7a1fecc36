// Starting a process under a pseudo-terminal: the calls that Swift's view of the C library leaves out, because glibc
// declares them as GNU extensions and Darwin writes them as macros.
#ifndef LAB_H
#define LAB_H

#include <sys/types.h>

/// A pipe whose ends no other child inherits. Returns 0 or an errno.
int lab_pipe(int ends[2]);

/// Opens a new pseudo-terminal of the given size: its leading end in `leader`, the path of the following one in `name`.
/// Returns 0 or an errno.
int lab_open_terminal(unsigned short rows, unsigned short columns, int *leader, char *name, size_t capacity);

/// Tells a terminal, and the programs on it, its size. Returns 0 or an errno.
int lab_resize(int leader, unsigned short rows, unsigned short columns);

/// Starts a program in a session of its own, with default signals, none blocked, and no descriptor but 0, 1 and 2.
///
/// `terminal` is the path of a pseudo-terminal's following end, which becomes the controlling terminal, or NULL.
/// `standard` holds the descriptors that become 0, 1 and 2; -1 stands for the terminal. Returns 0 or an errno.
int lab_spawn(pid_t *process, const char *program, char *const arguments[], char *const environment[],
              const char *directory, const char *terminal, const int standard[3]);

#endif
