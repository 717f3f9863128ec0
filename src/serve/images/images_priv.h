/* SPDX-License-Identifier: MIT */
/* serve/images/images_priv.h - the inside of the image service.
 *
 * A request becomes an `ask`, which goes to the home loop. There a `job` makes one image for all
 * who ask for it: the gate says what is behind the id; a pool thread looks into the cache; with a
 * place (LIMIT_IMAGE_WORKERS) a pool thread reads the segments and a worker makes the image. The
 * asks go back to their loops, where the request is answered. */
#pragma once
#include "base/list.h"
#include "base/map.h"
#include "hub/hub.h"
#include "io/peer_limit.h"
#include "record/log.h"
#include "serve/images/image_cache.h"
#include "serve/images/image_service.h"
#include "serve/images/image_source.h"
#include "serve/images/image_worker.h"

#define IMAGE_ID_CAP   65
#define IMAGE_NAME_CAP 65 /* of a file in the cache */
#define IMAGE_LIVE_US  (10 * INT64_C(1000000))
#define IMAGE_WAIT_US  (3 * INT64_C(1000000)) /* for what there is of a running stream */

/* What a request gets. `image` or `tiles`, or an error. */
struct image_answer {
    int status;
    char code[24], message[256];
    struct buf *image;
    struct image_tiles tiles;
    char etag[48];
    char life[64]; /* Cache-Control */
    unsigned retry_s;
};

/* Its request belongs to `loop`, it itself to the home loop in between. */
struct image_ask {
    struct list node;
    struct image_service *service;
    struct http_request *request;
    struct loop *loop;
    char id[IMAGE_ID_CAP];
    char peer[64];
    struct image_params params;
    char *token; /* that the gate has taken; NULL: none was brought */
    struct image_answer answer;
};

enum job_state {
    JOB_GATE,    /* asked */
    JOB_LOG,     /* waits for snapshots */
    JOB_LOOKING, /* pool: in the cache */
    JOB_QUEUED,  /* waits for a place */
    JOB_READING, /* pool: the segments; has a place from here on */
    JOB_WORKING, /* the worker */
    JOB_DONE,    /* a live image, kept for some seconds */
};

struct image_job {
    struct list node; /* of service.jobs */
    struct list turn; /* of service.queue */
    struct image_service *service;
    char *key;
    char id[IMAGE_ID_CAP];
    struct image_params params;
    struct list asks;
    enum job_state state;
    bool is_signed; /* what the gate says */
    bool dead;      /* off the books; freed when the pool or the gate is done with it */
    bool running;   /* a stream that goes on: not for the disk */
    struct record_log *log;
    struct feed_reader reader;
    bool reading;
    char *dir;
    char name[IMAGE_NAME_CAP];
    struct image_source source;
    struct archive *archive; /* a reference: source.archive */
    struct timer timer;
    struct image_worker *worker;
    struct image_plan plan;
    struct buf *image;
    int64_t until_us;
    struct {
        enum err e;
        const char *problem;
    } result; /* of the pool */
};

struct image_service {
    struct image_config cfg;
    struct loop *home;
    struct image_cache *cache;
    struct peer_limit *often, *fresh;
    struct map by_key;
    struct list jobs, queue;
    struct timer sweep;
    unsigned n_jobs, n_asks, working;
    size_t live_bytes;
    bool closed;
    struct http_route *routes;
    size_t n_routes;
};

/* image_job.c: home loop. */
void image_job_ask(struct image_service *s, struct image_ask *ask);
void image_jobs_init(struct image_service *s);
void image_jobs_close(struct image_service *s);

/* image_service.c: sends an ask back with its answer. */
void image_ask_reply(struct image_ask *ask);
void image_ask_refuse(struct image_ask *ask, int status, const char *code, const char *message);
