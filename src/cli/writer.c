#include "cli/writer.h"

#include <errno.h>

#include "base/log.h"
#include "cli/cli.h"
#include "daemon/state.h"

int writer_enter(bool create)
{
	struct account owner;
	const char *why = "";
	int r = state_prepare(cli.state, create, &owner, &why);

	if (r == 0)
		r = state_enter(&owner, cli.state, &why);
	if (r < 0)
		log_error("%s", why);
	return r;
}

int writer_open(bool create, struct evidence **ret)
{
	const struct evidence_options o = { .create = create };
	int r = evidence_open(cli.state, &o, ret);

	if (r < 0)
		log_error("%s", evidence_why());
	return r;
}
