#pragma once
#include <libssh/libssh.h>

#include <libssh/callbacks.h>
#include <libssh/server.h>
