/* SPDX-License-Identifier: MIT */
/* base/limits.h - every bound on what comes from outside, by name.
 *
 * A length from a peer is compared with one of these before it is believed. Bounds that an
 * operator may want to change are settings (base/settings.def) instead. */
#pragma once

/* Connections and sessions */
#define LIMIT_LOOPS_MAX          64
#define LIMIT_TCP_READ_BYTES     65536 /* one read; the buffer is the loop's, shared */
#define LIMIT_CONNECTIONS_PER_IP 2048

/* RTMP */
#define LIMIT_RTMP_MESSAGE_BYTES      (8u << 20)  /* one audio, video or data message */
#define LIMIT_RTMP_COMMAND_BYTES      65536       /* one command message */
#define LIMIT_RTMP_CHUNK_STREAMS      64          /* chunk streams in use by a connection */
#define LIMIT_RTMP_PARTIAL_BYTES      (16u << 20) /* all partial messages of a connection */
#define LIMIT_RTMP_HANDSHAKE_MS       5000
#define LIMIT_RTMP_COMMAND_MS         10000        /* from the handshake to publish or play */
#define LIMIT_RTMP_GATE_MS            5000         /* for the answer to publish or play */
#define LIMIT_RTMP_STASH_BYTES        (256u << 10) /* sent by a client before the answer */
#define LIMIT_RTMP_ANALYSE_MS         1000       /* wait for the second track, by the wall clock */
#define LIMIT_RTMP_IDLE_MS            10000      /* a publisher that sends nothing */
#define LIMIT_RTMP_NAME_BYTES         1024       /* app, stream name, tcUrl parts */
#define LIMIT_RTMP_VIEWER_QUEUE_BYTES (4u << 20) /* behind by this: drop to the next key frame */
#define LIMIT_RTMP_VIEWER_STALL_MS    20000      /* no byte taken for this long: close */
#define LIMIT_AMF_DEPTH               16
#define LIMIT_AMF_NODES               4096

/* HTTP */
#define LIMIT_HTTP_HEAD_BYTES      16384
#define LIMIT_HTTP_HEADERS         100
#define LIMIT_HTTP_TARGET_BYTES    8192
#define LIMIT_HTTP_HEAD_MS         10000 /* from the first byte of a head to its end */
#define LIMIT_HTTP_BODY_MS         30000 /* without any byte of a body */
#define LIMIT_HTTP_IDLE_MS         75000 /* keep-alive between requests */
#define LIMIT_HTTP_WRITE_STALL_MS  30000 /* a reader that takes no byte */
#define LIMIT_DIRECT_SDP_BYTES     20000 /* of a direct preview, either side */
#define LIMIT_HTTP_JSON_BYTES      65536 /* a JSON body */
#define LIMIT_HTTP2_STREAMS        128
#define LIMIT_HTTP_CHUNK_EXT_BYTES 4096 /* extensions of one chunked body */
#define LIMIT_HTTP_TRAILER_BYTES   4096
#define LIMIT_HTTP_PIPELINE_BYTES  65536 /* sent ahead while a request is being answered */
#define LIMIT_HTTP_BODY_RATE       1000  /* bytes a second that a body must reach on average */
#define LIMIT_HTTP_SEND_AHEAD      (256u << 10) /* queued for a client: no further request is read */
#define LIMIT_HTTP_STREAM_QUEUE    (1u << 20)   /* of a streamed reply: the client is closed */
#define LIMIT_HTTP_DISCARD_BYTES   (1u << 20)   /* body of a refused request that is read away */
#define LIMIT_HTTP2_STREAM_WINDOW  (256 << 10)  /* of an upload, sent ahead of its taker */
#define LIMIT_HTTP2_CONN_WINDOW    (1 << 20)
#define LIMIT_HTTP2_RESETS         200 /* streams reset by the peer at once; refill a tenth a second */
#define LIMIT_HTTP2_CONTROL_FRAMES 1000 /* PING, SETTINGS, empty frames; the same refill */

