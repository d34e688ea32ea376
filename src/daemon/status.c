#include "daemon/status.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/json.h"
#include "base/timefmt.h"
#include "event/event.h"
#include "forward/outbox.h"
#include "index/index.h"

#define DAY (86400 * NSEC_PER_SEC)

/* Rate of growth since the log was begun, and when the disk will be full at that rate. */
static void put_disk(const struct status *s, struct buf *b)
{
	struct index_stat ix = { 0 };
	struct statvfs v;
	struct stat st;
	char path[4096];
	uint64_t used, per_day = 0;
	int64_t now = time_now(), age = 0;

	index_stat(s->state, &ix);
	used = s->evidence.disk_log + ix.disk;
	snprintf(path, sizeof(path), "%s/VERSION", s->state);
	if (stat(path, &st) == 0)
		age = now - (st.st_mtim.tv_sec * NSEC_PER_SEC + st.st_mtim.tv_nsec);
	/* A shorter time than an hour says nothing about a day. */
	if (age >= 3600 * NSEC_PER_SEC)
		per_day = (uint64_t)((double)used * (double)DAY / (double)age);
	json_put_obj(b, "disk");
	json_put_u64(b, "log", s->evidence.disk_log);
	json_put_u64(b, "index", ix.disk);
	if (per_day)
		json_put_u64(b, "per_day", per_day);
	if (statvfs(s->state, &v) == 0) {
		double free_bytes = (double)v.f_bavail * (double)v.f_frsize, days = per_day ? free_bytes / (double)per_day : 1e9;

		json_put_u64(b, "free", (uint64_t)free_bytes);
		if (days < 36500)
			json_put_time(b, "full_on", now + (int64_t)(days * (double)DAY));
	}
	json_put_bool(b, "full", s->disk_full);
	json_obj_end(b);
}

static void put_sensor(const struct status *s, struct buf *b)
{
	static const struct { const char *key; size_t offset; } fields[] = {
		{ "received", offsetof(struct sensor_heartbeat, received) }, { "delivered", offsetof(struct sensor_heartbeat, delivered) },
		{ "missed_deadlines", offsetof(struct sensor_heartbeat, missed) }, { "own", offsetof(struct sensor_heartbeat, own) },
		{ "held_max_ns", offsetof(struct sensor_heartbeat, held_max) }, { "objects", offsetof(struct sensor_heartbeat, watched) },
	};

	json_put_obj(b, "sensor");
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		json_put_u64(b, fields[i].key, *(const uint64_t *)((const char *)&s->counters + fields[i].offset));
	json_obj_end(b);
}

static void put_documents(const struct documents_stat *d, struct buf *b)
{
	static const struct { const char *key; size_t offset; } fields[] = {
		{ "documents", offsetof(struct documents_stat, documents) }, { "places", offsetof(struct documents_stat, places) },
		{ "gone", offsetof(struct documents_stat, gone) }, { "unreadable", offsetof(struct documents_stat, unreadable) },
		{ "waiting_ocr", offsetof(struct documents_stat, waiting_ocr) }, { "unlabelled", offsetof(struct documents_stat, unlabelled) },
	};

	json_key(b, "inventory");
	json_obj_begin(b);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		json_key(b, fields[i].key);
		json_u64(b, *(const uint64_t *)((const char *)d + fields[i].offset));
	}
	json_key(b, "labels");
	json_obj_begin(b);
	for (unsigned l = 1; l < LABEL_MAX_; l++) {
		json_key(b, event_label_name((enum event_label)l));
		json_u64(b, d->labels[l]);
	}
	json_obj_end(b);
	json_obj_end(b);
	json_put_obj(b, "fingerprints");
	json_put_u64(b, "documents", d->fingerprinted);
	json_put_u64(b, "disk", d->fingerprints_disk);
	json_put_u64(b, "disk8", d->fingerprints_disk8);
	json_obj_end(b);
}

/* Where somebody was ever to be told of alerts. */
static void put_notify(const struct status *s, struct buf *b)
{
	struct outbox_stat st;

	if (outbox_stat(s->state, &st) < 0)
		return;
	json_put_obj(b, "notify");
	json_put_bool(b, "running", outbox_locked(s->state));
	json_put_u64(b, "sent", st.sent);
	if (st.last)
		json_put_time(b, "last", st.last);
	json_put_u64(b, "waiting", st.waiting);
	if (st.oldest)
		json_put_time(b, "oldest", st.oldest);
	json_put_u64(b, "dead", st.dead);
	json_put_u64(b, "forgotten", st.forgotten);
	json_obj_end(b);
}

static void put_blind_spots(const struct status *s, struct buf *b)
{
	const struct sensor_ops *ops = NULL;
	const char *why;

	if (s->running && s->backend == BACKEND_FANOTIFY)
		ops = &sensor_fanotify;
	else
		sensor_pick(&ops, &why);
	json_put_arr(b, "blind_spots");
	for (const char *const *p = ops ? ops->blind_spots() : NULL; p && *p; p++)
		json_str(b, str_c(*p));
	for (size_t i = 0; s->names && i < s->n_blind; i++)
		json_str(b, str_c(s->blind[i]));
	json_arr_end(b);
}

static void put_detection(const struct status_detection *d, struct buf *b)
{
	json_put_obj(b, "rules");
	json_put_u64(b, "all", d->rules);
	json_put_u64(b, "run", d->run);
	json_put_u64(b, "broken", d->broken);
	if (d->since)
		json_put_time(b, "since", d->since);
	if (d->set)
		json_put_str(b, "sha256", str_c(d->set));
	json_put_u64(b, "full", d->full);
	json_put_bool(b, "failed", d->failed);
	json_obj_end(b);
	json_put_obj(b, "alerts");
	json_put_u64(b, "open", d->open);
	json_put_u64(b, "held", d->held);
	json_put_u64(b, "waiting", d->waiting);
	json_obj_end(b);
}

void status_put(const struct status *s, struct buf *b)
{
	const struct evidence_stat *e = &s->evidence;

	json_obj_begin(b);
	json_put_arr(b, "watching");
	for (size_t i = 0; i < s->n_watching; i++)
		json_str(b, str_c(s->watching[i]));
	json_arr_end(b);
	json_put_bool(b, "running", s->running);
	if (s->running) {
		json_put_str(b, "backend", str_c(sensor_backend_name(s->backend)));
		json_put_str(b, "tier", str_c(s->tier));
	}
	json_put_u64(b, "records", e->records);
	json_put_u64(b, "leaves", e->size);
	json_put_u64(b, "unknown", e->unknown);
	json_put_u64(b, "indexed", s->indexed);
	json_put_obj(b, "checkpoint");
	json_put_u64(b, "size", e->checkpoint_size);
	if (e->checkpoint_time)
		json_put_time(b, "time", e->checkpoint_time);
	json_obj_end(b);
	json_put_u64(b, "queue", s->queue);
	json_put_u64(b, "lost", e->lost);
	json_put_u64(b, "gaps", e->gaps);
	put_disk(s, b);
	if (s->documents)
		put_documents(s->documents, b);
	if (s->running) {
		put_sensor(s, b);
		json_put_obj(b, "keeper");
		json_put_u64(b, "uid", s->keeper_uid);
		json_put_bool(b, "account", s->keeper_named);
		json_obj_end(b);
	}
	if (s->detection.known)
		put_detection(&s->detection, b);
	put_notify(s, b);
	put_blind_spots(s, b);
	json_put_str(b, "version", STR(TYTO_VERSION));
	json_obj_end(b);
}
