# SPDX-License-Identifier: Apache-2.0
# Targets for people; `make help` lists them. How the C side is compiled stands in c_src/build.mk.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

include c_src/build.mk c_src/install.mk
# A package of the library has no tests.
-include test/test.mk test/check.mk

ERLC ?= erlc
ERLC_FLAGS := +debug_info +warn_export_vars +warn_unused_import +warn_missing_spec \
	$(if $(WERROR),+warnings_as_errors)

modules := $(basename $(notdir $(wildcard src/*.erl)))
beams := $(modules:%=ebin/%.beam)
# A behaviour has to be there when its users are compiled, or erlc warns.
behaviours := $(patsubst src/%.erl,ebin/%.beam,$(shell grep -ls '^-callback' src/*.erl))
example_beams := $(patsubst examples/%.erl,_build/examples/%.beam,$(wildcard examples/*.erl))
comma := ,
empty :=
space := $(empty) $(empty)

##  all           the C library, the examples and the Erlang application (the default)
.PHONY: all erlang
all: c erlang $(example_beams)
##  erlang        the Erlang application only (ebin/)
erlang: $(beams) ebin/gen_cluster.app

$(beams): | need
$(filter-out $(behaviours),$(beams)): | $(behaviours)

ebin/%.beam: src/%.erl $(wildcard include/*.hrl src/*.hrl)
	$(call say,ERLC,$<)
	$(Q)mkdir -p ebin && $(erlang_env) $(ERLC) $(ERLC_FLAGS) -I include -I src -pa ebin -o ebin $<

_build/examples/%.beam: examples/%.erl | ebin/gen_cluster.beam
	$(call say,ERLC,$<)
	$(Q)mkdir -p $(@D) && $(erlang_env) $(ERLC) $(ERLC_FLAGS) -pa ebin -o $(@D) $<

ebin/gen_cluster.app: src/gen_cluster.app.src $(wildcard src/*.erl)
	$(call say,APP,$@)
	$(Q)mkdir -p ebin && sed 's/^\( *\){registered,/\1{modules, [$(subst $(space),$(comma) ,$(strip $(modules)))]},\n&/' \
		$< > $@

##  demo          a cluster of two Erlang nodes and one C node, what happens to it, and its end
.PHONY: demo server1 server2 server3
demo: all
	$(Q)priv/demo

##  server1       a member with a shell, for three terminals: server1, server2, server3 (LANG=c: in C)
server1 server2 server3: all
	$(Q)priv/server $(@:server%=%)

# What is missing on this machine is installed for the goals that a newcomer types, and named for
# the others; the hooks of rebar3 call `make c`, which installs nothing.
.PHONY: need deps
goals := $(or $(MAKECMDGOALS),all)
need_goal := $(if $(filter test test-% check check-%,$(goals)),test,$(if $(filter demo,$(goals)),demo,build))
need_mode := $(if $(filter all demo test check,$(goals)),install,check)
need:
	@c_src/deps.sh $(need_mode) $(need_goal) quiet
##  deps          install what a goal needs: make deps GOAL=build (or demo, test)
GOAL ?= build
deps:
	@c_src/deps.sh install $(GOAL)

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