/* Media */
#define LIMIT_FRAME_BYTES        (8u << 20)
#define LIMIT_CODEC_CONFIG_BYTES 8192
#define LIMIT_TRACKS             8
#define LIMIT_NALS_PER_FRAME     1024
#define LIMIT_VIDEO_SIDE         16384 /* pixels */
#define LIMIT_GOP_CACHE_BYTES    (32u << 20)
#define LIMIT_GOP_CACHE_FRAMES   4096

/* HLS */
#define LIMIT_HLS_QUERY_BYTES 1024
#define LIMIT_HLS_WAITERS     20000       /* blocked requests on one loop */
#define LIMIT_HLS_AUDIENCE    200000      /* viewers of one stream that are counted */
#define LIMIT_M3U8_BYTES      (64u << 20) /* a playlist that is parsed */
#define LIMIT_M3U8_ITEMS      1000000     /* segments, or parts, of a playlist that is parsed */

/* Recording */
#define LIMIT_RECORD_INDEX_BYTES   (512u << 20) /* index.log of one recording */
#define LIMIT_RECORD_LINE_BYTES    512          /* one line of it */
#define LIMIT_RECORD_RENDITIONS    LIMIT_TRACKS
#define LIMIT_RECORD_INITS         1000 /* configurations of one rendition */
#define LIMIT_RECORD_SEGMENTS      (16u << 20)
#define LIMIT_RECORD_SEGMENT_PARTS 512
#define LIMIT_RECORD_PENDING_BYTES (64u << 20) /* waiting for the disk; above it, no recording */

/* Who may see a stream */
#define LIMIT_WATCH_PASSWORD_MIN 4 /* of a private stream */
#define LIMIT_STREAM_INVITATIONS 500
#define LIMIT_SITEMAP_URLS       20000 /* of one part; sitemaps.org lets in 50,000 */
#define LIMIT_SITEMAP_PARTS      1000

/* Product */
#define LIMIT_NAME_CHARS        80
#define LIMIT_EMAIL_BYTES       254
#define LIMIT_PASSWORD_MIN      8
#define LIMIT_PASSWORD_BYTES    1024
#define LIMIT_TITLE_CHARS       140
#define LIMIT_DESCRIPTION_CHARS 5000
#define LIMIT_PAGE_ITEMS        100
#define LIMIT_STREAMS_PER_USER  1000
#define LIMIT_JSON_DEPTH        16
#define LIMIT_SESSIONS_PER_USER 50      /* the oldest goes when there are more */
#define LIMIT_USER_AGENT_BYTES  256     /* of a session that is kept */
#define LIMIT_CODE_BYTES        32      /* a code of the second factor, or one for recovery */
#define LIMIT_RECOVERY_CODES    10      /* that an account has */
#define LIMIT_EXPORT_ROWS       500     /* of an exported account, read at once */
#define LIMIT_LINKS_PER_USER    5       /* of one kind that are good at a time; the oldest goes */
#define LIMIT_PASSWORD_LANES    2       /* password hashes computed at once: 19 MiB each */
#define LIMIT_PASSWORD_QUEUE    256     /* waiting for a lane; more are answered 429 */
#define LIMIT_THROTTLE_ENTRIES  65536   /* accounts and addresses remembered by the rate limits */
#define LIMIT_SSE_QUEUE_BYTES   65536   /* a reader of events behind by this is sent away */
#define LIMIT_CHAT_CHARS        500     /* of a message */
#define LIMIT_CHAT_PAGE         100     /* messages in a reply */
#define LIMIT_CHAT_WORDS        200     /* patterns that a room does not take */
#define LIMIT_CHAT_WORD_CHARS   50      /* of one */
#define LIMIT_CHAT_SLOW_S       3600    /* between two messages of somebody, in slow mode */
#define LIMIT_CHAT_FOLLOW_S     7776000 /* how long one must have followed, at most: 90 days */
#define LIMIT_CHAT_TIMEOUT_S    1209600 /* the longest time-out: 14 days */
#define LIMIT_CHAT_REASON_CHARS 200
#define LIMIT_CHAT_PURGE        100   /* messages deleted with a ban */
#define LIMIT_CHAT_MODERATORS   100   /* of a streamer */
#define LIMIT_CHAT_BANS         10000 /* of a streamer, at a time */
#define LIMIT_CHAT_ADDRESSES    8     /* of an account, remembered for a streamer */
#define LIMIT_CHAT_ADDRESS_DAYS 30    /* and how long, and in a ban */
#define LIMIT_CHAT_LOG_DAYS     90    /* deleted messages and what was done, for moderators */
#define LIMIT_CHAT_PEOPLE       10    /* found by a search */
#define LIMIT_CHAT_RESUME       50    /* changes told again to a reader who comes back */
#define LIMIT_CHAT_HELD         64    /* changes kept for a reader who is being looked up */
#define LIMIT_AUDIENCE_CAME     16384 /* viewers who come to a stream within a second */
#define LIMIT_REACTIONS_WAITING 1024  /* streams x seconds x kinds until they are written */
#define LIMIT_REACTIONS_PAGE    2000
#define LIMIT_REACTIONS_AT_ONCE 20 /* taps in one request */
#define LIMIT_HANDLE_MIN        3  /* characters of /@handle */
#define LIMIT_HANDLE_CHARS      25
#define LIMIT_HANDLE_TRIES      64   /* until a free one is found for a name */
#define LIMIT_ABOUT_CHARS       2000 /* what a streamer says of themselves */
#define LIMIT_FOLLOWS_PER_USER  5000
#define LIMIT_SEARCH_BYTES      120 /* what is searched for in titles and names */
#define LIMIT_CALENDAR_EVENTS   200 /* of one feed, the latest */
#define LIMIT_SSE_ORIGINS       4   /* host names by which readers of one stream reached us */

