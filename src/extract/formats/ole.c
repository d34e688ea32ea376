/* OLE2 compound files: which reader the root's entries ask for, streams as bytes, and embedded objects as documents of their own. */
#include "extract/formats/ole.h"

#include <errno.h>
#include <strings.h>

#include <gsf/gsf.h>
#include <gsf/gsf-infile-msole.h>
#include <gsf/gsf-input-memory.h>
#include <gsf/gsf-outfile-msole.h>
#include <gsf/gsf-output-memory.h>

#include "extract/formats/office_rc4.h"

#define MAGIC "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#define CHUNK (1u << 20)
#define PROPERTIES "__properties_version1.0"

extern const struct format format_ooxml;

static int read_locked(struct ole *o);
static int read_licensed(struct ole *o);

/* The first row whose entry stands in the root. */
static const struct kind {
	const char *entry, *mime;
	int (*read)(struct ole *o);
} kinds[] = {
	{ "EncryptedPackage", "application/vnd.ms-office", read_locked },
	{ "\tDRMContent", "application/vnd.ms-office", read_licensed },
	{ "WordDocument", "application/msword", doc_read_ole },
	{ "PowerPoint Document", "application/vnd.ms-powerpoint", ppt_read_ole },
	{ "PP40", "application/vnd.ms-powerpoint", ppt_read_ole },
	{ "Workbook", "application/vnd.ms-excel", xls_read_ole },
	{ "Book", "application/vnd.ms-excel", xls_read_ole },
	{ PROPERTIES, "application/vnd.ms-outlook", msg_read_ole },
};

static void quiet(const gchar *domain, GLogLevelFlags level, const gchar *message, gpointer arg)
{
}

int ole_prepare(void)
{
	static bool done;

	if (!done)
		gsf_init();
	done = true;
	if (ole_password_prepare() < 0 || office_rc4_prepare() < 0)
		return -ENOMEM;
	g_log_set_default_handler(quiet, NULL);
	return 0;
}

static int bid(struct in *in, str head)
{
	return str_starts(head, STR(MAGIC)) ? 60 : 0;
}

/* ---- streams ---- */

/* Names count whatever their case. */
static GsfInput *child_of(GsfInfile *dir, const char *name)
{
	GsfInput *i = dir ? gsf_infile_child_by_name(dir, name) : NULL;
	int n = dir ? gsf_infile_num_children(dir) : 0;

	for (int k = 0; !i && k < MIN(n, OLE_ENTRIES_MAX); k++) {
		const char *other = gsf_infile_name_by_index(dir, k);

		if (other && strcasecmp(other, name) == 0)
			i = gsf_infile_child_by_index(dir, k);
	}
	return i;
}

bool ole_has(GsfInfile *dir, const char *name)
{
	GsfInput *i = child_of(dir, name);

	if (i)
		g_object_unref(i);
	return i != NULL;
}

GsfInfile *ole_dir(GsfInfile *dir, const char *name)
{
	GsfInput *i = child_of(dir, name);

	if (i && GSF_IS_INFILE(i) && gsf_infile_num_children(GSF_INFILE(i)) >= 0)
		return GSF_INFILE(i);
	if (i)
		g_object_unref(i);
	return NULL;
}

static int load_input(struct ole *o, GsfInput *i, struct buf *ret)
{
	uint64_t size = (uint64_t)gsf_input_size(i), left;

	/* No stream is larger than its file. */
	left = size = MIN(size, in_size(o->in));
	if (size > IN_WHOLE_MAX)
		return -EMSGSIZE;
	while (left) {
		size_t n = MIN(left, (uint64_t)CHUNK);
		int r = buf_reserve(ret, n);

		if (r < 0)
			return r;
		while (n && !gsf_input_read(i, n, (guint8 *)ret->p + ret->n)) /* cut: as much as there is */
			n /= 2;
		if (!n)
			break;
		ret->n += n;
		left -= n;
	}
	if (sink_unpacked(o->sink, ret->n) < 0)
		return -EMSGSIZE;
	return size && !ret->n ? -EBADMSG : 0;
}

