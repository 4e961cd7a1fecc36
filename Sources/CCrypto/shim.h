#pragma once
/* Blowfish is deprecated as a cipher; the keys that ssh-keygen encrypts still derive their key with it. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/blowfish.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
