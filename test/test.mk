# SPDX-License-Identifier: Apache-2.0
# The tests. Each kind is a target that writes one line per test, `kind name passed|failed|skipped`,
# to _build/test/results; test/README.md says where a new test goes.

results := _build/test/results
# GCL_KINDS="unit sim" leaves the others out, and the claims with them.
all_kinds := unit sim net fuzz ct sanitizer examples demo build readme
kinds := $(or $(GCL_KINDS),$(all_kinds))
tools := test/tools

# Criterion: all of test/c/<folder> is one program, with what several of them share.
shared_test_sources := $(wildcard test/c/unit/support.c test/c/support/*.c)

define criterion
$(1)_tests := $$(wildcard test/c/$(1)/test_*.c)
$(1)_sources := $$(sort $$(wildcard test/c/$(1)/*.c) $$(shared_test_sources))
endef
$(foreach folder,unit sim net,$(eval $(call criterion,$(folder))))

# $(call criterion_program,folder,variant)
define criterion_program
$(build)/$(2)/test-$(1): $$($(1)_sources:%.c=$(build)/$(2)/%.o) $(build)/$(2)/libgen_cluster.a \
		$(build)/$(2)/sources
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(flags_$(2)) $$(LDFLAGS) -o $$@ $$(filter %.o %.a,$$^) $$(libs) -lcriterion
endef
$(eval $(call criterion_program,unit,debug))
$(eval $(call criterion_program,unit,asan))
$(eval $(call criterion_program,net,debug))
$(eval $(call criterion_program,net,asan))
$(eval $(call criterion_program,sim,release))
$(eval $(call criterion_program,sim,asan))

# Programs that suites start: examples/ and test/c/programs/, per variant.
program_names := $(notdir $(basename $(wildcard test/c/programs/*.c examples/*.c)))
driven_programs := functions global node pg server silent doomed
doom_wraps := $(foreach f,cast info call answered next,-Wl,--wrap=gcl_gns_$(f))
define programs
$(build)/$(1)/bin/%: $(build)/$(1)/test/c/programs/%.o $(build)/$(1)/libgen_cluster.a
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D) && $$(CC) $$(flags_$(1)) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) $$(filter %.a,$$^) $$(libs)
$(driven_programs:%=$(build)/$(1)/bin/%): $(build)/$(1)/test/c/driven/driven.o
# What simulated nodes live through, real ones do, too.
$(build)/$(1)/bin/global_schedule: $(build)/$(1)/test/c/sim/gns_schedule.o
$(build)/$(1)/bin/%: $(build)/$(1)/examples/%.o $(build)/$(1)/libgen_cluster.a
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D) && $$(CC) $$(flags_$(1)) $$(LDFLAGS) -o $$@ $$(filter %.o,$$^) $$(filter %.a,$$^) $$(libs)
# `server`, but for what it is told not to say: see test/c/silent/silent.c.
$(build)/$(1)/bin/silent: $(build)/$(1)/test/c/programs/server.o $(build)/$(1)/test/c/silent/silent.o \
		$(build)/$(1)/libgen_cluster.a
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D) && $$(CC) $$(flags_$(1)) $$(LDFLAGS) $$(silent_wraps:%=-Wl,--wrap=%) -o $$@ $$(filter %.o,$$^) $$(filter %.a,$$^) $$(libs)
# The server that ends behind a message that it is told, see test/c/doom.
$(build)/$(1)/bin/doomed: $(build)/$(1)/test/c/programs/server.o \
		$(build)/$(1)/test/c/doom/doom.o $(build)/$(1)/libgen_cluster.a
	$$(call say,LINK,$$@)
	$$(Q)mkdir -p $$(@D) && $$(CC) $$(flags_$(1)) $$(LDFLAGS) $(doom_wraps) -o $$@ $$(filter %.o,$$^) $$(filter %.a,$$^) $$(libs)
programs-$(1): $(program_names:%=$(build)/$(1)/bin/%) $(build)/$(1)/bin/silent $(build)/$(1)/bin/doomed
.PHONY: programs-$(1)
endef
silent_wraps := gcl_control_encode gcl_control_decode gcl_control_remember
$(foreach v,debug asan tsan,$(eval $(call programs,$(v))))

# Reports of the sanitizers go to files, because nobody looks at the end of a killed child. They are
# what is judged; the status says of a process only that there is one.
sanitizer_reports := $(abspath _build/test/sanitizer-reports)
sanitizer_env := GCL_REPORT_STATUS=86 \
	ASAN_OPTIONS=log_path=$(sanitizer_reports)/asan:detect_leaks=1:exitcode=86 \
	UBSAN_OPTIONS=log_path=$(sanitizer_reports)/ubsan:print_stacktrace=1 \
	TSAN_OPTIONS=log_path=$(sanitizer_reports)/tsan

##  test          every test; the last line is the sum
.PHONY: test
# Common Test waits more than it works: it runs beside the others, on what was built before.
test: need
	$(Q)rm -rf $(results) && mkdir -p $(results)
	$(Q)$(MAKE) --no-print-directory $(if $(filter ct,$(kinds)),programs-debug) all
	$(Q)ct=; \
	$(if $(filter ct,$(kinds)),$(MAKE) --no-print-directory test-ct >_build/test/ct.log 2>&1 & ct=$$!;) \
	for kind in $(filter-out ct,$(kinds)); do \
		echo "== $$kind"; $(MAKE) --no-print-directory test-$$kind || :; \
	done; \
	[ -z "$$ct" ] || { wait "$$ct" || :; echo '== ct'; cat _build/test/ct.log; }
	$(Q)wrong=0; $(if $(GCL_KINDS),,$(tools)/claims.sh test/claims $(results) '$(all_kinds)' otp || wrong=1;) \
	$(tools)/summary.sh $(results) test/skips $$wrong $(kinds)

##  test-fast     unit tests and simulation
.PHONY: test-fast
test-fast: need
	$(Q)$(MAKE) --no-print-directory test-unit test-sim

##  test-KIND     one of: unit sim net fuzz ct sanitizer examples demo build readme
.PHONY: $(all_kinds:%=test-%)

# On other releases of OTP, which are fetched: not a part of `make test`, with a sum of its own.
# Only some of them: make test-otp RUNS="27 23+25" SUITES="a_SUITE"
##  test-otp      the suites on OTP 23, 27 and 29, and with meshes of releases
RUNS ?= 23 27 29 23+25 25+27+29
.PHONY: test-otp
test-otp: need programs-debug erlang
	$(Q)rm -rf $(results)/otp; wrong=0; \
	GCL_BIN=$(abspath $(build)/debug/bin) SUITES='$(SUITES)' $(tools)/otp.sh $(results)/otp $(RUNS) || :; \
	$(if $(SUITES)$(filter command environment,$(origin RUNS)),,$(tools)/claims.sh test/claims $(results)/otp otp '$(all_kinds)' || wrong=1;) \
	$(tools)/summary.sh $(results)/otp test/skips $$wrong otp

# Erlang tests of a kind stand in test/erl/<kind>/*_tests.erl.
eunit = $(if $(wildcard test/erl/$(1)/*_tests.erl),$(tools)/eunit.sh $(1) $(results)/$(1)-erl.txt test/erl/$(1),:)

test-unit: $(if $(unit_tests),$(build)/debug/test-unit) erlang
	$(Q)status=0; \
	$(if $(unit_tests),$(tools)/criterion.sh unit '' $< $(results)/unit.txt || status=1;) \
	$(call eunit,unit) || status=1; exit $$status

test-sim: $(if $(sim_tests),$(build)/release/test-sim) erlang
	$(Q)status=0; \
	$(if $(sim_tests),$(tools)/criterion.sh sim '' $< $(results)/sim.txt || status=1;) \
	$(call eunit,sim) || status=1; exit $$status

test-net: $(if $(net_tests),$(build)/debug/test-net)
	$(Q)$(if $(net_tests),$(tools)/with_epmd.sh $(tools)/criterion.sh net '' $< $(results)/net.txt,:)

# What members did in simulated clusters, for the C machine to replay.
membership_traces := _build/test/membership-traces.txt
$(membership_traces): $(wildcard test/ct/membership_*.[eh]rl src/gen_cluster_core*.[eh]rl src/gen_cluster_pid.erl) | erlang
	$(Q)$(tools)/membership_traces.sh $@ 500 $(or $(GCL_SEED),1)
$(build)/release/test-sim $(build)/asan/test-sim: | $(membership_traces)

# Only some of the suites: make test-ct SUITES="a_SUITE b_SUITE"
# Meshes of releases are for test-otp.
suites := $(filter-out %/mesh_SUITE.erl,$(wildcard test/ct/*_SUITE.erl))
# What is about the tests themselves, or is led by BEAMs for minutes, says nothing about the C code.
sanitizer_suites = $(or $(SUITES),$(filter-out no_beam_waits_SUITE global_schedule_SUITE,$(basename $(notdir $(suites)))))
chosen_suites = $(or $(SUITES),$(basename $(notdir $(suites))))
test-ct: programs-debug erlang
	$(Q)$(if $(suites),GCL_BIN=$(abspath $(build)/debug/bin) \
		GCL_TEST_TIMEOUT=$(or $(GCL_TEST_TIMEOUT),1200) $(tools)/ct.sh ct '' $(results)/ct.txt $(chosen_suites),:)

# Everything that runs C code once more under AddressSanitizer and UndefinedBehaviorSanitizer, and
# what crosses threads (test/c/tsan/*.c, programs that exit with 0) under ThreadSanitizer.
tsan_tests := $(wildcard test/c/tsan/*.c)
asan_programs := $(foreach k,unit net sim,$(if $($(k)_tests),$(k)))
tsan_programs := $(tsan_tests:test/c/tsan/%.c=$(build)/tsan/test/%)
$(tsan_programs): $(build)/tsan/test/%: $(build)/tsan/test/c/tsan/%.o $(build)/tsan/libgen_cluster.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(flags_tsan) $(LDFLAGS) -o $@ $^ $(libs)

test-sanitizer: $(asan_programs:%=$(build)/asan/test-%) programs-asan erlang \
		$(tsan_programs)
	$(Q)rm -rf $(sanitizer_reports) $(results)/sanitizer-logs.txt && mkdir -p $(sanitizer_reports) $(results); \
	export $(sanitizer_env); status=0; \
	for part in $(asan_programs); do \
		GCL_QUICK=1 $(tools)/with_epmd.sh $(tools)/criterion.sh sanitizer $$part/ \
			$(build)/asan/test-$$part $(results)/sanitizer-$$part.txt || status=1; \
	done; \
	$(if $(suites),GCL_BIN=$(abspath $(build)/asan/bin) GCL_QUICK=1 GCL_TIMETRAP=3 GCL_TEST_TIMEOUT=1200 \
		$(tools)/ct.sh sanitizer ct/ $(results)/sanitizer-ct.txt $(sanitizer_suites) || status=1;) \
	$(if $(tsan_tests),$(tools)/scripts.sh sanitizer $(results)/sanitizer-tsan.txt \
		$(tsan_programs) || status=1;) \
	$(tools)/sanitizer_logs.sh no_report $(sanitizer_reports) $(results)/sanitizer-logs.txt || \
		status=1; \
	exit $$status

# Each file of test/c/fuzz has LLVMFuzzerTestOneInput(). Here the inputs that are kept are replayed,
# below test/c/fuzz/corpus/<name>; `make fuzz` looks for new ones.
fuzz_targets := $(patsubst test/c/fuzz/%.c,%,$(wildcard test/c/fuzz/fuzz_*.c))
$(build)/asan/fuzz/%: $(build)/asan/test/c/fuzz/%.o $(build)/asan/test/c/fuzz/replay.o \
		$(build)/asan/libgen_cluster.a
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(flags_asan) $(LDFLAGS) -o $@ $^ $(libs)

test-fuzz: $(fuzz_targets:%=$(build)/asan/fuzz/%)
	$(Q)mkdir -p $(results) && : > $(results)/fuzz.txt; status=0; \
	for target in $(fuzz_targets); do \
		if timeout -k 10 120 $(build)/asan/fuzz/$$target test/c/fuzz/corpus/$$target >&2; \
		then echo "fuzz $$target passed"; else echo "fuzz $$target failed"; status=1; \
		fi >> $(results)/fuzz.txt; \
	done; exit $$status

##  fuzz          look for inputs that break a decoder: make fuzz T=60 (seconds each, needs clang)
.PHONY: fuzz
T ?= 60
fuzz: need
	$(Q)$(tools)/fuzz.sh $(T) $(fuzz_targets)

# The other kinds are shell scripts, one test each.
script_kinds := examples demo build readme
define scripts
test-$(1): all
	$$(Q)$(if $(wildcard test/$(1)/*.sh),$(tools)/scripts.sh $(1) $(results)/$(1).txt $(sort $(wildcard test/$(1)/*.sh)),:)
endef
$(foreach kind,$(script_kinds),$(eval $(call scripts,$(kind))))
