# SPDX-License-Identifier: Apache-2.0
# Installation. The names of the folders are those of the GNU standards, DESTDIR is put before all
# of them, PREFIX is taken for prefix.

PREFIX ?= /usr/local
prefix ?= $(PREFIX)
exec_prefix ?= $(prefix)
includedir ?= $(prefix)/include
libdir ?= $(exec_prefix)/lib
pkgconfigdir ?= $(libdir)/pkgconfig
erlangdir ?= $(libdir)/erlang/lib
INSTALL ?= install

to_include := $(DESTDIR)$(includedir)
to_lib := $(DESTDIR)$(libdir)
to_pc := $(DESTDIR)$(pkgconfigdir)
to_app := $(DESTDIR)$(erlangdir)/gen_cluster-$(version)
soname := libgen_cluster.so.$(abi)
real_name := libgen_cluster.so.$(version)

##  install       headers, libraries, pkg-config file, application: make install PREFIX= DESTDIR=
.PHONY: install uninstall
install: all
	$(INSTALL) -d $(to_include)/gen_cluster $(to_lib) $(to_pc) $(to_app)/ebin $(to_app)/include
	$(if $(wildcard include/*.h),$(INSTALL) -m 644 include/*.h $(to_include))
	$(INSTALL) -m 644 include/gen_cluster/*.h $(to_include)/gen_cluster
	$(INSTALL) -m 644 $(build)/release/libgen_cluster.a $(to_lib)
	$(INSTALL) -m 755 $(shared) $(to_lib)/$(real_name)
	ln -sf $(real_name) $(to_lib)/$(soname)
	ln -sf $(soname) $(to_lib)/libgen_cluster.so
	sed -e 's|@prefix@|$(prefix)|' -e 's|@libdir@|$(libdir:$(prefix)/%=$${prefix}/%)|' \
		-e 's|@includedir@|$(includedir:$(prefix)/%=$${prefix}/%)|' \
		-e 's|@version@|$(version)|' -e 's|@private@|$(libs)|' \
		c_src/gen_cluster.pc.in > $(to_pc)/gen_cluster.pc
	chmod 644 $(to_pc)/gen_cluster.pc
	$(INSTALL) -m 644 ebin/* $(to_app)/ebin
	$(if $(wildcard include/*.hrl),$(INSTALL) -m 644 include/*.hrl $(to_app)/include)

##  uninstall     remove what install put there (with the same PREFIX and DESTDIR)
uninstall:
	rm -rf $(to_include)/gen_cluster $(to_app)
	rm -f $(to_include)/gen_cluster.h $(to_pc)/gen_cluster.pc $(to_lib)/libgen_cluster.a \
		$(to_lib)/libgen_cluster.so $(to_lib)/$(soname) $(to_lib)/$(real_name)
