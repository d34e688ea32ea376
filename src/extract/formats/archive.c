/* Containers and compressed files through libarchive: members are parts; a file that is only compressed is one part without the ending. */
#include <archive_entry.h>
#include <ctype.h>
#include <errno.h>

#include "extract/formats/source.h"

#define BLOCK SOURCE_BLOCK

enum kind { KIND_ZIP, KIND_7Z, KIND_RAR, KIND_CAB, KIND_LHA, KIND_TAR, KIND_CPIO, KIND_PACKED /* perhaps a tar inside */ };

static const struct magic {
	str bytes;
	const char *mime;
	unsigned at;
	enum kind kind;
} magics[] = {
	{ STR("PK\3\4"), "application/zip", 0, KIND_ZIP },
	{ STR("PK\5\6"), "application/zip", 0, KIND_ZIP },
	{ STR("PK\7\10"), "application/zip", 0, KIND_ZIP },
	{ STR("7z\xbc\xaf\x27\x1c"), "application/x-7z-compressed", 0, KIND_7Z },
	{ STR("Rar!\x1a\x07"), "application/vnd.rar", 0, KIND_RAR },
	{ STR("MSCF\0\0\0\0"), "application/vnd.ms-cab-compressed", 0, KIND_CAB },
	{ STR("-lh"), "application/x-lzh-compressed", 2, KIND_LHA },
	{ STR("ustar"), "application/x-tar", 257, KIND_TAR },
	{ STR("070701"), "application/x-cpio", 0, KIND_CPIO },
	{ STR("070707"), "application/x-cpio", 0, KIND_CPIO },
	{ STR("\x1f\x8b\x08"), "application/gzip", 0, KIND_PACKED },
	{ STR("\xfd""7zXZ\0"), "application/x-xz", 0, KIND_PACKED },
	{ STR("\x28\xb5\x2f\xfd"), "application/zstd", 0, KIND_PACKED },
	{ STR("BZh"), "application/x-bzip2", 0, KIND_PACKED },
	{ STR("\x5d\0\0"), "application/x-lzma", 0, KIND_PACKED },
	{ STR("\x1f\x9d"), "application/x-compress", 0, KIND_PACKED },
	{ STR("\x04\x22\x4d\x18"), "application/x-lz4", 0, KIND_PACKED },
};

/* Letters that a text may begin with, too, need more to be believed. */
static bool plausible(const struct magic *m, str head)
{
	if (m->kind == KIND_CPIO) {
		for (size_t i = 6; i < 62; i++)
			if (i >= head.n || !isxdigit((unsigned char)head.p[i]))
				return false;
	} else if (m->kind == KIND_LHA) {
		return head.n > 6 && head.p[6] == '-';
	} else if (m->bytes.p[0] == 'B') {
		return head.n >= 10 && (memcmp(head.p + 4, "1AY&SY", 6) == 0 || memcmp(head.p + 4, "\x17rE8P\x90", 6) == 0);
	}
	return true;
}

/* Tars from before there was a magic: a name, and a sum of the header in which the sum's own field counts as spaces. */
static const struct magic tar_v7 = { STR("tar"), "application/x-tar", 0, KIND_TAR };

static bool old_tar(str head)
{
	unsigned long want = 0, sum = 0;

	if (head.n < 512 || !*head.p)
		return false;
	for (size_t i = 0; i < 512; i++) {
		uint8_t c = (uint8_t)head.p[i];

		if (i >= 148 && i < 156 && c >= '0' && c <= '7')
			want = want * 8 + (c - '0');
		else if (i >= 148 && i < 156 && c && c != ' ')
			return false;
		sum += i >= 148 && i < 156 ? ' ' : c;
	}
	return want == sum;
}

static const struct magic *find(str head)
{
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (head.n > magics[i].at && str_starts((str){ head.p + magics[i].at, head.n - magics[i].at }, magics[i].bytes) &&
		    plausible(&magics[i], head))
			return &magics[i];
	return old_tar(head) ? &tar_v7 : NULL;
}

