/* The parsers of what processes can shape: stat, status, loginuid, cgroup. The first byte selects one. */
#include "who/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_view(str whole, str part)
{
	if (part.n && (part.p < whole.p || part.p + part.n > whole.p + whole.n || part.n != 64))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct stat_facts stat;
	struct status_facts status;
	str text = { (const char *)data + 1, n ? n - 1 : 0 };
	uid_t uid;

	if (!n)
		return 0;
	switch (data[0] % 4) {
	case 0:
		if (procfs_parse_stat(text, &stat) == 0 && (stat.ppid < 0 || stat.sid < 0))
			abort();
		break;
	case 1:
		if (procfs_parse_status(text, &status) == 0 && (status.ppid < 0 || status.tgid < 0))
			abort();
		break;
	case 2:
		if (procfs_parse_loginuid(text, &uid) == 0 && uid == UINT32_MAX)
			abort();
		break;
	default:
		check_view(text, container_id(text));
	}
	return 0;
}
