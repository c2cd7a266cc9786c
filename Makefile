# SPDX-License-Identifier: Apache-2.0
# Targets for people; `make help` lists them. How the C side is compiled stands in c_src/build.mk.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

include c_src/build.mk

ERLC ?= erlc
ERLC_FLAGS := +debug_info +warn_export_vars +warn_unused_import +warn_missing_spec \
	$(if $(WERROR),+warnings_as_errors)

modules := $(basename $(notdir $(wildcard src/*.erl)))
beams := $(modules:%=ebin/%.beam)
# A behaviour has to be there when its users are compiled, or erlc warns.
behaviours := $(patsubst src/%.erl,ebin/%.beam,$(shell grep -ls '^-callback' src/*.erl))
comma := ,
empty :=
space := $(empty) $(empty)

##  all           the C library, the examples and the Erlang application (the default)
.PHONY: all erlang
all: c erlang
##  erlang        the Erlang application only (ebin/)
erlang: $(beams) ebin/gen_cluster.app

$(filter-out $(behaviours),$(beams)): | $(behaviours)

ebin/%.beam: src/%.erl $(wildcard include/*.hrl src/*.hrl)
	$(call say,ERLC,$<)
	$(Q)mkdir -p ebin && $(erlang_env) $(ERLC) $(ERLC_FLAGS) -I include -I src -pa ebin -o ebin $<

ebin/gen_cluster.app: src/gen_cluster.app.src $(wildcard src/*.erl)
	$(call say,APP,$@)
	$(Q)mkdir -p ebin && sed 's/^\( *\){registered,/\1{modules, [$(subst $(space),$(comma) ,$(strip $(modules)))]},\n&/' \
		$< > $@

##  test-unit     the unit tests of the C library
.PHONY: test-unit
unit_sources := $(wildcard test/c/unit/*.c test/c/support/*.c)
unit_objects := $(unit_sources:%.c=$(build)/debug/%.o)
ifneq ($(filter test/c/unit/test_%,$(unit_sources)),)
test-unit: $(build)/debug/test-unit
	$(Q)timeout 300 $<
else
test-unit: $(build)/debug/libgen_cluster.a $(unit_objects)
	@echo 'no unit tests yet'
endif

$(build)/%/test-unit: $(build)/%/libgen_cluster.a $(build)/debug/sources
	$(call say,LINK,$@)
	$(Q)$(CC) $(flags_$*) $(LDFLAGS) -o $@ $(filter %.o,$^) $< $(libs) -lcriterion
$(build)/debug/test-unit: $(unit_objects)

##  clean         remove everything that was built
.PHONY: clean clean-c
clean: clean-c
	rm -rf _build ebin
##  clean-c       remove what was built of the C side
clean-c:
	rm -rf $(build) $(bin) $(lib)

##  help          this list
.PHONY: help
help:
	@sed -n 's/^##  /  make /p' $(MAKEFILE_LIST)
