# SPDX-License-Identifier: Apache-2.0
# The C side: libgen_cluster, static and shared, and the programs in examples/. Included by the
# Makefile in the root; paths are relative to that.
#
# Each variant compiles the same sources with other flags below _build/c/<variant>/: `release` is
# what is installed, `debug` is for unit tests, `asan` and `tsan` are for the sanitizers.
# Variables: CC CFLAGS CPPFLAGS LDFLAGS PKG_CONFIG as usual, WERROR=1, V=1 shows the commands.

ifeq ($(origin CC),default)
CC := $(if $(CROSSCOMPILE),$(CROSSCOMPILE)-)gcc
endif
ifeq ($(origin AR),default)
AR := $(if $(CROSSCOMPILE),$(CROSSCOMPILE)-)ar
endif
CFLAGS ?= -O2 -g
PKG_CONFIG ?= pkg-config
ERL ?= erl

Q := $(if $(V),,@)
quiet := $(or $(V),$(findstring s,$(firstword -$(MAKEFLAGS))))
say = $(if $(quiet),,@printf '  %-5s %s\n' '$(1)' '$(2)')

version := $(shell sed -n 's/.*{vsn, *"\(.*\)"}.*/\1/p' src/gen_cluster.app.src)
# Structs of the headers are held by value: before 1.0 each minor version is an ABI of its own.
abi := $(if $(filter 0.%,$(version)),$(basename $(version)),$(firstword $(subst ., ,$(version))))

# rebar3 and Mix name the folder in which they want the artifacts.
priv := $(or $(MIX_APP_PATH:%=%/priv),$(REBAR_BARE_COMPILER_OUTPUT_DIR:%=%/priv),priv)
build := _build/c
bin := $(priv)/bin
lib := $(priv)/lib

# rebar3 hands the settings of its own emulator down, which another one must not inherit.
erlang_env := env -u ROOTDIR -u BINDIR -u EMU -u PROGNAME

# Set once, on first use: by then `need` has seen to it that the tools are there.
once = $(eval $(1) := $(2))$($(1))

# libei of the Erlang that will run the application. Asked for once, and only when it is needed;
# a cross build says it in the environment, by the names of rebar3 or of elixir_make.
ei_ask = $(shell $(erlang_env) $(ERL) -noshell -noinput -boot start_clean \
	-eval 'io:format("~s",[code:lib_dir(erl_interface)]),halt().' 2>/dev/null)
ei_root = $(call once,ei_root,$(or $(ERLANG_LIB_DIR_erl_interface),$(ei_ask),/usr/lib/erlang/usr))
ei_include = $(or $(ERL_EI_INCLUDE_DIR),$(ERL_INTERFACE_INCLUDE_DIR),$(ei_root)/include)
ei_lib = $(or $(ERL_EI_LIBDIR),$(ERL_INTERFACE_LIB_DIR),$(ei_root)/lib)

crypto_cflags = $(call once,crypto_cflags,$(shell $(PKG_CONFIG) --cflags libcrypto 2>/dev/null))
crypto_libs = $(call once,crypto_libs,$(shell $(PKG_CONFIG) --libs libcrypto 2>/dev/null))

warnings := -Wall -Wextra -Wpedantic -Wconversion -Wshadow $(if $(WERROR),-Werror)
defines := -D_GNU_SOURCE -D_REENTRANT
# Only what is compiled below test/ sees the folders of the tests.
test_includes = $(if $(filter test/%,$<),-Itest/c -Itest/c/unit)
includes = -Iinclude -Ic_src -isystem $(ei_include)
common = -std=c11 $(warnings) -pthread -fPIC -fvisibility=hidden $(defines) $(includes) \
	$(crypto_cflags) $(CPPFLAGS)
libs = -L$(ei_lib) -lei -lev $(crypto_libs) -pthread -lm

flags_release := $(CFLAGS)
flags_debug := -O0 -g
flags_asan := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined
flags_tsan := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
variants := release debug asan tsan

rooms := base wire core net node server cluster
library_sources := $(sort $(foreach room,$(rooms),$(wildcard c_src/$(room)/*.c c_src/$(room)/*/*.c)))
example_sources := $(wildcard examples/*.c)
examples := $(example_sources:examples/%.c=$(bin)/%)
shared := $(lib)/libgen_cluster.so.$(abi)

##  c             the C side only: library (priv/lib) and examples (priv/bin)
.PHONY: c
c: $(build)/release/libgen_cluster.a $(lib)/libgen_cluster.so $(examples)

# A file that is rewritten only when its text changes: $(call stamp,file,text)
define stamp
$(1): FORCE | need
	@mkdir -p $$(@D)
	@echo '$(2)' | cmp -s - $$@ || echo '$(2)' > $$@
endef
.PHONY: FORCE
FORCE:

# Objects are made again when the flags change, archives when a source comes or goes.
define variant
$(call stamp,$(build)/$(1)/flags,$$(CC) $$(flags_$(1)) $$(common))
$(call stamp,$(build)/$(1)/sources,$$(library_sources) $$(wildcard test/c/*/*.c))

$(build)/$(1)/%.o: %.c $(build)/$(1)/flags
	$$(call say,CC,$$< ($(1)))
	$$(Q)mkdir -p $$(@D) && $$(CC) $$(common) $$(test_includes) $$(flags_$(1)) -MMD -MP -c -o $$@ $$<

$(build)/$(1)/libgen_cluster.a: $$(library_sources:%.c=$(build)/$(1)/%.o) $(build)/$(1)/sources
	$$(call say,AR,$$@)
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$(filter %.o,$$^)
endef
$(foreach v,$(variants),$(eval $(call variant,$(v))))

$(shared): $(build)/release/libgen_cluster.a
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(flags_release) -shared -Wl,-soname,$(@F) -Wl,-z,defs \
		-Wl,--exclude-libs,ALL $(LDFLAGS) -o $@ $(library_sources:%.c=$(build)/release/%.o) $(libs)

$(lib)/libgen_cluster.so: $(shared)
	$(Q)ln -sf $(<F) $@

$(bin)/%: $(build)/release/examples/%.o $(build)/release/libgen_cluster.a
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(flags_release) $(LDFLAGS) -o $@ $^ $(libs)

# For scripts: the flags of compiler and linker, where libei is, the version.
.PHONY: c-flags c-libs ei-root version
c-flags:
	@echo '$(common)'
c-libs:
	@echo '$(libs)'
ei-root:
	@echo '$(ei_root)'
version:
	@echo '$(version)'

.SECONDARY:
-include $(shell find $(build) -name '*.d' 2>/dev/null)
