#pragma once
#include <git2.h>
#include <git2/sys/odb_backend.h>
#include <git2/sys/mempack.h>

// `git_libgit2_opts` is variadic, which Swift cannot call: one function for each option in use.

/// Off, objects that a partial clone or a sparse checkout has left out do not stop a tree from being written.
static inline int cgit2_set_strict_object_creation(int enabled) {
    return git_libgit2_opts(GIT_OPT_ENABLE_STRICT_OBJECT_CREATION, enabled);
}

/// Names repository extensions (`extensions.*`, in lower case) that are accepted beyond libgit2's own.
static inline int cgit2_set_extensions(const char **names, size_t count) {
    return git_libgit2_opts(GIT_OPT_SET_EXTENSIONS, names, count);
}

/// Where configuration files of one level are looked for.
static inline int cgit2_set_search_path(git_config_level_t level, const char *path) {
    return git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, (int)level, path);
}

/// How much of the pack files is mapped into memory: in one piece, and in all, in bytes.
static inline int cgit2_set_mapping(size_t window, size_t limit) {
    int status = git_libgit2_opts(GIT_OPT_SET_MWINDOW_SIZE, window);
    return status < 0 ? status : git_libgit2_opts(GIT_OPT_SET_MWINDOW_MAPPED_LIMIT, limit);
}
