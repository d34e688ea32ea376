/* Outlook's stores (pst, ost) through libpff: each message becomes a message file, which msg.c reads as a part of the store. */
#include "extract/formats/message.h"

#include <errno.h>
#include <gsf/gsf-outfile-msole.h>
#include <gsf/gsf-output-memory.h>
#include <libbfio.h>
#include <libpff.h>

#define FOLDERS_MAX 32         /* deep */
#define FOLDERS_ALL_MAX 20000
#define ITEMS_MAX 8            /* messages in messages */
#define ENTRIES_MAX 4096       /* properties of one item */
#define RECIPIENTS_MAX 5000
#define ATTACHMENTS_MAX 2000
#define PATH_LONG 500          /* folders below are named as this one */
#define PIECE (256u << 10)

enum { NODE_FOLDER = 2, NODE_MESSAGE = 4 };

struct store {
	struct in *in;
	struct sink *sink;
	uint64_t at;        /* where libpff reads next */
	libpff_file_t *file;
	unsigned folders;
};

/* ---- libpff reads through these: nothing is opened by path ---- */

static int io_open(intptr_t *arg, int flags, libbfio_error_t **error)
{
	return 1;
}

static int io_close(intptr_t *arg, libbfio_error_t **error)
{
	return 0;
}

static ssize_t io_read(intptr_t *arg, uint8_t *p, size_t n, libbfio_error_t **error)
{
	struct store *s = (struct store *)arg;
	ssize_t k = in_read(s->in, s->at, p, n);

	if (k > 0)
		s->at += (size_t)k;
	return k < 0 ? -1 : k;
}

static ssize_t io_write(intptr_t *arg, const uint8_t *p, size_t n, libbfio_error_t **error)
{
	return -1;
}

static off64_t io_seek(intptr_t *arg, off64_t to, int whence, libbfio_error_t **error)
{
	struct store *s = (struct store *)arg;
	int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? (int64_t)s->at : (int64_t)in_size(s->in), at;

	if (__builtin_add_overflow(base, to, &at) || at < 0)
		return -1;
	s->at = (uint64_t)at;
	return at;
}

static int io_exists(intptr_t *arg, libbfio_error_t **error)
{
	return 1;
}

static int io_size(intptr_t *arg, size64_t *ret, libbfio_error_t **error)
{
	*ret = in_size(((struct store *)arg)->in);
	return 1;
}

static int io_free(intptr_t **arg, libbfio_error_t **error)
{
	*arg = NULL;
	return 1;
}

static int io_clone(intptr_t **to, intptr_t *from, libbfio_error_t **error)
{
	*to = from;
	return 1;
}

/* ---- an item as a storage of a message file ---- */

/* What msg.c asks for; the rest stays behind. */
static bool wanted(uint32_t id)
{
	static const uint16_t ids[] = {
		PR_SUBJECT, PR_SUBMIT_TIME, PR_SENT_NAME, PR_SENT_ADDRESS, PR_HEADERS, PR_RECIPIENT_TYPE, PR_SENDER_NAME, PR_SENDER_ADDRESS,
		PR_DISPLAY_BCC,
		PR_DISPLAY_CC, PR_DISPLAY_TO, PR_DELIVERY_TIME, PR_BODY, PR_RTF, PR_HTML, PR_MESSAGE_ID, PR_DISPLAY_NAME, PR_ADDRESS, PR_ATTACH_SHORT,
		PR_ATTACH_LONG, PR_SMTP, PR_INTERNET_CODEPAGE, PR_CODEPAGE, PR_SENDER_SMTP, PR_SENT_SMTP, PR_HOME_PHONE, PR_WORK_PHONE, PR_COMPANY,
		PR_TITLE_JOB, PR_MOBILE, PR_WORK_FAX, PR_POSTAL,
	};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++)
		if (ids[i] == id)
			return true;
	return false;
}

static void put_stream(GsfOutfile *dir, const char *name, str bytes)
{
	GsfOutput *out = gsf_outfile_new_child(dir, name, FALSE);

	if (!out)
		return;
	if (bytes.n)
		gsf_output_write(out, bytes.n, (const guint8 *)bytes.p);
	gsf_output_close(out);
	g_object_unref(out);
}

