# Thin wrappers for those who have make; scripts/run and scripts/test do not need it.
.PHONY: all run test check bench fuzz install clean help
PREFIX ?= /usr/local
all:
	@test -f build/build.ninja || meson setup build
	@ninja -C build
run:
	@scripts/run
test:
	@scripts/test
check:
	@scripts/check
bench:
	@scripts/bench
install:
	@test -f build/build.ninja || meson setup build
	@meson configure build -Dprefix=$(PREFIX)
	@ninja -C build
	@meson install -C build --no-rebuild
clean:
	@rm -rf build build-asan build-fuzz
help:
	@echo "make          build into build/"
	@echo "make run      build, then show it at work (tyto demo)"
	@echo "make test     every test (as root or with sudo)"
	@echo "make check    sanitizers, clang-tidy, cppcheck, include directions, manual page"
	@echo "make bench    measure, beside what it is compared with"
	@echo "make install  install (PREFIX, DESTDIR)"
	@echo "make clean    remove what was built"
