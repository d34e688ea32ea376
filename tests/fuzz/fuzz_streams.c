#include "fuzz_streams.h"

#include "../unit/extract/ole_make.h"

#define STREAMS_MAX 16

void fuzz_streams(const char *name, const char *const *paths, const uint8_t *data, size_t n)
{
	struct ole_stream streams[STREAMS_MAX + 1] = { 0 };
	struct buf bytes[STREAMS_MAX] = { 0 }, ole = BUF_INIT;
	size_t n_paths = 0, used = 0;
	bool present[STREAMS_MAX] = { 0 };

	while (paths[n_paths])
		n_paths++;
	for (size_t at = 0; at + 3 <= n;) {
		size_t which = data[at] % n_paths, len = MIN((size_t)data[at + 1] | (size_t)data[at + 2] << 8, n - at - 3);

		buf_put(&bytes[which], data + at + 3, len);
		present[which] = true;
		at += 3 + len;
	}
	for (size_t i = 0; i < n_paths; i++)
		if (present[i])
			streams[used++] = (struct ole_stream){ paths[i], buf_str(&bytes[i]) };
	make_ole(&ole, streams);
	fuzz_format(name, (const uint8_t *)ole.p, ole.n);
	buf_free(&ole);
	for (size_t i = 0; i < n_paths; i++)
		buf_free(&bytes[i]);
}
