/* blind.h — what cannot be watched just now, and is tried again.
 *
 * Purpose: a folder that cannot be read, a path that was refused, a subvolume: each is told to the operator and stands in `status` until it
 * is over. Folders are tried again after 5 s, then ever more rarely, and a gap tells from when to when they were not seen.
 * Ownership: the struct owns its texts; at most SENSOR_BLIND_MAX, the others are counted. Threads: recorder only.
 * Units: ns, CLOCK_BOOTTIME but for `since`. Errors: none: without memory it is counted.
 */
#ifndef TYTO_BLIND_H
#define TYTO_BLIND_H

#include "sensor/groups.h"

struct recorder;

struct blind {
	struct blind_spot {
		struct fan_fid dir; /* key 0: nothing to be tried again */
		int64_t since;
		char *text;
	} spots[64];
	size_t n, more, more_told;
	int64_t retry_at, delay;
	int64_t unsaid; /* since when there are folders that no gap tells of yet; 0: none */
};

/* dir may be NULL. Told once. */
void blind_add(struct recorder *r, const struct fan_fid *dir, const char *fmt, ...) _printf_(3, 4);
/* This folder has been read. */
void blind_over(struct recorder *r, uint64_t dir);
/* A scan of everything begins: what is refused then is told again. */
void blind_again(struct recorder *r);
/* A scan has ended. */
void blind_scanned(struct recorder *r);
/* Pushes the folders that are due onto the scan's list. */
void blind_retry(struct recorder *r);
/* All of it, to a new keeper. */
void blind_tell(struct recorder *r);
void blind_free(struct blind *b);

#endif
