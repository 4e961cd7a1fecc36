#pragma once
#include <libssh2.h>
#include <sys/types.h>

typedef ssize_t (*submit_ssh_send)(libssh2_socket_t, const void *, size_t, int, void **);
typedef ssize_t (*submit_ssh_receive)(libssh2_socket_t, void *, size_t, int, void **);
typedef void (*submit_ssh_disconnected)(LIBSSH2_SESSION *, int, const char *, int, const char *, int, void **);

/* Function pointers do not convert to `void *` in Swift. */
static inline void submit_ssh_set_callbacks(LIBSSH2_SESSION *session, submit_ssh_send send,
                                            submit_ssh_receive receive, submit_ssh_disconnected disconnected) {
    libssh2_session_callback_set(session, LIBSSH2_CALLBACK_SEND, (void *)send);
    libssh2_session_callback_set(session, LIBSSH2_CALLBACK_RECV, (void *)receive);
    libssh2_session_callback_set(session, LIBSSH2_CALLBACK_DISCONNECT, (void *)disconnected);
}
