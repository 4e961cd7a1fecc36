#pragma once

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
