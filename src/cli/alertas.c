#include "cli/alertas.h"

#include "cli/cli.h"

int alertas_put(struct evidence_reader *r, const struct alert *al, bool mask, const char *form)
{
	_cleanup_alert_view_ struct alert_view v = { 0 };
	int e = alertview_make(r, al, mask, &v);

	if (e == 0)
		form_find(form)->put(&v, out());
	return e;
}