/* A subject begins with a mark and the length of its "Re: ". */
static str without_mark(uint32_t id, uint32_t type, str s)
{
	size_t unit = type == 0x1f ? 2 : 1;

	return id == PR_SUBJECT && s.n >= 2 * unit && s.p[0] == 1 ? le_sub(s, 2 * unit, s.n) : s;
}

static int put_entry(struct store *s, libpff_record_entry_t *e, GsfOutfile *dir, struct buf *table)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	uint32_t id = 0, type = 0;
	size_t n = 0;
	char name[32];
	int r;

	if (libpff_record_entry_get_entry_type(e, &id, NULL) != 1 || libpff_record_entry_get_value_type(e, &type, NULL) != 1 || !wanted(id))
		return 0;
	if (libpff_record_entry_get_data_size(e, &n, NULL) != 1 || n == 0)
		return 0;
	if (n > sink_room(s->sink))
		return sink_unpacked(s->sink, n);
	r = buf_reserve(&b, n);
	if (r < 0)
		return r;
	if (libpff_record_entry_get_data(e, (uint8_t *)b.p, n, NULL) != 1)
		return 0;
	b.n = n;
	if (type == 0x1e || type == 0x1f || type == 0x102) {
		snprintf(name, sizeof(name), "__substg1.0_%04X%04X", (unsigned)id & 0xffff, (unsigned)type);
		put_stream(dir, name, without_mark(id, type, buf_str(&b)));
		return sink_unpacked(s->sink, n);
	}
	if (n <= 8) {
		uint32_t head[2] = { id << 16 | (type & 0xffff), 6 };
		uint64_t value = 0;

		memcpy(&value, b.p, n);
		buf_put(table, head, sizeof(head));
		buf_put(table, &value, sizeof(value));
	}
	return 0;
}

/* One set of properties, and the stream of those that have a fixed size. */
static int put_set(struct store *s, libpff_item_t *item, int index, GsfOutfile *dir, size_t head)
{
	_cleanup_buf_ struct buf table = BUF_INIT;
	libpff_record_set_t *set = NULL;
	int n = 0, r = 0;

	for (size_t i = 0; i < head; i++)
		buf_putc(&table, '\0');
	if (libpff_item_get_record_set_by_index(item, index, &set, NULL) != 1)
		return 0;
	libpff_record_set_get_number_of_entries(set, &n, NULL);
	for (int i = 0; r == 0 && i < MIN(n, ENTRIES_MAX); i++) {
		libpff_record_entry_t *e = NULL;

		if (libpff_record_set_get_entry_by_index(set, i, &e, NULL) == 1)
			r = put_entry(s, e, dir, &table);
		libpff_record_entry_free(&e, NULL);
	}
	libpff_record_set_free(&set, NULL);
	put_stream(dir, "__properties_version1.0", buf_str(&table));
	return r;
}

static int put_recipients(struct store *s, libpff_item_t *message, GsfOutfile *dir)
{
	libpff_item_t *all = NULL;
	int n = 0, r = 0;

	if (libpff_message_get_recipients(message, &all, NULL) != 1)
		return 0;
	libpff_item_get_number_of_record_sets(all, &n, NULL);
	for (int i = 0; r == 0 && i < MIN(n, RECIPIENTS_MAX); i++) {
		GsfOutput *one;
		char name[40];

		snprintf(name, sizeof(name), "__recip_version1.0_#%08X", (unsigned)i);
		one = gsf_outfile_new_child(dir, name, TRUE);
		if (!one)
			break;
		r = put_set(s, all, i, GSF_OUTFILE(one), 8);
		gsf_output_close(one);
		g_object_unref(one);
	}
	libpff_item_free(&all, NULL);
	return r;
}

static int put_data(struct store *s, libpff_item_t *attachment, GsfOutfile *dir)
{
	_cleanup_buf_ struct buf b = BUF_INIT;
	size64_t size = 0;
	ssize_t k = 1;

	if (libpff_attachment_get_data_size(attachment, &size, NULL) != 1)
		return 0;
	if (size > sink_room(s->sink))
		return sink_unpacked(s->sink, size);
	while (b.n < size && k > 0) {
		size_t n = MIN(size - b.n, (size64_t)PIECE);

		if (buf_reserve(&b, n) < 0)
			return -ENOMEM;
		k = libpff_attachment_data_read_buffer(attachment, (uint8_t *)b.p + b.n, n, NULL);
		if (k > 0)
			b.n += (size_t)k;
	}
	put_stream(dir, "__substg1.0_37010102", buf_str(&b));
	return sink_unpacked(s->sink, b.n);
}