/* Requests of our own: webhooks, media by address */
#define LIMIT_URL_BYTES             2048
#define LIMIT_FETCH_RATE            1000 /* bytes a second: below it a transfer is idle */
#define LIMIT_FETCH_KEPT            32   /* connections kept open for another request */
#define LIMIT_WEBHOOKS_PER_USER     20
#define LIMIT_WEBHOOK_MS            5000 /* for an answer */
#define LIMIT_WEBHOOK_CONNECT_MS    4000
#define LIMIT_WEBHOOK_ANSWER_BYTES  2048 /* of an answer that is kept */
#define LIMIT_WEBHOOK_RUNNING       128  /* deliveries at a time */
#define LIMIT_WEBHOOK_RUNNING_EACH  8    /* to one endpoint */
#define LIMIT_WEBHOOK_ATTEMPTS_TOLD 20   /* in a delivery's own list of attempts */
/* Uploads */
#define LIMIT_UPLOAD_GRAIN_BYTES   (256u << 10) /* pieces are multiples of it, but for the last */
#define LIMIT_UPLOAD_SILENT_MS     3000       /* a writer without a byte gives way to another one */
#define LIMIT_UPLOAD_WRITES        256        /* requests that bring pieces, at once */
#define LIMIT_UPLOAD_PENDING_BYTES (1u << 20) /* of one, waiting for the disk */
#define LIMIT_UPLOAD_DISCARD_BYTES (64ull << 20) /* body of a refused one that is read away */
#define LIMIT_UPLOADS_WAITING      1000          /* of one user */
#define LIMIT_UPLOAD_TIMEOUT_MIN_S 60
#define LIMIT_UPLOAD_TIMEOUT_MAX_S 604800

