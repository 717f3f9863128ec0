/* SPDX-License-Identifier: MIT */
/* wire/aac.h - AudioSpecificConfig and ADTS.
 *
 * Sources: ISO/IEC 14496-3, 1.6.2.1 (AudioSpecificConfig), 1.6.5.2 (SBR and PS signalling), 4.4.1
 * (GASpecificConfig, program_config_element), 1.A.2.2 (ADTS). Pure. */
#pragma once
#include "base/err.h"
#include "base/span.h"
#include "base/wr.h"

enum aac_object_type {
    AAC_MAIN = 1,
    AAC_LC = 2,
    AAC_SBR = 5,
    AAC_PS = 29,
    AAC_USAC = 42,
};

struct aac_config {
    uint8_t object_type;  /* for the codecs string: 2, 5 (HE-AAC) or 29 (HE-AAC v2), others as they
                             are */
    uint8_t core_type;    /* of the core decoder: 2 behind SBR and PS */
    uint32_t core_rate;   /* Hz, of the core */
    uint32_t sample_rate; /* Hz, of the output: twice the core's with SBR */
    uint8_t channels;     /* of the output: 2 for one core channel with PS */
    uint16_t samples;     /* of the output, in one frame: 1024, 960, 2048 or 1920 */
    bool sbr, ps;
};

/* E_MORE: cut short. E_PROTO: broken. E_UNSUPPORTED: not AAC at all (object types without
 * GASpecificConfig), or a channel configuration that is reserved. */
enum err aac_config_parse(struct span in, struct aac_config *out) WARN_UNUSED;
/* Two bytes: AAC-LC. False: no such sample rate or number of channels (1 to 7; 7 means 8). */
bool aac_config_build(uint32_t sample_rate, uint8_t channels, struct wr *w);

struct adts_header {
    uint8_t object_type, rate_index, channel_config;
    uint32_t sample_rate;
    size_t header_len, frame_len; /* frame_len with the header */
    unsigned blocks;              /* raw_data_blocks in it, normally 1 */
};

/* E_MORE: fewer bytes than a header. E_PROTO: no sync word or impossible lengths. */
enum err adts_parse(struct span in, struct adts_header *out) WARN_UNUSED;