static int put_message(struct store *s, libpff_item_t *message, GsfOutfile *dir, size_t head, unsigned depth);

static int put_attachment(struct store *s, libpff_item_t *attachment, GsfOutfile *dir, unsigned depth)
{
	libpff_item_t *inner = NULL;
	int type = 0, r = put_set(s, attachment, 0, dir, 8);

	if (r < 0 || libpff_attachment_get_type(attachment, &type, NULL) != 1)
		return r;
	if (type == LIBPFF_ATTACHMENT_TYPE_DATA)
		return put_data(s, attachment, dir);
	if (type == LIBPFF_ATTACHMENT_TYPE_ITEM && depth < ITEMS_MAX && libpff_attachment_get_item(attachment, &inner, NULL) == 1) {
		GsfOutput *one = gsf_outfile_new_child(dir, "__substg1.0_3701000D", TRUE);

		if (one) {
			r = put_message(s, inner, GSF_OUTFILE(one), 24, depth + 1);
			gsf_output_close(one);
			g_object_unref(one);
		}
	}
	libpff_item_free(&inner, NULL);
	return r;
}

static int put_message(struct store *s, libpff_item_t *message, GsfOutfile *dir, size_t head, unsigned depth)
{
	int n = 0, r = put_set(s, message, 0, dir, head);

	if (r == 0)
		r = put_recipients(s, message, dir);
	if (r < 0 || libpff_message_get_number_of_attachments(message, &n, NULL) != 1)
		return r;
	for (int i = 0; r == 0 && i < MIN(n, ATTACHMENTS_MAX); i++) {
		libpff_item_t *a = NULL;
		GsfOutput *one;
		char name[40];

		if (libpff_message_get_attachment(message, i, &a, NULL) != 1)
			continue;
		snprintf(name, sizeof(name), "__attach_version1.0_#%08X", (unsigned)i);
		one = gsf_outfile_new_child(dir, name, TRUE);
		if (one) {
			r = put_attachment(s, a, GSF_OUTFILE(one), depth);
			gsf_output_close(one);
			g_object_unref(one);
		}
		libpff_item_free(&a, NULL);
	}
	return r;
}

/* ---- the store ---- */

/* "Folder/Subject (identifier)": the same as long as the store keeps the message. */
static void put_name(struct buf *ret, libpff_item_t *message, str folder)
{
	_cleanup_buf_ struct buf subject = BUF_INIT;
	uint32_t id = 0;
	size_t n = 0;
	str s;

	if (libpff_message_get_entry_value_utf8_string_size(message, PR_SUBJECT, &n, NULL) == 1 && n > 1 && n < (1u << 20) &&
	    buf_reserve(&subject, n) == 0 &&
	    libpff_message_get_entry_value_utf8_string(message, PR_SUBJECT, (uint8_t *)subject.p, n, NULL) == 1)
		subject.n = strnlen(subject.p, n);
	s = without_mark(PR_SUBJECT, 0x1e, buf_str(&subject));
	libpff_item_get_identifier(message, &id, NULL);
	buf_puts(ret, folder);
	if (folder.n)
		buf_putc(ret, '/');
	message_name(ret, s, "message");
	buf_putf(ret, " (%u)", id);
}

static int one_message(struct store *s, libpff_item_t *message, str folder)
{
	_cleanup_buf_ struct buf name = BUF_INIT;
	GsfOutput *mem = gsf_output_memory_new();
	GsfOutfile *out = gsf_outfile_msole_new(mem);
	int r = put_message(s, message, out, 32, 0);

	gsf_output_close(GSF_OUTPUT(out));
	put_name(&name, message, folder);
	if (r == 0) {
		gsf_off_t n = gsf_output_size(mem);
		str bytes = { (const char *)gsf_output_memory_get_bytes(GSF_OUTPUT_MEMORY(mem)), n > 0 ? (size_t)n : 0 };
		struct in *in = in_memory(buf_str(&name), bytes);

		r = in ? sink_part(s->sink, buf_str(&name), in) : -ENOMEM;
		in_close(in);
	}
	g_object_unref(out);
	g_object_unref(mem);
	return r;
}

static int one_folder(struct store *s, libpff_item_t *folder, str path, unsigned depth);

