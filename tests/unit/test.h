/* test.h — cmocka with what it wants included first, and helpers of our own tests.
 *
 * Purpose: one include for unit tests. Ownership, threads: none. Errors: a failed check ends the test.
 */
#ifndef TYTO_TEST_H
#define TYTO_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"

#define assert_str(got, want)                                                            \
	do {                                                                             \
		str got_ = (got), want_ = str_c(want);                                   \
		if (!str_eq(got_, want_))                                                \
			fail_msg("got \"%.*s\", expected \"%.*s\"", STR_ARG(got_), STR_ARG(want_)); \
	} while (0)

#endif
