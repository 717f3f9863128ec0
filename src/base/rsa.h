/* SPDX-License-Identifier: MIT */
/* base/rsa.h - RSA keys for signed playback: made here, used by others to sign, verified here.
 * Any thread; making a key takes a tenth of a second and belongs on a pool thread. [libcrypto] */
#pragma once
#include "base/err.h"
#include "base/str.h"

/* A key of 2048 bits, both halves appended as PEM: PKCS #8 and SubjectPublicKeyInfo. */
enum err rsa_make(struct str *private_pem, struct str *public_pem) WARN_UNUSED;

/* RSASSA-PKCS1-v1_5 with SHA-256 ("RS256", RFC 7518, 3.3). E_AUTH: not this key's signature of
 * `input`. E_INVALID: the PEM is no public RSA key. */
enum err rsa_verify_sha256(const char *public_pem, struct span input,
                           struct span signature) WARN_UNUSED;
