/* tyto-extract: the program that parses. Started by whoever has documents read (extract.h), never by people. */
#include "base/log.h"
#include "extract/extract.h"

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], EXTRACT_ROLE) == 0)
		return extract_worker_main(argc - 2, argv + 2);
	log_error("this is started where documents are read (`tyto scan`), not by hand");
	return 2;
}