static int sub_folder(struct store *s, libpff_item_t *folder, str path, unsigned depth)
{
	_cleanup_buf_ struct buf name = BUF_INIT, full = BUF_INIT;
	size_t n = 0;

	if (libpff_folder_get_utf8_name_size(folder, &n, NULL) == 1 && n > 1 && n < 65536 && buf_reserve(&name, n) == 0 &&
	    libpff_folder_get_utf8_name(folder, (uint8_t *)name.p, n, NULL) == 1)
		name.n = strnlen(name.p, n);
	buf_puts(&full, path);
	if (path.n < PATH_LONG) {
		if (path.n)
			buf_putc(&full, '/');
		message_name(&full, buf_str(&name), "folder");
	}
	return one_folder(s, folder, buf_str(&full), depth + 1);
}

/* The kind of a node stands in its number. Taken from the tree of nodes, not from the folder's tables: those may be damaged, or behind. */
static int one_folder(struct store *s, libpff_item_t *folder, str path, unsigned depth)
{
	int n = 0, r = 0;

	if (depth > FOLDERS_MAX || ++s->folders > FOLDERS_ALL_MAX) {
		sink_reason(s->sink, "more folders than are looked at");
		return 0;
	}
	if (libpff_item_get_number_of_sub_items(folder, &n, NULL) != 1)
		sink_reason(s->sink, "a folder cannot be read");
	for (uint32_t kind = NODE_MESSAGE; kind; kind = kind == NODE_MESSAGE ? NODE_FOLDER : 0)
		for (int i = 0; r == 0 && i < n && !sink_full(s->sink); i++) {
			libpff_item_t *item = NULL;
			uint32_t id = 0;

			if (libpff_item_get_sub_item(folder, i, &item, NULL) == 1 && libpff_item_get_identifier(item, &id, NULL) == 1 && (id & 0x1f) == kind)
				r = kind == NODE_MESSAGE ? one_message(s, item, path) : sub_folder(s, item, path, depth);
			libpff_item_free(&item, NULL);
		}
	return r;
}

static int open_store(struct store *s, libbfio_handle_t **io)
{
	if (libbfio_handle_initialize(io, (intptr_t *)s, io_free, io_clone, io_open, io_close, io_read, io_write, io_seek, io_exists, io_exists,
	    io_size,
		    LIBBFIO_FLAG_IO_HANDLE_NON_MANAGED, NULL) != 1)
		return -ENOMEM;
	if (libpff_file_initialize(&s->file, NULL) != 1)
		return -ENOMEM;
	return libpff_file_open_file_io_handle(s->file, *io, LIBPFF_OPEN_READ, NULL) == 1 ? 0 : -EBADMSG;
}

/* How the bytes are disguised: 0 to 2 need no password; more is encryption by the system the store was made on. */
static uint8_t method(str head)
{
	return le16(head, 10) >= 23 ? le8(head, 513) : le8(head, 461);
}

static int read_store(struct store *s)
{
	libpff_item_t *root = NULL;
	libbfio_handle_t *io = NULL;
	int r = open_store(s, &io);

	if (r == 0 && libpff_file_get_root_folder(s->file, &root, NULL) == 1)
		r = one_folder(s, root, STR_NONE, 0);
	else if (r == 0)
		r = -EBADMSG;
	if (r == -EBADMSG)
		sink_reason(s->sink, "its folders cannot be read");
	libpff_item_free(&root, NULL);
	if (s->file) {
		libpff_file_close(s->file, NULL);
		libpff_file_free(&s->file, NULL);
	}
	libbfio_handle_free(&io, NULL);
	return r;
}

static int bid(struct in *in, str head)
{
	return str_starts(head, STR("!BDN")) && head.n >= 516 ? 60 : 0;
}

static int read_pst(struct in *in, struct sink *sink)
{
	struct store s = { .in = in, .sink = sink };
	str head = in_head(in);

	if (method(head) > 2) {
		sink_reason(sink, "encrypted by the system that it was made on");
		return -EACCES;
	}
	if (le16(head, 8) != 0x4d53) { /* "SM" of stores, not "AB" of address books */
		sink_reason(sink, "an address book of Outlook");
		return -ENOTSUP;
	}
	return read_store(&s);
}

const struct format format_pst = { .name = "pst", .mime = "application/vnd.ms-outlook-pst", .bid = bid, .read = read_pst,
	.prepare = ole_prepare };
