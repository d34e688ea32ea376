/* extract [--ocr] [--quiet] [--jobs N] FILE…: what the extractors give for each file, as JSON Lines: one line a part. For writers of formats, tests, bench.
 * --quiet: only the counts at the end. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/json.h"
#include "extract/extract.h"

static bool quiet;
static enum ocr_mode ocr = OCR_LATER;
static char **files;
static int n_files;
static atomic_int next_file, failed;
static atomic_ullong total_chars, total_parts, total_bytes, total_errors;

static void put_hex(struct buf *b, const uint8_t *p, size_t n)
{
	buf_putc(b, '"');
	for (size_t i = 0; i < n; i++)
		buf_putf(b, "%02x", p[i]);
	buf_putc(b, '"');
}

static void put_spans(struct buf *b, const struct text *t)
{
	json_key(b, "spans");
	json_arr_begin(b);
	for (size_t i = 0; i < t->n_spans; i++) {
		const struct span *s = &t->spans[i];

		json_obj_begin(b);
		json_key(b, "zone");
		json_str(b, str_c(zone_name(s->zone)));
		json_key(b, "block");
		json_u64(b, s->block);
		if (s->table) {
			json_key(b, "table");
			json_u64(b, s->table);
		}
		if (s->row) {
			json_key(b, "row");
			json_u64(b, s->row);
			json_key(b, "col");
			json_u64(b, s->col);
		}
		if (s->flags & SPAN_HIDDEN) {
			json_key(b, "hidden");
			json_bool(b, true);
		}
		json_key(b, "text");
		json_str(b, text_span(t, s));
		json_obj_end(b);
	}
	json_arr_end(b);
}

static void put_properties(struct buf *b, const struct text *t)
{
	if (t->n_metas) {
		json_key(b, "meta");
		json_arr_begin(b);
		for (size_t i = 0; i < t->n_metas; i++) {
			json_arr_begin(b);
			json_str(b, t->metas[i].key);
			json_str(b, t->metas[i].value);
			json_arr_end(b);
		}
		json_arr_end(b);
	}
	if (t->n_labels) {
		json_key(b, "labels");
		json_arr_begin(b);
		for (size_t i = 0; i < t->n_labels; i++) {
			json_obj_begin(b);
			json_key(b, "guid");
			json_str(b, t->labels[i].guid);
			json_key(b, "name");
			json_str(b, t->labels[i].name);
			json_key(b, "enabled");
			json_bool(b, t->labels[i].enabled);
			json_key(b, "source");
			json_u64(b, t->labels[i].source);
			json_obj_end(b);
		}
		json_arr_end(b);
	}
	if (t->n_images) {
		json_key(b, "images");
		json_arr_begin(b);
		for (size_t i = 0; i < t->n_images; i++) {
			json_obj_begin(b);
			json_key(b, "sha256");
			put_hex(b, t->images[i].sha256, 32);
			json_key(b, "width");
			json_u64(b, t->images[i].width);
			json_key(b, "height");
			json_u64(b, t->images[i].height);
			json_obj_end(b);
		}
		json_arr_end(b);
	}
}

static void put_part(struct buf *b, const char *file, const struct extract_part *p)
{
	json_obj_begin(b);
	json_key(b, "file");
	json_str(b, str_c(file));
	json_key(b, "part");
	json_str(b, p->name);
	json_key(b, "type");
	json_str(b, p->type);
	json_key(b, "bytes");
	json_u64(b, p->bytes);
	if (p->has_sha256) {
		json_key(b, "sha256");
		put_hex(b, p->sha256, 32);
	}
	if (p->error) {
		json_key(b, "error");
		json_str(b, str_c(p->error));
	}
	if (p->reason && *p->reason) {
		json_key(b, "reason");
		json_str(b, str_c(p->reason));
	}
	json_key(b, "chars");
	json_u64(b, p->text.chars);
	if (p->text.cut) {
		json_key(b, "cut");
		json_bool(b, true);
	}
	if (p->text.wants_ocr) {
		json_key(b, "wants_ocr");
		json_bool(b, true);
	}
	put_spans(b, &p->text);
	put_properties(b, &p->text);
	json_obj_end(b);
	buf_putc(b, '\n');
}

static int on_part(void *arg, const struct extract_part *p)
{
	_cleanup_buf_ struct buf b = BUF_INIT;

	total_parts++;
	total_chars += p->text.chars;
	total_errors += p->error != NULL;
	if (!p->name.n)
		total_bytes += p->bytes;
	if (quiet)
		return 0;
	put_part(&b, arg, p);
	flockfile(stdout);
	fwrite(b.p, 1, b.n, stdout);
	funlockfile(stdout);
	return 0;
}

static void *work(void *arg)
{
	struct extractor *x;
	int r = extractor_new(NULL, ocr, &x);

	for (int i; r == 0 && (i = next_file++) < n_files;) {
		const char *slash = strrchr(files[i], '/');
		int fd = open(files[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		if (fd < 0) {
			fprintf(stderr, "%s: %s\n", files[i], strerror(errno));
			failed = 1;
			continue;
		}
		r = extract_file(x, fd, str_c(slash ? slash + 1 : files[i]), on_part, files[i]);
		close(fd);
	}
	if (r < 0) {
		fprintf(stderr, "no worker: %s\n", strerror(-r));
		failed = 1;
		return NULL;
	}
	extractor_free(x);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[64];
	int jobs = 1, at = 1;

	if (argc > 1 && strcmp(argv[1], EXTRACT_ROLE) == 0)
		return extract_worker_main(argc - 2, argv + 2);
	for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
		if (strcmp(argv[at], "--quiet") == 0)
			quiet = true;
		else if (strcmp(argv[at], "--ocr") == 0)
			ocr = OCR_NOW;
		else if (strcmp(argv[at], "--jobs") == 0 && at + 1 < argc)
			jobs = atoi(argv[++at]);
	}
	jobs = MIN(MAX(jobs, 1), 64);
	files = argv + at;
	n_files = argc - at;
	for (int i = 0; i < jobs; i++)
		if (pthread_create(&threads[i], NULL, work, NULL) != 0)
			return 1;
	for (int i = 0; i < jobs; i++)
		pthread_join(threads[i], NULL);
	if (quiet)
		printf("files %d parts %llu bytes %llu chars %llu errors %llu\n", n_files, total_parts, total_bytes, total_chars, total_errors);
	return failed;
}
