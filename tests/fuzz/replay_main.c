/* replay_main.c: runs a fuzz target once on each file of the files and folders given (folders one level deep).
 *
 * Each input stands in memory of its exact size, so that a sanitizer sees the first byte read beyond it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX (64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long inputs;

static int replay_file(const char *path, size_t size)
{
	uint8_t *p = malloc(size ? size : 1);
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!p || !f || size > INPUT_MAX) {
		fprintf(stderr, "%s: cannot be read\n", path);
		free(p);
		if (f)
			fclose(f);
		return 1;
	}
	n = fread(p, 1, size, f);
	fclose(f);
	if (n == size) {
		LLVMFuzzerTestOneInput(p, size);
		inputs++;
	}
	free(p);
	return n != size;
}

static int replay(const char *path, int depth)
{
	struct stat st;
	struct dirent *d;
	DIR *dir;
	int bad = 0;

	if (stat(path, &st) < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path, (size_t)st.st_size);
	if (depth > 0)
		return 0;
	dir = opendir(path);
	if (!dir)
		return 1;
	while ((d = readdir(dir))) {
		char *sub = NULL;

		if (d->d_name[0] == '.' || asprintf(&sub, "%s/%s", path, d->d_name) < 0)
			continue;
		bad |= replay(sub, depth + 1);
		free(sub);
	}
	closedir(dir);
	return bad;
}

int main(int argc, char **argv)
{
	int bad = 0;

	for (int i = 1; i < argc; i++)
		bad |= replay(argv[i], 0);
	/* The empty input is always one of them, so that a target without a corpus runs at all. */
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	inputs++;
	printf("%lu inputs\n", inputs);
	return bad;
}
