/* config.h — the settings: one table, one file, flags win.
 *
 * Purpose: /etc/tyto/tyto.conf (`key = value`, # comments) into struct config; `tyto config check|show` print the same table.
 * Ownership: struct config owns its texts (config_free). Units: bytes, ns as named in the table. Threads: plain data after loading.
 * Errors: config_load calls the callback for each bad line (file, line, what was expected) and goes on; returns -EBADMSG if there was one.
 */
#ifndef TYTO_CONFIG_H
#define TYTO_CONFIG_H

#include "base/buf.h"
#include "event/event.h"
#include "forward/notify_settings.h"

#define CONFIG_FILE "/etc/tyto/tyto.conf"
#define CONFIG_PATHS_MAX 64
#define CONFIG_MICROSOFT_MAX 64

struct config_microsoft { /* label.microsoft.GUID = LABEL [NAME] */
	char *guid;  /* lower case */
	char *name;  /* "" none */
	enum event_label label;
};

struct config {
	char *state;
	char *watch[CONFIG_PATHS_MAX];
	size_t n_watch;
	char *people;
	bool mask;
	uint64_t disk_reserve; /* bytes that the index leaves free */
	char *label_file;      /* "" none */
	struct config_microsoft microsoft[CONFIG_MICROSOFT_MAX];
	size_t n_microsoft;
	uint64_t label_contacts; /* 0: off */
	char *rules[CONFIG_PATHS_MAX]; /* none: config_rules says which */
	size_t n_rules;
	uint64_t alerts_budget; /* a day, of 1,000 persons */
	char *decoy_excused;   /* accounts and programs, separated by spaces */
	struct notify_settings notify;
};

struct setting {
	const char *key;      /* SET_MICROSOFT: what stands before ".GUID" is the key, a GUID follows */
	enum { SET_TEXT, SET_PATHS, SET_YES_NO, SET_BYTES, SET_NUMBER, SET_MICROSOFT } type;
	size_t offset, count_offset;
	const char *standard; /* in force without a file */
	const char *help;
};
extern const struct setting settings[]; /* ends with key NULL */

typedef void config_complaint(void *arg, const char *file, unsigned line, const char *what);

void config_init(struct config *c);
void config_free(struct config *c);
/* missing_ok: no file is no error. */
int config_load(struct config *c, const char *file, bool missing_ok, config_complaint *complain, void *arg);
/* Where the shipped rules stand: installed, or beside the program in the folder where it was built. Static text. */
char *config_shipped_rules(void);
/* Where detection rules are read from: the setting, or what was installed and /etc/tyto/rules. Points into c or static text. */
size_t config_rules(const struct config *c, char *ret[static CONFIG_PATHS_MAX]);
struct label_config;
/* The label settings, for classifier_new; they point into c. */
void config_labels(const struct config *c, struct label_config *ret);
/* The value as it would stand in the file. */
void config_value(const struct config *c, const struct setting *s, struct buf *b);

#endif
