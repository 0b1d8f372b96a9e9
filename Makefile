# SPDX-License-Identifier: LGPL-2.1-or-later
# `make help` lists the targets. Everything that is built lands below $(BUILD).

VERSION := 0.1.0
BUILD ?= build
.DEFAULT_GOAL := all
.SUFFIXES:
# `make V=1` prints the whole commands.
Q := $(if $(V),,@)
show = $(if $(V),,@printf '  %-4s %s\n' '$(1)' '$(2)')
.DELETE_ON_ERROR:

# These work before anything is configured.
BARE_GOALS := help deps demo test format lint clean distclean
ifneq ($(filter-out $(BARE_GOALS),$(or $(MAKECMDGOALS),all)),)
include $(BUILD)/config.mk
endif

$(BUILD)/config.mk: configure.sh
	./configure.sh --build=$(BUILD) --recheck

# --- sources --------------------------------------------------------------------------------------------------------

ENGINE_DIRS := api io nn nn/annotators nn/blip2 nn/face diffusion vision caption pipeline
ATEN_DIRS := api nn nn/annotators nn/blip2 nn/face diffusion caption pipeline
ENGINE_SRC := $(foreach dir,$(ENGINE_DIRS),$(wildcard vf_aianime/$(dir)/*.cpp))
# Trainers, scores, and files of pictures and video are part of the command only: the engine does not carry them.
TRAIN_SRC := $(wildcard vf_aianime/train/*.cpp vf_aianime/eval/*.cpp vf_aianime/media/*.cpp)
TOOL_SRC := $(wildcard vf_aianime/tools/*.cpp)
TEST_SRC := $(wildcard tests/test_*.cpp)
C_TEST_SRC := $(wildcard tests/test_*.c)
TEST_SUPPORT := $(wildcard tests/support*.cpp)

# Loops of our own on several threads; the precompiled header would have to be compiled with OpenMP, too.
OPENMP_SRC := vf_aianime/nn/cross_kernel.cpp
# Sources that see LibTorch start from the precompiled header.
ATEN_SRC := $(filter-out $(OPENMP_SRC),$(foreach dir,$(ATEN_DIRS),$(wildcard vf_aianime/$(dir)/*.cpp))) \
            $(shell grep -l '"nn/aten.h"' tests/*.cpp vf_aianime/tools/*.cpp vf_aianime/train/*.cpp vf_aianime/eval/*.cpp 2>/dev/null)
# Tests that need neither LibTorch nor OpenCV, and those of the C wall: both run with the sanitizers too.
IO_TESTS := $(filter tests/%,$(shell grep -L -E '"(nn|diffusion|vision|caption|pipeline|api|train|eval)/|"aianime\.h"' $$(grep -l '"io/' $(TEST_SRC) /dev/null) /dev/null))
API_TESTS := $(shell grep -l -E '"aianime\.h"|"api/' $(TEST_SRC) $(C_TEST_SRC) /dev/null)

OBJ := $(BUILD)/obj
objects = $(patsubst %,$(OBJ)/%.o,$(1))
ATEN_OBJ := $(call objects,$(ATEN_SRC))

# --- flags ----------------------------------------------------------------------------------------------------------

WARN := -Wall -Wextra $(if $(filter yes,$(WERROR)),-Werror)
COMMON := -O2 $(if $(filter yes,$(DEBUG)),-g,-g0) -fPIC -fvisibility=hidden $(WARN) -Ivf_aianime -Ivf_aianime/include \
          -DAIANIME_VERSION='"$(VERSION)"'
# A struct of the C API starts as { sizeof(it) }, the rest zero: not worth a warning.
CFLAGS_ALL := -std=c99 -D_GNU_SOURCE $(COMMON) -Wno-missing-field-initializers $(CHECK_CFLAGS) $(CFLAGS)
CXXFLAGS_ALL := -std=c++17 $(COMMON) -isystem $(LIBTORCH)/include \
                -fmacro-prefix-map=$(LIBTORCH)/include/= $(OPENCV_CFLAGS) $(JSON_CFLAGS) $(CHECK_CFLAGS) $(CXXFLAGS)
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g1

TORCH_LIB := $(BUILD)/run/torch/lib
LDFLAGS_ALL := -Wl,--as-needed -L$(TORCH_LIB) -Wl,-rpath-link,$(TORCH_LIB) $(LDFLAGS)
TREE_RPATH := -Wl,-rpath,'$$ORIGIN/../run/torch/lib'
# LibTorch exports pieces of the C++ library too: named first, that one serves who needs nothing else, and LibTorch is not loaded.
ENGINE_LIBS := -lstdc++ $(JSON_LIBS) -lpng16 -lgomp -ltorch_cpu -lc10 -lopencv_objdetect -lopencv_dnn -lopencv_video -lopencv_imgproc -lopencv_core -ldl
TOOL_LIBS := -lopencv_imgcodecs $(ENGINE_LIBS)

ENGINE_LIB := $(BUILD)/lib/libaianime.a
TRAIN_LIB := $(BUILD)/lib/libtrain.a
ENGINE_SO := $(BUILD)/lib/libaianime.so.1
SO_FLAGS := -shared -Wl,-soname,libaianime.so.1 -Wl,-z,defs -Wl,--version-script=vf_aianime/libaianime.map
TOOL := $(BUILD)/bin/aianime
# Engines that stand in for the real one in the filter's tests: tests/null_engine.c becomes libnull_engine.so.
FAKE_SRC := $(wildcard tests/*_engine.c)
FAKES := $(FAKE_SRC:tests/%.c=$(BUILD)/tests/lib%.so)
TESTS := $(FAKES) $(TEST_SRC:tests/%.cpp=$(BUILD)/tests/%) $(C_TEST_SRC:tests/%.c=$(BUILD)/tests/%)
ASAN_TESTS := $(patsubst tests/%,$(BUILD)/tests-asan/%,$(basename $(IO_TESTS) $(API_TESTS)))

# --- what people ask for --------------------------------------------------------------------------------------------

.PHONY: all engine tools tests tests-asan fuzz ffmpeg deps test demo bench install format lint clean distclean help FORCE
all: engine tools ffmpeg ## engine, tools and the patched ffmpeg
engine: $(ENGINE_LIB) $(ENGINE_SO) ## the library, static and shared
tools: $(if $(TOOL_SRC),$(TOOL)) ## build/bin/aianime
tests: $(TESTS) ## the unit test programs, not run
tests-asan: $(ASAN_TESTS) ## tests of io/ and api/ with the address and undefined behaviour sanitizers, not run

# On all cores, unless the caller said how many.
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

unit-%: $(BUILD)/tests/test_% ## builds and runs one test: make unit-json runs tests/test_json
	AIANIME_TESTS=$(CURDIR)/tests $<

ffmpeg: ## fetches, patches and builds ffmpeg and ffprobe
	+@BUILD=$(BUILD) CC='$(CC)' CXX='$(CXX)' scripts/ffmpeg.sh '$(FFMPEG_SRC)' '$(FFMPEG_TARBALL)'

deps: ## installs missing Debian packages, unpacks LibTorch into build/deps
	@BUILD=$(BUILD) scripts/deps.sh

test: deps ## builds everything and runs every test that needs no GPU
	+@$(MAKE) $(JOBS) --no-print-directory all tests tests-asan
	+@BUILD=$(BUILD) scripts/test.sh

demo: deps ## stylizes a real clip
	+@$(MAKE) $(JOBS) --no-print-directory all
	@BUILD=$(BUILD) scripts/demo.sh

bench: all tests ## ratios measured side by side
	@BUILD=$(BUILD) tests/bench/run.sh

fuzz: $(BUILD)/fuzz/fuzz_safetensors ## the safetensors reader under libFuzzer (clang) for FUZZ_SECONDS=60; new inputs: build/fuzz/corpus
	@mkdir -p $(BUILD)/fuzz/corpus
	$(BUILD)/fuzz/fuzz_safetensors -max_total_time=$(FUZZ_SECONDS) -max_len=65536 -rss_limit_mb=512 -timeout=2 \
	    -artifact_prefix=$(BUILD)/fuzz/ $(BUILD)/fuzz/corpus tests/fuzz/corpus

install: all $(BUILD)/install/libaianime.so.1 $(BUILD)/install/aianime ## to PREFIX=/usr/local, below DESTDIR=
	@BUILD=$(BUILD) PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' VERSION=$(VERSION) scripts/install.sh

format: ## clang-format on our C++ files
	scripts/lint.sh --format
lint: ## formatting and size budgets
	scripts/lint.sh

clean: ## removes what was compiled, keeps downloads and FFmpeg
	rm -rf $(OBJ) $(BUILD)/pch $(BUILD)/lib $(BUILD)/tests $(BUILD)/tests-asan $(BUILD)/bin/aianime $(BUILD)/install
distclean: ## removes the build folder
	rm -rf $(BUILD)
help: ## this list
	@sed -n 's/^\([a-z%-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

# --- objects --------------------------------------------------------------------------------------------------------

# Rewritten only when the text changes: what depends on it is built again with new flags or a new list of files.
define stamp
$(1): FORCE
	@mkdir -p $$(@D)
	@printf '%s\n' '$(subst ','\'',$(2))' | cmp -s - $$@ || printf '%s\n' '$(subst ','\'',$(2))' > $$@
endef
$(eval $(call stamp,$(OBJ)/flags,$(CC) $(CXX) $(CFLAGS_ALL) $(CXXFLAGS_ALL)))
$(eval $(call stamp,$(OBJ)/list,$(ENGINE_SRC) $(TRAIN_SRC) $(TEST_SUPPORT)))

PCH := $(BUILD)/pch/aten.h.gch
$(PCH): vf_aianime/nn/aten.h $(OBJ)/flags
	@mkdir -p $(@D)
	@printf '#include "nn/aten.h"\n' > $(BUILD)/pch/aten.h
	$(call show,PCH,$<)
	$(Q)$(CXX) $(CXXFLAGS_ALL) -x c++-header $(BUILD)/pch/aten.h -o $@

$(ATEN_OBJ): $(PCH)
$(ATEN_OBJ): CXXFLAGS_ALL += -include $(BUILD)/pch/aten.h -Winvalid-pch

$(call objects,$(OPENMP_SRC)): CXXFLAGS_ALL += -fopenmp

$(OBJ)/%.cpp.o: %.cpp $(OBJ)/flags
	@mkdir -p $(@D)
	$(call show,CXX,$<)
	$(Q)$(CXX) $(CXXFLAGS_ALL) -MMD -MP -c $< -o $@

$(OBJ)/%.c.o: %.c $(OBJ)/flags
	@mkdir -p $(@D)
	$(call show,CC,$<)
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c $< -o $@

$(OBJ)/asan/%.cpp.o: %.cpp $(OBJ)/flags
	@mkdir -p $(@D)
	$(call show,CXX,$< (sanitizers))
	$(Q)$(CXX) $(CXXFLAGS_ALL) $(SANITIZE) -MMD -MP -c $< -o $@

$(OBJ)/asan/%.c.o: %.c $(OBJ)/flags
	@mkdir -p $(@D)
	$(call show,CC,$< (sanitizers))
	$(Q)$(CC) $(CFLAGS_ALL) $(SANITIZE) -MMD -MP -c $< -o $@

# --- programs -------------------------------------------------------------------------------------------------------

ENGINE_OBJ := $(call objects,$(ENGINE_SRC))
# An archive, so that a test loads LibTorch only when it uses a helper that does.
SUPPORT_LIB := $(BUILD)/lib/libsupport.a
.SECONDARY: # no object is thrown away

$(ENGINE_LIB): $(ENGINE_OBJ)
$(SUPPORT_LIB): $(call objects,$(TEST_SUPPORT))
$(TRAIN_LIB): $(call objects,$(TRAIN_SRC))
$(BUILD)/lib/%.a: $(OBJ)/list
	@mkdir -p $(@D)
	@rm -f $@
	$(call show,AR,$@)
	$(Q)ar rcs $@ $(filter %.o,$^)

$(ENGINE_SO): $(ENGINE_OBJ) $(OBJ)/list vf_aianime/libaianime.map
	@mkdir -p $(@D)
	$(call show,LINK,$@)
	$(Q)$(CXX) $(SO_FLAGS) $(TREE_RPATH) $(ENGINE_OBJ) $(LDFLAGS_ALL) $(ENGINE_LIBS) -o $@

$(TOOL): $(call objects,$(TOOL_SRC)) $(TRAIN_LIB) $(ENGINE_LIB)
	@mkdir -p $(@D)
	$(call show,LINK,$@)
	$(Q)$(CXX) $(TREE_RPATH) $^ $(LDFLAGS_ALL) $(TOOL_LIBS) -o $@

# The same two, but looking for LibTorch where `make install` puts it.
$(BUILD)/install/libaianime.so.1: $(ENGINE_SO)
	@mkdir -p $(@D)
	$(call show,LINK,$@)
	$(Q)$(CXX) $(SO_FLAGS) -Wl,-rpath,'$$ORIGIN/aianime' $(ENGINE_OBJ) $(LDFLAGS_ALL) $(ENGINE_LIBS) -o $@

$(BUILD)/install/aianime: $(call objects,$(TOOL_SRC)) $(TRAIN_LIB) $(ENGINE_LIB)
	@mkdir -p $(@D)
	$(call show,LINK,$@)
	$(Q)$(CXX) -Wl,-rpath,'$$ORIGIN/../lib/aianime' $^ $(LDFLAGS_ALL) $(TOOL_LIBS) -o $@

$(TEST_SRC:tests/%.cpp=$(BUILD)/tests/%): $(BUILD)/tests/%: $(OBJ)/tests/%.cpp.o $(SUPPORT_LIB) $(TRAIN_LIB) $(ENGINE_LIB)
	@mkdir -p $(@D)
	$(call show,LINK,$@)
	$(Q)$(CXX) $(TREE_RPATH) $^ $(LDFLAGS_ALL) $(TOOL_LIBS) $(CHECK_LIBS) -o $@

# C programs see only what the shared library exports, as everybody else does.
$(C_TEST_SRC:tests/%.c=$(BUILD)/tests/%): $(BUILD)/tests/%: $(OBJ)/tests/%.c.o $(ENGINE_SO)
	@mkdir -p $(@D)
	$(call show,LINK,$@)
	$(Q)$(CC) $(TREE_RPATH) -Wl,-rpath,'$$ORIGIN/../lib' $^ $(LDFLAGS_ALL) $(CHECK_LIBS) -lm -o $@

$(FAKES): $(BUILD)/tests/lib%.so: $(OBJ)/tests/%.c.o
	@mkdir -p $(@D)
	$(call show,LINK,$@)
	$(Q)$(CC) -shared $^ -o $@

# With the sanitizers: io/ and api/ are instrumented, the networks are the objects built above (LibTorch is not instrumented).
ASAN_SRC := $(foreach dir,io api,$(wildcard vf_aianime/$(dir)/*.cpp))
ASAN_OBJ := $(patsubst %,$(OBJ)/asan/%.o,$(ASAN_SRC)) $(call objects,$(filter-out $(ASAN_SRC),$(ENGINE_SRC)))
$(BUILD)/lib/libaianime-asan.a: $(ASAN_OBJ)
$(BUILD)/lib/libsupport-asan.a: $(patsubst %,$(OBJ)/asan/%.o,$(TEST_SUPPORT))

$(BUILD)/tests-asan/%: $(OBJ)/asan/tests/%.cpp.o $(BUILD)/lib/libsupport-asan.a $(BUILD)/lib/libaianime-asan.a
	@mkdir -p $(@D)
	$(call show,LINK,$@)
	$(Q)$(CXX) $(SANITIZE) $(TREE_RPATH) $^ $(LDFLAGS_ALL) $(TOOL_LIBS) $(CHECK_LIBS) -o $@

$(BUILD)/tests-asan/%: $(OBJ)/asan/tests/%.c.o $(BUILD)/lib/libaianime-asan.a
	@mkdir -p $(@D)
	$(call show,LINK,$@)
	$(Q)$(CXX) $(SANITIZE) $(TREE_RPATH) $^ $(LDFLAGS_ALL) $(TOOL_LIBS) $(CHECK_LIBS) -o $@

# libFuzzer is clang's; the reader is compiled anew, with its instrumentation.
CLANGXX ?= clang++
FUZZ_SECONDS ?= 60
$(BUILD)/fuzz/fuzz_safetensors: tests/fuzz/fuzz_safetensors.cpp tests/fuzz/safetensors_target.h $(wildcard vf_aianime/io/*)
	@command -v $(CLANGXX) >/dev/null || { echo 'make fuzz needs clang: apt-get install clang'; exit 1; }
	@mkdir -p $(@D)
	$(call show,LINK,$@)
	$(Q)$(CLANGXX) -std=c++17 -O1 -g $(WARN) -Ivf_aianime -Ivf_aianime/include $(JSON_CFLAGS) -fno-omit-frame-pointer \
	    -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined $(filter %.cpp,$^) $(JSON_LIBS) -ldl -o $@

-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)
