#include <errno.h>

#include "sensor/sensor.h"

/* Best first. */
static const struct sensor_ops *const backends[] = { &sensor_fanotify };

int sensor_pick(const struct sensor_ops **ret, const char **ret_why)
{
	const char *why = "no backend was built";
	int r = -ENOSYS;

	for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
		r = backends[i]->probe(&why);
		if (r == 0) {
			*ret = backends[i];
			return 0;
		}
	}
	*ret_why = why;
	return r;
}

const char *sensor_backend_name(enum sensor_backend b)
{
	static const char *const names[BACKEND_MAX_] = {
		[BACKEND_FANOTIFY] = "fanotify",
		[BACKEND_EBPF] = "ebpf",
		[BACKEND_IMPORT] = "import",
	};

	return b > 0 && b < BACKEND_MAX_ ? names[b] : NULL;
}
