#pragma once

#include <string.h>
#include <sys/socket.h>

/* What glibc has but declares only under _GNU_SOURCE, which Swift's Glibc module does not define. The actions are a
   posix_spawn_file_actions_t; including <spawn.h> here would make this module the owner of half of <signal.h>. */
#if defined(__linux__)
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

int submit_spawn_addchdir(void *actions, const char *path) __asm__("posix_spawn_file_actions_addchdir_np");
int submit_spawn_addclosefrom(void *actions, int from) __asm__("posix_spawn_file_actions_addclosefrom_np");
int pipe2(int ends[2], int flags);

/* POSIX_SPAWN_SETSID */
#define SUBMIT_SPAWN_SETSID 0x80
#endif

/* Sends one byte and a descriptor over a Unix socket. The macros that lay such a message out are out of Swift's reach.
   Returns what sendmsg(2) does. */
static inline ssize_t submit_send_descriptor(int sock, int descriptor) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    char byte = 0;
    struct iovec data = {&byte, 1};
    struct msghdr message;
    int flags = 0;
    memset(&control, 0, sizeof control);
    memset(&message, 0, sizeof message);
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
#if defined(__linux__)
    flags = MSG_NOSIGNAL;
#endif
    return sendmsg(sock, &message, flags);
}
