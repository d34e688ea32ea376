#include "ole_make.h"

#include <gsf/gsf.h>
#include <gsf/gsf-outfile-msole.h>
#include <gsf/gsf-output-memory.h>

static void level(GsfOutfile *dir, const struct ole_stream *s, const char *prefix)
{
	size_t n = strlen(prefix);
	char last[256] = "";

	for (; s->path; s++) {
		const char *rest = s->path + n, *slash;
		GsfOutput *out;
		char name[256], full[512];

		if (strncmp(s->path, prefix, n) != 0)
			continue;
		slash = strchr(rest, '/');
		snprintf(name, sizeof(name), "%.*s", slash ? (int)(slash - rest) : 255, rest);
		if (slash && strcmp(name, last) == 0)
			continue;
		snprintf(last, sizeof(last), "%s", slash ? name : "");
		out = gsf_outfile_new_child(dir, name, slash != NULL);
		if (!out)
			abort();
		if (slash) {
			snprintf(full, sizeof(full), "%s%s/", prefix, name);
			level(GSF_OUTFILE(out), s, full);
		} else if (s->bytes.n) {
			gsf_output_write(out, s->bytes.n, (const guint8 *)s->bytes.p);
		}
		gsf_output_close(out);
		g_object_unref(out);
	}
}

void make_ole(struct buf *ret, const struct ole_stream *streams)
{
	static bool done;
	GsfOutput *mem;
	GsfOutfile *out;

	if (!done)
		gsf_init();
	done = true;
	mem = gsf_output_memory_new();
	out = gsf_outfile_msole_new(mem);
	level(out, streams, "");
	gsf_output_close(GSF_OUTPUT(out));
	buf_put(ret, gsf_output_memory_get_bytes(GSF_OUTPUT_MEMORY(mem)), (size_t)gsf_output_size(mem));
	g_object_unref(out);
	g_object_unref(mem);
}

void put_le16(struct buf *b, uint32_t v)
{
	buf_putc(b, (char)v);
	buf_putc(b, (char)(v >> 8));
}

void put_le32(struct buf *b, uint32_t v)
{
	put_le16(b, v);
	put_le16(b, v >> 16);
}

void put_le64(struct buf *b, uint64_t v)
{
	put_le32(b, (uint32_t)v);
	put_le32(b, (uint32_t)(v >> 32));
}

void put_double(struct buf *b, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	put_le64(b, bits);
}

void set_le16(struct buf *b, size_t at, uint32_t v)
{
	if (at + 2 > b->n)
		abort();
	b->p[at] = (char)v;
	b->p[at + 1] = (char)(v >> 8);
}

void set_le32(struct buf *b, size_t at, uint32_t v)
{
	set_le16(b, at, v);
	set_le16(b, at + 2, v >> 16);
}

size_t put_utf16(struct buf *b, const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = 0;

	while (*p) {
		unsigned more = *p < 0x80 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
		uint32_t c = more ? *p & (0x3fu >> more) : *p;

		for (p++; more; more--)
			c = c << 6 | (*p++ & 0x3f);
		if (c >= 0x10000) {
			put_le16(b, 0xd800 + ((c - 0x10000) >> 10));
			put_le16(b, 0xdc00 + ((c - 0x10000) & 0x3ff));
			n++;
		} else {
			put_le16(b, c);
		}
		n++;
	}
	return n;
}

void pad_to(struct buf *b, size_t n)
{
	while (b->n < n)
		buf_putc(b, '\0');
}