/* WebRTC */
#define LIMIT_UDP_BYTES           1500 /* a datagram that is believed */
#define LIMIT_SDP_BYTES           65536
#define LIMIT_SDP_LINES           4096
#define LIMIT_SDP_MEDIA           8     /* m-lines */
#define LIMIT_SDP_CODECS          64    /* of an m-line */
#define LIMIT_SDP_RIDS            4     /* simulcast layers */
#define LIMIT_ICE_CRED_BYTES      256   /* RFC 8839, 5.4 */
#define LIMIT_RTCP_PACKETS        32    /* in one compound */
#define LIMIT_SRTP_SSRCS          16    /* sources of a direction */
#define LIMIT_ICE_FIRST_MS        15000 /* from the answer to the peer's first check */
#define LIMIT_ICE_CONSENT_MS      30000 /* without a check: the peer is gone (RFC 7675, 5.1) */
#define LIMIT_RTC_CANDIDATES      16    /* of ours */
#define LIMIT_RTC_PEERS           10000 /* sessions on one loop */
#define LIMIT_RTC_OPENING         500   /* of them without keys yet */
#define LIMIT_RTC_DTLS_MS         15000 /* from the answer to keys */
#define LIMIT_RTC_SOURCES         16    /* SSRCs of one publisher */
#define LIMIT_RTC_TCP_STRANGERS   500   /* TCP connections on one loop without a check yet */
#define LIMIT_RTC_TCP_FIRST_MS    5000  /* from the connection to an authentic check */
#define LIMIT_RTC_TCP_FRAME_MS    10000 /* from a frame's first byte to its last */
#define LIMIT_RTC_TCP_STALL_MS    10000 /* a reader that takes no byte */
#define LIMIT_RTC_TCP_MEDIA_BYTES (256u << 10) /* queued: above it media is dropped */
#define LIMIT_RTC_TCP_QUEUE_BYTES (512u << 10) /* above it the connection is closed */
#define LIMIT_RTC_TCP_SEND_BUFFER (128u << 10) /* the kernel's: what waits there is late */
#define LIMIT_RTC_ICE_SERVERS     8            /* told to clients */
#define LIMIT_RTC_SILENT_MS       2000 /* without a check: gives way when there are too many */
#define LIMIT_RTC_RATE_BURST      300  /* POST, PATCH and DELETE of one address at once */
#define LIMIT_RTC_RATE_PER_S      10   /* and then */
#define LIMIT_RTC_OPENING_PER_IP  100  /* sessions of one address without keys yet */

/* bspnode-worker */
#define LIMIT_WORKERS 256 /* processes at a time */
#define LIMIT_WORKER_QUEUE                                                                         \
    (16u << 20) /* bytes that a worker has not taken: the rest is dropped                          \
                 */
#define LIMIT_WORKER_MSG_BYTES (LIMIT_FRAME_BYTES + 64) /* one message of the socket pair */
#define LIMIT_WORKER_TEXT      200                      /* of the reason of a failure */
#define LIMIT_WORKER_INPUT     1000                     /* of the description of a file */
#define LIMIT_AUDIO_RATE       192000                   /* Hz */
#define LIMIT_AUDIO_CHANNELS   8
#define LIMIT_AAC_FRAME_BYTES  8192 /* 6144 bits a channel, and some */

/* WebRTC, packets kept for viewers: of one source, back to its last key frame */
#define LIMIT_RTC_HISTORY_PACKETS 16384 /* a power of two */
#define LIMIT_RTC_HISTORY_BYTES   (16u << 20)

#define LIMIT_LAYER_BYTES 1024 /* a viewer's wish for a layer */