static int bid(struct in *in, str head)
{
	const struct magic *m = find(head);

	if (!m)
		return 0;
	return m->bytes.n <= 3 && m->kind != KIND_PACKED ? 20 : 30; /* formats that are zips inside bid higher */
}

static void support(struct archive *a, enum kind kind, bool raw_only)
{
	static int (*const of_kind[])(struct archive *) = {
		[KIND_ZIP] = archive_read_support_format_zip, [KIND_7Z] = archive_read_support_format_7zip,
		[KIND_CAB] = archive_read_support_format_cab, [KIND_LHA] = archive_read_support_format_lha,
		[KIND_TAR] = archive_read_support_format_tar, [KIND_CPIO] = archive_read_support_format_cpio,
	};

	if (kind == KIND_RAR) {
		archive_read_support_format_rar(a);
		archive_read_support_format_rar5(a);
	} else if (kind != KIND_PACKED) {
		of_kind[kind](a);
	}
	if (kind != KIND_PACKED)
		return;
	/* By the library only: where it would start a program (lzop, lrzip), that is refused anyhow. */
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_zstd(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_lzma(a);
	archive_read_support_filter_lz4(a);
	archive_read_support_filter_compress(a);
	if (!raw_only)
		archive_read_support_format_tar(a);
	archive_read_support_format_raw(a);
}

/* What libarchive says, as ours. */
static int trouble(struct archive *a, struct sink *s)
{
	const char *why = archive_error_string(a);

	if (why)
		sink_reason(s, "%s", why);
	if (why && (strcasestr(why, "encrypt") || strcasestr(why, "passphrase")))
		return -EACCES;
	if (archive_errno(a) == ENOMEM)
		return -ENOMEM;
	return why && strcasestr(why, "unsupported") ? -ENOTSUP : -EBADMSG;
}

/* UTF-8 of a member's name, whatever the program that packed it thought. */
static str member_name(struct archive_entry *e, struct buf *b)
{
	const char *raw = archive_entry_pathname(e), *charset;

	if (!raw)
		raw = archive_entry_pathname_utf8(e);
	if (!raw || !*raw)
		return STR("?");
	if (str_utf8_valid(str_c(raw)))
		return str_c(raw);
	charset = charset_guess(str_c(raw));
	buf_clear(b);
	if (charset_to_utf8(str_c(charset ? charset : "cp437"), str_c(raw), b) < 0)
		return str_c(raw);
	return buf_str(b);
}

/* "notes.txt.gz" holds "notes.txt". */
static str packed_name(struct in *in)
{
	static const char *const endings[] = { "gz", "xz", "zst", "bz2", "lzma", "lz4", "Z" };
	str name = in_name(in);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
		if (in_name_is(in, endings[i]))
			return (str){ name.p, name.n - strlen(endings[i]) - 1 };
	return name.n ? name : STR("data");
}

struct reading {
	struct archive *a;
	struct sink *sink;
	struct in *in;
	enum kind kind;
	struct buf bytes, name;
	unsigned read, encrypted, members, entries; /* entries: folders and links, too */
};

/* The member's bytes, counted against the caps: 0, -EMSGSIZE with *ret_cap when the document as a whole has had enough, or the member's own
 * trouble. */
static int inflate_member(struct reading *r, bool *ret_cap)
{
	buf_clear(&r->bytes);
	r->bytes.max = IN_WHOLE_MAX;
	for (;;) {
		bool large = r->bytes.n + BLOCK > IN_WHOLE_MAX;
		static char spare[BLOCK];
		la_ssize_t n;

		if (!large && buf_reserve(&r->bytes, BLOCK) < 0)
			return -ENOMEM;
		n = archive_read_data(r->a, large ? spare : r->bytes.p + r->bytes.n, BLOCK);
		if (n < 0)
			return -EBADMSG;
		if (n == 0)
			return large ? -EMSGSIZE : 0;
		if (sink_unpacked(r->sink, (uint64_t)n) < 0) {
			*ret_cap = true;
			return -EMSGSIZE;
		}
		if (!large)
			r->bytes.n += (size_t)n;
		else if (r->kind == KIND_ZIP)
			return -EMSGSIZE; /* the next one is found without reading on */
	}
}

/* Keeps what an enormous member took from weighing on the small ones after it. */
static void forget_bytes(struct reading *r)
{
	if (r->bytes.cap > (8u << 20))
		buf_free(&r->bytes);
}

static int one_member(struct reading *r, str name, struct archive_entry *e)
{
	bool cap = false;
	struct in *in;
	int k;

	r->members++;
	if (archive_entry_is_encrypted(e)) {
		r->encrypted++;
		sink_part_failed(r->sink, name, -EACCES, "a password is needed");
		return 0;
	}
	if (r->kind == KIND_ZIP && archive_entry_size_is_set(e) && archive_entry_size(e) > (la_int64_t)IN_WHOLE_MAX) {
		sink_part_failed(r->sink, name, -EMSGSIZE, "a member of more than 256 MiB");
		return 0;
	}
	k = inflate_member(r, &cap);
	if (cap)
		return -EMSGSIZE;
	if (k < 0 && (k != -EBADMSG || r->bytes.n == 0)) {
		const char *why = archive_error_string(r->a);

		if (k == -EBADMSG && why && strcasestr(why, "passphrase")) {
			k = -EACCES;
			r->encrypted++;
		}
		sink_part_failed(r->sink, name, k, k == -EMSGSIZE ? "a member of more than 256 MiB" : why);
		return 0;
	}
	in = in_memory(name, (str){ r->bytes.p, r->bytes.n });
	if (!in)
		return -ENOMEM;
	r->read++;
	k = k < 0 ? sink_part_damaged(r->sink, name, in, archive_error_string(r->a)) : sink_part(r->sink, name, in);
	in_close(in);
	forget_bytes(r);
	return k;
}

static int members(struct reading *r)
{
	struct archive_entry *e;
	int k;

	for (;;) {
		str name;

		k = archive_read_next_header(r->a, &e);
		if (k == ARCHIVE_EOF)
			return 0;
		if (k == ARCHIVE_RETRY)
			continue;
		if (k < ARCHIVE_WARN)
			return trouble(r->a, r->sink);
		r->entries++;
		if (archive_format(r->a) == ARCHIVE_FORMAT_RAW)
			name = packed_name(r->in);
		else if (archive_entry_filetype(e) != AE_IFREG && !(archive_entry_filetype(e) == 0 && archive_entry_size(e) > 0))
			continue; /* folders, links */
		else
			name = member_name(e, &r->name);
		k = one_member(r, name, e);
		if (k < 0)
			return k;
		if (sink_full(r->sink))
			return 0;
	}
}

static int open_and_read(struct reading *r, struct source *source, bool raw_only)
{
	int k;

	r->a = archive_read_new();
	if (!r->a)
		return -ENOMEM;
	support(r->a, r->kind, raw_only);
	k = source_open(source, r->a) < ARCHIVE_WARN ? trouble(r->a, r->sink) : members(r);
	archive_read_free(r->a);
	return k;
}

static int read_archive(struct in *in, struct sink *s)
{
	const struct magic *m = find(in_head(in));
	struct source *source = calloc(1, sizeof(*source));
	struct reading r = { .sink = s, .in = in };
	int k;

	if (!source || !m) {
		free(source);
		return -ENOMEM;
	}
	r.kind = m->kind;
	source->in = in;
	sink_type(s, m->mime);
	k = open_and_read(&r, source, false);
	/* Whatever begins with zeros looks like the end of a tar. */
	if (k == 0 && r.kind == KIND_PACKED && !r.members)
		k = open_and_read(&r, source, true);
	/* A directory that is damaged may lead nowhere: what begins with a member has one. */
	if (k == 0 && r.kind == KIND_ZIP && !r.entries && str_starts(in_head(in), STR("PK\3\4"))) {
		sink_reason(s, "no member of it can be found");
		k = -EBADMSG;
	}
	/* Nothing in it could be read for want of a password: so is the whole. */
	if (k == 0 && r.encrypted && !r.read)
		k = -EACCES;
	free(source);
	buf_free(&r.bytes);
	buf_free(&r.name);
	return k;
}

const struct format format_archive = { .name = "archive", .mime = "application/x-archive", .bid = bid, .read = read_archive };