int ole_load(struct ole *o, GsfInfile *dir, const char *name, struct buf *ret)
{
	GsfInput *i = child_of(dir, name);
	int r;

	if (!i)
		return -ENOENT;
	r = load_input(o, i, ret);
	g_object_unref(i);
	return r;
}

/* ---- embedded objects ---- */

int ole_part(struct ole *o, str name, str bytes)
{
	struct in *in = in_memory(name, bytes);
	int r;

	if (!in)
		return -ENOMEM;
	r = sink_part(o->sink, name, in);
	in_close(in);
	return r;
}

static int copy_storage(struct ole *o, GsfInfile *from, GsfOutfile *to, unsigned depth, bool message);

static int copy_entry(struct ole *o, GsfInput *child, const char *name, GsfOutfile *to, unsigned depth, bool message)
{
	bool dir = GSF_IS_INFILE(child) && gsf_infile_num_children(GSF_INFILE(child)) >= 0;
	GsfOutput *out = gsf_outfile_new_child(to, name, dir);
	int r = 0;

	if (!out)
		return 0;
	if (dir) {
		r = copy_storage(o, GSF_INFILE(child), GSF_OUTFILE(out), depth + 1, false);
	} else {
		_cleanup_buf_ struct buf b = BUF_INIT;

		r = load_input(o, child, &b);
		if (r == -EBADMSG)
			r = 0;
		/* A message of its own has eight bytes more before its properties than one inside another. */
		if (r == 0 && message && strcmp(name, PROPERTIES) == 0 && b.n >= 24) {
			gsf_output_write(out, 24, (const guint8 *)b.p);
			gsf_output_write(out, 8, (const guint8 *)"\0\0\0\0\0\0\0\0");
			gsf_output_write(out, b.n - 24, (const guint8 *)b.p + 24);
		} else if (r == 0 && b.n) {
			gsf_output_write(out, b.n, (const guint8 *)b.p);
		}
	}
	gsf_output_close(out);
	g_object_unref(out);
	return r;
}

static int copy_storage(struct ole *o, GsfInfile *from, GsfOutfile *to, unsigned depth, bool message)
{
	int n = gsf_infile_num_children(from), r = 0;

	if (depth > OLE_DEPTH_MAX)
		return 0;
	for (int i = 0; r == 0 && i < MIN(n, OLE_ENTRIES_MAX); i++) {
		const char *name = gsf_infile_name_by_index(from, i);
		GsfInput *child = gsf_infile_child_by_index(from, i);

		if (child && name && *name)
			r = copy_entry(o, child, name, to, depth, message);
		if (child)
			g_object_unref(child);
	}
	return r;
}

/* The storage as a compound file, as it was before it was embedded. */
static int rebuild(struct ole *o, GsfInfile *storage, str name)
{
	GsfOutput *mem = gsf_output_memory_new();
	GsfOutfile *out = gsf_outfile_msole_new(mem);
	int r = copy_storage(o, storage, out, 0, ole_has(storage, PROPERTIES));

	gsf_output_close(GSF_OUTPUT(out));
	if (r == 0) {
		gsf_off_t n = gsf_output_size(mem);

		r = ole_part(o, name, (str){ (const char *)gsf_output_memory_get_bytes(GSF_OUTPUT_MEMORY(mem)), n > 0 ? (size_t)n : 0 });
	}
	g_object_unref(out);
	g_object_unref(mem);
	return r;
}

static str last_component(str s)
{
	for (size_t i = s.n; i--;)
		if (s.p[i] == '\\' || s.p[i] == '/')
			return (str){ s.p + i + 1, s.n - i - 1 };
	return s;
}

/* The next string up to its NUL. */
static str take_string(str *s)
{
	const char *end = s->n ? memchr(s->p, 0, s->n) : NULL;
	size_t n = end ? (size_t)(end - s->p) : s->n;
	str r = { s->p, n };

	n += end ? 1 : 0;
	s->p += n;
	s->n -= n;
	return r;
}

