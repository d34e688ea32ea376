#include "fixture.h"
static void t(void **s) {}
static const struct CMUnitTest tests[] = { cmocka_unit_test(t) };
EXTRACT_TEST_MAIN(tests)