/* The media API */
#define LIMIT_TOKENS_PER_USER  1000
#define LIMIT_MUX_PAGE         1000000 /* the largest page number */
#define LIMIT_MUX_PASSTHROUGH  255     /* characters */
#define LIMIT_MUX_TITLE        512     /* characters, of meta.title */
#define LIMIT_MUX_META_ID      128     /* characters, of meta.creator_id and external_id */
#define LIMIT_MUX_URL_BYTES    2048
#define LIMIT_MUX_PLAYBACK_IDS 100 /* of one live stream or asset */
#define LIMIT_MUX_TARGETS      6   /* simulcast targets of a live stream */
/* Files that become recordings */
#define LIMIT_IMPORT_GROWTH      32                    /* media of a file, times its size */
#define LIMIT_IMPORT_SPARE_BYTES (UINT64_C(256) << 20) /* and so much more */
#define LIMIT_IMPORT_FRAMES      (20u << 20)
#define LIMIT_IMPORT_US          (INT64_C(50) * 3600 * 1000000) /* the last frame's time */
#define LIMIT_IMPORT_REORDER_US  (INT64_C(30) * 1000000)        /* shown after it is decoded */
#define LIMIT_CLIP_PERIODS       4096 /* of a broadcast that a clip is cut from */
#define LIMIT_JOBS               64   /* imports at a time */
#define LIMIT_JOB_ATTEMPTS       3
#define LIMIT_JOBS_PER_USER      1000 /* that wait */
/* Signed playback */
#define LIMIT_JWT_BYTES          4096 /* a whole token */
#define LIMIT_RSA_KEYS_KEPT      64   /* public keys in memory, ready for use */
#define LIMIT_JWT_SIGNATURE      512
#define LIMIT_JWT_CLAIMS         40  /* at the top of header or payload */
#define LIMIT_JWT_DEPTH          8   /* below a claim */
#define LIMIT_PASS_CLAIMS        24  /* of a token that say how something is shown */
#define LIMIT_SIGNING_KEYS       100 /* of a user */
#define LIMIT_RESTRICTIONS       100
#define LIMIT_RESTRICTED_DOMAINS 100 /* of one restriction */

/* Signing in by OpenID Connect */
#define LIMIT_OIDC_DOC_BYTES     262144 /* discovery, keys, tokens: any answer of a provider */
#define LIMIT_OIDC_KEYS          32     /* of a provider that are kept */
#define LIMIT_OIDC_KID_BYTES     255
#define LIMIT_OIDC_MS            10000 /* for an answer */
#define LIMIT_OIDC_CODE_BYTES    4096  /* what a provider sends the browser back with */
#define LIMIT_OIDC_SUBJECT_BYTES 255   /* OpenID Connect Core, 2 */
#define LIMIT_OIDC_FLOWS         10000 /* begun and not ended; the oldest go when there are more */
#define LIMIT_OIDC_FLOW_S        600   /* for typing a password at the provider's */
#define LIMIT_OIDC_LANES         2     /* sign-ins that wait for a provider at once */
#define LIMIT_OIDC_QUEUE         64    /* waiting for a lane; more are answered 429 */
#define LIMIT_IDENTITIES         10    /* of a user */
#define LIMIT_NEXT_BYTES         512   /* where a person is led after signing in */

/* Avatars */
#define LIMIT_AVATAR_BYTES    (5u << 20) /* uploaded */
#define LIMIT_AVATAR_PIXELS   50000000   /* of it, unpacked */
#define LIMIT_AVATAR_SIDE     16383
#define LIMIT_AVATARS_AT_ONCE 4 /* on their way; more are answered 429 */

/* Images (serve/images) */
#define LIMIT_IMAGE_SIDE        4096 /* pixels asked for */
#define LIMIT_IMAGE_ANIM_SIDE   640
#define LIMIT_IMAGE_TILE        256
#define LIMIT_IMAGE_FPS         30
#define LIMIT_IMAGE_FRAMES      300 /* of an animation, or tiles of a sheet */
#define LIMIT_IMAGE_INIT_BYTES  65536
#define LIMIT_IMAGE_MSG_BYTES   (64u << 20) /* a segment on its way to the worker */
#define LIMIT_IMAGE_MEDIA_BYTES (64u << 20) /* all segments of one image */
#define LIMIT_IMAGE_BYTES       (16u << 20) /* a finished image */
#define LIMIT_IMAGE_WORKERS     2           /* at a time */
#define LIMIT_IMAGE_CPU_S       30          /* computing for one image */
#define LIMIT_IMAGE_MS          60000       /* and by the clock */
#define LIMIT_IMAGE_JOBS        256         /* different images that are being made or wait */
#define LIMIT_IMAGE_WAITS       4096        /* requests that wait for one */
#define LIMIT_IMAGE_LIVE_BYTES  (32u << 20) /* of finished live images, in memory */
#define LIMIT_IMAGE_BURST       200         /* requests of one address at once */
#define LIMIT_IMAGE_PER_S       50          /* and then */
#define LIMIT_IMAGE_NEW_BURST   60          /* of them, images that have to be made */
#define LIMIT_IMAGE_NEW_PER_S   4
#define LIMIT_IMAGE_PARAMS      64 /* of a query */

