# SPDX-License-Identifier: Apache-2.0
# Checks that read the code instead of running it.

c_files = $(wildcard c_src/*/*.[ch] c_src/*/*/*.[ch] include/*.h include/gen_cluster/*.h \
	examples/*.[ch] test/c/*/*.[ch])
checks := layers symbols format tidy cppcheck xref dialyzer

##  check         layers, symbols, format, clang-tidy, cppcheck, xref, dialyzer
.PHONY: check list-checks $(checks:%=check-%)
check: $(checks:%=check-%)
	@echo 'check: all well'
$(checks:%=check-%): | need
list-checks:
	@echo $(checks)

check-layers:
	$(Q)$(tools)/check_layers.sh

check-symbols: c
	$(Q)$(tools)/check_symbols.sh $(shared) $(build)/release/c_src

# Each release of clang-format has ways of its own; the one of Debian 12 decides.
check-format:
	$(Q)format=clang-format; \
	if command -v clang-format-14 >/dev/null; then format=clang-format-14; fi; \
	case `$$format --version` in \
	*'version 14.'*) $$format --dry-run -Werror $(c_files) ;; \
	*) echo 'check-format: only clang-format 14 decides, not this:'; $$format --version ;; \
	esac

check-tidy: c
	$(Q)printf '%s\n' $(library_sources) $(example_sources) | \
		xargs -P 2 -I{} clang-tidy --quiet {} -- $(common) 2>$(build)/tidy.log || \
		{ grep -v 'warnings\{0,1\} generated' $(build)/tidy.log; exit 1; }

check-cppcheck:
	$(Q)mkdir -p $(build)/cppcheck
	$(Q)cppcheck --quiet --std=c11 --language=c --enable=warning,performance,portability \
		--inline-suppr --error-exitcode=1 --suppress=missingInclude --library=posix \
		--cppcheck-build-dir=$(build)/cppcheck -Iinclude -Ic_src -D_GNU_SOURCE -j 2 c_src examples

check-xref: erlang
	$(Q)escript $(tools)/xref.escript ebin

plt := _build/dialyzer.plt
$(plt):
	$(call say,PLT,$@ (takes a minute))
	$(Q)dialyzer --build_plt --output_plt $@ --apps erts kernel stdlib >_build/plt.log || \
		[ $$? = 2 ] || { cat _build/plt.log; exit 1; }
check-dialyzer: erlang $(plt)
	$(Q)$(if $(beams),dialyzer --plt $(plt) -Wunmatched_returns -Werror_handling $(beams),echo "dialyzer: no modules yet")