/* A file that was dropped into a document: size, flags, label, path, two numbers, path of the temporary copy, size, bytes. */
static int native(struct ole *o, GsfInfile *storage, str name)
{
	_cleanup_buf_ struct buf b = BUF_INIT, label = BUF_INIT;
	int r = ole_load(o, storage, "\1Ole10Native", &b);
	str s, first, path;
	uint32_t n;

	if (r < 0)
		return r == -EMSGSIZE ? r : 0;
	s = le_sub(buf_str(&b), 4, b.n);
	if (le16(s, 0) != 2) /* the bytes alone */
		return ole_part(o, name, s);
	s = le_sub(s, 2, s.n);
	first = take_string(&s);
	path = last_component(take_string(&s));
	n = le32(s, 4);
	s = le_sub(s, 8, s.n);
	if (n > s.n)
		return ole_part(o, name, le_sub(buf_str(&b), 4, b.n));
	s = le_sub(s, n, s.n);
	if (!path.n)
		path = last_component(first);
	charset_codepage_to_utf8(1252, path, &label);
	return ole_part(o, label.n ? buf_str(&label) : name, le_sub(s, 4, le32(s, 0)));
}

int ole_object(struct ole *o, GsfInfile *storage, str name)
{
	static const char *const whole[] = { "Package", "CONTENTS", "Contents", "package_stream" };
	static const char *const owned[] = { "WordDocument", "Workbook", "Book", "PowerPoint Document", PROPERTIES, "EncryptedPackage" };

	if (ole_has(storage, "\1Ole10Native"))
		return native(o, storage, name);
	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		if (ole_has(storage, owned[i]))
			return rebuild(o, storage, name);
	for (size_t i = 0; i < ARRAY_SIZE(whole); i++) {
		_cleanup_buf_ struct buf b = BUF_INIT;
		int r = ole_load(o, storage, whole[i], &b);

		if (r == -EMSGSIZE)
			return r;
		if (r == 0 && b.n)
			return ole_part(o, name, buf_str(&b));
	}
	return 0;
}

int ole_objects(struct ole *o, GsfInfile *dir, const char *prefix)
{
	int n = dir ? gsf_infile_num_children(dir) : 0, r = 0;

	for (int i = 0; r == 0 && i < MIN(n, OLE_ENTRIES_MAX); i++) {
		const char *name = gsf_infile_name_by_index(dir, i);
		GsfInput *child;

		if (!name || strncmp(name, prefix, strlen(prefix)) != 0)
			continue;
		child = gsf_infile_child_by_index(dir, i);
		if (child && GSF_IS_INFILE(child) && gsf_infile_num_children(GSF_INFILE(child)) >= 0)
			r = ole_object(o, GSF_INFILE(child), str_c(name));
		if (child)
			g_object_unref(child);
	}
	return r;
}

/* ---- text ---- */

void ole_utf16(struct buf *ret, str s, bool until_nul)
{
	for (size_t i = 0; until_nul && i + 1 < s.n; i += 2)
		if (le16(s, i) == 0)
			s.n = i;
	s.n &= ~(size_t)1;
	charset_to_utf8(STR("utf-16le"), s, ret);
}

/* ---- the format ---- */

static int read_licensed(struct ole *o)
{
	sink_reason(o->sink, "a password or a licence is needed");
	return -EACCES;
}

/* Unless its password is the one that Excel asks nobody for. */
static int read_locked(struct ole *o)
{
	_cleanup_buf_ struct buf clear = BUF_INIT;
	struct in *in;
	int r = ole_everybodys(o, &clear);

	if (r == -EACCES)
		return read_licensed(o);
	in = r == 0 ? in_memory(in_name(o->in), buf_str(&clear)) : NULL;
	if (r == 0)
		r = in ? format_ooxml.read(in, o->sink) : -ENOMEM;
	in_close(in);
	return r;
}