/* Files made of recordings */
#define LIMIT_MP4_SAMPLES       (16u << 20) /* of one track of a file */
#define LIMIT_STATIC_RENDITIONS 10          /* of an asset */
/* Mux as the provider of live streams */
#define LIMIT_PROVIDER_MS           10000      /* of a request */
#define LIMIT_PROVIDER_ANSWER_BYTES (4u << 20) /* a page of a hundred objects */
#define LIMIT_PROVIDER_PAGES        50         /* looked through for an object of ours */
#define LIMIT_PROVIDER_WAIT_MS      4000       /* a client waits for what is made there */
#define LIMIT_PROVIDER_WAITERS      2 /* clients that wait at a time: they hold pool threads */
#define LIMIT_PROVIDER_BODY_BYTES   (1u << 20) /* a webhook's */
/* Text tracks */
#define LIMIT_TEXT_TRACKS        32          /* of an asset */
#define LIMIT_TEXT_NAME          255         /* characters */
#define LIMIT_TEXT_MS            120000      /* to fetch a file */
#define LIMIT_TEXT_IDLE_MS       20000       /* of it, with next to nothing coming */
#define LIMIT_TEXT_CACHE_BYTES   (32u << 20) /* of subtitles that were read, in memory */
#define LIMIT_SUBTITLE_BYTES     (4u << 20)  /* a file, and what is made of it */
#define LIMIT_SUBTITLE_CUES      50000
#define LIMIT_SUBTITLE_CUE_BYTES 8192
#define LIMIT_SUBTITLE_AT_ONCE   64 /* cues that are on at the same time */
/* Administration */
#define LIMIT_AUDIT_DETAIL   500    /* bytes of a line's own words; longer ones are cut */
#define LIMIT_AUDIT_DAYS     400    /* lines are kept */
#define LIMIT_LOG_KEPT       200    /* warnings and errors in memory */
#define LIMIT_LOG_KEPT_BYTES 400    /* of one */
#define LIMIT_REPORT_CHARS   1000   /* a viewer's words */
#define LIMIT_NOTE_CHARS     500    /* an administrator's */
#define LIMIT_REPORTS_OPEN   100000 /* more are refused until some are closed */
#define LIMIT_INVITES        1000

/* Mail */
#define LIMIT_MAIL_NAME_BYTES    512
#define LIMIT_MAIL_SUBJECT_BYTES 1024
#define LIMIT_MAIL_TEXT_BYTES    65536
#define LIMIT_MAIL_URL_BYTES     900 /* in a header: a line has 998 bytes (RFC 5322, 2.1.1) */
#define LIMIT_MAIL_MS            60000
#define LIMIT_MAIL_CONNECT_MS    20000
#define LIMIT_MAIL_IDLE_S        30     /* a connection is used again within */
#define LIMIT_MAILS_WAITING      100000 /* notices stop at half of it */
#define LIMIT_MAILS_TO_ONE       20     /* that wait for one address */
#define LIMIT_MAIL_ATTEMPTS      11

/* Notices: followers are told */
#define LIMIT_NOTICE_PAGE         100 /* followers in one transaction */
#define LIMIT_PUSH_SUBSCRIPTIONS  20  /* of a user: the oldest makes room */
#define LIMIT_PUSH_ENDPOINT_BYTES 1024
#define LIMIT_PUSH_RUNNING        32 /* requests at a time */
#define LIMIT_PUSHES_WAITING      100000
#define LIMIT_PUSH_ATTEMPTS       8
#define LIMIT_PUSH_MS             20000
#define LIMIT_PUSH_CONNECT_MS     10000
#define LIMIT_PUSH_ANSWER_BYTES   1024