static const char *const wrapped[] = { "\1Ole10Native", "Package", "CONTENTS", "package_stream" };

static int dispatch(struct ole *o)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!ole_has(o->root, kinds[i].entry))
			continue;
		sink_type(o->sink, kinds[i].mime);
		return kinds[i].read(o);
	}
	ole_properties(o);
	/* An object's storage as a file of its own (word/embeddings/oleObject1.bin): a file in its wrapping. */
	for (size_t i = 0; i < ARRAY_SIZE(wrapped); i++)
		if (ole_has(o->root, wrapped[i]))
			return ole_object(o, o->root, in_name(o->in));
	return -ENOTSUP;
}

/* Whether sectors are in use that lie beyond the end. */
static bool is_cut(str file)
{
	size_t shift = le16(file, 30), sector = (size_t)1 << (shift & 15), n_fat = MIN(le32(file, 44), 109u), n = (file.n + sector - 1) / sector;

	if (shift < 7 || shift > 12 || n < 2)
		return true;
	n--; /* the head */
	if (le32(file, 48) >= n)
		return true;
	for (size_t i = 0; i < n_fat; i++) {
		uint32_t at = le32(file, 76 + 4 * i);
		str fat = le_sub(file, ((size_t)at + 1) * sector, sector);

		if (at >= n)
			return true;
		for (size_t k = i * sector / 4 >= n ? 0 : n - i * sector / 4; 4 * k < fat.n; k++)
			if (le32(fat, 4 * k) != UINT32_MAX && le32(fat, 4 * k) != 0)
				return true;
	}
	return false;
}

/* Where the directory is lost, a stream that was written in one go can still be found by how it begins. */
static int salvage(struct ole *o, str file)
{
	static const struct {
		str begin;
		const char *mime;
		int (*read)(struct ole *o, str stream);
	} streams[] = {
		{ STR("\xec\xa5"), "application/msword", doc_read_stream },
		{ STR("\x09\x08\x10\0\0\x06\x05\0"), "application/vnd.ms-excel", xls_read_stream },
		{ STR("\x0f\0\xe8\x03"), "application/vnd.ms-powerpoint", ppt_read_stream },
	};
	struct ole lost = { .in = o->in, .sink = o->sink };

	for (size_t at = 512; at < file.n; at += 512)
		for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
			if (str_starts(le_sub(file, at, 8), streams[i].begin)) {
				int r;

				sink_type(o->sink, streams[i].mime);
				r = streams[i].read(&lost, le_sub(file, at, file.n));
				return r ? r : -EBADMSG;
			}
	return -EBADMSG;
}

static int read_ole(struct in *in, struct sink *s)
{
	struct ole o = { .in = in, .sink = s };
	GError *error = NULL;
	GsfInput *memory;
	bool cut;
	str whole;
	int r = in_whole(in, IN_WHOLE_MAX, &whole);

	if (r < 0) {
		if (r == -EMSGSIZE)
			sink_reason(s, "an OLE2 file of more than 256 MiB");
		return r;
	}
	cut = is_cut(whole);
	memory = gsf_input_memory_new((const guint8 *)whole.p, (gsf_off_t)whole.n, FALSE);
	o.root = gsf_infile_msole_new(memory, &error);
	r = o.root ? dispatch(&o) : -EBADMSG;
	if (!o.root || (cut && r == -ENOTSUP)) {
		sink_reason(s, "%s", cut ? "truncated" : error ? error->message : "no directory");
		r = salvage(&o, whole);
	} else if (cut && r == 0) {
		sink_reason(s, "truncated");
		r = -EBADMSG;
	} else if (r == -ENOTSUP) {
		sink_reason(s, "an OLE2 file of another kind");
	}
	if (o.root)
		g_object_unref(o.root);
	g_clear_error(&error);
	g_object_unref(memory);
	return r;
}

const struct format format_ole = { .name = "ole", .mime = "application/x-ole-storage", .bid = bid, .read = read_ole,
	.prepare = ole_prepare };
